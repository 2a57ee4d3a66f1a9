//! What changes modules and bindings: uploads, decisions, and decisions that are taken back.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use caisson_api::manifest::{Manifest, Plugin};
use caisson_model::{Digest, Failure};
use caisson_store::{Binding, History, Published, Spooled};

use super::Shared;
use crate::Error;
use crate::modules::worker::{Examined, Scope, SwapOrder, Swaps, Trial, WorkerModule};
use crate::modules::{AddRequest, Added, BindRequest, Bound, Consent, wider};

/// Who decides where nobody is asked.
const UPLOAD: &str = "upload";
pub(super) const ROLLBACK: &str = "rollback";

impl Shared {
    /// Compiles what was uploaded, outside of everybody's way; then keeps it.
    pub(super) async fn add(self: &Arc<Self>, upload: Spooled, request: AddRequest) -> Result<Added, Error> {
        let digest = upload.digest;
        if self.store.file(digest).is_some() && self.module(digest).is_err() {
            // Whoever stored it, here or elsewhere, may be about to take it among the plugins.
            let _turn = self.changes.lock().await;
            self.look_for(digest).await?;
        }
        let published = if self.module(digest).is_ok() {
            Published::Known
        } else {
            let examined = self.worker.examine(None, upload.path()).await;
            let examined = examined.map_err(Error::BadRequest)?;
            let _turn = self.changes.lock().await;
            self.keep(upload, examined).await?
        };
        let activated = match request.activate {
            true => self.activate(digest, &request).await?,
            false => Vec::new(),
        };
        let module = self.info(self.module(digest)?, &self.all_users());
        Ok(Added {
            module,
            published,
            activated,
        })
    }

