//! Links that are components. What fails as a whole is tried again, and then taken apart until the records that are to
//! blame stand alone: one of them must not cost the others.

use std::ops::Range;

use caisson_api::ErrorKind;
use caisson_api::config::Config;
use caisson_api::frame::{Encoding, Encodings};
use caisson_model::{Failure, Tolerance};
use caisson_sandbox::{
    Applied, CallError, Column, Converted, Converter, InstanceSpec, Predicate, Records, Tested, Transform,
};

use super::{Pass, Stream, parsed, parts, wrong};
use crate::errors::{Attempts, CONNECT_EXCEPTION, ErrorClass, Stage, Throwable};
use crate::recode::Trust;
use crate::settings::{PluginRef, TaskSettings};
use crate::swap::{Tally, Trial};

mod swap;

/// Instances that may crash on records of one batch before the task is given up.
const MOST_RESTARTS: usize = 100;

/// A transform or converter in an instance of its own.
pub struct GuestLink {
    pub encodings: Encodings,
    alias: String,
    class: String,
    plugin: PluginRef,
    spec: InstanceSpec,
    job: Job,
    running: Running,
    /// Of the plugin, since it has its place.
    tally: Tally,
    /// While the plugin may be replaced by the one before it.
    trial: Option<Trial>,
}

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    Transform,
    /// Makes values of one column of Kafka's bytes.
    Deserialize(Column),
    /// Makes Kafka's bytes of the values of one column.
    Serialize(Column),
}

impl Job {
    pub fn stage(self) -> Stage {
        match self {
            Job::Transform => Stage::Transformation,
            Job::Deserialize(column) | Job::Serialize(column) => match column {
                Column::Key => Stage::KeyConverter,
                Column::Value => Stage::ValueConverter,
                Column::Headers => Stage::HeaderConverter,
            },
        }
    }

    /// What it is called, and its call.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Job::Transform => ("transform", "apply"),
            Job::Deserialize(_) => ("converter", "deserialize"),
            Job::Serialize(_) => ("converter", "serialize"),
        }
    }
}

enum Running {
    Transform(Transform),
    Converter(Converter),
}

impl Running {
    async fn start(job: Job, spec: InstanceSpec) -> Result<Self, CallError> {
        match job {
            Job::Transform => Transform::start(spec).await.map(Running::Transform),
            Job::Deserialize(column) | Job::Serialize(column) => {
                Converter::start(spec, column).await.map(Running::Converter)
            }
        }
    }

    /// A converter answers as a transform does that makes new records.
    async fn apply(&mut self, job: Job, frame: &[u8]) -> Result<Applied, CallError> {
        let converted = match self {
            Running::Transform(transform) => return transform.apply(frame).await,
            Running::Converter(converter) => match job {
                Job::Serialize(_) => converter.serialize(frame).await?,
                Job::Deserialize(_) | Job::Transform => converter.deserialize(frame).await?,
            },
        };
        let Converted { batch, failures } = converted;
        Ok(Applied {
            records: Records::Replaced(batch),
            failures,
        })
    }

    fn is_alive(&self) -> bool {
        match self {
            Running::Transform(transform) => transform.is_alive(),
            Running::Converter(converter) => converter.is_alive(),
        }
    }

    async fn stop(&mut self) -> Result<(), CallError> {
        match self {
            Running::Transform(transform) => transform.stop().await,
            Running::Converter(converter) => converter.stop().await,
        }
    }
}

/// A predicate in an instance of its own.
pub struct GuestPredicate {
    encodings: Encodings,
    class: String,
    spec: InstanceSpec,
    predicate: Predicate,
}

/// What is left of a call that failed.
struct Fault {
    error: Throwable,
    /// The instance is gone.
    broken: bool,
}

impl GuestLink {
    pub async fn transform(
        task: &TaskSettings,
        alias: &str,
        plugin: &PluginRef,
        config: &Config,
    ) -> Result<Self, Failure> {
        Self::start(task, alias, (plugin, config), Job::Transform, plugin.encodings()).await
    }

