//! A store as workers of a cluster have it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use caisson_model::Digest;
use caisson_store::{Binding, BoxFuture, Canary, DirectoryModuleStore, History, ModuleStore, Published, Spooled};
use caisson_store::{StoredModule, Upload};
use tokio::sync::watch;

/// A store that several desks share and follow, as they do a topic.
#[derive(Clone)]
pub(super) struct Followed {
    inner: DirectoryModuleStore,
    changes: watch::Sender<u64>,
}

impl Followed {
    pub(super) fn open(directory: &Path) -> Self {
        Followed {
            inner: DirectoryModuleStore::open(directory).unwrap(),
            changes: watch::Sender::new(0),
        }
    }

    fn changed<'a, T: Send + 'a>(&'a self, change: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
        Box::pin(async {
            let done = change.await;
            self.changes.send_modify(|changes| *changes += 1);
            done
        })
    }
}

impl ModuleStore for Followed {
    fn modules(&self) -> Vec<StoredModule> {
        self.inner.modules()
    }

    fn file(&self, digest: Digest) -> Option<PathBuf> {
        self.inner.file(digest)
    }

    fn begin(&self, limit: u64) -> BoxFuture<'_, Result<Upload, caisson_store::Error>> {
        self.inner.begin(limit)
    }

    fn publish(&self, upload: Spooled, name: String) -> BoxFuture<'_, Result<Published, caisson_store::Error>> {
        self.changed(self.inner.publish(upload, name))
    }

    fn remove(&self, digest: Digest) -> BoxFuture<'_, Result<bool, caisson_store::Error>> {
        self.changed(self.inner.remove(digest))
    }

    fn bindings(&self) -> BTreeMap<String, History> {
        self.inner.bindings()
    }

    fn bind(&self, class: String, next: Binding) -> BoxFuture<'_, Result<(), caisson_store::Error>> {
        self.changed(self.inner.bind(class, next))
    }

    fn canaries(&self) -> BTreeMap<String, Canary> {
        self.inner.canaries()
    }

    fn set_canary(&self, class: String, canary: Option<Canary>) -> BoxFuture<'_, Result<(), caisson_store::Error>> {
        self.changed(self.inner.set_canary(class, canary))
    }

    fn changes(&self) -> Option<watch::Receiver<u64>> {
        Some(self.changes.subscribe())
    }
}
