//! What the coordinator answered, by error code. The names and meanings are those of Kafka's `Errors`.

use super::{Action, Beat, Coordinator, Machine, Phase};
use crate::clock::Moment;
use crate::error::{Error, ErrorCode, KafkaError};
use crate::group::{Joined, Loss};
use crate::wire::messages::{JoinAnswer, SyncAnswer};

/// What was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Join,
    Sync,
    Heartbeat,
}

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Asked::Join => "join",
            Asked::Sync => "sync",
            Asked::Heartbeat => "heartbeat",
        })
    }
}

impl Machine {
    /// It is known where the coordinator is; whether it can be reached is not.
    pub(in crate::group) fn found(&mut self, now: Moment) {
        self.coordinator = Coordinator::Known;
        // A request that went to where the coordinator was before may never be answered.
        if matches!(self.phase, Phase::Joining { .. } | Phase::Syncing { .. }) {
            self.rejoin("coordinator was found anew".to_owned(), now);
        }
        self.next_heartbeat = Some(now);
    }

    pub(in crate::group) fn not_found(&mut self, error: KafkaError, now: Moment) {
        if error.code.is_refused() && !self.proven {
            return self.fail("finding the coordinator", error);
        }
        self.coordinator = Coordinator::Unknown {
            ask_at: now + self.backoff.next(),
        };
    }

