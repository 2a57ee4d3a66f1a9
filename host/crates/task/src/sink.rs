//! The loop of a sink task: records from the consumer's thread become frames, frames go into the guest, and what the
//! guest has made durable is committed. Kafka Connect's `WorkerSinkTask` gives the order of calls.

mod commits;
mod delivery;
mod faults;
pub mod intake;
mod positions;
mod swap;

use std::collections::VecDeque;
use std::time::Duration;

use caisson_api::frame::Frame;
use caisson_kafka::{Batch, ConsumerEvent, ConsumerEvents, ConsumerOptions, KafkaError, SinkConsumer};
use caisson_model::{Failure, PartitionOffset, TaskState, TopicPartition};
use caisson_sandbox::{Flow, SinkTask};
use tokio::time::Instant;

pub use self::faults::{SINK_TASK, report};
use self::intake::Intake;
use self::positions::Positions;
use crate::boxed::boxed;
use crate::chain::Chain;
use crate::control::{Controls, Wish};
use crate::errors::Errors;
use crate::outgoing::SinkFrames;
use crate::settings::SinkSettings;
use crate::swap::Probation;

/// How long the consumer may take to leave its group before it is left behind.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

/// Runs the task until it is told to stop or cannot go on.
pub(crate) async fn run(settings: SinkSettings, controls: &mut Controls) -> Result<(), Failure> {
    // What happens seldom has its own place in memory, and only while it happens.
    let mut task = boxed(|| Sink::start(settings, controls)).await?;
    let outcome = loop {
        match task.work(controls).await {
            Err(failure) if task.probation.may_fall_back(&failure) => {
                match boxed(|| task.fall_back(failure, controls)).await {
                    Ok(()) => {}
                    failed => break failed,
                }
            }
            outcome => break outcome,
        }
    };
    let outcome = boxed(|| task.end(outcome)).await;
    if !task.consumer.close(CLOSE_DEADLINE) {
        tracing::warn!("the consumer could not leave its group in time, the group will notice by itself");
    }
    outcome
}

struct Sink {
    settings: SinkSettings,
    guest: SinkTask,
    consumer: SinkConsumer,
    events: ConsumerEvents,
    intake: Intake,
    chain: Chain,
    frames: SinkFrames,
    errors: Errors,
    positions: Positions,
    /// Batches that came while the task was paused or its plugin asked for patience.
    backlog: VecDeque<Waiting>,
    /// Partitions that the guest has rewound since a frame was handed to it: what was read of them is read again.
    rewound: Vec<TopicPartition>,
    /// Commits that Kafka has not answered yet.
    commits: VecDeque<UnansweredCommit>,
    next_sequence: u64,
    next_commit: Instant,
    /// Between the last two commits: grows while there is nothing to commit.
    lull: Duration,
    /// When the guest wants to be called at the latest, records or not.
    next_call: Option<Instant>,
    wish: Wish,
    /// Of the plugin, and whether the one before it may come back.
    probation: Probation,
}

/// A commit that is on its way.
struct UnansweredCommit {
    sequence: u64,
    offsets: Vec<PartitionOffset>,
    began: Instant,
}

/// A batch and those of its partitions that were taken away since it was read.
struct Waiting {
    batch: Batch,
    /// The first record that the guest has not been given.
    from: usize,
    revoked: Vec<TopicPartition>,
}

impl Sink {
    /// On the heap, as it is large and its place is passed on.
    async fn start(settings: SinkSettings, controls: &mut Controls) -> Result<Box<Self>, Failure> {
        let task = &settings.task;
        let errors = Errors::start(task, controls).await?;
        let chain = Chain::start(task).await?;
        let own = task.sink_encodings();
        let intake = swap::intake(task, &chain);
        let spec = task.instance(&task.plugin, &task.config);
        let guest = SinkTask::start(spec)
            .await
            .map_err(|error| task.failed("start", error))?;
        let name = format!("consumer-{}", task.id);
        let (consumer, events) = SinkConsumer::start(
            &name,
            &settings.consumer,
            &settings.subscription,
            ConsumerOptions::default(),
        )
        .map_err(|error| Failure::host(format!("consumer of task {} could not be created: {error}", task.id)))?;
        let wish = controls.current();
        let mut sink = Box::new(Sink {
            guest,
            consumer,
            events,
            intake,
            chain,
            frames: SinkFrames::new(&task.converters, own),
            errors,
            positions: Positions::default(),
            backlog: VecDeque::new(),
            rewound: Vec::new(),
            commits: VecDeque::new(),
            next_sequence: 0,
            next_commit: Instant::now() + task.commit_interval,
            lull: task.commit_interval,
            next_call: None,
            wish: Wish::Run,
            probation: Probation::default(),
            settings,
        });
        sink.turn(wish, controls).await?;
        if wish == Wish::Run {
            controls.state(TaskState::Running, None).await;
        }
        Ok(sink)
    }

