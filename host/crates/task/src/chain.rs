//! The transforms of a connector, in their order. Each is a component in an instance of its own; a batch passes from one
//! to the next as a frame, and who answers "unchanged" costs no copy.

use caisson_api::ErrorKind;
use caisson_api::frame::{Encodings, Frame, Role};
use caisson_model::{Failure, FailureKind};
use caisson_sandbox::{CallError, Predicate, Records, Transform};

use crate::columns::Forms;
use crate::errors::{Errors, Place, Stage};
use crate::recode::{Copied, Recoder};
use crate::settings::{ChainLink, TaskSettings};

pub struct Chain {
    links: Vec<Link>,
    recoder: Recoder,
}

struct Link {
    class: String,
    transform: Transform,
    encodings: Encodings,
    condition: Option<Condition>,
}

struct Condition {
    class: String,
    predicate: Predicate,
    encodings: Encodings,
    negate: bool,
}

/// A batch between two transforms.
pub struct Stream {
    pub frame: Vec<u8>,
    pub forms: Forms,
    /// Per record, its index in the frame that entered the chain; `None` if that is its own index.
    pub origins: Option<Vec<u32>>,
}

impl Stream {
    pub fn new(frame: Vec<u8>, forms: Forms) -> Self {
        Stream {
            frame,
            forms,
            origins: None,
        }
    }

    /// The origins of records that are records `indexes` of this batch.
    fn origins_of(&self, indexes: Vec<u32>) -> Vec<u32> {
        match &self.origins {
            None => indexes,
            Some(origins) => indexes.into_iter().map(|index| origins[index as usize]).collect(),
        }
    }
}

impl Chain {
    pub async fn start(task: &TaskSettings) -> Result<Self, Failure> {
        let mut links = Vec::with_capacity(task.chain.len());
        for link in &task.chain {
            links.push(Link::start(task, link).await?);
        }
        Ok(Chain {
            links,
            recoder: Recoder::new(task, Role::Transform),
        })
    }

    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// What the first transform takes.
    pub fn first_encodings(&self) -> Option<Encodings> {
        self.links.first().map(|link| link.encodings)
    }

    /// Sends a batch through all transforms. `arrival` is the time that records without one of their own have.
    pub async fn apply(&mut self, mut stream: Stream, arrival: i64, errors: &mut Errors) -> Result<Stream, Failure> {
        self.recoder.arrival = Some(arrival);
        for link in &mut self.links {
            if stream.frame.is_empty() {
                break;
            }
            stream = link.apply(stream, &mut self.recoder, errors).await?;
        }
        Ok(stream)
    }

    pub async fn stop(&mut self) {
        for link in &mut self.links {
            if let Err(error) = link.transform.stop().await {
                tracing::warn!(class = %link.class, %error, "stop of a transform failed");
            }
        }
    }
}

impl Link {
    async fn start(task: &TaskSettings, link: &ChainLink) -> Result<Self, Failure> {
        let failed = |class: &str, error: CallError| {
            let failure = Failure::from(error);
            let message = format!(
                "transform {} ({class}) of task {} could not start: {}",
                link.alias, task.id, failure.message
            );
            Failure { message, ..failure }
        };
        let condition = match &link.condition {
            None => None,
            Some(condition) => {
                let class = &condition.plugin.class;
                let predicate = Predicate::start(task.instance(&condition.plugin, &condition.config))
                    .await
                    .map_err(|error| failed(class, error))?;
                let encodings = condition.plugin.encodings();
                Some(Condition {
                    class: class.clone(),
                    predicate,
                    encodings,
                    negate: condition.negate,
                })
            }
        };
        let class = &link.plugin.class;
        let transform = Transform::start(task.instance(&link.plugin, &link.config))
            .await
            .map_err(|error| failed(class, error))?;
        Ok(Link {
            class: class.clone(),
            transform,
            encodings: link.plugin.encodings(),
            condition,
        })
    }

