//! A topic in memory that several workers open, each with a reader of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{LeaderLog, Log, LogReader, LogRecord, Pair};
use crate::{BoxFuture, Error};

/// The topic itself.
#[derive(Debug, Default)]
pub struct FakeTopic {
    state: Mutex<TopicState>,
}

#[derive(Debug, Default)]
struct TopicState {
    records: Vec<LogRecord>,
    /// Who has claimed it last; nobody at first.
    claimant: usize,
    opened: usize,
    /// Appending fails.
    down: bool,
    /// How often it was made anew.
    times_anew: usize,
}

/// A topic as one worker has opened it.
pub struct FakeLog {
    topic: Arc<FakeTopic>,
    reader: Arc<dyn LogReader>,
    id: usize,
    /// How many records the reader was told of, since the topic was made anew so many times. Held while it is told, so that
    /// order is kept.
    position: Mutex<(usize, usize)>,
}

impl FakeTopic {
    pub fn new() -> Arc<FakeTopic> {
        Arc::default()
    }

    pub fn open(self: &Arc<Self>, reader: Arc<dyn LogReader>) -> Arc<FakeLog> {
        let mut state = self.state();
        state.opened += 1;
        Arc::new(FakeLog {
            topic: self.clone(),
            reader,
            id: state.opened,
            position: Mutex::new((0, state.times_anew)),
        })
    }

    /// Lets appending fail, or work again.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    /// Deletes it and makes it anew.
    pub fn make_anew(&self) {
        let mut state = self.state();
        state.records.clear();
        state.times_anew += 1;
    }

    /// What is in the topic.
    pub fn records(&self) -> Vec<LogRecord> {
        self.state().records.clone()
    }

    /// Appends what another program may have written.
    pub fn append(&self, key: Option<Vec<u8>>, value: Option<Vec<u8>>) {
        self.state().append(key, value);
    }

    fn state(&self) -> MutexGuard<'_, TopicState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TopicState {
    fn append(&mut self, key: Option<Vec<u8>>, value: Option<Vec<u8>>) {
        self.records.push(LogRecord {
            partition: 0,
            offset: self.records.len() as i64,
            key,
            value,
        });
    }
}

impl FakeLog {
    fn try_append(&self, pairs: Vec<Pair>, as_leader: bool) -> Result<(), Error> {
        let mut state = self.topic.state();
        if state.down {
            return Err(Error::Unavailable("the topic is down".to_owned()));
        }
        if as_leader && state.claimant != self.id {
            return Err(Error::Fenced);
        }
        for (key, value) in pairs {
            state.append(Some(key), value);
        }
        Ok(())
    }
}

impl Log for FakeLog {
    fn append(&self, pairs: Vec<Pair>) -> BoxFuture<'_, Result<(), Error>> {
        let outcome = self.try_append(pairs, false);
        Box::pin(std::future::ready(outcome))
    }

    fn read_to_end(&self) -> BoxFuture<'_, Result<(), Error>> {
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.topic.state();
        let is_anew = position.1 < state.times_anew;
        if is_anew {
            *position = (0, state.times_anew);
        }
        let new = state.records[position.0..].to_vec();
        drop(state);
        position.0 += new.len();
        if is_anew {
            self.reader.made_anew();
        }
        self.reader.read(new);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl LeaderLog for FakeLog {
    fn append_as_leader(&self, pairs: Vec<Pair>) -> BoxFuture<'_, Result<(), Error>> {
        let outcome = self.try_append(pairs, true);
        Box::pin(std::future::ready(outcome))
    }

    fn claim(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.topic.state().claimant = self.id;
        Box::pin(std::future::ready(Ok(())))
    }
}
