//! The words between decisions and the world.

use std::sync::Arc;
use std::time::Duration;

use caisson_model::{Assignment, GroupProtocol, TargetState, WorkerState};
use caisson_store::{Config, ConfigChange, ConfigSnapshot};

use crate::Error;
use crate::assignor::{Items, MemberId};
use crate::herder::{Replace, RestartRequest};

/// Joins an action to the event that tells what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Joins a request to its reply.
pub type RequestId = u64;

/// What has happened.
#[derive(Debug)]
pub enum Event {
    /// The internal topics have been read to their ends.
    Ready,
    /// What is known of the config topic now.
    Config(Arc<ConfigSnapshot>),
    /// A round begins and waits for [`Action::Answer`].
    Preparing,
    /// This worker leads the round, which waits for [`Action::Assign`].
    Leading(Leading),
    /// The round is complete.
    Joined(Joined),
    /// The coordinator is silent; the lease may end without another word.
    Unreachable,
    /// The membership is over.
    Lost,
    /// Nothing runs any more that may not.
    Stopped {
        ticket: Ticket,
    },
    /// The config topic was read to its end, or could not be in time.
    Refreshed {
        ticket: Ticket,
        ok: bool,
    },
    Claimed {
        ticket: Ticket,
        ok: bool,
    },
    Written {
        ticket: Ticket,
        outcome: Result<(), WriteFailure>,
    },
    /// Producers were fenced off, or could not be; then why.
    Fenced {
        ticket: Ticket,
        outcome: Result<(), String>,
    },
    Requested {
        id: RequestId,
        request: Request,
    },
    /// The time that [`super::Core::wake_at`] named has come.
    Tick,
    /// The worker ends: everything is to stop, and no round is joined any more.
    ShutDown,
}

/// A round whose leader this worker is.
#[derive(Clone, Debug)]
pub struct Leading {
    pub generation: i32,
    pub protocol: GroupProtocol,
    pub member_id: MemberId,
    /// What each member says of itself, this one included; none where its bytes could not be read.
    pub members: Vec<(MemberId, Option<WorkerState>)>,
}

/// This worker's part in a round that is complete.
#[derive(Clone, Debug)]
pub struct Joined {
    pub generation: i32,
    pub protocol: GroupProtocol,
    pub member_id: MemberId,
    pub leader_id: MemberId,
    /// None where the bytes could not be read.
    pub assignment: Option<Assignment>,
}

/// Why something was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteFailure {
    /// Another worker has claimed the config topic.
    Fenced,
    Failed(String),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask for a round.
    Join {
        reason: &'static str,
    },
    /// Answer to [`Event::Preparing`].
    Answer(WorkerState),
    /// Answer to [`Event::Leading`].
    Assign(Vec<(MemberId, Assignment)>),
    /// Leave the group until the next [`Action::Join`].
    Leave {
        reason: &'static str,
    },
    /// What may run here from now on. What may not is stopped at once.
    Grant {
        items: Items,
        offset: i64,
        generation: i32,
    },
    /// Tell when nothing runs any more that may not.
    AwaitStopped {
        ticket: Ticket,
    },
    /// Read the config topic to its end, within this time.
    Refresh {
        ticket: Ticket,
        within: Duration,
    },
    /// Become the only one that writes to the config topic as leader.
    Claim {
        ticket: Ticket,
    },
    Write {
        ticket: Ticket,
        change: ConfigChange,
    },
    /// Make a session key and write it down.
    RotateKey {
        ticket: Ticket,
    },
    /// Fence off the producers of so many tasks of an exactly-once source.
    FenceProducers {
        ticket: Ticket,
        name: Arc<str>,
        tasks: u32,
    },
    /// Remove the statuses of what is not configured.
    CleanStatuses,
    /// Restart what this worker runs of a connector.
    Restart {
        name: Arc<str>,
        only_failed: bool,
        include_tasks: bool,
    },
    SetLevel {
        logger: String,
        level: String,
    },
    Reply {
        id: RequestId,
        outcome: Result<Reply, Error>,
    },
}

/// What is asked of the cluster by way of this worker.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Nothing: the answer says that this worker is a member at work.
    Ping,
    /// Whether this worker leads.
    Lead,
    PutConnector {
        name: Arc<str>,
        config: Config,
        target: Option<TargetState>,
        replace: Replace,
        /// The revision of the configuration that this one was made from, if it was.
        based_on: Option<u64>,
    },
    DeleteConnector {
        name: Arc<str>,
    },
    StopConnector {
        name: Arc<str>,
    },
    PutTasks {
        name: Arc<str>,
        configs: Vec<Config>,
        /// The revision of the connector's configuration that they were made from; none where the asking worker does not
        /// say, as Kafka Connect's do not.
        made_from: Option<u64>,
    },
    /// Restarts what the request selects, wherever it runs.
    Restart(RestartRequest),
    /// Whether the connector runs here, where it can be restarted.
    LocateConnector {
        name: Arc<str>,
    },
    LocateTask {
        name: Arc<str>,
        task: i32,
    },
    Fence {
        name: Arc<str>,
    },
}

/// How a request ended that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Done,
    /// Done, and the connector is new.
    Created,
    /// What was asked for is here.
    Here,
    /// The configuration is another one by now.
    Outdated,
}