    async fn apply(&mut self, stream: Stream, recoder: &mut Recoder, errors: &mut Errors) -> Result<Stream, Failure> {
        let stream = recoded(stream, self.encodings, recoder, errors)?;
        let Some(condition) = &mut self.condition else {
            return self.transform(stream, recoder, errors).await;
        };
        let chosen = condition.test(&stream, recoder, errors).await?;
        let (mine, others): (Vec<u32>, Vec<u32>) = (0..chosen.len() as u32).partition(|index| chosen[*index as usize]);
        if mine.is_empty() {
            return Ok(stream);
        }
        if others.is_empty() {
            return self.transform(stream, recoder, errors).await;
        }
        let part = Stream::new(picked(&stream, &mine, recoder, errors)?, stream.forms);
        let done = self.transform(part, recoder, errors).await?;
        merged(&stream, &mine, &others, &done, recoder, errors)
    }

    /// Calls the guest and takes what it answers.
    async fn transform(
        &mut self,
        stream: Stream,
        recoder: &mut Recoder,
        errors: &mut Errors,
    ) -> Result<Stream, Failure> {
        let applied = self
            .transform
            .apply(&stream.frame)
            .await
            .map_err(|error| called(&self.class, "apply", error))?;
        if !applied.failures.is_empty() {
            let frame = parsed(&stream.frame, &self.class)?;
            report(&frame, &applied.failures, Stage::Transformation, &self.class, errors)?;
        }
        match applied.records {
            Records::Unchanged if applied.failures.is_empty() => Ok(stream),
            Records::Unchanged => {
                let records = parsed(&stream.frame, &self.class)?.len() as u32;
                let failed = |index: &u32| applied.failures.iter().any(|failure| failure.index == *index);
                let kept: Vec<u32> = (0..records).filter(|index| !failed(index)).collect();
                keep(stream, kept, recoder, errors)
            }
            Records::Kept(bits) => {
                let kept = (0..bits.len() as u32 * 8)
                    .filter(|index| is_set(&bits, *index))
                    .collect();
                keep(stream, kept, recoder, errors)
            }
            Records::Replaced(batch) => self.replaced(stream, batch),
        }
    }

    fn replaced(&self, stream: Stream, batch: Vec<u8>) -> Result<Stream, Failure> {
        let inputs = parsed(&stream.frame, &self.class)?.len();
        let frame = parsed(&batch, &self.class)?;
        frame
            .check_origins(inputs)
            .map_err(|error| wrong(&self.class, &error.to_string()))?;
        let indexes = frame.records().map(|record| record.origin).collect();
        let forms = stream.forms.towards(frame.encodings());
        drop(frame);
        Ok(Stream {
            origins: Some(stream.origins_of(indexes)),
            forms,
            frame: batch,
        })
    }
}

impl Condition {
    /// Which records the transform is to see.
    async fn test(
        &mut self,
        stream: &Stream,
        recoder: &mut Recoder,
        errors: &mut Errors,
    ) -> Result<Vec<bool>, Failure> {
        let frame = parsed(&stream.frame, &self.class)?;
        let forms = stream.forms.towards(self.encodings);
        let tested = if forms == stream.forms {
            self.predicate.test(&stream.frame).await
        } else {
            let recoded = recoder.recode(&frame, (stream.forms, forms), errors)?;
            if parsed(&recoded, &self.class)?.len() != frame.len() {
                return Err(wrong(&self.class, "a record could not be converted for a predicate"));
            }
            self.predicate.test(&recoded).await
        };
        let tested = tested.map_err(|error| called(&self.class, "test", error))?;
        report(&frame, &tested.failures, Stage::Transformation, &self.class, errors)?;
        Ok((0..frame.len() as u32)
            .map(|index| is_set(&tested.matches, index) != self.negate)
            .collect())
    }
}

/// The batch in the forms that a plugin with these encodings takes.
fn recoded(
    stream: Stream,
    encodings: Encodings,
    recoder: &mut Recoder,
    errors: &mut Errors,
) -> Result<Stream, Failure> {
    let forms = stream.forms.towards(encodings);
    if forms == stream.forms {
        return Ok(stream);
    }
    let frame = parsed(&stream.frame, "")?;
    let batch = recoder.recode(&frame, (stream.forms, forms), errors)?;
    let indexes = parsed(&batch, "")?.records().map(|record| record.origin).collect();
    Ok(Stream {
        origins: Some(stream.origins_of(indexes)),
        forms,
        frame: batch,
    })
}

