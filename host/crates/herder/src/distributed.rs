//! The herder of a member of a cluster. [`core`] decides, [`run`] performs and brings back what came of it, and the node
//! ([`crate::node`]) starts and stops what this worker was given.

pub mod core;
mod peers;
mod rebalances;
mod requests;
mod run;
pub mod signature;
#[cfg(test)]
mod simulation;

use std::sync::{Arc, OnceLock, Weak};

use caisson_model::{Assignment, GroupProtocol, Metric, WorkerState};
use caisson_store::{BoxFuture, ConfigStore, StatusStore};
use tokio::sync::mpsc;

use crate::assignor::MemberId;
use crate::loggers::Loggers;
use crate::modules::Modules;
use crate::node::{Grant, Node, NodeOptions, NodeParts};
use crate::worker::{Worker, WorkerEvent};
use core::{Core, CoreOptions, Joined, Leading};
pub use peers::{Peers, Signer};
use run::Shared;

/// What a distributed herder is told at its start.
#[derive(Clone, Debug)]
pub struct Options {
    pub core: CoreOptions,
    /// The REST address under which this worker shows itself in statuses, `host:port`.
    pub worker_id: String,
    /// For `GET /`.
    pub version: String,
    pub commit: String,
    /// `topic.tracking.enable`
    pub topic_tracking: bool,
    /// `topic.tracking.allow.reset`
    pub topic_tracking_reset: bool,
    /// Whether source tasks write in transactions.
    pub exactly_once: bool,
    /// `inter.worker.signature.algorithm`
    pub signature_algorithm: String,
    /// `inter.worker.verification.algorithms`
    pub verification_algorithms: Vec<String>,
}

/// What a distributed herder works with. The stores have been read to their ends.
pub struct Parts {
    pub worker: Arc<dyn Worker>,
    pub events: mpsc::Receiver<WorkerEvent>,
    pub configs: Arc<dyn ConfigStore>,
    pub statuses: Arc<dyn StatusStore>,
    pub loggers: Loggers,
    pub membership: Arc<dyn Membership>,
    pub membership_events: mpsc::Receiver<MembershipEvent>,
    pub peers: Arc<dyn Peers>,
    pub fencer: Arc<dyn Fencer>,
    /// None: modules cannot be uploaded.
    pub modules: Option<Arc<dyn Modules>>,
}

/// This worker's membership in its group. Answers concern the latest event of their kind; those that come too late
/// concern nothing.
pub trait Membership: Send + Sync {
    /// Asks for a round.
    fn join(&self, reason: &str);
    /// Answers to [`MembershipEvent::Preparing`].
    fn answer(&self, best: GroupProtocol, state: WorkerState);
    /// Answers to [`MembershipEvent::Leading`].
    fn assign(&self, assignments: Vec<(MemberId, Assignment)>);
    /// Leaves the group until the next join. That is asked for at once; what is returned waits until it is done.
    fn leave(&self, reason: &str) -> BoxFuture<'static, ()>;
    /// Says that the herder is alive.
    fn poll(&self);
    /// What its requests to the coordinator have come to.
    fn metrics(&self) -> Vec<Metric>;
}

/// What happens to the membership, in order.
#[derive(Debug)]
pub enum MembershipEvent {
    Preparing,
    Leading(Leading),
    Joined(Joined),
    Unreachable,
    Lost(String),
    /// The group cannot be joined, and trying again would not help.
    Failed(String),
}

/// Fences off the producers of exactly-once source tasks.
pub trait Fencer: Send + Sync {
    /// Those of tasks 0 to `tasks` - 1 of a connector; the error says why not.
    fn fence<'a>(&'a self, connector: &'a str, tasks: u32) -> BoxFuture<'a, Result<(), String>>;
}

/// The herder of a member of a cluster.
pub struct DistributedHerder {
    shared: Arc<Shared>,
}

impl DistributedHerder {
    /// Begins to be a member. Must be called inside a runtime.
    pub fn start(parts: Parts, options: Options) -> DistributedHerder {
        let node_options = NodeOptions {
            worker_id: options.worker_id.clone(),
            topic_tracking: options.topic_tracking,
            topic_tracking_reset: options.topic_tracking_reset,
            exactly_once: options.exactly_once,
        };
        let link = Arc::new(Link::default());
        let node_parts = NodeParts {
            worker: parts.worker,
            events: parts.events,
            configs: parts.configs.clone(),
            statuses: parts.statuses,
            leader: link.clone(),
        };
        let shared = Arc::new(Shared::new(
            Core::new(options.core.clone()),
            Node::start(node_parts, node_options, Grant::Nothing),
            options,
            run::Outside {
                loggers: parts.loggers,
                membership: parts.membership,
                peers: parts.peers,
                fencer: parts.fencer,
                modules: parts.modules,
            },
        ));
        // The link was made a moment ago and is set here alone.
        let _ = link.shared.set(Arc::downgrade(&shared));
        let changes = parts.configs.watch();
        tokio::spawn(run::listen(Arc::downgrade(&shared), parts.membership_events, changes));
        DistributedHerder { shared }
    }

    /// Waits until this worker can be no member of its group, however often it tries; why.
    pub async fn failed(&self) -> String {
        let mut failure = self.shared.failure.subscribe();
        match failure.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(problem)) => problem.clone(),
            // The sender lives as long as this herder.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// Stops all connectors and tasks, and leaves the group.
    pub async fn shut_down(&self) {
        self.shared.shut_down().await;
    }
}

/// Leads from the node to the leader of the cluster. Set once, after both of its ends are made.
#[derive(Default)]
struct Link {
    shared: OnceLock<Weak<Shared>>,
}
