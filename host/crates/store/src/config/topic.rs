//! Configurations in the cluster's config topic.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::state::State;
use super::{ConfigChange, ConfigRecord, ConfigSnapshot, ConfigStore};
use crate::log::{Discarded, LeaderLog, LogReader, LogRecord};
use crate::{BoxFuture, Error};

/// For one change, reading it back included; Kafka Connect's own limit.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why nothing is written any more.
const ANEW: &str = "the config topic was deleted and made anew while this worker runs, and holds nothing of what it knows; what \
                    runs goes on. Take down what GET /connectors?expand=info says, and start all workers again to begin with \
                    what the topic holds now";

/// A config store behind a topic with one partition.
pub struct TopicConfigStore {
    reader: Arc<Reader>,
    log: Arc<dyn LeaderLog>,
}

/// Applies what is read.
struct Reader {
    /// Held while records are applied.
    state: Mutex<State>,
    published: watch::Sender<Arc<ConfigSnapshot>>,
    discarded: Discarded,
    /// The topic holds nothing of what was read of it. Set once.
    anew: AtomicBool,
}

impl TopicConfigStore {
    /// The reader to open the topic with, and what makes the store once it is open. The topic is read by the first
    /// [`ConfigStore::refresh`], if not before.
    pub fn prepare() -> (impl FnOnce(Arc<dyn LeaderLog>) -> TopicConfigStore, Arc<dyn LogReader>) {
        let reader = Arc::new(Reader {
            state: Mutex::default(),
            published: watch::Sender::new(Arc::default()),
            discarded: Discarded::of("config"),
            anew: AtomicBool::new(false),
        });
        let hand: Arc<dyn LogReader> = reader.clone();
        (move |log| TopicConfigStore { reader, log }, hand)
    }

    /// Group by group, as a reader that stops between two groups must not see half of a change in effect.
    async fn make(&self, change: ConfigChange) -> Result<(), Error> {
        let privileged = change.privileged();
        // What is in effect is compared with what the topic says, not with what was read of it by chance.
        self.log.read_to_end().await?;
        if self.reader.anew.load(Ordering::Acquire) {
            // A part of what this worker knows, written where the rest is missing, would be all that others ever see.
            return Err(Error::Unavailable(ANEW.to_owned()));
        }
        for group in change.records() {
            let pairs: Vec<_> = group.iter().map(ConfigRecord::write).collect();
            if pairs.is_empty() {
                continue;
            }
            if privileged {
                self.log.append_as_leader(pairs).await?;
            } else {
                self.log.append(pairs).await?;
            }
            self.log.read_to_end().await?;
        }
        Ok(())
    }
}

impl ConfigStore for TopicConfigStore {
    fn snapshot(&self) -> Arc<ConfigSnapshot> {
        self.reader.published.borrow().clone()
    }

    fn watch(&self) -> watch::Receiver<Arc<ConfigSnapshot>> {
        self.reader.published.subscribe()
    }

    fn write(&self, change: ConfigChange) -> BoxFuture<'_, Result<(), Error>> {
        let what = subject(&change);
        Box::pin(async move {
            match timeout(CHANGE_TIMEOUT, self.make(change)).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(Error::Fenced)) => Err(Error::Fenced),
                Ok(Err(error)) => {
                    tracing::error!(%error, "failed to write {what} to Kafka");
                    Err(Error::NotWritten(what))
                }
                Err(_) => {
                    tracing::error!(within = ?CHANGE_TIMEOUT, "failed to write {what} to Kafka in time");
                    Err(Error::NotWritten(what))
                }
            }
        })
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.log.read_to_end()
    }

    fn claim(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.log.claim()
    }
}

/// As Kafka Connect's error texts call it.
fn subject(change: &ConfigChange) -> &'static str {
    match change {
        ConfigChange::PutConnector { .. } | ConfigChange::RemoveConnector { .. } => "connector configuration",
        ConfigChange::PutTasks { .. } => "task configurations",
        ConfigChange::StopConnector { .. } => "target state",
        ConfigChange::PutTarget { .. } => "target state",
        ConfigChange::PutTaskCount { .. } => "task count record",
        ConfigChange::PutSessionKey(_) => "session key",
        ConfigChange::Restart { .. } => "restart request",
        ConfigChange::PutLevel { .. } => "logger level",
    }
}

impl LogReader for Reader {
    fn read(&self, records: Vec<LogRecord>) {
        if records.is_empty() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            match ConfigRecord::read(record.key.as_deref(), record.value.as_deref()) {
                Ok(read) => state.apply(read, record.offset),
                Err(error) => {
                    self.discarded.note(&record, &error);
                    state.advance(record.offset + 1);
                }
            }
        }
        self.published.send_replace(state.snapshot().clone());
    }

    fn made_anew(&self) {
        self.anew.store(true, Ordering::Release);
    }
}
