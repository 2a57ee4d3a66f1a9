//! Who in the whole cluster uses which module, by what is configured and decided: no other worker has to be asked, and one
//! that is away counts too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use caisson_model::{Digest, TargetState, TaskId, TaskState};
use caisson_store::ConnectorEntry;

use super::Shared;

impl Shared {
    /// Connectors and tasks by the modules that they run with, or would if they had not failed.
    pub(super) fn all_users(&self) -> BTreeMap<Digest, BTreeSet<String>> {
        let mut users: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
        for (name, entry) in &self.at_work() {
            match self.worker.made_of(&entry.config, None) {
                Ok(ingredients) => {
                    for used in ingredients {
                        let users = users.entry(used.module).or_default();
                        users.extend(used.connector.then(|| name.to_string()));
                        users.extend(tasks_of(name, entry).map(|id| id.to_string()));
                    }
                }
                // It cannot run anywhere as it is.
                Err(failure) => tracing::debug!(connector = %name, %failure, "uses no module that is known"),
            }
        }
        for canary in self.open_canaries().into_values() {
            users.entry(canary.module).or_default().insert(canary.task);
        }
        // What runs here may differ for a moment.
        for module in self.worker.modules() {
            let here = self.worker.users(module.digest);
            if !here.is_empty() {
                users.entry(module.digest).or_default().extend(here);
            }
        }
        users
    }

    pub(super) fn users(&self, digest: Digest) -> Vec<String> {
        let users = self.all_users().remove(&digest).unwrap_or_default();
        users.into_iter().collect()
    }

    /// A task that would take a module if it served the class: one of this worker's, or else one that runs elsewhere.
    pub(super) fn taker(&self, class: &str, module: Digest) -> Option<String> {
        if let Some(task) = self.worker.takers(class, module).into_iter().next() {
            return Some(task);
        }
        let has = |entry: &ConnectorEntry, tried| {
            let made_of = self.worker.made_of(&entry.config, tried);
            made_of.is_ok_and(|all| all.iter().any(|used| used.class == class && used.module == module))
        };
        let takes = |entry: &ConnectorEntry| has(entry, Some((class, module))) && !has(entry, None);
        let runs = |id: &TaskId| {
            let status = self.statuses.task(id);
            status.is_some_and(|status| status.state == TaskState::Running) && !self.worker.runs(&id.to_string())
        };
        let at_work = self.at_work();
        let mut takers = at_work.iter().filter(|(_, entry)| takes(entry));
        let task = takers.find_map(|(name, entry)| tasks_of(name, entry).find(runs));
        task.map(|id| id.to_string())
    }

    /// Connectors that run, or are paused.
    fn at_work(&self) -> Vec<(Arc<str>, Arc<ConnectorEntry>)> {
        let snapshot = self.configs.snapshot();
        let all = snapshot.connectors().map(|(name, entry)| (name.clone(), entry.clone()));
        all.filter(|(_, entry)| entry.target != TargetState::Stopped).collect()
    }
}

fn tasks_of<'a>(name: &'a str, entry: &ConnectorEntry) -> impl Iterator<Item = TaskId> + use<'a> {
    (0..entry.tasks.len() as u32).map(move |number| TaskId::new(name, number))
}
