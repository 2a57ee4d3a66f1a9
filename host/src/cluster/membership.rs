//! The herder's membership, over Kafka's group protocol: what is said in bytes there is said in types here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caisson_herder::BoxFuture;
use caisson_herder::assignor::MemberId;
use caisson_herder::distributed::{Membership, MembershipEvent, core};
use caisson_kafka::{
    ClientSettings, Error, GroupEvent, GroupEvents, GroupMember, GroupOptions, Leading, MemberAssignment, Preparing,
    Subprotocol, connect,
};
use caisson_model::{Assignment, GroupProtocol, Metric, WorkerState};
use tokio::sync::mpsc;

/// As many as the group's own channel has; the herder takes each at once.
const EVENTS: usize = 16;

pub struct GroupMembership {
    member: GroupMember,
    waiting: Arc<Mutex<Waiting>>,
}

/// What of the group waits for an answer of the herder. Held for the time of a change.
#[derive(Default)]
struct Waiting {
    preparing: Option<Preparing>,
    leading: Option<(GroupProtocol, Leading)>,
}

impl GroupMembership {
    /// Makes a membership that waits for its first join.
    pub fn start(
        settings: &ClientSettings,
        options: GroupOptions,
    ) -> Result<(Arc<GroupMembership>, mpsc::Receiver<MembershipEvent>), Error> {
        let (member, events) = GroupMember::start(settings, options)?;
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        let (sender, receiver) = mpsc::channel(EVENTS);
        tokio::spawn(pass_on(events, waiting.clone(), sender));
        Ok((Arc::new(GroupMembership { member, waiting }), receiver))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn pass_on(mut events: GroupEvents, waiting: Arc<Mutex<Waiting>>, sender: mpsc::Sender<MembershipEvent>) {
    while let Some(event) = events.recv().await {
        let event = translate(event, &mut waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if sender.send(event).await.is_err() {
            return;
        }
    }
}

fn translate(event: GroupEvent, waiting: &mut Waiting) -> MembershipEvent {
    match event {
        GroupEvent::Preparing(preparing) => {
            tracing::info!(reason = preparing.reason, "Rebalance started");
            waiting.preparing = Some(preparing);
            MembershipEvent::Preparing
        }
        GroupEvent::Leading(leading) => {
            let Some(protocol) = connect::from_name(&leading.protocol) else {
                return MembershipEvent::Failed(format!("the group has chosen the protocol {}", leading.protocol));
            };
            let read = |member: &caisson_kafka::MemberMetadata| {
                let state = connect::read_metadata(protocol, &member.metadata);
                (member.member_id.as_str().into(), state.ok())
            };
            let shared = core::Leading {
                generation: leading.generation,
                protocol,
                member_id: leading.member_id.as_str().into(),
                members: leading.members.iter().map(read).collect(),
            };
            waiting.leading = Some((protocol, leading));
            MembershipEvent::Leading(shared)
        }
        GroupEvent::Joined(joined) => {
            let Some(protocol) = connect::from_name(&joined.protocol) else {
                return MembershipEvent::Failed(format!("the group has chosen the protocol {}", joined.protocol));
            };
            let assignment = connect::read_assignment(protocol, &joined.assignment);
            if let Err(problem) = &assignment {
                tracing::warn!(%problem, "the leader's assignment cannot be read");
            }
            MembershipEvent::Joined(core::Joined {
                generation: joined.generation,
                protocol,
                member_id: joined.member_id.as_str().into(),
                leader_id: joined.leader_id.as_str().into(),
                assignment: assignment.ok().flatten(),
            })
        }
        GroupEvent::Unreachable => MembershipEvent::Unreachable,
        GroupEvent::Lost(loss) => MembershipEvent::Lost(loss.to_string()),
        GroupEvent::Failed(error) => MembershipEvent::Failed(error.to_string()),
    }
}

impl Membership for GroupMembership {
    fn join(&self, reason: &str) {
        self.member.join(reason);
    }

    fn answer(&self, best: GroupProtocol, state: WorkerState) {
        let Some(preparing) = self.waiting().preparing.take() else {
            return;
        };
        let subprotocol = |(name, metadata)| Subprotocol::new(name, metadata);
        let offered = connect::subscription(best, &state);
        preparing.join(offered.into_iter().map(subprotocol).collect());
    }

    fn assign(&self, assignments: Vec<(MemberId, Assignment)>) {
        let Some((protocol, leading)) = self.waiting().leading.take() else {
            return;
        };
        let bytes = |(member, assignment): (MemberId, Assignment)| MemberAssignment {
            member_id: member.to_string(),
            assignment: connect::assignment(protocol, &assignment),
        };
        leading.assign(assignments.into_iter().map(bytes).collect());
    }

    fn leave(&self, reason: &str) -> BoxFuture<'static, ()> {
        Box::pin(self.member.leave(reason.to_owned()))
    }

    fn poll(&self) {
        self.member.poll();
    }

    fn metrics(&self) -> Vec<Metric> {
        self.member.metrics()
    }
}
