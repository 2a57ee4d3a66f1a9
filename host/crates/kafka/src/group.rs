//! Membership in a group by Kafka's classic group protocol, for any protocol type: Kafka Connect's workers form a group
//! of type `connect`, which elects a leader and hands out assignments.
//!
//! A membership is an actor on a thread that runs nothing else but memberships, a worker's on one of its own: heartbeats
//! depend on nobody's work. It
//! speaks to the coordinator over two connections, as a join may take the whole rebalance timeout: one for joining, one
//! for heartbeats. What happens comes as [`GroupEvent`]s; [`GroupMember`] tells it what to do.
//!
//! **Lease.** The group elects but does not fence. A member acts for the group only before its lease ends
//! ([`GroupMember::lease`]): the moment at which the last request that the coordinator acknowledged was sent, plus the
//! session timeout, less a margin. The broker's own clock started later, so the broker gives the member's work to
//! nobody else before. At the end of the lease [`GroupEvent::Lost`] comes.
//!
//! ```no_run
//! # use caisson_kafka::*;
//! # use std::time::Duration;
//! # async fn example(settings: ClientSettings) -> Result<(), Error> {
//! let options = GroupOptions::new("connect-cluster", "connect");
//! let (member, mut events) = GroupMember::start(&settings, options)?;
//! member.join("start");
//! loop {
//!     member.poll();
//!     match tokio::time::timeout(Duration::from_secs(1), events.recv()).await {
//!         Err(_) => continue,
//!         Ok(None) => break,
//!         Ok(Some(GroupEvent::Preparing(preparing))) => preparing.join(vec![Subprotocol::new("sessioned", "me")]),
//!         Ok(Some(GroupEvent::Leading(leading))) => {
//!             let share = |member: &MemberMetadata| MemberAssignment {
//!                 member_id: member.member_id.clone(),
//!                 assignment: b"work".to_vec(),
//!             };
//!             let shares = leading.members.iter().map(share).collect();
//!             leading.assign(shares);
//!         }
//!         Ok(Some(GroupEvent::Joined(joined))) => println!("generation {}", joined.generation),
//!         Ok(Some(GroupEvent::Unreachable | GroupEvent::Lost(_))) => println!("stop all work"),
//!         Ok(Some(GroupEvent::Failed(error))) => return Err(error),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod driver;
mod event;
mod home;
mod machine;
mod meters;
mod offsets;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caisson_model::{Metric, PartitionOffset, TopicPartition};
use tokio::sync::{Notify, mpsc, oneshot};

pub use event::{GroupEvent, Joined, Leading, Loss, MemberAssignment, MemberMetadata, Preparing, Subprotocol};

pub(crate) use home::spawn as spawn_with_members;
pub(crate) use offsets::Answer;

use self::meters::Meters;
use self::offsets::{Asked, Question};
use crate::clock::Moment;
use crate::error::{Error, KafkaError};
use crate::settings::ClientSettings;
use crate::wire::Dialer;
use driver::Starting;

/// How to be a member. The defaults are those of Kafka Connect's worker.
#[derive(Clone, Debug)]
pub struct GroupOptions {
    /// `group.id`.
    pub group: String,
    /// What the group is for; all members must say the same.
    pub protocol_type: String,
    /// After so long without a heartbeat the coordinator gives the member up.
    pub session_timeout: Duration,
    /// How long members may take to join a rebalance, and at most between two calls of [`GroupMember::poll`].
    pub rebalance_timeout: Duration,
    /// The pause between heartbeats at most, and the time after which one that is unanswered counts as lost.
    pub heartbeat_interval: Duration,
    /// The name of a static member (`group.instance.id`, KIP-345): it does not leave when it ends, and takes its place up
    /// again when it comes back within the session timeout.
    pub instance: Option<String>,
    /// Whether work stops while the coordinator is silent ([`GroupEvent::Unreachable`]) and goes on after a rebalance, as in
    /// Kafka Connect's worker. A consumer goes on until its lease ends.
    pub stops_in_silence: bool,
}

impl GroupOptions {
    pub fn new(group: impl Into<String>, protocol_type: impl Into<String>) -> Self {
        GroupOptions {
            group: group.into(),
            protocol_type: protocol_type.into(),
            session_timeout: Duration::from_secs(10),
            rebalance_timeout: Duration::from_secs(60),
            heartbeat_interval: Duration::from_secs(3),
            instance: None,
            stops_in_silence: true,
        }
    }

