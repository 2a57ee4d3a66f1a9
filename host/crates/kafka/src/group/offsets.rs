//! Offsets that are kept in the name of a group: what a member asks its coordinator for besides membership.
//!
//! One question is under way at a time, in the order in which they were asked. What a moved, restarted or loading
//! coordinator refuses is asked again until the caller's patience ends.

use std::time::Duration;

use caisson_model::{PartitionOffset, TopicPartition};

use crate::clock::Moment;
use crate::error::{ErrorCode, KafkaError};

/// A question, until when it may take, and who waits for the answer.
pub(super) struct Asked {
    pub question: Question,
    pub until: Moment,
}

pub(super) enum Question {
    /// To keep these.
    Commit(Vec<PartitionOffset>, Answer<()>),
    /// What is kept of these.
    Committed {
        partitions: Vec<TopicPartition>,
        /// Nothing of which a transaction is not decided yet.
        stable: bool,
        answer: Answer<Vec<PartitionOffset>>,
    },
}

impl Question {
    pub(super) fn refuse(self, error: KafkaError) {
        match self {
            Question::Commit(_, answer) => answer.give(Err(error)),
            Question::Committed { answer, .. } => answer.give(Err(error)),
        }
    }
}

/// Where an answer goes. Called once, from the membership's thread; it must not wait.
pub(crate) struct Answer<T>(Option<Give<T>>);

type Give<T> = Box<dyn FnOnce(Result<T, KafkaError>) + Send>;

impl<T> Answer<T> {
    pub(crate) fn new(give: impl FnOnce(Result<T, KafkaError>) + Send + 'static) -> Answer<T> {
        Answer(Some(Box::new(give)))
    }

    pub(super) fn give(mut self, result: Result<T, KafkaError>) {
        if let Some(give) = self.0.take() {
            give(result);
        }
    }
}

impl<T> Drop for Answer<T> {
    /// Whoever waits for a membership that is gone hears of it.
    fn drop(&mut self) {
        if let Some(give) = self.0.take() {
            give(Err(KafkaError::with_message(
                ErrorCode::STATE,
                "the consumer is closed",
            )));
        }
    }
}

/// What a refusal means for a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The coordinator is to be looked for anew, and to be asked again.
    Moved,
    /// It is to be asked again.
    Later,
    /// The caller is to know.
    Final,
}

impl Refusal {
    pub(super) fn of(error: &KafkaError) -> Refusal {
        match error.code {
            ErrorCode::NOT_COORDINATOR | ErrorCode::COORDINATOR_NOT_AVAILABLE => Refusal::Moved,
            ErrorCode::COORDINATOR_LOADING | ErrorCode::UNSTABLE_OFFSET_COMMIT => Refusal::Later,
            code if code.is_unreachable() || code == ErrorCode::WAIT_COORDINATOR => Refusal::Moved,
            _ => Refusal::Final,
        }
    }
}

/// The pause before a question is asked again.
pub(super) const AGAIN: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn nobody_waits_for_an_answer_that_will_not_come() {
        let (sender, receiver) = channel();
        let answer = Answer::<()>::new(move |result| sender.send(result).unwrap());
        drop(Question::Commit(Vec::new(), answer));
        assert_eq!(receiver.recv().unwrap().unwrap_err().code, ErrorCode::STATE);
        let (sender, receiver) = channel();
        Answer::new(move |result| sender.send(result).unwrap()).give(Ok(7));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [Ok(7)], "once");
    }

    #[test]
    fn only_what_passes_by_itself_is_asked_again() {
        let of = |code| Refusal::of(&KafkaError::new(ErrorCode(code)));
        assert_eq!([of(15), of(16), of(-195), of(-185)], [Refusal::Moved; 4]);
        assert_eq!([of(14), of(88)], [Refusal::Later; 2]);
        assert_eq!([of(22), of(25), of(27), of(29), of(30), of(-169)], [Refusal::Final; 6]);
    }
}
