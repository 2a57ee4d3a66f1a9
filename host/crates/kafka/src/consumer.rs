//! Consumers of sink tasks: a thread each, which takes what the fetcher has, serves the group's rebalances, and hands both
//! to the task through a bounded channel.
//!
//! The thread never waits for the task while the group waits for the thread: when the channel is full it stops taking
//! records and goes on serving the group. Fetched records are then bounded by `queued.max.messages.kbytes`.

pub(crate) mod assignment;
mod events;
mod pattern;
pub(crate) mod slot;
mod thread;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use caisson_model::{PartitionOffset, TopicPartition};
use tokio::sync::mpsc;

pub use events::{ConsumerEvent, ConsumerEvents, Revocation};

use crate::error::{Error, ErrorCode, KafkaError};
use crate::fetch::{BatchLimit, Fetcher, Reset};
use crate::ffi::{Client, Event, PartitionList, Queue};
use crate::settings::ClientSettings;
use assignment::Assignment;
use events::Signals;
use pattern::Pattern;

/// How long a dropped consumer tries to leave its group.
const DROPPED: Duration = Duration::from_secs(5);
/// The pause before a commit is tried again.
const COMMIT_RETRY: Duration = Duration::from_millis(100);

/// What to consume.
#[derive(Clone, Debug)]
pub enum Subscription {
    Topics(Vec<String>),
    /// `topics.regex`: all topics whose whole name matches; looked up anew every `metadata.max.age.ms`.
    Pattern(String),
}

/// How to hand records over.
#[derive(Clone, Copy, Debug)]
pub struct ConsumerOptions {
    /// Records in one batch; `max.poll.records` of the settings wins.
    pub batch_records: usize,
    /// Bytes of keys and values after which a batch is full.
    pub batch_bytes: usize,
    /// Events that wait in the channel, most of them batches.
    pub channel: usize,
}

impl Default for ConsumerOptions {
    fn default() -> Self {
        ConsumerOptions {
            batch_records: 2000,
            batch_bytes: 1 << 20,
            channel: 2,
        }
    }
}

/// The handle of a consumer. Its calls may come from any thread; those that wait for Kafka say so.
pub struct SinkConsumer {
    shared: Arc<Shared>,
    api_timeout: Duration,
    finished: std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
}

/// What handle, thread and receiver share.
pub(crate) struct Shared {
    client: Arc<Client>,
    /// The group's events.
    main: Arc<Queue>,
    signals: Arc<Signals>,
    assignment: Arc<Assignment>,
    commands: std::sync::Mutex<Vec<Command>>,
}

/// What the thread is asked to do; it answers by the sender.
pub(crate) enum Command {
    Seek(Vec<PartitionOffset>, Answer),
    Pause(Which, Answer),
    Resume(Which, Answer),
    /// Leave the group until then, and end.
    Close(Instant),
}

type Answer = SyncSender<()>;

/// Partitions to pause or resume.
#[derive(Clone, Debug)]
pub(crate) enum Which {
    All,
    These(Vec<TopicPartition>),
}