    async fn work(&mut self, controls: &mut Controls) -> Result<(), Failure> {
        while self.wish != Wish::Stop {
            if let Some(order) = controls.take_order() {
                boxed(|| self.obey_order(order, controls)).await?;
                continue;
            }
            if self.wish == Wish::Run
                && let Some(waiting) = self.backlog.pop_front()
            {
                self.deliver(waiting, controls).await?;
                self.commit_if_due().await?;
                continue;
            }
            tokio::select! {
                biased;
                () = controls.stirred(self.wish) => {
                    let wish = controls.current();
                    if wish != self.wish {
                        self.turn(wish, controls).await?;
                    }
                }
                () = tokio::time::sleep_until(self.next_look()) => {
                    self.commit_if_due().await?;
                    self.probation.count(&self.settings.task.plugin.class, 0, 0)?;
                    self.chain.look();
                }
                event = self.events.recv() => self.take(event, controls).await?,
                () = until(self.next_call) => self.put_nothing().await?,
            }
        }
        Ok(())
    }

    /// When there is something to do, though nothing comes.
    fn next_look(&self) -> Instant {
        let trial = self.probation.until();
        trial.map_or(self.next_commit, |until| until.min(self.next_commit))
    }

    /// Does what the operator wants now.
    async fn turn(&mut self, wish: Wish, controls: &mut Controls) -> Result<(), Failure> {
        let before = std::mem::replace(&mut self.wish, wish);
        match wish {
            Wish::Pause => {
                self.steer("pause", self.consumer.pause_all())?;
                self.commit_all().await?;
                controls.state(TaskState::Paused, None).await;
            }
            Wish::Run if before == Wish::Pause => {
                self.steer("resume", self.consumer.resume_all())?;
                controls.state(TaskState::Running, None).await;
            }
            Wish::Run | Wish::Stop => {}
        }
        Ok(())
    }

    async fn take(&mut self, event: Option<ConsumerEvent>, controls: &mut Controls) -> Result<(), Failure> {
        match event {
            Some(ConsumerEvent::Records(batch)) => {
                self.settings.task.meters.read(batch.len());
                self.end_lull();
                self.backlog.push_back(Waiting {
                    batch,
                    from: 0,
                    revoked: Vec::new(),
                });
                self.measure_lag();
                Ok(())
            }
            Some(ConsumerEvent::Assigned(partitions)) => self.assigned(partitions, controls).await,
            Some(ConsumerEvent::Revoked { partitions, lost, done }) => {
                let outcome = self.revoked(&partitions, lost).await;
                done.complete();
                outcome
            }
            Some(ConsumerEvent::Committed { sequence, result }) => {
                self.committed(sequence, result);
                Ok(())
            }
            Some(ConsumerEvent::Error(error)) if error.fatal => Err(Failure::host(format!(
                "consumer of task {} failed: {error}",
                self.settings.task.id
            ))),
            Some(ConsumerEvent::Error(error)) => {
                tracing::warn!(%error, "the consumer goes on trying");
                Ok(())
            }
            None => Err(Failure::host(format!(
                "consumer of task {} has ended unexpectedly",
                self.settings.task.id
            ))),
        }
    }

    fn committed(&mut self, sequence: u64, result: Result<(), KafkaError>) {
        if sequence != self.next_sequence {
            self.settings.task.meters.commit_skipped();
        }
        let Some(place) = self.commits.iter().position(|known| known.sequence == sequence) else {
            return;
        };
        let Some(UnansweredCommit { offsets, began, .. }) = self.commits.remove(place) else {
            return;
        };
        self.settings.task.meters.committed(result.is_ok(), began.elapsed());
        match result {
            Ok(()) => self.positions.committed(&offsets),
            Err(error) => {
                tracing::warn!(%error, "commit of offsets failed, the next one sends them again");
                self.positions.commit_failed(&offsets);
            }
        }
        self.settings.task.meters.active(self.positions.uncommitted());
    }

