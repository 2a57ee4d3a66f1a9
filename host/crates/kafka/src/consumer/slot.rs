//! What is known of an assigned partition, shared between a consumer's thread, its records on their way, and the task.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use caisson_model::TopicPartition;

/// An assigned partition.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) partition: TopicPartition,
    /// Records carry the epoch in which they were read. A seek, a revocation or a loss begins the next one, and records
    /// of an older one are dropped wherever they are found.
    epoch: AtomicU32,
    /// Records of a paused partition are held back by the receiver until it is resumed.
    paused: AtomicBool,
    /// How often the topic turned out to be another one of the same name since the partition was assigned.
    times_anew: AtomicU32,
    /// Where to fetch next. Changed together with the epoch; held for moments.
    place: Mutex<Place>,
}

#[derive(Debug)]
struct Place {
    position: Position,
    /// The first position that was known.
    begun: Option<i64>,
}

impl Place {
    fn set(&mut self, position: Position) {
        self.position = position;
        if let (Position::At(offset), None) = (position, self.begun) {
            self.begun = Some(offset);
        }
    }
}

/// Where a partition is fetched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    At(i64),
    /// To be found: the first record that is there.
    Earliest,
    /// To be found: behind the last one.
    Latest,
    /// Not known, and not to be guessed (`auto.offset.reset=none`): nothing is fetched.
    Unknown,
}

impl Slot {
    pub(crate) fn new(partition: TopicPartition, position: Position) -> Self {
        let mut place = Place {
            position: Position::Unknown,
            begun: None,
        };
        place.set(position);
        Slot {
            partition,
            epoch: AtomicU32::new(0),
            paused: AtomicBool::new(false),
            times_anew: AtomicU32::new(0),
            place: Mutex::new(place),
        }
    }

    fn place_guard(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn next_epoch(&self) {
        let _whole = self.place_guard();
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// The position, and the epoch in which it is valid.
    pub(crate) fn position(&self) -> (u32, Position) {
        let place = self.place_guard();
        (self.epoch(), place.position)
    }

    /// Where reading began, once that is known.
    pub(crate) fn begun(&self) -> Option<i64> {
        self.place_guard().begun
    }

    /// Goes on elsewhere. What was read before is void.
    pub(crate) fn seek(&self, position: Position) {
        let mut place = self.place_guard();
        place.set(position);
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Says where a partition is to be fetched from whose position in that epoch was of no use.
    pub(crate) fn place(&self, epoch: u32, position: Position) {
        let mut place = self.place_guard();
        if self.epoch() == epoch {
            place.set(position);
        }
    }

    /// Moves the position behind records that were read in that epoch, after `hand_over`; neither if the epoch is over.
    pub(crate) fn advance(&self, epoch: u32, next: i64, hand_over: impl FnOnce()) -> bool {
        let mut place = self.place_guard();
        let is_valid = self.epoch() == epoch;
        if is_valid {
            hand_over();
            place.set(Position::At(next));
        }
        is_valid
    }

    pub(crate) fn times_anew(&self) -> u32 {
        self.times_anew.load(Ordering::Acquire)
    }

    /// Notes that the topic is another one than before. Whether that changes where it is read is up to who reads.
    pub(crate) fn note_anew(&self) {
        self.times_anew.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
    }
}
