//! The loop of a source task: what the guest polls is converted, sent, and acknowledged by Kafka in any order; source
//! offsets are written when everything before them has arrived, or in the same transaction ([`writing`]). Kafka Connect's
//! `WorkerSourceTask` and `ExactlyOnceWorkerSourceTask` give the order of calls.

mod acks;
mod outlet;
mod reports;
mod submitted;
mod swap;
mod writing;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use caisson_api::ErrorKind;
use caisson_api::frame::Frame;
use caisson_model::{Failure, FailureKind, TaskState};
use caisson_sandbox::{CallError, Delivery, SourceTask};
use tokio::time::Instant;

use self::acks::Acks;
use self::outlet::{Converted, Outlet, Polled};
use self::reports::Reports;
use self::writing::Writing;
use crate::boxed::boxed;
use crate::chain::{Chain, Stream, Target};
use crate::clock::Backoff;
use crate::columns::Forms;
use crate::control::{Controls, Wish};
use crate::errors::{Errors, Trail};
use crate::meters::Stage;
use crate::recode::Trust;
use crate::settings::SourceSettings;
use crate::swap::Probation;

/// How long a guest may wait for records within one call, at first: it bounds how late what has arrived is reported.
const POLL_WAIT: Duration = Duration::from_millis(250);
/// How long when nothing has come for a while and nothing is on its way. Who pauses, stops or replaces it wakes it up.
const IDLE_WAIT: Duration = Duration::from_secs(5);
/// How often a paused guest that hears of commits is told of them, so that it can look after what it holds open.
const PAUSED: Duration = Duration::from_secs(5);
/// Between two attempts to start a guest that asks for offsets; reading them has its own patience.
const OFFSETS_AWAY: Duration = Duration::from_secs(1);
/// Records beyond this go into the next batch.
const POLL_BYTES: u32 = 512 << 10;

/// Runs the task until it is told to stop or cannot go on.
pub(crate) async fn run(settings: SourceSettings, controls: &mut Controls) -> Result<(), Failure> {
    // What happens seldom has its own place in memory, and only while it happens.
    let mut task = boxed(|| Source::start(settings, controls)).await?;
    if controls.current() == Wish::Run {
        controls.state(TaskState::Running, None).await;
    }
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
    boxed(|| task.end(outcome)).await
}

/// Starts the guest anew as long as the offsets that it asks for cannot be read: Kafka Connect waits for their topic, too.
async fn start_guest(settings: &SourceSettings, controls: &Controls) -> Result<SourceTask, Failure> {
    let (task, offsets) = (&settings.task, &settings.offset_reader);
    loop {
        let spec = task.instance(&task.plugin, &task.config);
        match SourceTask::start(spec, offsets.clone()).await {
            Err(error) if offsets.is_away() && controls.current() != Wish::Stop => {
                tracing::warn!(%error, "the stored offsets cannot be read yet; waiting for them");
                tokio::time::sleep(OFFSETS_AWAY).await;
            }
            started => return started.map_err(|error| task.failed("start", error)),
        }
    }
}

struct Source {
    settings: SourceSettings,
    guest: SourceTask,
    chain: Chain,
    outlet: Outlet,
    errors: Errors,
    acks: Arc<Acks>,
    writing: Writing,
    /// Batches whose delivery the guest wants to hear of.
    reports: Reports,
    next_commit: Instant,
    /// How long the guest may wait if nothing is to be done meanwhile.
    wait: Duration,
    /// Of the plugin, and whether the one before it may come back.
    probation: Probation,
}

impl Source {
    /// On the heap, as it is large and its place is passed on.
    async fn start(settings: SourceSettings, controls: &Controls) -> Result<Box<Self>, Failure> {
        let task = &settings.task;
        let errors = Errors::start(task, controls).await?;
        // Before the guest is asked anything: what it reads of its offsets must be the last word of the task before.
        let writing = Writing::start(&settings, controls).await?;
        let chain = Chain::start(task).await?;
        Ok(Box::new(Source {
            guest: start_guest(&settings, controls).await?,
            chain,
            outlet: writing.outlet(&settings),
            acks: Arc::new(Acks::new(writing.tolerance(&errors), task.meters.clone())),
            errors,
            writing,
            reports: Reports::new(task.plugin.is_able("delivery-reports")),
            next_commit: Instant::now() + task.commit_interval,
            wait: POLL_WAIT,
            probation: Probation::default(),
            settings,
        }))
    }