    /// The pause between heartbeats. By them a member hears of a rebalance, and what a lost worker did stands still until
    /// all the others have heard: so workers, of which there are few, ask ten times in a session.
    fn pause(&self) -> Duration {
        match self.stops_in_silence {
            true => self.heartbeat_interval.min(self.session_timeout / 10),
            false => self.heartbeat_interval,
        }
    }
}

/// Events that wait in the channel. The membership itself never waits for their receiver.
const EVENTS: usize = 16;

/// The events of a membership; they end when it is closed.
pub struct GroupEvents {
    events: mpsc::Receiver<GroupEvent>,
}

impl GroupEvents {
    /// The next event; none after the last. May be cancelled without losing one.
    pub async fn recv(&mut self) -> Option<GroupEvent> {
        self.events.recv().await
    }
}

/// The handle of a membership. No call waits but those that are `async`. Dropped, the member ends without leaving the
/// group, as if the process had been killed; [`GroupMember::close`] leaves.
pub struct GroupMember {
    shared: Arc<Shared>,
}

/// What handle and thread share.
struct Shared {
    /// When somebody polled last, in milliseconds of the clock of leases.
    polled: AtomicU64,
    /// When the lease ends, on the same clock; 0 without a membership.
    lease: AtomicU64,
    /// What the handle has asked for. Held to put something in or take it out.
    wishes: Mutex<Wishes>,
    /// Wakes the thread to look at `wishes` and `polled`.
    wake: Notify,
    meters: Meters,
}

/// What the handle wants. A state and not a queue: asking twice is asking once.
#[derive(Default)]
struct Wishes {
    /// To join or rejoin, and why.
    join: Option<String>,
    leave: Option<Leave>,
    /// What it asks of the group's offsets.
    offsets: VecDeque<Asked>,
    /// The handle is gone.
    dropped: bool,
    /// The thread is gone, and will do nothing of this.
    ended: bool,
}

struct Leave {
    reason: String,
    done: oneshot::Sender<()>,
    /// Whether the thread ends afterwards.
    last: bool,
}

impl GroupMember {
    /// Starts the membership's thread. It does nothing until [`GroupMember::join`]. `settings` are those of an admin
    /// client: `bootstrap.servers`, `client.id`, TLS and SASL.
    pub fn start(settings: &ClientSettings, options: GroupOptions) -> Result<(GroupMember, GroupEvents), Error> {
        let dialer = Arc::new(Dialer::new(settings)?);
        let reporter = settings.reporter();
        let report = Box::new(move |error| {
            reporter.error(&error);
        });
        Self::start_on(Thread::Own, settings, dialer, options, report)
    }

    /// As [`GroupMember::start`], on a thread that all such members of the process share: there may be many of them. `report`
    /// hears of whatever is tried again; it is called on that thread.
    pub(crate) fn start_with_others(
        settings: &ClientSettings,
        dialer: Arc<Dialer>,
        options: GroupOptions,
        report: impl Fn(KafkaError) + Send + 'static,
    ) -> Result<(GroupMember, GroupEvents), Error> {
        Self::start_on(Thread::Shared, settings, dialer, options, Box::new(report))
    }

    fn start_on(
        thread: Thread,
        settings: &ClientSettings,
        dialer: Arc<Dialer>,
        options: GroupOptions,
        report: Box<dyn Fn(KafkaError) + Send>,
    ) -> Result<(GroupMember, GroupEvents), Error> {
        let (sender, events) = mpsc::channel(EVENTS);
        let shared = Arc::new(Shared {
            polled: AtomicU64::new(millis(Moment::now())),
            lease: AtomicU64::new(0),
            wishes: Mutex::default(),
            wake: Notify::new(),
            meters: Meters::new(),
        });
        let starting = Starting {
            dialer,
            options,
            shared: shared.clone(),
            events: sender,
            report,
        };
        let started = match thread {
            Thread::Own => home::run_alone(move || starting.driver().run()),
            Thread::Shared => home::spawn(move || starting.driver().run()),
        };
        started.map_err(|error| Error::Thread {
            client: settings.client_id().to_owned(),
            reason: error.to_string(),
        })?;
        Ok((GroupMember { shared }, GroupEvents { events }))
    }

