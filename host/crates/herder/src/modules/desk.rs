//! The desk that all changes of modules and bindings pass, one after the other.

mod canary;
mod change;
mod follow;
#[cfg(test)]
mod tests;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caisson_model::Digest;
use caisson_store::{Binding, BoxFuture, Canary, ConfigStore, ModuleStore, Spooled, StatusStore, Upload};

use super::worker::{ModuleWorker, TrialTerms, WorkerModule};
use super::{AddRequest, Added, BindRequest, BindingInfo, BindingState, Bound, ModuleInfo, Modules, Origin};
use crate::Error;

/// What a desk is told at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeskOptions {
    /// Bytes of one module.
    pub module_bytes: u64,
    /// How long what was swapped is on probation.
    pub trial: TrialTerms,
}

/// What a desk works with.
pub struct DeskParts {
    pub store: Arc<dyn ModuleStore>,
    pub worker: Arc<dyn ModuleWorker>,
    /// Who may use a module, on any worker.
    pub configs: Arc<dyn ConfigStore>,
    /// What runs, on any worker.
    pub statuses: Arc<dyn StatusStore>,
}

/// Modules and bindings of one worker.
#[derive(Clone)]
pub struct Desk {
    shared: Arc<Shared>,
}

struct Shared {
    options: DeskOptions,
    store: Arc<dyn ModuleStore>,
    worker: Arc<dyn ModuleWorker>,
    configs: Arc<dyn ConfigStore>,
    statuses: Arc<dyn StatusStore>,
    /// Makes the look at modules and bindings and the change that follows from it one step. It is held across writes and
    /// swaps, which is what it is for.
    changes: tokio::sync::Mutex<()>,
    /// Generations on probation, by class. Held for a look or a change.
    trials: Mutex<BTreeMap<String, u64>>,
    /// Generations, by class, that the worker acts on. Held for a look or a change.
    acted: Mutex<BTreeMap<String, u64>>,
    /// By class, what a task of this worker tries. Held for a look or a change.
    trying: Mutex<BTreeMap<String, Canary>>,
    /// By class, the last canary elsewhere that this desk watches over. Held for a change.
    looked_after: Mutex<BTreeMap<String, u64>>,
    /// Canaries that there were.
    canary_numbers: AtomicU64,
}

impl Desk {
    /// Takes what the store has among the worker's plugins. A module that cannot be loaded is logged and left out.
    pub async fn open(parts: DeskParts, options: DeskOptions) -> Desk {
        let shared = Shared {
            options,
            store: parts.store,
            worker: parts.worker,
            configs: parts.configs,
            statuses: parts.statuses,
            changes: tokio::sync::Mutex::default(),
            trials: Mutex::default(),
            acted: Mutex::default(),
            trying: Mutex::default(),
            looked_after: Mutex::default(),
            canary_numbers: AtomicU64::default(),
        };
        let changes = shared.store.changes();
        shared.take_modules().await;
        for (class, history) in shared.store.bindings() {
            shared.acted().insert(class, history.generation());
        }
        shared.tell_bindings();
        let shared = Arc::new(shared);
        shared.heed_canaries().await;
        if let Some(changes) = changes {
            tokio::spawn(follow::follow(Arc::downgrade(&shared), changes));
        }
        Desk { shared }
    }
}

/// Does work that goes on when nobody waits for it any more.
async fn unbroken<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::spawn(work).await;
    done.map_err(|error| Error::Other(format!("the worker has a bug: {error}")))?
}

