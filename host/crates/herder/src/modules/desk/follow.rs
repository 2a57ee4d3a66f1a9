//! What other workers have changed: their modules become this worker's, and their decisions its own.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use caisson_model::{Digest, Failure};
use caisson_store::History;
use tokio::sync::watch;

use super::Shared;
use super::change::ROLLBACK;
use crate::modules::Origin;
use crate::modules::worker::{Scope, SwapOrder};

/// How often what uploads have left is looked for.
const TIDYING: Duration = Duration::from_secs(600);

/// Acts on every change of the store, as long as there is a desk.
pub(super) async fn follow(desk: Weak<Shared>, mut changes: watch::Receiver<u64>) {
    let mut tidying = tokio::time::interval(TIDYING);
    loop {
        let is_time = tokio::select! {
            changed = changes.changed() => match changed {
                Ok(()) => false,
                Err(_) => return,
            },
            _ = tidying.tick() => true,
        };
        let Some(desk) = desk.upgrade() else { return };
        if is_time {
            if let Err(error) = desk.store.tidy().await {
                tracing::warn!(%error, "what uploads without an end have left stays for now");
            }
            continue;
        }
        let _turn = desk.changes.lock().await;
        desk.act().await;
    }
}

impl Shared {
    /// Brings the worker in line with the store. Must be called in turn. Whether there was anything to do.
    pub(super) async fn act(self: &Arc<Self>) -> bool {
        let changed = self.take_modules().await;
        let news: Vec<(String, History)> = {
            let acted = self.acted();
            let is_new = |(class, history): &(String, History)| acted.get(class) != Some(&history.generation());
            self.store.bindings().into_iter().filter(is_new).collect()
        };
        if changed || !news.is_empty() {
            self.tell_bindings();
        }
        for (class, history) in &news {
            self.acted().insert(class.clone(), history.generation());
            self.swap_as_decided(class, history).await;
        }
        self.heed_canaries().await;
        changed || !news.is_empty()
    }

    /// Takes modules that are new in the store among the plugins, and forgets those that are gone.
    pub(super) async fn take_modules(&self) -> bool {
        let stored: BTreeSet<Digest> = self.store.modules().iter().map(|module| module.digest).collect();
        let known = self.worker.modules();
        let mut changed = false;
        for module in known.iter().filter(|module| module.origin == Origin::Upload) {
            if !stored.contains(&module.digest) {
                tracing::info!(digest = %module.digest, "module removed");
                self.worker.forget(module.digest);
                changed = true;
            }
        }
        for module in self.store.modules() {
            if known.iter().any(|known| known.digest == module.digest) {
                continue;
            }
            let Some(file) = self.store.file(module.digest) else {
                continue;
            };
            match self.worker.examine(Some(&module.name), &file).await {
                Ok(examined) if examined.digest == module.digest => {
                    (examined.install)();
                    tracing::info!(digest = %module.digest, name = module.name, "module taken from the store");
                    changed = true;
                }
                Ok(_) => {
                    tracing::error!(digest = %module.digest, "module left out: its bytes are not those that were uploaded");
                }
                Err(error) => tracing::error!(digest = %module.digest, error, "module left out: it cannot be loaded"),
            }
        }
        changed
    }

    /// Has what runs here follow a decision that was made elsewhere. If it cannot, the decision is taken back everywhere.
    async fn swap_as_decided(self: &Arc<Self>, class: &str, history: &History) {
        let Some(current) = history.current() else { return };
        self.trials().remove(class);
        self.trying().remove(class);
        let is_rollback = current.by == ROLLBACK;
        let reason = current.reason.as_ref().filter(|_| is_rollback);
        let order = SwapOrder {
            class: class.to_owned(),
            scope: Scope::All,
            trial: (!is_rollback).then_some(self.options.trial),
            reason: reason.map(|reason| Failure::host(format!("module was put back: {reason}"))),
        };
        match self.worker.swap(order).await {
            Ok(swaps) => self.watch(class, current.generation, swaps.trials),
            Err(failure) if is_rollback => {
                tracing::error!(class, %failure, "a task could not go back to the module before");
            }
            Err(failure) => {
                let before = history.previous().and_then(|previous| previous.module);
                // What has failed is logged where it failed.
                let _ = self.take_back(class, before, &failure).await;
            }
        }
    }
}
