//! What the consumer's thread waits for.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caisson_model::{PartitionOffset, TopicPartition};

use crate::error::{ConsumerError, KafkaError};
use crate::group::{Loss, Preparing};

/// What the thread hears of its group.
#[derive(Debug)]
pub(super) enum Event {
    /// The group rebalances: the member is to say what it wants, of these topics, and what it has.
    Preparing {
        preparing: Preparing,
        topics: Arc<[String]>,
    },
    /// The member's part in a generation.
    Joined {
        generation: i32,
        partitions: Vec<TopicPartition>,
    },
    /// The membership is gone, and with it all partitions.
    Lost(Loss),
    /// The committed offsets that were asked for with this number.
    Positions {
        number: u64,
        result: Result<Vec<PartitionOffset>, KafkaError>,
    },
    Committed {
        sequence: u64,
        result: Result<(), KafkaError>,
    },
    Error(ConsumerError),
}

impl Event {
    /// Something that is tried again.
    pub(super) fn trouble(error: KafkaError) -> Event {
        Event::Error(ConsumerError {
            error,
            partition: None,
            fatal: false,
        })
    }
}

/// Events in their order, and wake-ups without one.
#[derive(Default)]
pub(crate) struct Inbox {
    content: Mutex<Content>,
    changed: Condvar,
}

#[derive(Default)]
struct Content {
    events: VecDeque<Event>,
    is_woken: bool,
}

impl Inbox {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, event: Event) {
        self.content().events.push_back(event);
        self.changed.notify_one();
    }

    /// Ends a wait at once, or the next one if nobody waits.
    pub(super) fn wake(&self) {
        let before = std::mem::replace(&mut self.content().is_woken, true);
        if !before {
            self.changed.notify_one();
        }
    }

    /// The next event; none if there is none, after a wake-up or after that time.
    pub(super) fn take(&self, patience: Duration) -> Option<Event> {
        let idle = |content: &mut Content| content.events.is_empty() && !content.is_woken;
        let content = self.content();
        let (mut content, _) = match patience.is_zero() {
            true => (content, None),
            false => {
                let waited = self.changed.wait_timeout_while(content, patience, idle);
                let (content, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                (content, Some(timeout))
            }
        };
        content.is_woken = false;
        content.events.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_is_kept_for_the_next_wait_and_events_for_ever() {
        let inbox = Inbox::default();
        inbox.wake();
        inbox.wake();
        assert!(inbox.take(Duration::from_secs(600)).is_none());
        let committed = |sequence| Event::Committed {
            sequence,
            result: Ok(()),
        };
        inbox.push(committed(1));
        inbox.push(committed(2));
        for expected in [1, 2] {
            let event = inbox.take(Duration::from_secs(600));
            assert!(matches!(event, Some(Event::Committed { sequence, .. }) if sequence == expected));
        }
        assert!(inbox.take(Duration::ZERO).is_none());
        let inbox = Arc::new(inbox);
        let other = inbox.clone();
        let waker = std::thread::spawn(move || other.wake());
        assert!(inbox.take(Duration::from_secs(600)).is_none());
        waker.join().unwrap();
    }
}