    /// One column goes in as values, or comes out as such; the others pass as they are.
    pub async fn converter(task: &TaskSettings, plugin: (&PluginRef, &Config), job: Job) -> Result<Self, Failure> {
        let mut encodings = Encodings::default();
        let alias = match job {
            Job::Serialize(Column::Key) => {
                encodings.key = Encoding::Connect;
                "key.converter"
            }
            Job::Serialize(Column::Value) => {
                encodings.value = Encoding::Connect;
                "value.converter"
            }
            Job::Serialize(Column::Headers) => {
                encodings.headers = Encoding::Connect;
                "header.converter"
            }
            Job::Deserialize(_) | Job::Transform => "converter",
        };
        Self::start(task, alias, plugin, job, encodings).await
    }

    async fn start(
        task: &TaskSettings,
        alias: &str,
        (plugin, config): (&PluginRef, &Config),
        job: Job,
        encodings: Encodings,
    ) -> Result<Self, Failure> {
        let spec = task.instance(plugin, config);
        let running = Running::start(job, spec.clone())
            .await
            .map_err(|error| unstarted(task, (job.words().0, alias), &plugin.class, error))?;
        Ok(GuestLink {
            encodings,
            alias: alias.to_owned(),
            class: plugin.class.clone(),
            plugin: plugin.clone(),
            spec,
            job,
            running,
            tally: Tally::default(),
            trial: None,
        })
    }

    pub fn class(&self) -> &str {
        &self.class
    }

    pub fn job(&self) -> Job {
        self.job
    }

    /// What is called, for messages.
    fn called(&self) -> (&'static str, &str, &'static str) {
        let (noun, call) = self.job.words();
        (noun, &self.class, call)
    }

    pub async fn stop(&mut self) {
        if let Err(error) = self.running.stop().await {
            tracing::warn!(class = %self.class, %error, "stop of a transform or converter failed");
        }
    }

    /// Sends a batch through; it has to be in the forms that the transform takes.
    pub async fn apply<'a>(&mut self, mut stream: Stream<'a>, pass: &mut Pass<'_>) -> Result<Stream<'a>, Failure> {
        let mut attempts = pass.faults.errors.begin();
        loop {
            match self.running.apply(self.job, &stream.frame).await {
                Ok(applied) => {
                    if may_pass(&applied.failures) && pass.faults.errors.again(&mut attempts) {
                        continue;
                    }
                    if let Some(failure) = self.count(&stream, &applied, pass)? {
                        stream = self.fall_back(failure, stream, pass).await?;
                        continue;
                    }
                    return self.take(stream, applied, pass);
                }
                Err(error) if self.trial.is_some() && !may_be_asked_again(&error) => {
                    let failure = called(self.called(), error);
                    stream = self.fall_back(failure, stream, pass).await?;
                }
                Err(error) => {
                    let fault = blamed(error, self.called(), pass)?;
                    if fault.broken {
                        self.restart().await?;
                    } else if fault.error.is_retriable() && pass.faults.errors.again(&mut attempts) {
                        continue;
                    }
                    return self.divide(&stream, fault.error, pass).await;
                }
            }
        }
    }

    /// The instance is gone; the records that it was not given yet deserve a new one.
    async fn restart(&mut self) -> Result<(), Failure> {
        let noun = self.job.words().0;
        tracing::warn!(class = %self.class, "a {noun} crashed on a batch and is started anew");
        self.running = Running::start(self.job, self.spec.clone())
            .await
            .map_err(|error| called((noun, &self.class, "start"), error))?;
        Ok(())
    }

