//! Whether a task of an exactly-once source may begin, once nobody else writes for it (KIP-618).

use std::sync::{Arc, Weak};

use caisson_model::{Failure, TaskId};
use caisson_store::BoxFuture;

use crate::assignor::Item;
use crate::node::Node;
use crate::worker::Claim;

pub(super) struct TaskClaim {
    /// A node that has gone has no tasks.
    node: Weak<Node>,
    id: TaskId,
    /// Of the task configurations that the task is started with.
    task_revision: u64,
}

impl TaskClaim {
    pub fn new(node: &Arc<Node>, id: &TaskId, task_revision: u64) -> TaskClaim {
        TaskClaim {
            node: Arc::downgrade(node),
            id: id.clone(),
            task_revision,
        }
    }
}

impl Claim for TaskClaim {
    fn verify(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let id = &self.id;
            let revoked = || {
                let text = "as it has already been revoked from this worker";
                Failure::host(format!("Cannot start source task {id} {text}"))
            };
            let node = self.node.upgrade().ok_or_else(revoked)?;
            node.configs().refresh().await.map_err(|error| {
                Failure::host(format!("Failed to perform preflight check for task {id}"))
                    .with_detail(format!("the config topic cannot be read to its end: {error}"))
            })?;
            let revision = node.entry(&id.connector).map(|entry| entry.task_revision);
            if revision != Some(self.task_revision) {
                let text = "as the connector has already generated a new set of task configs";
                return Err(Failure::host(format!(
                    "Cannot start source task {id} with exactly-once support {text}"
                )));
            }
            match node.has(&Item::Task(id.clone())) {
                true => Ok(()),
                false => Err(revoked()),
            }
        })
    }
}
