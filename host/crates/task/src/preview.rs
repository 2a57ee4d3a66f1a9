//! A chain tried on sample records: each goes alone through what a task would send it through, and is looked at behind
//! every step. Nothing is read from Kafka or written to it, and components run without files and network.

mod plugin;
mod sample;
mod steps;
mod view;

use std::time::Duration;

use caisson_api::frame::{Encoding, Encodings, Frame, Role};
use caisson_model::preview::{Flow, Preview, Sample, Stopped, Tried};
use caisson_model::{Failure, Tolerance, TopicPartition};
use tokio::time::{Instant, timeout_at};

use self::plugin::Plugin;
pub use self::plugin::fault;
use self::sample::Given;
use self::steps::Steps;
use self::view::Viewer;
use crate::chain::{Chain, Stream, Target};
use crate::columns::Forms;
use crate::errors::{Errors, Faults, Trail};
use crate::outgoing::SinkFrames;
use crate::recode::{Recoder, Trust};
use crate::settings::{Direction, TaskSettings};
use crate::sink::intake::Intake;

/// Columns as values.
pub(crate) const VALUES: Encodings = Encodings {
    key: Encoding::Connect,
    value: Encoding::Connect,
    headers: Encoding::Connect,
};

/// What comes behind the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The sink's plugin, if it is a sink.
    Plugin,
    /// Nothing: the chain is tried by itself.
    Chain,
}

/// What a preview may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub time: Duration,
    /// Bytes of keys, values, headers and messages in the answer.
    pub output: usize,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A sample is not what it has to be.
    #[error("record {index}: {problem}")]
    Sample { index: usize, problem: String },
    /// The chain could not be put together.
    #[error("{0}")]
    Chain(Failure),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::Chain(failure)
    }
}

/// Tries `samples`. Waits for guests, so that it needs a thread that may be held up.
pub async fn preview(
    mut task: TaskSettings,
    ending: Ending,
    samples: Vec<Sample>,
    bounds: Bounds,
) -> Result<Preview, Error> {
    let until = Instant::now() + bounds.time;
    let encodings = match ending {
        Ending::Plugin => task.plugin.encodings(),
        Ending::Chain => VALUES,
    };
    let given = sample::given(task.direction, encodings, &samples)?;
    task.confine_chain().await?;
    if ending == Ending::Plugin && task.direction == Direction::FromKafka {
        task.plugin.confine().await?;
    }
    let mut preview = Preview {
        flow: match task.direction {
            Direction::ToKafka => Flow::Source,
            Direction::FromKafka => Flow::Sink,
        },
        class: (ending == Ending::Plugin).then(|| task.plugin.class.clone()),
        tolerant: task.errors.tolerance == Tolerance::All,
        task_config: None,
        plugin: Vec::new(),
        records: Vec::with_capacity(samples.len()),
        stopped: None,
    };
    let started = timeout_at(until, Rehearsal::start(task, ending, &given)).await;
    let mut rehearsal = started.map_err(|_| late(bounds.time))??;
    let mut size = 0;
    for record in &given {
        let Ok((tried, ended)) = timeout_at(until, rehearsal.record(record)).await else {
            preview.stopped = Some(Stopped::Time);
            break;
        };
        size += tried.size();
        preview.records.push(tried);
        if ended {
            preview.stopped = Some(Stopped::Failure);
        } else if size > bounds.output {
            preview.stopped = Some(Stopped::Output);
        }
        if preview.stopped.is_some() {
            break;
        }
    }
    // What has no time left for its end goes without one.
    let _ = timeout_at(until, rehearsal.end(&mut preview)).await;
    Ok(preview)
}

fn late(time: Duration) -> Failure {
    let text = format!("the chain could not be started within {} s", time.as_secs());
    Failure::new(caisson_model::FailureKind::Limit, text)
}

/// The parts of a task that records pass.
struct Rehearsal {
    chain: Chain,
    viewer: Viewer,
    errors: Errors,
    way: Way,
}

/// What lies before and behind the chain.
enum Way {
    ToKafka(Box<Recoder>),
    FromKafka {
        intake: Box<Intake>,
        frames: Box<SinkFrames>,
        encodings: Encodings,
        plugin: Option<Box<Plugin>>,
    },
}

impl Rehearsal {
    async fn start(task: TaskSettings, ending: Ending, given: &[Given]) -> Result<Self, Failure> {
        let chain = Chain::start_apart(&task).await?;
        let way = match task.direction {
            Direction::ToKafka => {
                let order = task.direction.order();
                Way::ToKafka(Box::new(Recoder::new(&task.converters, Role::Transform, order)))
            }
            Direction::FromKafka => {
                let encodings = match ending {
                    Ending::Plugin => task.sink_encodings(),
                    Ending::Chain => VALUES,
                };
                Way::FromKafka {
                    intake: Box::new(Intake::of(&task.converters, &chain, encodings)),
                    frames: Box::new(SinkFrames::new(&task.converters, encodings)),
                    encodings,
                    plugin: match ending {
                        Ending::Plugin => Some(Box::new(Plugin::start(&task, partitions(given)).await)),
                        Ending::Chain => None,
                    },
                }
            }
        };
        Ok(Rehearsal {
            chain,
            viewer: Viewer::new(&task.id, &task.converters, task.direction),
            errors: Errors::noting(task.id.clone()),
            way,
        })
    }

