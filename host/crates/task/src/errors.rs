//! What happens to records that fail on their own (`errors.*`): the task fails, or they are counted, logged and written
//! to the dead letter queue if that was asked for, and left out.
//!
//! `RetryWithToleranceOperator` is the model. It sees one record after the other; here whole batches pass one step after
//! the other. So without tolerance the first failure in the order of records is what counts, whichever step met it
//! first: it is kept until the batch is through ([`Errors::check`]).

mod dead_letters;
mod letter;
mod policy;
mod retry;
mod stage;
mod subject;
mod throwable;
mod trail;

use std::sync::Arc;
use std::time::{Duration, Instant};

use caisson_kafka::{DeliveryError, ErrorCode};
use caisson_model::{ErrorLog, Failure, FailureKind, TaskId, Tolerance};
use tokio::sync::watch;

pub use dead_letters::{DeadLetterSettings, DeadLetters, Sender};
pub use letter::{Letter, LetterHeaders, Place};
pub use policy::{ErrorPolicy, Occasion, Verdict};
pub use retry::{Attempts, Retry, RetryPolicy};
pub use stage::Stage;
pub use subject::{Consumed, Polled, Subject, sentence};
pub use throwable::{CONNECT_EXCEPTION, DATA_EXCEPTION, ErrorClass, Throwable};
pub use trail::{Origin, Source, Trail};

use crate::control::{Controls, Wish};
use crate::meters::Meters;
use crate::settings::{Direction, TaskSettings};

/// Applies the error policy of a connector to the records of one task.
pub struct Errors {
    task: TaskId,
    policy: ErrorPolicy,
    letters: Option<DeadLetters>,
    meters: Arc<Meters>,
    wish: watch::Receiver<Wish>,
    started: Instant,
    random: u64,
    skipped: u64,
    /// The first failure of this batch, if that is to end the task.
    first: Option<Box<Fatal>>,
    /// For who wants to see failures himself; no task does.
    noted: Option<Vec<Noted>>,
    /// Letters that go to nobody but who asks for them.
    kept: Option<Kept>,
}

/// Dead letters where there is no Kafka.
struct Kept {
    headers: LetterHeaders,
    letters: Vec<Letter>,
}

/// A failure that was tolerated, for who looks on.
pub struct Noted {
    pub stage: Stage,
    /// The class that was at work.
    pub class: String,
    pub error: Throwable,
}

/// A failure that ends the task, and what has to be said of it.
struct Fatal {
    /// The record's place in its batch.
    at: u32,
    report: Report,
    failure: Failure,
}

/// What is said of a failure.
struct Report {
    line: Option<String>,
    error: Throwable,
    letter: Option<Letter>,
    sender: Sender,
}

/// A failure of one record.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    pub stage: Stage,
    /// The class that was at work.
    pub class: &'a str,
    pub error: &'a Throwable,
    pub occasion: Occasion,
}

/// Takes failures of records that are known by their index in the batch at the beginning.
pub struct Faults<'f> {
    pub errors: &'f mut Errors,
    pub trail: Trail<'f>,
}

impl Faults<'_> {
    /// An operation failed on the record with index `at`.
    pub fn fail(&mut self, at: u32, stage: Stage, class: &str, error: &Throwable) {
        let failed = Failed {
            stage,
            class,
            error,
            occasion: Occasion::Operation,
        };
        self.errors.fail(at, failed, self.trail.origin(at));
    }
}

impl Errors {
    /// For a task that starts. Its dead letter queue is made if it is not there.
    pub(crate) async fn start(task: &TaskSettings, controls: &Controls) -> Result<Self, Failure> {
        let letters = match &task.dead_letters {
            Some(settings) => Some(DeadLetters::start(settings, task.meters.clone()).await?),
            None => None,
        };
        let wish = controls.wish.clone();
        Ok(Self::new(
            task.id.clone(),
            task.errors,
            letters,
            wish,
            task.meters.clone(),
        ))
    }

    /// `wish` tells when a wait has to end.
    pub fn new(
        task: TaskId,
        policy: ErrorPolicy,
        letters: Option<DeadLetters>,
        wish: watch::Receiver<Wish>,
        meters: Arc<Meters>,
    ) -> Self {
        Errors {
            random: seed(&task),
            task,
            policy,
            letters,
            meters,
            wish,
            started: Instant::now(),
            skipped: 0,
            first: None,
            noted: None,
            kept: None,
        }
    }

    /// Keeps dead letters for [`Errors::take_letters`].
    pub(crate) fn keeping(self, headers: LetterHeaders) -> Self {
        let letters = Vec::new();
        Errors {
            kept: Some(Kept { headers, letters }),
            ..self
        }
    }

    /// The letters since the last time.
    pub(crate) fn take_letters(&mut self) -> Vec<Letter> {
        let kept = self.kept.as_mut();
        kept.map(|kept| std::mem::take(&mut kept.letters)).unwrap_or_default()
    }