    pub(in crate::group) fn join_answered(&mut self, answer: Result<JoinAnswer, KafkaError>, now: Moment) {
        if !matches!(self.phase, Phase::Joining { .. }) {
            return;
        }
        // Whatever follows is a new join or the rest of this one.
        let joining = std::mem::replace(&mut self.phase, Phase::Member);
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.failed(Asked::Join, error, now),
        };
        match ErrorCode(i32::from(answer.code)) {
            ErrorCode::NONE => self.begin_generation(answer),
            ErrorCode::MEMBER_ID_REQUIRED => {
                self.member_id = answer.member_id;
                if let Phase::Joining { subprotocols, reason } = joining {
                    self.send_join(subprotocols, reason);
                }
            }
            code => self.refused(Asked::Join, code, now),
        }
    }

    fn begin_generation(&mut self, answer: JoinAnswer) {
        self.generation = answer.generation;
        self.member_id = answer.member_id;
        self.protocol = answer.protocol;
        if answer.leader != self.member_id || answer.skips_assignment {
            return self.sync(answer.leader, Vec::new());
        }
        self.phase = Phase::Leading {
            leader_id: answer.leader,
        };
        self.actions.push(Action::Lead {
            generation: self.generation,
            protocol: self.protocol.clone(),
            member_id: self.member_id.clone(),
            members: answer.members,
        });
    }

    /// `sent` is when the request was sent.
    pub(in crate::group) fn sync_answered(
        &mut self,
        answer: Result<SyncAnswer, KafkaError>,
        sent: Moment,
        now: Moment,
    ) {
        let Phase::Syncing { leader_id } = self.phase.clone() else {
            return;
        };
        self.phase = Phase::Member;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.failed(Asked::Sync, error, now),
        };
        match ErrorCode(i32::from(answer.code)) {
            ErrorCode::NONE => {
                self.settled(sent);
                self.synced_at = now;
                self.announced = true;
                self.silent = false;
                self.proven = true;
                self.next_heartbeat = Some(now + self.options.pause());
                self.actions.push(Action::Joined(Joined {
                    generation: self.generation,
                    member_id: self.member_id.clone(),
                    leader_id,
                    protocol: self.protocol.clone(),
                    assignment: answer.assignment,
                }));
                if let Some(reason) = self.again.take() {
                    self.rejoin(reason, now);
                }
            }
            ErrorCode::REBALANCE_IN_PROGRESS => self.rejoin("group is already rebalancing".to_owned(), now),
            code => self.refused(Asked::Sync, code, now),
        }
    }

    pub(in crate::group) fn heartbeat_answered(
        &mut self,
        beat: &Beat,
        answer: Result<i16, KafkaError>,
        sent: Moment,
        now: Moment,
    ) {
        self.next_heartbeat = Some(sent + self.options.pause());
        let current = beat.generation == self.generation && beat.member_id == self.member_id;
        match answer.map(|code| ErrorCode(i32::from(code))) {
            Err(error) => self.failed(Asked::Heartbeat, error, now),
            Ok(_) if !current => {}
            Ok(ErrorCode::NONE) => {
                self.settled(sent);
                self.heard_again(now);
            }
            Ok(ErrorCode::REBALANCE_IN_PROGRESS) => {
                // Who has not joined when the rebalance timeout is over is given up, however often it is heard of; and the
                // rebalance began after the last answer that knew nothing of it.
                let patience = self.options.rebalance_timeout;
                let given_up = self.settled_at + (patience - patience / 10);
                self.acknowledged(sent, self.end_of_session(sent).min(given_up));
                if self.phase != Phase::Member {
                    return;
                }
                if sent < self.synced_at {
                    // That may have been the rebalance that the sync has ended since: some brokers say so until then.
                    self.next_heartbeat = Some(now);
                } else {
                    self.rejoin("group is already rebalancing".to_owned(), now);
                }
            }
            // The answer to the join, with the newer generation, is on its way.
            Ok(ErrorCode::ILLEGAL_GENERATION) if matches!(self.phase, Phase::Joining { .. }) => {}
            Ok(ErrorCode::COORDINATOR_LOADING) => {}
            Ok(code) => self.refused(Asked::Heartbeat, code, now),
        }
    }

    /// Work that stopped because the coordinator was silent begins again with a rebalance.
    fn heard_again(&mut self, now: Moment) {
        if self.silent && self.phase == Phase::Member {
            self.rejoin("coordinator can be reached again".to_owned(), now);
        }
    }

    /// A request was answered that the coordinator takes from members of the present generation only.
    fn settled(&mut self, sent: Moment) {
        self.settled_at = self.settled_at.max(sent);
        self.acknowledged(sent, self.end_of_session(sent));
    }

    /// The broker has armed the session's clock anew when this was sent, or later. A tenth of the session is kept as a
    /// margin for clocks that run apart.
    fn end_of_session(&self, sent: Moment) -> Moment {
        let session = self.options.session_timeout;
        sent + (session - session / 10)
    }

    fn acknowledged(&mut self, sent: Moment, lease: Moment) {
        self.heard = self.heard.max(sent);
        self.lost_at = None;
        self.backoff.reset();
        self.lease = Some(self.lease.map_or(lease, |earlier| earlier.max(lease)));
    }

    /// There was no answer.
    fn failed(&mut self, asked: Asked, error: KafkaError, now: Moment) {
        if error.code.is_refused() && !self.proven {
            return self.fail(&asked.to_string(), error);
        }
        self.lose_coordinator(now);
        self.retry(asked, &error.to_string(), now);
    }

    /// An error code that all requests treat alike.
    fn refused(&mut self, asked: Asked, code: ErrorCode, now: Moment) {
        match code {
            ErrorCode::COORDINATOR_NOT_AVAILABLE | ErrorCode::NOT_COORDINATOR => {
                self.lose_coordinator(now);
                self.retry(asked, &code.to_string(), now);
            }
            ErrorCode::COORDINATOR_LOADING | ErrorCode::REBALANCE_IN_PROGRESS => {
                self.retry(asked, &code.to_string(), now);
            }
            ErrorCode::UNKNOWN_MEMBER_ID => {
                self.member_id.clear();
                self.lose(Loss::Fenced(code), now);
            }
            ErrorCode::ILLEGAL_GENERATION => self.lose(Loss::Fenced(code), now),
            code if code.ends_membership() => self.fail(&asked.to_string(), KafkaError::new(code)),
            code => {
                tracing::warn!(target: "kafka", group = %self.options.group, %code, "unexpected answer to a {asked}");
                self.lose_coordinator(now);
                self.retry(asked, &code.to_string(), now);
            }
        }
    }

    /// A member whose heartbeat failed is still one; a join that failed is to be repeated.
    fn retry(&mut self, asked: Asked, reason: &str, now: Moment) {
        if asked != Asked::Heartbeat {
            self.join_later(&format!("{asked} failed: {reason}"), now);
        }
    }

    /// The coordinator is not where it was, or does not answer.
    pub(in crate::group) fn lose_coordinator(&mut self, now: Moment) {
        if self.coordinator == Coordinator::Known {
            self.lost_at.get_or_insert(now);
            let ask_at = now + self.backoff.next();
            self.coordinator = Coordinator::Unknown { ask_at };
        }
    }

    fn fail(&mut self, what: &str, error: KafkaError) {
        let what = format!("{what} in group {}", self.options.group);
        self.actions.push(Action::Failed(Error::kafka(what)(error)));
        self.phase = Phase::Out;
        self.announced = false;
    }
}
