//! Membership in a group by Kafka's classic group protocol, for any protocol type: Kafka Connect's workers form a group
//! of type `connect`, which elects a leader and hands out assignments.
//!
//! A membership is an actor on a thread of its own, which runs nothing else: heartbeats depend on nobody's work. It
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
mod machine;
mod meters;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caisson_model::Metric;
use tokio::sync::{Notify, mpsc, oneshot};

pub use event::{GroupEvent, Joined, Leading, Loss, MemberAssignment, MemberMetadata, Preparing, Subprotocol};

use self::meters::Meters;
use crate::clock::Moment;
use crate::error::Error;
use crate::settings::ClientSettings;

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
    /// The pause between heartbeats.
    pub heartbeat_interval: Duration,
}

impl GroupOptions {
    pub fn new(group: impl Into<String>, protocol_type: impl Into<String>) -> Self {
        GroupOptions {
            group: group.into(),
            protocol_type: protocol_type.into(),
            session_timeout: Duration::from_secs(10),
            rebalance_timeout: Duration::from_secs(60),
            heartbeat_interval: Duration::from_secs(3),
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
        let (sender, events) = mpsc::channel(EVENTS);
        let shared = Arc::new(Shared {
            polled: AtomicU64::new(millis(Moment::now())),
            lease: AtomicU64::new(0),
            wishes: Mutex::default(),
            wake: Notify::new(),
            meters: Meters::new(),
        });
        driver::start(settings, options, shared.clone(), sender)?;
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
        self.ask_to_leave(reason.into(), true).await;
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