    /// The way of one record, and whether a task would have ended on it.
    async fn record(&mut self, given: &Given) -> (Tried, bool) {
        let mut steps = Steps::new(self.way.flow());
        let outcome = match self.way {
            Way::ToKafka(_) => self.source(given, &mut steps).await,
            Way::FromKafka { .. } => self.sink(given, &mut steps).await,
        };
        if let Err(failure) = &outcome {
            let link = self.chain.link(steps.links());
            steps.ended(link, failure);
        }
        let tried = Tried {
            topic: given.topic.clone(),
            partition: given.partition,
            offset: given.offset,
            steps: steps.into_list(),
        };
        (tried, outcome.is_err())
    }

    async fn sink(&mut self, given: &Given, steps: &mut Steps) -> Result<(), Failure> {
        let Rehearsal {
            chain,
            viewer,
            errors,
            way,
        } = self;
        let Way::FromKafka {
            intake,
            frames,
            encodings,
            plugin,
        } = way
        else {
            return Ok(());
        };
        intake.single(&given.consumed(), errors)?;
        let frame = intake.take();
        let stream = Stream::new(&frame, intake.forms(), intake.trust());
        steps.began(viewer.view(&stream)?, errors.take_noted());
        if frame.is_empty() {
            return Ok(());
        }
        let entry = parse(&frame)?;
        let trail = Trail {
            entry: &entry,
            consumed: None,
        };
        let watch = |link: crate::chain::Passed<'_>, stream: &Stream<'_>, errors: &mut Errors| {
            steps.passed(&link, viewer.view(stream)?, errors.take_noted());
            Ok(())
        };
        // What the plugin takes is made of it behind the chain, so that the last link shows its values, too.
        let target = Target::Sink(chain.last_looks().unwrap_or(*encodings));
        let stream = chain.apply_watched(stream, target, 0, trail, errors, watch).await?;
        if stream.frame.is_empty() {
            return Ok(());
        }
        let outgoing = frames.for_sink(stream, &mut Faults { errors, trail })?;
        steps.converted(errors.take_noted());
        if let (Some(plugin), false) = (plugin, outgoing.frame.is_empty()) {
            plugin.put(&outgoing.frame, steps).await;
        }
        Ok(())
    }

    async fn source(&mut self, given: &Given, steps: &mut Steps) -> Result<(), Failure> {
        let Rehearsal {
            chain,
            viewer,
            errors,
            way,
        } = self;
        let Way::ToKafka(recoder) = way else { return Ok(()) };
        let frame = given.polled(recoder, errors)?;
        let entry = parse(&frame)?;
        let trail = Trail {
            entry: &entry,
            consumed: None,
        };
        let stream = Stream::new(&frame, sample::TYPED, Trust::Full);
        steps.began(viewer.view(&stream)?, Vec::new());
        let watch = |link: crate::chain::Passed<'_>, stream: &Stream<'_>, errors: &mut Errors| {
            steps.passed(&link, viewer.view(stream)?, errors.take_noted());
            Ok(())
        };
        let now = given.timestamp.unwrap_or_default();
        let target = chain.last_looks().map_or(Target::Kafka, Target::Sink);
        let stream = chain.apply_watched(stream, target, now, trail, errors, watch).await?;
        if stream.frame.is_empty() {
            return Ok(());
        }
        let frame = parse(&stream.frame)?;
        let forms = (stream.forms, Forms::SERIALIZED);
        let at = |index| stream.origin(index);
        let converted = recoder.recode(&frame, at, forms, &mut Faults { errors, trail })?;
        let stream = Stream::new(&converted, Forms::SERIALIZED, Trust::Full);
        steps.serialized(viewer.bytes(&stream)?, errors.take_noted());
        Ok(())
    }

    /// Has the plugin finish what it was given, and stops everything.
    async fn end(&mut self, preview: &mut Preview) {
        if let Way::FromKafka {
            plugin: Some(plugin), ..
        } = &mut self.way
        {
            plugin.end(preview).await;
        }
        self.chain.stop().await;
    }
}

impl Way {
    fn flow(&self) -> Flow {
        match self {
            Way::ToKafka(_) => Flow::Source,
            Way::FromKafka { .. } => Flow::Sink,
        }
    }
}

fn partitions(given: &[Given]) -> Vec<TopicPartition> {
    let mut partitions: Vec<_> = given
        .iter()
        .map(|record| TopicPartition::new(record.topic.as_str(), record.partition.unwrap_or_default()))
        .collect();
    partitions.sort();
    partitions.dedup();
    partitions
}

fn parse(frame: &[u8]) -> Result<Frame<'_>, Failure> {
    Frame::parse(frame).map_err(|error| Failure::host(format!("wrong batch of a preview: {error}")))
}

#[cfg(test)]
mod tests;
