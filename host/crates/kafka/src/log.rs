//! A topic as a log that is read whole: from its beginning, and on as it grows. Kafka Connect's `KafkaBasedLog`, on which
//! its workers keep configurations, offsets and statuses. What the records mean is the caller's affair.

mod reader;
mod writer;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caisson_model::TopicPartition;
use tokio::sync::oneshot;
use tokio::time::Instant;

pub use writer::{LogEntry, LogWriter, TransactionalLogWriter};

use crate::admin::{Admin, Isolation};
use crate::consumer::assignment::Assignment;
use crate::consumer::slot::Position;
use crate::error::{Error, ErrorCode, KafkaError};
use crate::fetch::{Fetcher, Message};
use crate::ffi::{Client, PartitionList};
use crate::report::Reporter;
use crate::settings::ClientSettings;
use reader::Thread;

/// The pause before a question to the cluster is asked again.
const RETRY: Duration = Duration::from_millis(100);
/// A question that was asked while its broker went away may never be answered: it is then asked anew.
const ATTEMPT: Duration = Duration::from_secs(5);
/// How long the markers of a transaction that was committed are waited for; one that stays open is not.
const MARKERS: Duration = Duration::from_secs(1);

/// What a reader of a log hears.
pub enum LogEvent<'a> {
    Record(&'a Message<'a>),
    /// The topic is not the one that was read: it was deleted and made anew. It is read from its beginning.
    Anew,
}

/// A log that is being read, by a thread of its own. Ends when dropped.
pub struct CompactedLog {
    shared: Arc<Shared>,
}

/// What handle and thread share.
struct Shared {
    /// Asks where the ends are: an admin client's, for the fetcher is busy waiting for records.
    asking: Arc<Client>,
    reporter: Reporter,
    topic: String,
    assignment: Arc<Assignment>,
    /// Wakes the thread. One wake-up that was not seen yet says as much as two.
    wake: SyncSender<()>,
    isolation: Isolation,
    /// Held for moments: to note what was read, or to ask for it.
    progress: Mutex<Progress>,
}

struct Progress {
    reached: Reach,
    waiting: Vec<Waiting>,
    state: State,
}

/// How far a topic was applied, or is to be. Whatever comes after it was made anew is further.
#[derive(Clone)]
struct Reach {
    /// How often the topic was made anew since it was opened.
    times_anew: u32,
    /// By partition, the next offset.
    offsets: Vec<i64>,
}

impl Reach {
    /// These ends, which were asked for when this was reached. One that lies before it tells of a topic that was made anew,
    /// even if its reader has yet to see it.
    fn to(&self, ends: Vec<i64>) -> Reach {
        let is_anew = self.offsets.iter().zip(&ends).any(|(offset, end)| end < offset);
        Reach {
            times_anew: self.times_anew + u32::from(is_anew),
            offsets: ends,
        }
    }