    async fn work(&mut self, controls: &mut Controls) -> Result<(), Failure> {
        let mut wish = controls.current();
        let mut backoff = Backoff::default();
        loop {
            self.writing.check(&self.acks, &mut self.errors)?;
            while let Some(order) = controls.take_order() {
                boxed(|| self.obey_order(order, controls)).await?;
            }
            match wish {
                Wish::Stop => return Ok(()),
                Wish::Pause => wish = boxed(|| self.pause(controls)).await?,
                Wish::Run => match self.poll(controls).await {
                    Ok((frame, took)) => {
                        backoff = Backoff::default();
                        self.take(frame, took, controls).await?;
                    }
                    Err(CallError::Guest(error)) if error.kind == ErrorKind::Retriable => {
                        let pause = backoff.next(error.retry_after_ms);
                        tracing::warn!(%error, ?pause, "poll asks for patience");
                        let _ = tokio::time::timeout(pause, controls.stirred(wish)).await;
                    }
                    Err(error) => return Err(self.fault("poll", error)),
                },
            }
            self.commit_if_due().await?;
            if wish == Wish::Run {
                wish = controls.current();
            }
        }
    }

    /// The batch, and how long it took.
    async fn poll(&mut self, controls: &mut Controls) -> Result<(Vec<u8>, Duration), CallError> {
        let interrupt = self.guest.interrupt();
        let wait = match self.is_at_rest() {
            true => self.wait,
            false => POLL_WAIT,
        };
        let began = Instant::now();
        let poll = self.guest.poll(wait, POLL_BYTES);
        let batch = controls.waking(Wish::Run, &interrupt, poll).await?;
        let took = began.elapsed();
        self.wait = match batch.is_empty() && took * 10 >= wait * 9 {
            true => (wait * 2).min(IDLE_WAIT),
            false => POLL_WAIT,
        };
        Ok((batch, took))
    }

    /// Whether nothing has to be done until the guest has records.
    fn is_at_rest(&self) -> bool {
        self.writing.is_at_rest()
            && !self.reports.are_waiting()
            && self.probation.until().is_none()
            && !self.chain.is_on_trial()
    }

    /// Until the operator wants something else.
    async fn pause(&mut self, controls: &mut Controls) -> Result<Wish, Failure> {
        // A transaction that stays open would hold up its readers, and be aborted in the end.
        if self.writing.is_exactly_once() {
            self.settle().await?;
        }
        controls.state(TaskState::Paused, None).await;
        // Commits may come more often.
        let mut attend = Instant::now() + PAUSED;
        loop {
            tokio::select! {
                biased;
                () = controls.stirred(Wish::Pause) => {
                    let wish = controls.current();
                    if wish == Wish::Run {
                        controls.state(TaskState::Running, None).await;
                    }
                    if wish != Wish::Pause {
                        return Ok(wish);
                    }
                    while let Some(order) = controls.take_order() {
                        self.obey_order(order, controls).await?;
                    }
                }
                () = tokio::time::sleep_until(self.next_commit) => self.commit_if_due().await?,
                () = tokio::time::sleep_until(attend), if self.reports.are_wanted() => {
                    self.attend(controls).await?;
                    attend = Instant::now() + PAUSED;
                }
            }
        }
    }

    /// Tells a paused guest that all of its records are committed, or sees to it that they are.
    async fn attend(&mut self, controls: &mut Controls) -> Result<(), Failure> {
        if self.writing.has_unsettled() || self.reports.are_waiting() {
            self.next_commit = Instant::now();
            return self.commit_if_due().await;
        }
        let interrupt = self.guest.interrupt();
        let committed = self.guest.committed();
        let committed = controls.waking(Wish::Pause, &interrupt, committed).await;
        self.heard(committed)
    }

