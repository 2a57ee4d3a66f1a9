//! All statuses that are known, whoever keeps them.

use std::collections::{BTreeMap, BTreeSet};

use caisson_model::{ConnectorState, TaskId, TaskState};

use super::{Status, TopicUse};

#[derive(Debug, Default)]
pub struct Known {
    pub connectors: BTreeMap<String, Status<ConnectorState>>,
    pub tasks: BTreeMap<TaskId, Status<TaskState>>,
    /// By connector and topic.
    pub topics: BTreeMap<(String, String), TopicUse>,
}

impl Known {
    pub fn names(&self) -> Vec<String> {
        let of_tasks = self.tasks.keys().map(|id| id.connector.to_string());
        let names: BTreeSet<String> = self.connectors.keys().cloned().chain(of_tasks).collect();
        names.into_iter().collect()
    }

    pub fn tasks_of(&self, connector: &str) -> Vec<(u32, Status<TaskState>)> {
        let from = self.tasks.range(TaskId::new(connector, 0)..);
        let own = from.take_while(|(id, _)| &*id.connector == connector);
        own.map(|(id, status)| (id.task, status.clone())).collect()
    }

    pub fn topics_of(&self, connector: &str) -> Vec<TopicUse> {
        let from = self.topics.range((connector.to_owned(), String::new())..);
        from.take_while(|((name, _), _)| name == connector)
            .map(|(_, used)| used.clone())
            .collect()
    }
}
