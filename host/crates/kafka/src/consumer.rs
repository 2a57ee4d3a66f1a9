//! Consumers of sink tasks: a thread each, which takes what the fetcher has, serves the group's rebalances, and hands both
//! to the task through a bounded channel.
//!
//! The thread never waits for the task while the group waits for the thread: when the channel is full it stops taking
//! records and goes on serving the group. Fetched records are then bounded by `queued.max.messages.kbytes`.

pub(crate) mod assignment;
mod assignor;
mod events;
mod inbox;
mod member;
mod pattern;
mod protocol;
pub(crate) mod slot;
mod strategy;
mod thread;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use caisson_model::{PartitionOffset, TopicPartition};
use tokio::sync::mpsc;

pub use events::{ConsumerEvent, ConsumerEvents, Revocation};

use crate::error::{Error, ErrorCode, KafkaError};
use crate::fetch::Fetcher;
use crate::group::{Answer as OffsetsAnswer, GroupMember, spawn_with_members};
use crate::settings::ClientSettings;
use crate::wire::Dialer;
use assignment::Assignment;
use events::Signals;
use inbox::{Event, Inbox};
use member::{Member, TopicLookup, Topics};
use pattern::Pattern;
use thread::{Manner, Thread};

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
    /// Says whether the group was told that it left.
    finished: std::sync::Mutex<std::sync::mpsc::Receiver<bool>>,
}

/// What handle, thread and receiver share.
pub(crate) struct Shared {
    member: Arc<GroupMember>,
    /// The group's events.
    inbox: Arc<Inbox>,
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
        let topics = match subscription {
            Subscription::Topics(topics) => Topics::These(sorted(topics)),
            Subscription::Pattern(pattern) => Topics::Matching(Pattern::new(pattern)?, None),
        };
        let group = member::options(settings)?;
        let manner = Manner::of(settings, options, group.rebalance_timeout)?;
        let dialer = Arc::new(Dialer::new(settings)?);
        let lookup = TopicLookup::new(dialer.clone(), settings)?;
        let inbox = Arc::new(Inbox::default());
        let signals = Arc::new(Signals::new(inbox.clone()));
        let assignment = Arc::new(Assignment::default());
        let arrived = signals.clone();
        let fetcher = Fetcher::start_with(settings, dialer.clone(), assignment.clone(), move || arrived.wake())?;
        let (member, group_events) = {
            let inbox = inbox.clone();
            let report = move |error| inbox.push(Event::trouble(error));
            GroupMember::start_with_others(settings, dialer, group, report)?
        };
        let shared = Arc::new(Shared {
            member: Arc::new(member),
            inbox: inbox.clone(),
            signals,
            assignment,
            commands: std::sync::Mutex::default(),
        });
        let member = Member {
            events: group_events,
            member: Arc::downgrade(&shared.member),
            inbox,
            topics,
            lookup,
            shared_out: None,
            due: None,
        };
        let no_thread = |reason: std::io::Error| Error::Thread {
            client: name.to_owned(),
            reason: reason.to_string(),
        };
        spawn_with_members(move || member.run()).map_err(no_thread)?;
        let (sender, receiver) = mpsc::channel(options.channel.max(1));
        let (finish, finished) = sync_channel(1);
        let thread = Thread::new(shared.clone(), fetcher, sender, manner);
        let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let was_told = thread.run();
            // Nobody listens if the handle is gone.
            let _ = finish.try_send(was_told);
        });
        spawned.map_err(no_thread)?;
        let events = ConsumerEvents::new(receiver, shared.signals.clone());
        let consumer = SinkConsumer {
            shared,
            api_timeout: settings.api_timeout(),
            finished: std::sync::Mutex::new(finished),
        };
        Ok((consumer, events))
    }

    /// Begins a commit. Its result comes as [`ConsumerEvent::Committed`] with this sequence number.
    pub fn commit(&self, offsets: &[PartitionOffset], sequence: u64) {
        let inbox = self.shared.inbox.clone();
        let answer = OffsetsAnswer::new(move |result| inbox.push(Event::Committed { sequence, result }));
        self.shared.member.commit(by_topic(offsets), self.api_timeout, answer);
    }

    /// Commits and waits for the result. What may succeed later is tried again until the time is over.
    pub fn commit_sync(&self, offsets: &[PartitionOffset], timeout: Duration) -> Result<(), KafkaError> {
        let until = Instant::now() + timeout;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let (answer, answered) = waiting();
            self.shared.member.commit(by_topic(offsets), left, answer);
            let Err(error) = answered() else {
                return Ok(());
            };
            if !error.code.is_retriable() || Instant::now() + COMMIT_RETRY >= until {
                return Err(error);
            }
            std::thread::sleep(COMMIT_RETRY);
        }
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
        let mut partitions = partitions.to_vec();
        partitions.sort();
        let (answer, answered) = waiting();
        self.shared.member.committed(partitions, false, timeout, answer);
        answered()
    }

    /// Leaves the group. Nothing is committed, and no further event comes. Returns whether the group was told in time;
    /// it never takes much longer than `deadline`.
    pub fn close(self, deadline: Duration) -> bool {
        let until = Instant::now() + deadline;
        self.shared.command(Command::Close(until));
        let finished = self.finished.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        finished
            .recv_timeout(deadline + Duration::from_millis(500))
            .unwrap_or(false)
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

/// An answer that is waited for by calling what is returned.
fn waiting<T: Send + 'static>() -> (OffsetsAnswer<T>, impl FnOnce() -> Result<T, KafkaError>) {
    let (sender, receiver) = sync_channel(1);
    let answer = OffsetsAnswer::new(move |result| drop(sender.try_send(result)));
    // Every question is answered, if only by the end of the membership.
    let gone = || KafkaError::new(ErrorCode::STATE);
    (answer, move || receiver.recv().unwrap_or_else(|_| Err(gone())))
}

/// Those of a topic together.
fn by_topic(offsets: &[PartitionOffset]) -> Vec<PartitionOffset> {
    let mut offsets = offsets.to_vec();
    offsets.sort_by(|one, other| one.partition.cmp(&other.partition));
    offsets
}

fn sorted(topics: &[String]) -> Arc<[String]> {
    let mut topics = topics.to_vec();
    topics.sort();
    topics.dedup();
    topics.into()
}