    /// Sends a batch on its way.
    async fn take(&mut self, batch: Vec<u8>, took: Duration, controls: &mut Controls) -> Result<(), Failure> {
        self.obey()?;
        if batch.is_empty() {
            self.chain.look();
            return self.probation.count(&self.settings.task.plugin.class, 0, 0);
        }
        let batch = Arc::new(batch);
        let polled = self.parse(&batch)?;
        self.settings.task.meters.polled(polled.len(), took);
        let mut stream = Stream::new(&batch, Forms::of_source(polled.encodings()), Trust::Full);
        if !self.chain.is_empty() {
            let trail = Trail {
                entry: &polled,
                consumed: None,
            };
            let began = Instant::now();
            stream = self
                .chain
                .apply(stream, Target::Kafka, now(), trail, &mut self.errors)
                .await?;
            self.settings.task.meters.stage(Stage::Transform, began.elapsed());
        }
        let began = Instant::now();
        let converted = self.outlet.convert(&polled, &stream, &mut self.errors)?;
        if self.writing.is_exactly_once() {
            // Nothing of a batch with a record that ends the task would ever be committed.
            self.errors.check()?;
        }
        self.send(&polled, &batch, &converted, controls).await?;
        self.settings.task.meters.stage(Stage::Send, began.elapsed());
        self.probation
            .count(&self.settings.task.plugin.class, polled.len(), 0)?;
        // What came before a record that ends the task is on its way.
        self.errors.check()
    }

    /// Sends a batch, in one transaction or several if there are any.
    async fn send(
        &mut self,
        polled: &Frame<'_>,
        batch: &Arc<Vec<u8>>,
        converted: &Converted<'_>,
        controls: &mut Controls,
    ) -> Result<(), Failure> {
        // Whatever is not delivered goes to the dead letter queue, if there is one.
        let kept = self.errors.has_dead_letters() && !self.writing.is_exactly_once();
        for (part, boundary) in self.writing.parts(polled) {
            let records = part.len();
            if converted.has_any(&part) {
                self.writing.begin()?;
                let polled = Polled {
                    frame: polled,
                    part,
                    kept: kept.then_some(batch),
                };
                let patience = self.settings.task.commit_timeout;
                let sent = self
                    .outlet
                    .send(polled, converted, &self.acks, controls, patience)
                    .await?;
                let Some(sent) = sent else {
                    // The task is to stop and Kafka takes nothing: what was not sent is polled again by the next one, and
                    // half a batch without its offsets is not committed.
                    self.abandon().await;
                    return Ok(());
                };
                let on_the_way: u64 = sent.flags.iter().map(|flag| flag.records()).sum();
                self.settings
                    .task
                    .meters
                    .settled((records as u64).saturating_sub(on_the_way));
                self.reports.add(&sent);
                self.writing.sent(sent.groups);
            } else {
                self.settings.task.meters.settled(records as u64);
                self.reports.add_dropped(records);
            }
            if self.writing.end(boundary, &self.acks, &mut self.errors).await? {
                self.committed().await?;
            }
        }
        match self.writing.is_exactly_once() {
            // As in Kafka Connect: of a transaction's records a plugin hears when it is committed.
            true => Ok(()),
            false => self.report().await,
        }
    }