    /// Halves a batch that failed as a whole until what fails is single records.
    async fn divide(
        &mut self,
        stream: &Stream<'_>,
        error: Throwable,
        pass: &mut Pass<'_>,
    ) -> Result<Stream<'static>, Failure> {
        let records = parsed(&stream.frame, &self.class)?.len() as u32;
        let mut done = Vec::new();
        let mut restarts = 0;
        let mut todo = Vec::new();
        self.blame(0..records, &error, stream, &mut todo, pass);
        while let Some(range) = todo.pop() {
            let part = parts::picked(stream, range.clone().collect(), pass)?;
            match self.running.apply(self.job, &part.frame).await {
                Ok(applied) => done.push(self.take(part, applied, pass)?),
                Err(error) => {
                    let fault = blamed(error, self.called(), pass)?;
                    if fault.broken {
                        restarts += 1;
                        if restarts > MOST_RESTARTS {
                            return Err(wrong(&self.class, &format!("crashes too often: {}", fault.error)));
                        }
                        self.restart().await?;
                    }
                    self.blame(range, &fault.error, stream, &mut todo, pass);
                }
            }
        }
        parts::joined(&done, pass)
    }

    /// A part of a batch failed: its only record has failed, or its halves are still to be tried.
    fn blame(
        &self,
        range: Range<u32>,
        error: &Throwable,
        stream: &Stream<'_>,
        todo: &mut Vec<Range<u32>>,
        pass: &mut Pass<'_>,
    ) {
        if range.len() == 1 {
            self.fail(stream.origin(range.start), error, pass);
            return;
        }
        let middle = range.start + range.len() as u32 / 2;
        todo.push(middle..range.end);
        todo.push(range.start..middle);
    }

    fn fail(&self, at: u32, error: &Throwable, pass: &mut Pass<'_>) {
        pass.faults.fail(at, self.job.stage(), &self.class, error);
    }

    /// Takes what the plugin answered.
    fn take<'a>(&self, stream: Stream<'a>, applied: Applied, pass: &mut Pass<'_>) -> Result<Stream<'a>, Failure> {
        for failure in &applied.failures {
            self.fail(stream.origin(failure.index), &Throwable::from(failure), pass);
        }
        match applied.records {
            Records::Unchanged if applied.failures.is_empty() => Ok(stream),
            Records::Unchanged => {
                let records = parsed(&stream.frame, &self.class)?.len() as u32;
                let failed = |index: &u32| applied.failures.iter().any(|failure| failure.index == *index);
                let kept = (0..records).filter(|index| !failed(index)).collect();
                parts::picked(&stream, kept, pass)
            }
            Records::Kept(bits) => {
                let kept = (0..bits.len() as u32 * 8)
                    .filter(|index| is_set(&bits, *index))
                    .collect();
                parts::picked(&stream, kept, pass)
            }
            Records::Replaced(batch) => self.replaced(&stream, batch),
        }
    }

    fn replaced(&self, stream: &Stream<'_>, batch: Vec<u8>) -> Result<Stream<'static>, Failure> {
        let inputs = parsed(&stream.frame, &self.class)?.len();
        let (indexes, forms) = {
            let frame = parsed(&batch, &self.class)?;
            frame
                .check_origins(inputs)
                .map_err(|error| wrong(&self.class, &error.to_string()))?;
            let indexes = frame.records().map(|record| record.origin).collect();
            (indexes, stream.forms.towards(frame.encodings()))
        };
        Ok(Stream {
            // What a plugin writes there is its own affair.
            keeps_offsets: false,
            // A converter has looked at its own column only.
            trust: match self.job {
                Job::Transform => Trust::Full,
                Job::Deserialize(_) | Job::Serialize(_) => stream.trust,
            },
            ..stream.made(batch, forms, Some(stream.origins_of(indexes)))
        })
    }
}

impl GuestPredicate {
    pub async fn start(task: &TaskSettings, alias: &str, plugin: &PluginRef, config: &Config) -> Result<Self, Failure> {
        let spec = task.instance(plugin, config);
        let predicate = Predicate::start(spec.clone())
            .await
            .map_err(|error| unstarted(task, ("transform", alias), &plugin.class, error))?;
        Ok(GuestPredicate {
            encodings: plugin.encodings(),
            class: plugin.class.clone(),
            spec,
            predicate,
        })
    }

    pub async fn stop(&mut self) {
        if let Err(error) = self.predicate.stop().await {
            tracing::warn!(class = %self.class, %error, "stop of a predicate failed");
        }
    }

    /// The answer for each record of a batch; none for those that failed.
    pub async fn test(&mut self, stream: &Stream<'_>, pass: &mut Pass<'_>) -> Result<Vec<Option<bool>>, Failure> {
        let records = parsed(&stream.frame, &self.class)?.len();
        let mut answers = vec![None; records];
        let asked = parts::asked(stream, self.encodings, pass)?;
        if asked.indexes.is_empty() {
            return Ok(answers);
        }
        let mut attempts = pass.faults.errors.begin();
        let error = match self.ask(&asked.frame, &mut attempts, pass).await? {
            Ok(tested) => {
                self.note(&tested, &asked.indexes, stream, &mut answers, pass);
                return Ok(answers);
            }
            Err(error) => error,
        };
        if asked.indexes.len() == 1 {
            pass.fail(stream.origin(asked.indexes[0]), &self.class, &error);
            return Ok(answers);
        }
        for index in asked.indexes {
            let single = parts::picked(stream, vec![index], pass)?;
            let single = parts::asked(&single, self.encodings, pass)?;
            if single.indexes.is_empty() {
                continue;
            }
            match self.ask(&single.frame, &mut attempts, pass).await? {
                Ok(tested) => self.note(&tested, &[index], stream, &mut answers, pass),
                Err(error) => pass.fail(stream.origin(index), &self.class, &error),
            }
        }
        Ok(answers)
    }