    /// Tolerates everything, tries nothing again, tells nobody, and keeps what failed for [`Errors::take_noted`].
    pub(crate) fn noting(task: TaskId) -> Self {
        let policy = ErrorPolicy {
            tolerance: Tolerance::All,
            retry: RetryPolicy {
                timeout: Some(Duration::ZERO),
                longest_delay: Duration::ZERO,
            },
            log: ErrorLog::Off,
        };
        let (_, wish) = watch::channel(Wish::Run);
        let meters = Arc::new(Meters::new(Direction::FromKafka));
        Errors {
            noted: Some(Vec::new()),
            ..Self::new(task, policy, None, wish, meters)
        }
    }

    /// What failed since the last time.
    pub(crate) fn take_noted(&mut self) -> Vec<Noted> {
        self.noted.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub fn tolerance(&self) -> Tolerance {
        self.policy.tolerance
    }

    /// A record failed: the one at place `at` of its batch. It is left out; whether the task goes on is said by
    /// [`Errors::check`].
    pub fn fail(&mut self, at: u32, failed: Failed<'_>, origin: Origin<'_>) {
        let verdict = Verdict::on(failed.error, failed.stage, failed.occasion, self.policy.tolerance);
        self.meters.failure();
        let Some(exception) = verdict.exception(failed.error) else {
            self.skipped += 1;
            self.meters.skipped();
            if let Some(noted) = &mut self.noted {
                noted.push(Noted {
                    stage: failed.stage,
                    class: failed.class.to_owned(),
                    error: failed.error.clone(),
                });
            }
            let report = self.report(failed, &self.subject(origin));
            self.emit(report);
            return;
        };
        if self.first.as_ref().is_some_and(|first| first.at <= at) {
            return;
        }
        let subject = origin.subject();
        // Coordinates say enough in a status; what a source's record holds does not belong there.
        let shown = match &subject {
            Subject::Consumed(_) => Some(&subject),
            Subject::Polled(_) | Subject::Unknown => None,
        };
        let place = sentence(&self.task, failed.stage, Some(failed.class), shown);
        let failure = failure_of(&exception).with_detail(format!("{}\n{place}", causes(&exception)));
        let report = self.report(failed, &subject);
        self.first = Some(Box::new(Fatal { at, report, failure }));
    }

    /// The place of the first record whose failure ends the task.
    pub fn fatal_at(&self) -> Option<u32> {
        self.first.as_ref().map(|first| first.at)
    }

    /// Forgets a failure that would end the task: who is to blame was replaced, and the record comes again.
    pub fn forgive(&mut self) {
        self.first = None;
    }

    /// Ends the task if a failure since the last time has to.
    pub fn check(&mut self) -> Result<(), Failure> {
        match self.first.take() {
            None => Ok(()),
            Some(first) => {
                self.meters.error();
                self.emit(first.report);
                Err(first.failure)
            }
        }
    }

    /// Whether failed records are looked at, for the log or the dead letter queue.
    pub fn wants_records(&self) -> bool {
        self.letter_headers().is_some() || self.policy.log == ErrorLog::WithRecord
    }

    /// What letters say beside their records; none: there are no letters.
    fn letter_headers(&self) -> Option<LetterHeaders> {
        let sent = self.letters.as_ref().map(|letters| letters.headers);
        sent.or(self.kept.as_ref().map(|kept| kept.headers))
    }

    fn subject<'a>(&self, origin: Origin<'a>) -> Subject<'a> {
        if self.wants_records() {
            origin.subject()
        } else {
            Subject::Unknown
        }
    }

    fn report(&self, failed: Failed<'_>, subject: &Subject<'_>) -> Report {
        let Failed {
            stage, class, error, ..
        } = failed;
        let line = match self.policy.log {
            ErrorLog::Off => None,
            ErrorLog::WithoutRecord => Some(sentence(&self.task, stage, Some(class), None)),
            ErrorLog::WithRecord => Some(sentence(&self.task, stage, Some(class), Some(subject))),
        };
        let place = Place {
            task: &self.task,
            stage,
            class,
        };
        let letter = self
            .letter_headers()
            .and_then(|headers| Letter::new(subject, place, Some(error), headers));
        Report {
            line,
            error: error.clone(),
            letter,
            sender: match (failed.occasion, stage) {
                (Occasion::Report, Stage::Put) => Sender::Plugin,
                (Occasion::Operation | Occasion::Report, _) => Sender::Worker,
            },
        }
    }

    fn emit(&mut self, report: Report) {
        if let Some(line) = &report.line {
            self.meters.logged();
            tracing::error!(error = %report.error.stack_trace(), "{line}");
        }
        if let (Some(letters), Some(letter)) = (&self.letters, &report.letter) {
            self.meters.letter();
            letters.send(letter, report.sender, || self.is_over());
        }
        if let (Some(kept), Some(letter)) = (&mut self.kept, report.letter) {
            kept.letters.push(letter);
        }
    }

    pub(crate) fn has_dead_letters(&self) -> bool {
        self.letters.is_some()
    }

    /// A record of a source did not reach Kafka. Which one it was is known only where dead letters are wanted.
    pub fn delivery(&mut self, error: &DeliveryError, origin: Origin<'_>) -> Result<(), Failure> {
        let exception = Throwable::new(delivery_exception(error), error.to_string()).of_kind(ErrorClass::Fatal);
        if self.policy.tolerance == Tolerance::All {
            let failed = Failed {
                stage: Stage::Produce,
                class: SOURCE_TASK,
                error: &exception,
                occasion: Occasion::Report,
            };
            self.fail(0, failed, origin);
            return Ok(());
        }
        let message = format!("task {} could not write to topic {}: {error}", self.task, error.topic);
        let remedy = if error.error.code == ErrorCode::MESSAGE_TOO_LARGE {
            "The record is larger than the max.request.size of the producer (producer.override.max.request.size of the \
             connector, producer.max.request.size of the worker) or the max.message.bytes of the topic: raise what is too \
             small, then restart the task."
        } else {
            "If the topic does not exist, create it or let the broker or topic.creation.default.* create it, then restart \
             the task."
        };
        let trace = Throwable::new(CONNECT_EXCEPTION, "Unrecoverable exception from producer send callback")
            .caused_by(&exception)
            .stack_trace();
        Err(Failure::host(message).with_detail(format!("{trace}\n{remedy}")))
    }

    /// Begins an operation that may be tried again.
    pub fn begin(&self) -> Attempts {
        self.policy.retry.begin(self.now())
    }

    /// An attempt failed with an error that may pass. True: the time to wait is over, try again.
    ///
    /// Waits on the thread of the task, as Kafka Connect does: nothing else of the task goes on meanwhile.
    pub fn again(&mut self, attempts: &mut Attempts) -> bool {
        let mut random = self.random;
        let next = attempts.failed(self.now(), |below| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((random >> 33) as i64).rem_euclid(below)
        });
        self.random = random;
        match next {
            Retry::GiveUp => false,
            Retry::After(delay) => {
                self.meters.retry();
                self.wait(Duration::from_millis(u64::try_from(delay).unwrap_or(0)))
            }
        }
    }

    /// False if the task is to stop before the time is over.
    fn wait(&self, time: Duration) -> bool {
        const STEP: Duration = Duration::from_millis(50);
        let end = Instant::now() + time;
        loop {
            if self.is_over() {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(STEP));
        }
    }

    fn is_over(&self) -> bool {
        *self.wish.borrow() == Wish::Stop
    }

    fn now(&self) -> i64 {
        self.started.elapsed().as_millis() as i64
    }

    /// Waits until Kafka has all dead letters: an offset must not be committed before the letter of its record is there.
    /// False if it takes too long; an error if letters that a plugin counted on are lost.
    pub async fn settled(&self, at_most: Duration) -> Result<bool, Failure> {
        let Some(letters) = &self.letters else { return Ok(true) };
        let settled = letters.settled(at_most).await;
        letters.check()?;
        Ok(settled)
    }

    /// Says at the end of the task how many records were left out, if any were.
    pub fn summary(&self) {
        if self.skipped > 0 {
            tracing::warn!(
                records = self.skipped,
                "records were left out, as errors.tolerance allows"
            );
        }
    }
}

