//! Questions about the group's offsets, one after another.

use std::collections::VecDeque;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use super::lane::Target;
use super::{Machine, Task, end_of};
use crate::clock::Moment;
use crate::error::{ErrorCode, KafkaError};
use crate::group::offsets::{AGAIN, Asked, Question, Refusal};

/// How long one attempt may take: who coordinates the group may have changed meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be asked, and what is being asked.
#[derive(Default)]
pub(super) struct Offsets {
    waiting: VecDeque<Asked>,
    asking: Task<Refused>,
    /// Nothing is asked before.
    not_before: Option<Moment>,
}

/// A question that is over; or was refused, and is there to be asked again.
type Refused = Option<(Asked, Refusal)>;

impl Offsets {
    pub(super) fn queue(&mut self, asked: VecDeque<Asked>) {
        self.waiting.extend(asked);
    }

    /// Asks what can be asked, and answers what cannot any more.
    pub(super) fn step(&mut self, machine: &Machine, target: &Rc<Target>, now: Moment) {
        while self.asking.is_none()
            && let Some(asked) = self.waiting.pop_front()
        {
            let is_over = asked.until <= now;
            let membership = machine.membership();
            if is_over {
                let text = "the group's coordinator did not answer in time";
                asked
                    .question
                    .refuse(KafkaError::with_message(ErrorCode::TIMED_OUT, text));
            } else if machine.is_out() || (membership.is_none() && matches!(asked.question, Question::Commit(..))) {
                // Somebody else may have the partitions already.
                asked.question.refuse(KafkaError::new(ErrorCode::UNKNOWN_MEMBER_ID));
            } else if !machine.knows_coordinator() || self.not_before.is_some_and(|due| due > now) {
                self.waiting.push_front(asked);
                return;
            } else {
                let (generation, member_id) = membership.map_or((-1, ""), |membership| membership);
                let (target, member_id) = (target.clone(), member_id.to_owned());
                self.asking = Some(Box::pin(ask(target, generation, member_id, asked, now)));
            }
        }
    }

    /// When [`Offsets::step`] has something to do by itself.
    pub(super) fn next_step(&self) -> Option<Moment> {
        let first = self.waiting.front().filter(|_| self.asking.is_none())?;
        Some(self.not_before.map_or(first.until, |due| due.min(first.until)))
    }

    /// Waits until the question that is under way was answered or refused; without one, for ever. Of a refusal that the caller
    /// does not hear of it says what it means.
    pub(super) async fn answered(&mut self) -> Refusal {
        if self.asking.is_none() {
            pending::<()>().await;
        }
        let Some((asked, refusal)) = end_of(&mut self.asking).await else {
            self.not_before = None;
            return Refusal::Final;
        };
        self.waiting.push_front(asked);
        self.not_before = Some(Moment::now() + AGAIN);
        refusal
    }
}

async fn ask(target: Rc<Target>, generation: i32, member_id: String, asked: Asked, now: Moment) -> Refused {
    let Asked { question, until } = asked;
    let patience = until.after(now).min(PATIENCE);
    match question {
        Question::Commit(offsets, answer) => {
            let result = target.commit(generation, &member_id, &offsets, patience).await;
            match result.as_ref().map_err(Refusal::of) {
                Ok(()) | Err(Refusal::Final) => answer.give(result),
                Err(refusal) => {
                    let question = Question::Commit(offsets, answer);
                    return Some((Asked { question, until }, refusal));
                }
            }
        }
        Question::Committed {
            partitions,
            stable,
            answer,
        } => {
            let result = target.committed(&partitions, stable, patience).await;
            match result.as_ref().map_err(Refusal::of) {
                Ok(_) | Err(Refusal::Final) => answer.give(result),
                Err(refusal) => {
                    let question = Question::Committed {
                        partitions,
                        stable,
                        answer,
                    };
                    return Some((Asked { question, until }, refusal));
                }
            }
        }
    }
    None
}