impl Shared {
    fn trials(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn acted(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.acted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trying(&self) -> MutexGuard<'_, BTreeMap<String, Canary>> {
        self.trying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn looked_after(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.looked_after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the worker which modules serve which classes.
    fn tell_bindings(&self) {
        let known: BTreeSet<Digest> = self.worker.modules().iter().map(|module| module.digest).collect();
        let mut bound = BTreeMap::new();
        for (class, history) in self.store.bindings() {
            match history.module() {
                Some(digest) if known.contains(&digest) => {
                    bound.insert(class, digest);
                }
                Some(digest) => {
                    tracing::error!(class, module = %digest, "the module that is to serve this class is not there")
                }
                None => {}
            }
        }
        self.worker.bind(bound);
    }

    fn info(&self, module: WorkerModule, users: &BTreeMap<Digest, BTreeSet<String>>) -> ModuleInfo {
        let stored = self
            .store
            .modules()
            .into_iter()
            .find(|stored| stored.digest == module.digest);
        let bindings = self.store.bindings();
        let serves = bindings
            .iter()
            .filter(|(_, history)| history.module() == Some(module.digest))
            .map(|(class, _)| class.clone())
            .collect();
        ModuleInfo {
            digest: module.digest,
            name: module.name,
            origin: module.origin,
            manifest: module.manifest,
            size: stored.as_ref().map(|stored| stored.size),
            uploaded: stored.as_ref().map(|stored| stored.uploaded),
            serves,
            used_by: users.get(&module.digest).into_iter().flatten().cloned().collect(),
        }
    }

    fn module(&self, digest: Digest) -> Result<WorkerModule, Error> {
        let found = self.worker.modules().into_iter().find(|module| module.digest == digest);
        found.ok_or_else(|| Error::NotFound(format!("Module {digest} not found")))
    }

    fn binding(&self, class: &str) -> Result<BindingInfo, Error> {
        let bindings = self.store.bindings();
        let history = bindings.get(class);
        let current = history.and_then(|history| history.current());
        let (Some(history), Some(current)) = (history, current) else {
            return Err(Error::NotFound(format!(
                "Nobody has decided which module serves {class}"
            )));
        };
        let on_trial = self.trials().get(class) == Some(&current.generation);
        Ok(BindingInfo {
            canary: self.canary(class),
            class: class.to_owned(),
            current: current.clone(),
            previous: history.previous().cloned(),
            state: if on_trial {
                BindingState::Probation
            } else {
                BindingState::Settled
            },
        })
    }
}

impl Modules for Desk {
    fn list(&self) -> Vec<ModuleInfo> {
        let users = self.shared.all_users();
        let modules = self.shared.worker.modules();
        modules
            .into_iter()
            .map(|module| self.shared.info(module, &users))
            .collect()
    }

    fn module(&self, digest: Digest) -> Result<ModuleInfo, Error> {
        Ok(self.shared.info(self.shared.module(digest)?, &self.shared.all_users()))
    }

    fn file(&self, digest: Digest) -> Result<PathBuf, Error> {
        if let Some(file) = self.shared.store.file(digest) {
            return Ok(file);
        }
        let module = self.shared.module(digest)?;
        debug_assert_eq!(module.origin, Origin::PluginPath);
        let text = format!("Module {digest} lies in plugin.path and was not uploaded; its bytes are not served");
        Err(Error::NotFound(text))
    }

    fn begin(&self) -> BoxFuture<'_, Result<Upload, Error>> {
        Box::pin(async { Ok(self.shared.store.begin(self.shared.options.module_bytes).await?) })
    }

    fn add(&self, upload: Spooled, request: AddRequest) -> BoxFuture<'_, Result<Added, Error>> {
        let shared = self.shared.clone();
        Box::pin(unbroken(async move { shared.add(upload, request).await }))
    }

    fn remove(&self, digest: Digest, by: String) -> BoxFuture<'_, Result<(), Error>> {
        let shared = self.shared.clone();
        Box::pin(unbroken(async move { shared.remove(digest, &by).await }))
    }

    fn bindings(&self) -> Vec<BindingInfo> {
        let classes = self.shared.store.bindings().into_keys();
        classes.filter_map(|class| self.shared.binding(&class).ok()).collect()
    }

    fn binding(&self, class: &str) -> Result<BindingInfo, Error> {
        self.shared.binding(class)
    }

    fn history(&self, class: &str) -> Result<Vec<Binding>, Error> {
        self.shared.binding(class)?;
        let bindings = self.shared.store.bindings();
        Ok(bindings
            .get(class)
            .map(|history| history.all().to_vec())
            .unwrap_or_default())
    }

    fn bind(&self, class: String, request: BindRequest) -> BoxFuture<'_, Result<Bound, Error>> {
        let shared = self.shared.clone();
        Box::pin(unbroken(async move {
            let _turn = shared.changes.lock().await;
            if let Some(module) = request.module {
                shared.look_for(module).await?;
            }
            shared.bind(&class, request).await
        }))
    }

    fn try_out(&self, class: String, request: BindRequest) -> BoxFuture<'_, Result<Bound, Error>> {
        let shared = self.shared.clone();
        Box::pin(unbroken(async move { shared.try_out(&class, request).await }))
    }

    fn catch_up(&self) -> BoxFuture<'_, Result<bool, Error>> {
        let shared = self.shared.clone();
        Box::pin(unbroken(async move {
            shared.store.refresh().await?;
            let _turn = shared.changes.lock().await;
            Ok(shared.act().await)
        }))
    }

    fn roll_back(&self, class: String, by: String) -> BoxFuture<'_, Result<Bound, Error>> {
        let shared = self.shared.clone();
        Box::pin(unbroken(async move { shared.roll_back(&class, by).await }))
    }
}