    /// Has a module serve all that it offers, or nothing of it.
    async fn activate(self: &Arc<Self>, digest: Digest, request: &AddRequest) -> Result<Vec<Bound>, Error> {
        let _turn = self.changes.lock().await;
        let mut activated: Vec<Bound> = Vec::new();
        let earlier = self.store.bindings();
        for plugin in self.module(digest)?.manifest.plugins {
            let change = BindRequest {
                module: Some(digest),
                consent: request.consent,
                by: request.by.clone(),
            };
            match self.bind(&plugin.class, change).await {
                Ok(bound) => activated.push(bound),
                Err(error) => {
                    let failure = Failure::host(format!("{} of the same module was refused: {error}", plugin.class));
                    let is_new = |bound: &&Bound| {
                        let generation = earlier.get(&bound.binding.class).map(|history| history.generation());
                        generation != Some(bound.binding.current.generation)
                    };
                    for bound in activated.iter().filter(is_new) {
                        let before = bound.binding.previous.as_ref().and_then(|previous| previous.module);
                        self.take_back(&bound.binding.class, before, &failure).await?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(activated)
    }

    /// What nobody else serves is served by what is new; all else goes on as it was.
    async fn keep(self: &Arc<Self>, upload: Spooled, examined: Examined) -> Result<Published, Error> {
        let Examined {
            digest,
            name,
            manifest,
            install,
        } = examined;
        self.check_kinds(&manifest)?;
        let unserved = |plugin: &&Plugin| self.worker.server(&plugin.class).is_none();
        let fresh: Vec<Plugin> = manifest.plugins.iter().filter(unserved).cloned().collect();
        let published = self.store.publish(upload, name).await?;
        install();
        for plugin in fresh {
            // Another worker may have been given the same module meanwhile, or another one for the class: that is no news to
            // this desk before its turn comes, and yet decided. So each class is looked at when its turn comes.
            let history = self.store.bindings().remove(&plugin.class).unwrap_or_default();
            let is_stored = |serving| self.store.modules().iter().any(|stored| stored.digest == serving);
            if history.module().is_some_and(is_stored) {
                continue;
            }
            let next = history.next(Some(digest), Some(plugin.version), UPLOAD, None);
            match self.write(&plugin.class, next).await {
                // It was first by a moment.
                Err(Error::Conflict(_)) => tracing::info!(class = plugin.class, "what serves the class is decided"),
                decided => drop(decided?),
            }
        }
        self.tell_bindings();
        tracing::info!(%digest, plugins = manifest.plugins.len(), "module uploaded");
        Ok(published)
    }

    /// A class is of one kind, or configurations that name it would mean something else.
    fn check_kinds(&self, manifest: &Manifest) -> Result<(), Error> {
        for plugin in &manifest.plugins {
            if let Some(server) = self.worker.server(&plugin.class)
                && server.kind != plugin.kind
            {
                return Err(Error::Conflict(format!(
                    "The module offers {} as a {}, but here it is a {}",
                    plugin.class, plugin.kind, server.kind
                )));
            }
        }
        Ok(())
    }

    pub(super) async fn remove(self: &Arc<Self>, digest: Digest, by: &str) -> Result<(), Error> {
        let _turn = self.changes.lock().await;
        self.look_for(digest).await?;
        if self.store.file(digest).is_none() {
            self.module(digest)?;
            let text = format!("Module {digest} lies in plugin.path and cannot be removed by REST");
            return Err(Error::Conflict(text));
        }
        let users = self.users(digest);
        if !users.is_empty() {
            let text = format!("Module {digest} is in use by {}", users.join(", "));
            return Err(Error::Conflict(text));
        }
        for (class, history) in self.store.bindings() {
            let on_trial = self.trials().contains_key(&class) || self.may_be_on_trial(&history);
            if on_trial && history.previous().and_then(|previous| previous.module) == Some(digest) {
                let text = format!("Module {digest} is what {class} goes back to if its probation fails");
                return Err(Error::Conflict(text));
            }
            if history.module() == Some(digest) && self.store.changes().is_some() {
                let text = format!("Module {digest} serves {class} in the cluster; have another one serve it first");
                return Err(Error::Conflict(text));
            }
            if history.module() == Some(digest) {
                self.decide(&class, None, None, by, Some(format!("module {digest} was removed")))
                    .await?;
            }
        }
        self.store.remove(digest).await?;
        self.worker.forget(digest);
        self.tell_bindings();
        tracing::info!(%digest, by, "module removed");
        Ok(())
    }

    /// A module that another worker was given a moment ago may be on its way. Must be called in turn.
    pub(super) async fn look_for(self: &Arc<Self>, digest: Digest) -> Result<(), Error> {
        if self.module(digest).is_err() {
            self.store.refresh().await?;
            self.act().await;
        }
        Ok(())
    }

    /// Whether another worker may still take the newest decision back.
    fn may_be_on_trial(&self, history: &History) -> bool {
        let Some(current) = history.current() else { return false };
        let age = SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_millis(current.at));
        let is_young = age.is_ok_and(|age| age < self.options.trial.time);
        self.store.changes().is_some() && current.by != ROLLBACK && is_young
    }

    /// Writes a decision down. The worker does not know it yet.
    pub(super) async fn decide(
        &self,
        class: &str,
        module: Option<Digest>,
        version: Option<String>,
        by: &str,
        reason: Option<String>,
    ) -> Result<Binding, Error> {
        let history = self.store.bindings().remove(class).unwrap_or_default();
        self.write(class, history.next(module, version, by, reason)).await
    }

    async fn write(&self, class: &str, next: Binding) -> Result<Binding, Error> {
        self.store.bind(class.to_owned(), next.clone()).await?;
        self.acted().insert(class.to_owned(), next.generation);
        tracing::info!(
            class,
            generation = next.generation,
            module = next.module.map(tracing::field::display),
            by = next.by,
            "binding changed"
        );
        Ok(next)
    }

    /// Has another module serve a class, here and now. Must be called in turn.
    pub(super) async fn bind(self: &Arc<Self>, class: &str, request: BindRequest) -> Result<Bound, Error> {
        let version = self.check_request(class, &request)?;
        let history = self.store.bindings().remove(class).unwrap_or_default();
        if history.current().is_some() && history.module() == request.module {
            self.end_canary(class).await?;
            return self.bound(class, Swaps::default());
        }
        let before = history.module();
        let decided = self.decide(class, request.module, version, &request.by, None).await?;
        self.tell_bindings();
        self.trials().remove(class);
        // Whoever tries something takes what was decided like the others.
        self.trying().remove(class);
        if self.store.canaries().contains_key(class)
            && let Err(error) = self.store.set_canary(class.to_owned(), None).await
        {
            tracing::warn!(class, %error, "a canary that was decided about stays written down");
        }
        match self.worker.swap(self.order(class, Scope::All)).await {
            Ok(mut swaps) => {
                self.watch(class, decided.generation, std::mem::take(&mut swaps.trials));
                self.bound(class, swaps)
            }
            Err(failure) => {
                self.take_back(class, before, &failure).await?;
                let text = format!("The module cannot take over {class}, what served it before goes on: {failure}");
                Err(Error::Conflict(text))
            }
        }
    }

    /// A swap that somebody has asked for, with a probation.
    pub(super) fn order(&self, class: &str, scope: Scope) -> SwapOrder {
        SwapOrder {
            class: class.to_owned(),
            scope,
            trial: Some(self.options.trial),
            reason: None,
        }
    }

    /// The version of the plugin, if the module may serve the class.
    pub(super) fn check_request(&self, class: &str, request: &BindRequest) -> Result<Option<String>, Error> {
        let server = self.worker.server(class);
        let Some(digest) = request.module else {
            let elsewhere = |module: &WorkerModule| self.store.file(module.digest).is_none();
            let modules = self.worker.modules();
            let found = modules.iter().filter(|module| elsewhere(module));
            let native = server.as_ref().is_some_and(|server| server.module.is_none());
            if !native && !found.into_iter().any(|module| module.manifest.plugin(class).is_some()) {
                return Err(Error::NotFound(format!("Nothing but uploaded modules offers {class}")));
            }
            return Ok(None);
        };
        let module = self.module(digest)?;
        let plugin = module.manifest.plugins.iter().find(|plugin| plugin.class == class);
        let plugin = plugin.ok_or_else(|| Error::BadRequest(format!("Module {digest} does not offer {class}")))?;
        if let Some(server) = server {
            if server.kind != plugin.kind {
                let text = format!(
                    "Module {digest} offers {class} as a {}, but here it is a {}",
                    plugin.kind, server.kind
                );
                return Err(Error::Conflict(text));
            }
            if let Some(old) = &server.plugin
                && request.consent == Consent::Withheld
                && let Some(added) = wider(old, plugin)
            {
                return Err(Error::Consent {
                    class: class.to_owned(),
                    added: Box::new(added),
                });
            }
        }
        Ok(Some(plugin.version.clone()))
    }

    pub(super) fn bound(&self, class: &str, swaps: Swaps) -> Result<Bound, Error> {
        Ok(Bound {
            binding: self.binding(class)?,
            swapped: swaps.swapped,
            waiting: swaps.waiting,
        })
    }

    pub(super) async fn roll_back(self: &Arc<Self>, class: &str, by: String) -> Result<Bound, Error> {
        let _turn = self.changes.lock().await;
        if self.end_canary(class).await? {
            return self.bound(class, Swaps::default());
        }
        let binding = self.binding(class)?;
        let previous = binding
            .previous
            .ok_or_else(|| Error::Conflict(format!("{class} has had no other binding to go back to")))?;
        let request = BindRequest {
            module: previous.module,
            // It has had these grants before.
            consent: Consent::Given,
            by,
        };
        self.bind(class, request).await
    }

    /// Begins a probation, if anything is on it.
    pub(super) fn watch(self: &Arc<Self>, class: &str, generation: u64, trials: Vec<Trial>) {
        if !trials.is_empty() {
            self.trials().insert(class.to_owned(), generation);
            tokio::spawn(self.clone().judge(class.to_owned(), generation, trials));
        }
    }

    /// Waits for the verdicts on what was swapped; the first bad one takes the decision back.
    async fn judge(self: Arc<Self>, class: String, generation: u64, trials: Vec<Trial>) {
        let mut verdicts = tokio::task::JoinSet::new();
        for trial in trials {
            verdicts.spawn(async move { (trial.task, trial.verdict.await) });
        }
        let mut failed: Option<(String, Failure)> = None;
        while let Some(verdict) = verdicts.join_next().await {
            if let Ok((task, Ok(Err(failure)))) = verdict {
                failed = Some((task, failure));
                break;
            }
        }
        let turn = self.changes.lock().await;
        {
            let mut trials = self.trials();
            if trials.get(&class) != Some(&generation) {
                return;
            }
            trials.remove(&class);
        }
        let Some((task, failure)) = failed else {
            tracing::info!(class, generation, "probation passed");
            return;
        };
        let history = self.store.bindings().remove(&class).unwrap_or_default();
        if history.generation() != generation {
            return;
        }
        let before = history.previous().and_then(|previous| previous.module);
        tracing::warn!(class, task, "probation failed");
        // What has failed is logged where it failed.
        let _ = self.take_back(&class, before, &failure).await;
        drop(turn);
    }

    /// Puts the earlier module in its place again. Must be called in turn.
    pub(super) async fn take_back(&self, class: &str, before: Option<Digest>, failure: &Failure) -> Result<(), Error> {
        let reason = failure.to_string();
        tracing::error!(
            class,
            reason,
            "module did not prove itself, the one before it comes back"
        );
        self.trials().remove(class);
        self.trying().remove(class);
        let before = before.filter(|digest| self.module(*digest).is_ok());
        let version = before.and_then(|digest| {
            let module = self.module(digest).ok()?;
            module.manifest.plugin(class).map(|plugin| plugin.version.clone())
        });
        let decided = self.decide(class, before, version, ROLLBACK, Some(reason)).await;
        if let Err(error) = &decided {
            tracing::error!(class, %error, "the binding could not be taken back");
        }
        self.tell_bindings();
        let order = SwapOrder {
            class: class.to_owned(),
            scope: Scope::All,
            trial: None,
            reason: Some(Failure {
                message: format!("module was put back: {}", failure.message),
                ..failure.clone()
            }),
        };
        if let Err(failure) = self.worker.swap(order).await {
            tracing::error!(class, %failure, "a task could not go back to the module before");
        }
        decided.map(drop)
    }
}