    fn covers(&self, end: &Reach) -> bool {
        let reaches_each = || self.offsets.iter().zip(&end.offsets).all(|(offset, end)| offset >= end);
        self.times_anew > end.times_anew || self.times_anew == end.times_anew && reaches_each()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// The handle is gone.
    Closing,
    /// The thread is gone.
    Ended,
}

/// Somebody who waits until the topic is read to here.
struct Waiting {
    end: Reach,
    done: oneshot::Sender<()>,
}

impl CompactedLog {
    /// Begins to read a topic from its beginning. `settings` are made by [`ClientSettings::reader`]; their
    /// `isolation.level` says whether records of open and aborted transactions are seen. `apply` hears of each record, in the
    /// order of its partition, on the log's own thread. Fails if the topic is not there within `patience`.
    ///
    /// [`CompactedLog::read_to_end`] says when what was there at the start has been applied.
    pub async fn open(
        settings: &ClientSettings,
        admin: &Admin,
        topic: &str,
        patience: Duration,
        apply: impl FnMut(LogEvent<'_>) + Send + 'static,
    ) -> Result<CompactedLog, Error> {
        let asking = admin.client().clone();
        let partitions = partitions(asking.clone(), topic.to_owned(), patience).await?;
        let isolation = match settings.native("isolation.level") {
            // librdkafka's default, as opposed to Java's.
            None | Some("read_committed") => Isolation::ReadCommitted,
            Some(_) => Isolation::ReadUncommitted,
        };
        let assignment = Arc::new(Assignment::default());
        for partition in 0..partitions {
            let partition = TopicPartition::new(topic, i32::try_from(partition).unwrap_or(i32::MAX));
            assignment.add(&partition, Position::Earliest, false);
        }
        let (wake, woken) = sync_channel(1);
        let arrived = wake.clone();
        let fetcher = Fetcher::start(settings, assignment.clone(), move || {
            let _ = arrived.try_send(());
        })?;
        let shared = Arc::new(Shared {
            assignment,
            wake,
            asking,
            reporter: settings.reporter(),
            topic: topic.to_owned(),
            isolation,
            progress: Mutex::new(Progress {
                reached: Reach {
                    times_anew: 0,
                    offsets: vec![0; partitions],
                },
                waiting: Vec::new(),
                state: State::Reading,
            }),
        });
        Thread::start(shared.clone(), fetcher, woken, Box::new(apply))?;
        Ok(CompactedLog { shared })
    }

    /// The number of partitions.
    pub fn partitions(&self) -> usize {
        self.shared.progress().reached.offsets.len()
    }

    /// Per partition, the offset after the last record that was applied.
    pub fn positions(&self) -> Vec<i64> {
        self.shared.progress().reached.offsets.clone()
    }

    /// Waits until everything is applied that was in the topic when this was called.
    pub async fn read_to_end(&self, patience: Duration) -> Result<(), Error> {
        let until = Instant::now() + patience;
        let before = self.shared.progress().reached.clone();
        // A commit is answered before its markers are written, and a reader of committed records passes them a moment later.
        // Who appended may be who reads, and expects to see it: so this reader waits for the end of all records, too.
        let all = ends(self.shared.clone(), Isolation::ReadUncommitted, until).await?;
        let markers = until.min(Instant::now() + MARKERS);
        let settled = match self.shared.isolation {
            Isolation::ReadUncommitted => until,
            Isolation::ReadCommitted => markers,
        };
        let mut reached = self.reach(before.to(all), settled).await?;
        if !reached && self.shared.isolation == Isolation::ReadCommitted {
            // A transaction stays open. What lies before it is the end.
            let committed = ends(self.shared.clone(), Isolation::ReadCommitted, until).await?;
            reached = self.reach(before.to(committed), until).await?;
        }
        match reached {
            true => Ok(()),
            false => {
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

    /// Waits until everything before this end is applied. False: it is not by then.
    async fn reach(&self, end: Reach, until: Instant) -> Result<bool, Error> {
        let done = {
            let mut progress = self.shared.progress();
            if progress.state != State::Reading {
                return Err(self.closed());
            }
            if progress.reached.covers(&end) {
                return Ok(true);
            }
            // Whoever gave up waiting goes away here.
            progress.waiting.retain(|waiting| !waiting.done.is_closed());
            let (done, reached) = oneshot::channel();
            progress.waiting.push(Waiting { end, done });
            reached
        };
        match tokio::time::timeout_at(until, done).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(_)) => Err(self.closed()),
            Err(_) => Ok(false),
        }
    }

    fn closed(&self) -> Error {
        Error::Closed(format!("that reads {}", self.shared.topic))
    }
}

impl Drop for CompactedLog {
    fn drop(&mut self) {
        self.shared.progress().state = State::Closing;
        let _ = self.shared.wake.try_send(());
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

/// The offsets of the partitions' ends now; those of committed records lie before transactions that are open.
async fn ends(shared: Arc<Shared>, isolation: Isolation, until: Instant) -> Result<Vec<i64>, Error> {
    let what = format!("listing the end offsets of topic {}", shared.topic);
    blocking(&what, move || retry(until, |left| list_ends(&shared, isolation, left))).await
}

fn list_ends(shared: &Shared, isolation: Isolation, patience: Duration) -> Result<Vec<i64>, KafkaError> {
    let count = shared.progress().reached.offsets.len();
    let mut list = PartitionList::new();
    for partition in 0..count {
        list.add(&shared.topic, partition as i32, -1);
    }
    let mut ends = vec![None; count];
    let listed = match shared.asking.list_offsets(list, isolation, patience) {
        // No leader of a topic that was made a moment ago is known to the broker that was asked.
        Err(error) if error.code == ErrorCode::NO_ENTRY => Vec::new(),
        listed => listed?,
    };
    for element in listed {
        if element.error != 0 {
            let code = ErrorCode(element.error);
            if code.is_about_leader() {
                // librdkafka keeps asking by what it knows of leaders, which a broker that was away has changed.
                let _ = shared.asking.topics(patience);
            }
            return Err(KafkaError::new(code));
        }
        let place = usize::try_from(element.partition).ok();
        if let Some(end) = place.and_then(|index| ends.get_mut(index)) {
            // Where a broker has not answered, librdkafka says -1 and no error.
            *end = Some(element.offset).filter(|offset| *offset >= 0);
        }
    }
    let ends: Option<Vec<i64>> = ends.into_iter().collect();
    ends.ok_or_else(|| {
        let _ = shared.asking.topics(patience);
        KafkaError::new(ErrorCode::LEADER_NOT_AVAILABLE)
    })
}

/// Repeats a question while the answer is that it may be repeated, and there is time.
fn retry<T>(until: Instant, mut ask: impl FnMut(Duration) -> Result<T, KafkaError>) -> Result<T, KafkaError> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match ask(left.clamp(RETRY, ATTEMPT)) {
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