fn keep(stream: Stream, kept: Vec<u32>, recoder: &mut Recoder, errors: &mut Errors) -> Result<Stream, Failure> {
    let frame = picked(&stream, &kept, recoder, errors)?;
    Ok(Stream {
        origins: Some(stream.origins_of(kept)),
        forms: stream.forms,
        frame,
    })
}

/// A frame of some records of a batch.
fn picked(stream: &Stream, indexes: &[u32], recoder: &mut Recoder, errors: &mut Errors) -> Result<Vec<u8>, Failure> {
    let frame = parsed(&stream.frame, "")?;
    let schemas = recoder.schemas_of(&frame)?;
    recoder.begin(stream.forms.encodings(), indexes.len());
    for index in indexes {
        let copied = Copied {
            frame: &frame,
            schemas: &schemas,
            index: *index as usize,
            origin: *index,
        };
        recoder.copy(copied, (stream.forms, stream.forms), errors)?;
    }
    Ok(recoder.builder.take())
}

/// Puts what a transform made of the records `mine` back between the `others`.
fn merged(
    stream: &Stream,
    mine: &[u32],
    others: &[u32],
    done: &Stream,
    recoder: &mut Recoder,
    errors: &mut Errors,
) -> Result<Stream, Failure> {
    let (all, part) = (parsed(&stream.frame, "")?, parsed(&done.frame, "")?);
    let (all_schemas, part_schemas) = (recoder.schemas_of(&all)?, recoder.schemas_of(&part)?);
    let part_index = |index: usize| match &done.origins {
        None => mine[index],
        Some(origins) => mine[origins[index] as usize],
    };
    let mut order: Vec<(u32, bool, usize)> = others.iter().map(|index| (*index, false, *index as usize)).collect();
    order.extend((0..part.len()).map(|index| (part_index(index), true, index)));
    order.sort_by_key(|(origin, _, _)| *origin);
    recoder.begin(stream.forms.encodings(), order.len());
    for (origin, transformed, index) in &order {
        let (frame, schemas, forms) = match transformed {
            true => (&part, &part_schemas, done.forms),
            false => (&all, &all_schemas, stream.forms),
        };
        let copied = Copied {
            frame,
            schemas,
            index: *index,
            origin: *origin,
        };
        recoder.copy(copied, (forms, stream.forms), errors)?;
    }
    let origins = stream.origins_of(order.iter().map(|(origin, _, _)| *origin).collect());
    Ok(Stream {
        frame: recoder.builder.take(),
        forms: stream.forms,
        origins: Some(origins),
    })
}

/// Records that a plugin could not understand.
fn report(
    frame: &Frame<'_>,
    failures: &[caisson_api::Failure],
    stage: Stage,
    class: &str,
    errors: &mut Errors,
) -> Result<(), Failure> {
    for failure in failures {
        let record = frame.record(failure.index as usize);
        let place = Place {
            topic: record.topic,
            partition: record.partition,
            offset: record.offset,
        };
        match failure.kind {
            ErrorKind::Data | ErrorKind::Retriable | ErrorKind::Unsupported => {
                errors.record(stage, class, Some(place), &failure.message)?;
            }
            ErrorKind::Fatal | ErrorKind::Config => return Err(wrong(class, &failure.message)),
        }
    }
    Ok(())
}

fn is_set(bits: &[u8], index: u32) -> bool {
    bits.get(index as usize / 8)
        .is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}

fn parsed<'a>(frame: &'a [u8], class: &str) -> Result<Frame<'a>, Failure> {
    Frame::parse(frame).map_err(|error| wrong(class, &error.to_string()))
}

fn wrong(class: &str, what: &str) -> Failure {
    Failure::new(FailureKind::Guest, format!("transform {class}: {what}"))
}

fn called(class: &str, call: &str, error: CallError) -> Failure {
    let failure = Failure::from(error);
    Failure {
        message: format!("{call} of transform {class} failed: {}", failure.message),
        ..failure
    }
}