    async fn assigned(&mut self, offsets: Vec<PartitionOffset>, controls: &mut Controls) -> Result<(), Failure> {
        for offset in &offsets {
            self.positions.assign(offset.partition.clone(), offset.offset);
            controls.topic(&offset.partition.topic).await;
        }
        let partitions: Vec<_> = offsets.into_iter().map(|offset| offset.partition).collect();
        self.settings.task.meters.partitions(self.positions.len());
        tracing::info!(partitions = %list(&partitions), "partitions assigned");
        let opened = self.guest.open(&partitions).await;
        opened.map_err(|error| self.fault("open", error))?;
        if self.wish == Wish::Pause {
            self.steer("pause", self.consumer.pause_all())?;
        }
        self.obey()
    }

    /// Commits what the guest has of these partitions, closes them, and forgets what was read of them and not yet put:
    /// their next owner reads it again.
    async fn revoked(&mut self, partitions: &[TopicPartition], lost: bool) -> Result<(), Failure> {
        tracing::info!(partitions = %list(partitions), lost, "partitions revoked");
        if !lost {
            self.commit_and_wait(partitions).await?;
        }
        let closed = self
            .guest
            .close(partitions)
            .await
            .map_err(|error| self.fault("close", error));
        self.reported_last()?;
        for partition in partitions {
            self.positions.remove(partition);
        }
        self.settings.task.meters.partitions(self.positions.len());
        for waiting in &mut self.backlog {
            waiting.revoked.extend_from_slice(partitions);
        }
        closed
    }

    /// How far the guest is behind what was read for it.
    fn measure_lag(&self) {
        let batches = self.backlog.iter().map(|waiting| &waiting.batch);
        let behind = batches
            .flat_map(Batch::runs)
            .map(|run| self.positions.behind(run.topic_partition(), run.next_offset()));
        self.settings.task.meters.lag(behind.max().unwrap_or(0));
    }

    /// Does what the guest asked for through imports during its last call.
    fn obey(&mut self) -> Result<(), Failure> {
        let requests = self.guest.drain();
        if requests.is_empty() {
            return Ok(());
        }
        if !requests.rewind.is_empty() {
            let partitions = requests.rewind.iter().map(|offset| offset.partition.clone());
            self.rewound.extend(partitions);
            for waiting in &mut self.backlog {
                waiting.revoked.extend_from_slice(&self.rewound);
            }
            for offset in &requests.rewind {
                self.positions.advance(&offset.partition, offset.offset);
            }
            self.steer("rewind", self.consumer.seek(requests.rewind))?;
        }
        for flow in requests.flow {
            match flow {
                Flow::Pause(partition) => self.steer("pause", self.consumer.pause(vec![partition]))?,
                Flow::Resume(partition) => self.steer("resume", self.consumer.resume(vec![partition]))?,
            }
        }
        if requests.commit {
            self.next_commit = Instant::now();
        }
        if let Some(within) = requests.timeout {
            let latest = Instant::now() + within;
            self.next_call = Some(self.next_call.map_or(latest, |known| known.min(latest)));
        }
        if !requests.reports.is_empty() {
            self.late(&requests.reports);
        }
        self.errors.check()
    }

    /// Commits and closes everything if the guest can still do so, then lets it stop.
    async fn end(&mut self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        let partitions = self.positions.assigned();
        if outcome.is_ok() && !partitions.is_empty() {
            self.commit_and_wait(&partitions).await?;
            self.guest
                .close(&partitions)
                .await
                .map_err(|error| self.settings.task.failed("close", error))?;
            self.reported_last()?;
        }
        if self.guest.is_alive()
            && let Err(error) = self.guest.stop().await
        {
            tracing::warn!(%error, "stop of the plugin failed");
        }
        self.chain.stop().await;
        // The letters of a task that failed are to arrive as well, and those of what was reported last.
        if let Err(failure) = self.errors.settled(self.settings.task.commit_timeout).await {
            tracing::warn!(error = %failure.message, "dead letters were lost");
        }
        self.errors.summary();
        outcome
    }

    fn steer(&self, what: &str, result: Result<(), KafkaError>) -> Result<(), Failure> {
        result.map_err(|error| {
            Failure::host(format!(
                "the consumer of task {} could not {what}: {error}",
                self.settings.task.id
            ))
        })
    }
}

fn parse(frame: &[u8]) -> Result<Frame<'_>, Failure> {
    Frame::parse(frame).map_err(|error| Failure::host(format!("wrong batch of a sink: {error}")))
}

/// Never, if there is no time.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn list(partitions: &[TopicPartition]) -> String {
    let names: Vec<_> = partitions.iter().map(ToString::to_string).collect();
    names.join(", ")
}