impl SinkConsumer {
    /// Makes a consumer and its thread, and joins the group in the background. `name` names the thread.
    pub fn start(
        name: &str,
        settings: &ClientSettings,
        subscription: &Subscription,
        options: ConsumerOptions,
    ) -> Result<(SinkConsumer, ConsumerEvents), Error> {
        let pattern = match subscription {
            Subscription::Topics(_) => None,
            Subscription::Pattern(pattern) => Some(Pattern::new(pattern, settings)?),
        };
        let client = Arc::new(settings.client()?);
        let what = || {
            Error::kafka(format!(
                "joining the group {}",
                settings.native("group.id").unwrap_or("")
            ))
        };
        client.unite_queues().map_err(what())?;
        let main = Queue::of_consumer(&client).ok_or_else(|| what()(KafkaError::new(ErrorCode::STATE)))?;
        if let Subscription::Topics(topics) = subscription {
            client
                .subscribe(topics)
                .map_err(Error::kafka(format!("subscribing to {}", topics.join(","))))?;
        }
        let main = Arc::new(main);
        let signals = Arc::new(Signals::new(main.clone()));
        let assignment = Arc::new(Assignment::default());
        let arrived = signals.clone();
        let fetcher = Fetcher::start(settings, assignment.clone(), move || arrived.wake())?;
        let shared = Arc::new(Shared {
            signals,
            client,
            main,
            assignment,
            commands: std::sync::Mutex::default(),
        });
        let limit = BatchLimit {
            records: settings.max_poll_records().unwrap_or(options.batch_records).max(1),
            bytes: options.batch_bytes.max(1),
        };
        let (sender, receiver) = mpsc::channel(options.channel.max(1));
        let (finish, finished) = sync_channel(1);
        let reset = Reset::of(settings);
        let thread = thread::Thread::new(shared.clone(), fetcher, sender, limit, pattern, reset);
        let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            thread.run();
            // Nobody listens if the handle is gone.
            let _ = finish.try_send(());
        });
        spawned.map_err(|error| Error::Thread {
            client: name.to_owned(),
            reason: error.to_string(),
        })?;
        let events = ConsumerEvents::new(receiver, shared.signals.clone());
        let consumer = SinkConsumer {
            shared,
            api_timeout: settings.api_timeout(),
            finished: std::sync::Mutex::new(finished),
        };
        Ok((consumer, events))
    }

    /// Begins a commit. Its result comes as [`ConsumerEvent::Committed`] with this sequence number.
    pub fn commit(&self, offsets: &[PartitionOffset], sequence: u64) -> Result<(), KafkaError> {
        self.shared
            .client
            .commit(&list_of(offsets), &self.shared.main, sequence)
    }

    /// Commits and waits for the result. What may succeed later is tried again until the time is over.
    pub fn commit_sync(&self, offsets: &[PartitionOffset], timeout: Duration) -> Result<(), KafkaError> {
        let until = Instant::now() + timeout;
        loop {
            let Err(error) = self.commit_once(offsets, until) else {
                return Ok(());
            };
            if !error.code.is_retriable() || Instant::now() + COMMIT_RETRY >= until {
                return Err(error);
            }
            std::thread::sleep(COMMIT_RETRY);
        }
    }

    fn commit_once(&self, offsets: &[PartitionOffset], until: Instant) -> Result<(), KafkaError> {
        let results = Queue::new(&self.shared.client);
        self.shared.client.commit(&list_of(offsets), &results, 0)?;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            if let Some(Event::Committed { result, partitions, .. }) = results.poll(left) {
                let refused = partitions.iter().find(|partition| partition.error != 0);
                return match (result, refused) {
                    // Nothing was to be committed.
                    (Err(error), _) if error.code == ErrorCode::NO_OFFSET => Ok(()),
                    (Ok(()), Some(partition)) => Err(KafkaError::new(ErrorCode(partition.error))),
                    (result, _) => result,
                };
            }
        }
        Err(KafkaError::new(ErrorCode::TIMED_OUT))
    }

    /// Goes on reading at these offsets. When this returns, records of these partitions that were read before are not
    /// handed out any more. Waits for the consumer's thread, not for Kafka.
    pub fn seek(&self, offsets: Vec<PartitionOffset>) -> Result<(), KafkaError> {
        self.ask(|answer| Command::Seek(offsets, answer))
    }

    /// Hands out no more records of these partitions until they are resumed; those on their way are kept for then.
    pub fn pause(&self, partitions: Vec<TopicPartition>) -> Result<(), KafkaError> {
        self.ask(|answer| Command::Pause(Which::These(partitions), answer))
    }

    pub fn resume(&self, partitions: Vec<TopicPartition>) -> Result<(), KafkaError> {
        self.ask(|answer| Command::Resume(Which::These(partitions), answer))
    }

    /// Pauses all partitions that are assigned, and those that will be.
    pub fn pause_all(&self) -> Result<(), KafkaError> {
        self.ask(|answer| Command::Pause(Which::All, answer))
    }

    /// Resumes all partitions.
    pub fn resume_all(&self) -> Result<(), KafkaError> {
        self.ask(|answer| Command::Resume(Which::All, answer))
    }

    /// The partitions that are assigned now.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.shared.assignment.partitions()
    }

    /// The group's committed offsets; partitions without one are left out. Waits for Kafka.
    pub fn committed(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<PartitionOffset>, KafkaError> {
        let mut list = PartitionList::new();
        for partition in partitions {
            list.add(&partition.topic, partition.partition, 0);
        }
        self.shared.client.committed(&mut list, timeout)?;
        let known = list.elements().into_iter().filter(|element| element.offset >= 0);
        Ok(known
            .map(|element| PartitionOffset {
                partition: TopicPartition::new(element.topic, element.partition),
                offset: element.offset,
            })
            .collect())
    }

    /// Leaves the group. Nothing is committed, and no further event comes. Returns whether the group was told in time;
    /// it never takes much longer than `deadline`.
    pub fn close(self, deadline: Duration) -> bool {
        let until = Instant::now() + deadline;
        self.shared.command(Command::Close(until));
        let finished = self.finished.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match finished.recv_timeout(deadline + Duration::from_millis(500)) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => self.shared.client.is_closed(),
            Err(RecvTimeoutError::Timeout) => false,
        }
    }

    fn ask(&self, command: impl FnOnce(Answer) -> Command) -> Result<(), KafkaError> {
        let (answer, answered) = sync_channel(1);
        self.shared.command(command(answer));
        answered.recv_timeout(self.api_timeout).map_err(|error| match error {
            RecvTimeoutError::Timeout => KafkaError::new(ErrorCode::TIMED_OUT),
            RecvTimeoutError::Disconnected => KafkaError::with_message(ErrorCode::STATE, "the consumer is closed"),
        })
    }
}

impl Drop for SinkConsumer {
    fn drop(&mut self) {
        self.shared.command(Command::Close(Instant::now() + DROPPED));
    }
}

impl Shared {
    fn command(&self, command: Command) {
        self.commands
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(command);
        self.signals.wake();
    }

    fn take_commands(&self) -> Vec<Command> {
        std::mem::take(&mut *self.commands.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

fn list_of(offsets: &[PartitionOffset]) -> PartitionList {
    let mut list = PartitionList::new();
    for PartitionOffset { partition, offset } in offsets {
        list.add(&partition.topic, partition.partition, *offset);
    }
    list
}