/// The class that Kafka Connect names where a record of a source is not delivered.
const SOURCE_TASK: &str = "org.apache.kafka.connect.runtime.WorkerSourceTask";

/// The exception of Kafka's Java client.
fn delivery_exception(error: &DeliveryError) -> &'static str {
    match error.error.code {
        ErrorCode::MESSAGE_TOO_LARGE => "org.apache.kafka.common.errors.RecordTooLargeException",
        ErrorCode::MESSAGE_TIMED_OUT | ErrorCode::TIMED_OUT => "org.apache.kafka.common.errors.TimeoutException",
        ErrorCode::TOPIC_AUTHORIZATION_FAILED => "org.apache.kafka.common.errors.TopicAuthorizationException",
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION | ErrorCode::LOCAL_UNKNOWN_TOPIC | ErrorCode::UNKNOWN_PARTITION => {
            "org.apache.kafka.common.errors.UnknownTopicOrPartitionException"
        }
        _ => "org.apache.kafka.common.KafkaException",
    }
}

fn failure_of(exception: &Throwable) -> Failure {
    let kind = match exception.kind {
        ErrorClass::Data | ErrorClass::Retriable | ErrorClass::Fatal => FailureKind::Guest,
        ErrorClass::Trap => FailureKind::Trap,
        ErrorClass::Limit => FailureKind::Limit,
    };
    Failure::new(kind, exception.to_string())
}

/// The lines of a stack trace below the first.
fn causes(exception: &Throwable) -> String {
    let trace = exception.stack_trace();
    trace
        .split_once("\nCaused by: ")
        .map_or(String::new(), |(_, causes)| format!("Caused by: {causes}"))
}

/// Tasks that meet the same outage should not all come back at once.
fn seed(task: &TaskId) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(task)
}

#[cfg(test)]
mod tests;