    fn parse<'a>(&mut self, batch: &'a [u8]) -> Result<Frame<'a>, Failure> {
        Frame::parse(batch).map_err(|error| {
            self.probation.at_fault = true;
            Failure::new(
                FailureKind::Guest,
                format!("poll of task {} gave a wrong batch: {error}", self.settings.task.id),
            )
        })
    }

    /// What the guest said through imports during its last call.
    fn obey(&mut self) -> Result<(), Failure> {
        match self.guest.drain().error {
            None => Ok(()),
            Some((message, detail)) => {
                self.probation.at_fault = true;
                Err(Failure {
                    kind: FailureKind::Guest,
                    message,
                    detail,
                })
            }
        }
    }

    /// A failure of the plugin itself.
    fn fault(&mut self, call: &str, error: CallError) -> Failure {
        self.probation.at_fault = true;
        self.settings.task.failed(call, error)
    }

    /// Tells the guest what has become of its records, if it wants to know.
    async fn report(&mut self) -> Result<(), Failure> {
        let deliveries: Vec<Delivery> = self.reports.take_done();
        if deliveries.is_empty() || !self.guest.is_alive() {
            return Ok(());
        }
        match self.guest.delivered(&deliveries).await {
            // As in Kafka Connect, where an exception in `commitRecord` is only logged.
            Err(CallError::Guest(error)) => tracing::error!(%error, "delivered failed"),
            Err(error) => return Err(self.fault("delivered", error)),
            Ok(()) => {}
        }
        Ok(())
    }

    async fn commit_if_due(&mut self) -> Result<(), Failure> {
        let is_due = Instant::now() >= self.next_commit;
        if is_due {
            self.next_commit = Instant::now() + self.settings.task.commit_interval;
            if !self.writing.is_exactly_once() {
                self.report().await?;
            }
        }
        let committed = self
            .writing
            .commit_by_time(is_due, &self.acks, &mut self.errors)
            .await?;
        match committed {
            true => self.committed().await,
            false => Ok(()),
        }
    }

    /// Waits a while for what is on its way, and commits what may be committed. True: nothing is left.
    async fn settle(&mut self) -> Result<bool, Failure> {
        self.writing.wait(&self.acks).await;
        let reported = match self.writing.is_exactly_once() {
            true => Ok(()),
            false => self.report().await,
        };
        // Whatever the plugin makes of it, what has arrived is not to be sent again.
        let settled = self.writing.settle(&self.acks, &mut self.errors).await;
        self.writing.check(&self.acks, &mut self.errors)?;
        reported?;
        match settled? {
            true => self.committed().await?,
            false => self.report().await?,
        }
        Ok(!self.writing.has_unsettled())
    }

    /// Tells the guest that offsets are committed, if it wants to know: those of all records that it has heard to be delivered.
    /// What has arrived while they were written is not among them, unless it was one transaction with them.
    async fn committed(&mut self) -> Result<(), Failure> {
        if self.writing.is_exactly_once() {
            self.report().await?;
        }
        if !self.reports.are_wanted() || !self.guest.is_alive() {
            return Ok(());
        }
        let committed = self.guest.committed().await;
        self.heard(committed)
    }

    fn heard(&mut self, committed: Result<(), CallError>) -> Result<(), Failure> {
        match committed {
            Err(CallError::Guest(error)) => tracing::error!(%error, "committed failed"),
            Err(error) => return Err(self.fault("committed", error)),
            Ok(()) => {}
        }
        Ok(())
    }

    /// Gives up an open transaction of a task that ends: what cannot be aborted now, its coordinator or the next task aborts.
    async fn abandon(&mut self) {
        if let Err(error) = self.writing.give_up().await {
            tracing::debug!(%error, "a transaction that is given up is left to its coordinator to abort");
        }
    }

    /// Waits for what is on its way, writes the last offsets, and lets the guest stop.
    async fn end(&mut self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        let committed = match (outcome.is_ok(), self.writing.is_exactly_once()) {
            (true, _) => self.settle().await.map(drop),
            // As in Kafka Connect: a failed task writes what Kafka has acknowledged, if it can.
            (false, false) if self.guest.is_alive() => self.settle().await.map(drop),
            (false, _) => Ok(()),
        };
        self.abandon().await;
        if self.guest.is_alive()
            && let Err(error) = self.guest.stop().await
        {
            tracing::warn!(%error, "stop of the plugin failed");
        }
        self.chain.stop().await;
        self.errors.summary();
        outcome.and(committed)
    }
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}