    async fn ask(
        &mut self,
        frame: &[u8],
        attempts: &mut Attempts,
        pass: &mut Pass<'_>,
    ) -> Result<Result<Tested, Throwable>, Failure> {
        loop {
            match self.predicate.test(frame).await {
                Ok(tested) if may_pass(&tested.failures) && pass.faults.errors.again(attempts) => {}
                Ok(tested) => return Ok(Ok(tested)),
                Err(error) => {
                    let fault = blamed(error, ("predicate", &self.class, "test"), pass)?;
                    if fault.broken {
                        self.predicate = Predicate::start(self.spec.clone())
                            .await
                            .map_err(|error| called(("predicate", &self.class, "start"), error))?;
                    } else if fault.error.is_retriable() && pass.faults.errors.again(attempts) {
                        continue;
                    }
                    return Ok(Err(fault.error));
                }
            }
        }
    }

    fn note(
        &self,
        tested: &Tested,
        indexes: &[u32],
        stream: &Stream<'_>,
        answers: &mut [Option<bool>],
        pass: &mut Pass<'_>,
    ) {
        for (place, index) in (0..).zip(indexes) {
            answers[*index as usize] = Some(is_set(&tested.matches, place));
        }
        for failure in &tested.failures {
            let index = indexes[failure.index as usize];
            answers[index as usize] = None;
            pass.fail(stream.origin(index), &self.class, &Throwable::from(failure));
        }
    }
}

/// Whether the same call may come to something else the next time.
fn may_be_asked_again(error: &CallError) -> bool {
    matches!(error, CallError::Guest(error) if error.kind == ErrorKind::Retriable)
}

/// Whether another try may save a record.
fn may_pass(failures: &[caisson_api::Failure]) -> bool {
    failures.iter().any(|failure| failure.kind == ErrorKind::Retriable)
}

/// What a failed call means for its records, if it is not the end of the task. The link is its kind, its class and what
/// was called.
fn blamed(error: CallError, link: (&str, &str, &str), pass: &Pass<'_>) -> Result<Fault, Failure> {
    let tolerant = pass.faults.errors.tolerance() == Tolerance::All;
    let broken = |kind: ErrorClass, message: &str| Fault {
        error: Throwable::new(CONNECT_EXCEPTION, format!("{} {}: {message}", link.0, link.1)).of_kind(kind),
        broken: true,
    };
    match error {
        CallError::Guest(error) if matches!(error.kind, ErrorKind::Data | ErrorKind::Retriable) => Ok(Fault {
            error: Throwable::from(&error),
            broken: false,
        }),
        CallError::Trap { message, .. } if tolerant => Ok(broken(ErrorClass::Trap, &message)),
        CallError::Limit { message, .. } if tolerant => Ok(broken(ErrorClass::Limit, &message)),
        error @ (CallError::Guest(_) | CallError::Trap { .. } | CallError::Limit { .. } | CallError::Host(_)) => {
            Err(called(link, error))
        }
    }
}

fn called((kind, class, call): (&str, &str, &str), error: CallError) -> Failure {
    let failure = Failure::from(error);
    Failure {
        message: format!("{call} of {kind} {class} failed: {}", failure.message),
        ..failure
    }
}

fn unstarted(task: &TaskSettings, (noun, alias): (&str, &str), class: &str, error: CallError) -> Failure {
    let failure = Failure::from(error);
    let message = format!(
        "{noun} {alias} ({class}) of task {} could not start: {}",
        task.id, failure.message
    );
    Failure { message, ..failure }
}

fn is_set(bits: &[u8], index: u32) -> bool {
    bits.get(index as usize / 8)
        .is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}
