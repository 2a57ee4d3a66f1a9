//! What a membership has to say, and the answers that it waits for.

use tokio::sync::oneshot;

use crate::error::{Error, ErrorCode};

/// A form in which members may agree to talk, with what this member says of itself in that form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subprotocol {
    pub name: String,
    pub metadata: Vec<u8>,
}

impl Subprotocol {
    pub fn new(name: impl Into<String>, metadata: impl Into<Vec<u8>>) -> Self {
        Subprotocol {
            name: name.into(),
            metadata: metadata.into(),
        }
    }
}

/// A member, as the leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberMetadata {
    pub member_id: String,
    /// Its name if it is a static member (`group.instance.id`).
    pub instance: Option<String>,
    /// In the subprotocol that was chosen. Any bytes: another member wrote them.
    pub metadata: Vec<u8>,
}

/// What is assigned to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberAssignment {
    pub member_id: String,
    pub assignment: Vec<u8>,
}

/// What happened to the membership, in order. Whoever holds work on its behalf acts on each.
#[derive(Debug)]
pub enum GroupEvent {
    /// A join begins and waits for this member's metadata. Work goes on meanwhile, unless the subprotocol in use says
    /// otherwise (with `default`, Kafka Connect's eager one, all of it stops before the answer).
    Preparing(Preparing),
    /// This member was elected and the group waits for the assignments that it makes.
    Leading(Leading),
    /// A generation is complete and this is the member's part in it.
    Joined(Joined),
    /// The coordinator has not been heard of for a heartbeat interval. The member is still one until its lease ends, but
    /// should give up its work now, so that all of it has stopped by then. When the coordinator is back, the member
    /// joins anew by itself, so that the group learns of it.
    Unreachable,
    /// The membership is gone; whatever still runs must stop at once.
    Lost(Loss),
    /// The group cannot be joined and trying again would not help. The last event.
    Failed(Error),
}

/// Why a membership ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The coordinator does not know the member, or its generation, any more. It joins anew by itself.
    Fenced(ErrorCode),
    /// The coordinator could not be reached for so long that it may have given the member up. It joins anew by itself.
    LeaseExpired,
    /// Nobody called [`GroupMember::poll`](super::GroupMember::poll) for the rebalance timeout, and the member has left
    /// the group, as Kafka Connect's worker does. It joins anew at the next call.
    PollExpired,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Loss::Fenced(code) => write!(f, "the coordinator answered {code}"),
            Loss::LeaseExpired => f.write_str("the coordinator was unreachable for the session timeout"),
            Loss::PollExpired => f.write_str("worker poll timeout has expired."),
        }
    }
}

/// A join that waits for metadata. Dropped without an answer, the member leaves the group until it is told to join.
#[derive(Debug)]
pub struct Preparing {
    /// Why the group rebalances, for the log.
    pub reason: String,
    pub(super) answer: oneshot::Sender<Vec<Subprotocol>>,
}

impl Preparing {
    /// Goes on with the join. The broker takes the first subprotocol that all members offer.
    pub fn join(self, subprotocols: Vec<Subprotocol>) {
        // The membership may have ended meanwhile; an event says so.
        let _ = self.answer.send(subprotocols);
    }
}

/// A generation that waits for its leader's assignments. Dropped without an answer, the member joins anew.
#[derive(Debug)]
pub struct Leading {
    pub generation: i32,
    /// The subprotocol that was chosen.
    pub protocol: String,
    /// This member's own id.
    pub member_id: String,
    /// All members, this one too.
    pub members: Vec<MemberMetadata>,
    pub(super) answer: oneshot::Sender<Vec<MemberAssignment>>,
}

impl Leading {
    #[cfg(test)]
    pub(crate) fn for_tests(
        protocol: &str,
        members: Vec<MemberMetadata>,
    ) -> (Leading, oneshot::Receiver<Vec<MemberAssignment>>) {
        let (answer, asked) = oneshot::channel();
        let leading = Leading {
            generation: 1,
            protocol: protocol.to_owned(),
            member_id: String::new(),
            members,
            answer,
        };
        (leading, asked)
    }

    /// Hands every member its assignment. One that is left out gets no bytes at all.
    pub fn assign(self, assignments: Vec<MemberAssignment>) {
        // As in `Preparing::join`.
        let _ = self.answer.send(assignments);
    }
}

/// A member's part in a complete generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    pub generation: i32,
    pub member_id: String,
    pub leader_id: String,
    /// The subprotocol that was chosen.
    pub protocol: String,
    /// What the leader assigned. Any bytes: another member wrote them.
    pub assignment: Vec<u8>,
}

impl Joined {
    /// Whether this member leads the generation.
    pub fn is_leader(&self) -> bool {
        self.leader_id == self.member_id
    }
}
