//! A topic as a log that is read whole: from its beginning, and on as it grows. Kafka Connect's `KafkaBasedLog`, on which
//! its workers keep configurations, offsets and statuses. What the records mean is the caller's affair.

mod reader;
mod writer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

pub use writer::{LogEntry, LogWriter, TransactionalLogWriter};

use crate::admin::{Admin, Isolation};
use crate::error::{Error, ErrorCode, KafkaError};
use crate::ffi::{Client, Message, PartitionList, Queue, Topic};
use crate::settings::ClientSettings;
use reader::Thread;

/// The pause before a question to the cluster is asked again.
const RETRY: Duration = Duration::from_millis(100);

/// A log that is being read, by a thread of its own. Ends when dropped.
pub struct CompactedLog {
    shared: Arc<Shared>,
}

/// What handle and thread share.
struct Shared {
    client: Arc<Client>,
    /// Asks where the ends are. On the reader's own connection a question would wait until the fetch before it is answered,
    /// which a broker does when something is written, or after half a second.
    asking: Arc<Client>,
    topic: String,
    /// Where records arrive; waking it wakes the thread.
    records: Arc<Queue>,
    isolation: Isolation,
    /// Held for moments: to note what was read, or to ask for it.
    progress: Mutex<Progress>,
}

struct Progress {
    /// Per partition, the offset after what was applied last.
    positions: Vec<i64>,
    waiting: Vec<Waiting>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// The handle is gone.
    Closing,
    /// The thread is gone.
    Ended,
}

/// Somebody who waits until these offsets are reached.
struct Waiting {
    ends: Vec<i64>,
    done: oneshot::Sender<()>,
}

impl Progress {
    fn has_reached(&self, ends: &[i64]) -> bool {
        self.positions.iter().zip(ends).all(|(position, end)| position >= end)
    }
}

impl CompactedLog {
    /// Begins to read a topic from its beginning. `settings` are made by [`ClientSettings::reader`]; their
    /// `isolation.level` says whether records of open and aborted transactions are seen. `apply` is called for each record, in the
    /// order of its partition, on the log's own thread. Fails if the topic is not there within `patience`.
    ///
    /// [`CompactedLog::read_to_end`] says when what was there at the start has been applied.
    pub async fn open(
        settings: &ClientSettings,
        admin: &Admin,
        topic: &str,
        patience: Duration,
        apply: impl FnMut(&Message<'_>) + Send + 'static,
    ) -> Result<CompactedLog, Error> {
        let client = Arc::new(settings.client()?);
        let asking = admin.client().clone();
        let partitions = partitions(asking.clone(), topic.to_owned(), patience).await?;
        let isolation = match settings.native("isolation.level") {
            // librdkafka's default, as opposed to Java's.
            None | Some("read_committed") => Isolation::ReadCommitted,
            Some(_) => Isolation::ReadUncommitted,
        };
        let shared = Arc::new(Shared {
            records: Arc::new(Queue::new(&client)),
            client,
            asking,
            topic: topic.to_owned(),
            isolation,
            progress: Mutex::new(Progress {
                positions: vec![0; partitions],
                waiting: Vec::new(),
                state: State::Reading,
            }),
        });
        let handle = Topic::new(&shared.client, topic).map_err(Error::kafka(format!("preparing topic {topic}")))?;
        Thread::start(shared.clone(), handle, Box::new(apply))?;
        Ok(CompactedLog { shared })
    }

    /// The number of partitions.
    pub fn partitions(&self) -> usize {
        self.shared.progress().positions.len()
    }

    /// Per partition, the offset after the last record that was applied.
    pub fn positions(&self) -> Vec<i64> {
        self.shared.progress().positions.clone()
    }

    /// Waits until everything is applied that was in the topic when this was called.
    pub async fn read_to_end(&self, patience: Duration) -> Result<(), Error> {
        let until = Instant::now() + patience;
        let ends = ends(self.shared.clone(), until).await?;
        let done = {
            let mut progress = self.shared.progress();
            if progress.state != State::Reading {
                return Err(self.closed());
            }
            if progress.has_reached(&ends) {
                return Ok(());
            }
            // Whoever gave up waiting goes away here.
            progress.waiting.retain(|waiting| !waiting.done.is_closed());
            let (done, reached) = oneshot::channel();
            progress.waiting.push(Waiting { ends, done });
            reached
        };
        match tokio::time::timeout_at(until, done).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.closed()),
            Err(_) => {
                let error = KafkaError::with_message(
                    ErrorCode::TIMED_OUT,
                    format!("not done within {patience:?}, at {:?}", self.positions()),
                );
                Err(Error::kafka(format!("reading topic {} to its end", self.shared.topic))(
                    error,
                ))
            }
        }
    }

    fn closed(&self) -> Error {
        Error::Closed(format!("that reads {}", self.shared.topic))
    }
}

impl Drop for CompactedLog {
    fn drop(&mut self) {
        self.shared.progress().state = State::Closing;
        self.shared.records.wake();
    }
}

impl Shared {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many partitions a topic has; waits for it to be there.
async fn partitions(client: Arc<Client>, topic: String, patience: Duration) -> Result<usize, Error> {
    let until = Instant::now() + patience;
    let what = format!("describing topic {topic}");
    blocking(&what, move || {
        retry(until, |left| {
            let described = client.describe_topics(&[&topic], left)?;
            let found = described.into_iter().next().map(|(_, partitions)| partitions);
            found.unwrap_or_else(|| Err(KafkaError::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)))
        })
    })
    .await
}

/// The offsets of the partitions' ends now.
async fn ends(shared: Arc<Shared>, until: Instant) -> Result<Vec<i64>, Error> {
    let what = format!("listing the end offsets of topic {}", shared.topic);
    blocking(&what, move || {
        let count = shared.progress().positions.len();
        retry(until, |left| {
            let mut list = PartitionList::new();
            for partition in 0..count {
                list.add(&shared.topic, partition as i32, -1);
            }
            let listed = shared.asking.list_offsets(list, shared.isolation, left)?;
            let mut ends = vec![i64::MAX; count];
            for element in listed {
                if element.error != 0 {
                    return Err(KafkaError::new(ErrorCode(element.error)));
                }
                if let Some(end) = usize::try_from(element.partition)
                    .ok()
                    .and_then(|index| ends.get_mut(index))
                {
                    *end = element.offset;
                }
            }
            Ok(ends)
        })
    })
    .await
}

/// Repeats a question while the answer is that it may be repeated, and there is time.
fn retry<T>(until: Instant, mut ask: impl FnMut(Duration) -> Result<T, KafkaError>) -> Result<T, KafkaError> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match ask(left.max(RETRY)) {
            Err(error) if error.code.is_retriable() && left > RETRY => std::thread::sleep(RETRY),
            result => return result,
        }
    }
}

/// Performs a call that waits on a thread that may wait.
async fn blocking<T: Send + 'static>(
    what: &str,
    call: impl FnOnce() -> Result<T, KafkaError> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => result.map_err(Error::kafka(what)),
        // Only a runtime that shuts down takes the task away.
        Err(_) => Err(Error::Closed(format!("that was {what}"))),
    }
}