    /// Asks for a join, or for another if it is a member. If one is under way for which the metadata was given already,
    /// another follows it. For the leader, and for a member whose metadata has changed, that is a rebalance of the group;
    /// the broker answers another member with the generation and the assignment that it has.
    pub fn join(&self, reason: impl Into<String>) {
        self.wish(|wishes| wishes.join = Some(reason.into()));
    }

    /// Says that whoever does the group's work is alive. Cheap.
    pub fn poll(&self) {
        let before = self.shared.polled.swap(millis(Moment::now()), Ordering::AcqRel);
        // The thread sleeps towards the end of the rebalance timeout and sees recent calls then; only one that has been
        // given up must hear at once.
        if before == GIVEN_UP {
            self.shared.wake.notify_one();
        }
    }

    /// Leaves the group and stays out until the next [`GroupMember::join`]. That is asked for at once; what is returned
    /// ends when the coordinator has said yes or could not be asked; without a membership immediately.
    pub fn leave<R: Into<String>>(&self, reason: R) -> impl Future<Output = ()> + Send + use<R> {
        self.ask_to_leave(reason.into(), false)
    }

    /// Leaves the group and ends.
    pub async fn close(self, reason: impl Into<String>) {
        self.leave_for_good(reason).await;
    }

    /// As [`GroupMember::close`], for a handle that others hold too.
    pub(crate) fn leave_for_good<R: Into<String>>(&self, reason: R) -> impl Future<Output = ()> + Send + use<R> {
        self.ask_to_leave(reason.into(), true)
    }

    /// Keeps offsets in the group's name; those of a topic stand together.
    pub(crate) fn commit(&self, offsets: Vec<PartitionOffset>, patience: Duration, answer: Answer<()>) {
        if offsets.is_empty() {
            return answer.give(Ok(()));
        }
        self.ask(Question::Commit(offsets, answer), patience);
    }

    /// What the group has kept; partitions of which nothing is are left out. With `stable`, what a transaction has not decided
    /// yet is waited for.
    pub(crate) fn committed(
        &self,
        partitions: Vec<TopicPartition>,
        stable: bool,
        patience: Duration,
        answer: Answer<Vec<PartitionOffset>>,
    ) {
        let question = Question::Committed {
            partitions,
            stable,
            answer,
        };
        self.ask(question, patience);
    }

    fn ask(&self, question: Question, patience: Duration) {
        let until = Moment::now() + patience;
        self.wish(|wishes| {
            // Otherwise it is dropped, which is an answer too.
            if !wishes.ended {
                wishes.offsets.push_back(Asked { question, until });
            }
        });
    }

    fn ask_to_leave(&self, reason: String, last: bool) -> impl Future<Output = ()> + Send + use<> {
        let (done, left) = oneshot::channel();
        self.wish(|wishes| {
            wishes.join = None;
            if !wishes.ended {
                wishes.leave = Some(Leave { reason, done, last });
            }
        });
        // An error means that the thread has ended, or that another call took this one's place.
        async move { drop(left.await) }
    }

    fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        change(&mut self.shared.wishes());
        self.shared.wake.notify_one();
    }

    /// What its requests have come to.
    pub fn metrics(&self) -> Vec<Metric> {
        self.shared.meters.read(Moment::now())
    }

    /// Until when this member may act for the group; none without a membership, or when the moment is over.
    pub fn lease(&self) -> Option<Moment> {
        let lease = self.shared.lease.load(Ordering::Acquire);
        let lease = Moment::from_start(Duration::from_millis(lease));
        (lease > Moment::now()).then_some(lease)
    }
}

impl Drop for GroupMember {
    fn drop(&mut self) {
        self.wish(|wishes| wishes.dropped = true);
    }
}

/// Where a membership runs.
enum Thread {
    Own,
    Shared,
}

/// Stands in `polled` after the member left because nobody polled.
const GIVEN_UP: u64 = 0;

impl Shared {
    fn wishes(&self) -> std::sync::MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(moment: Moment) -> u64 {
    u64::try_from(moment.since_start().as_millis()).unwrap_or(u64::MAX)
}
