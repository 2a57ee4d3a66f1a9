//! The data flow: each `put` adds its records to what is under way, `pre_commit` tells what has arrived.

use std::time::{Duration, Instant};

use caisson_sdk::http;
use caisson_sdk::prelude::*;
use caisson_sdk::sink::LateFailure;
use caisson_sdk::warn;

use crate::client::Client;
use crate::document::{Outcome, TopicPlan, Writer};
use crate::flow::Flow;
use crate::options::Options;

mod resources;
use resources::Resources;

/// How long `put` waits for room before it asks for patience: an operator's stop waits no longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a commit may wait for the server; the worker gives a call half a minute.
const FLUSH: Duration = Duration::from_secs(20);
/// How long a partition that is taken away waits for its last requests.
const FAREWELL: Duration = Duration::from_secs(3);

/// Writes the records of its partitions.
pub struct ElasticsearchSinkTask {
    options: Options,
    context: SinkContext,
    writer: Writer,
    flow: Flow,
    resources: Resources,
    /// Topics that records have named, with what holds for them.
    plans: Vec<TopicPlan>,
    assigned: Vec<TopicPartition>,
    /// All that ever were.
    known: Vec<TopicPartition>,
}

impl std::fmt::Debug for ElasticsearchSinkTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ElasticsearchSinkTask")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl SinkTask for ElasticsearchSinkTask {
    fn start(settings: &Settings, context: &SinkContext) -> Result<Self, Error> {
        let options = Options::new(settings)?;
        let data_stream = options.target.is_data_stream();
        crate::tls::apply(settings)?;
        http::keep_idle(options.connection.idle);
        let client = Client::new(options.connection.clone());
        let in_flight = usize::try_from(settings.int(crate::keys::IN_FLIGHT)?).unwrap_or(1);
        let versioned = !options.documents.upsert && !data_stream;
        Ok(ElasticsearchSinkTask {
            writer: Writer::new(options.documents.clone(), data_stream, in_flight),
            flow: Flow::new(options.flow.clone(), client, *context, versioned),
            resources: Resources::default(),
            plans: Vec::new(),
            assigned: Vec::new(),
            known: Vec::new(),
            context: *context,
            options,
        })
    }

    fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        self.assigned.extend_from_slice(partitions);
        self.known.retain(|each| !partitions.contains(each));
        self.known.extend_from_slice(partitions);
        Ok(())
    }

    fn put(&mut self, records: &Records<'_>) -> Result<(), Error> {
        if !records.is_empty() {
            // A batch is taken as a whole or, as long as these two fail, not at all: it then comes again.
            self.flow.make_room(PATIENCE)?;
            self.prepare(records)?;
            self.take(records)?;
        }
        self.flow.go_on()
    }

    fn pre_commit(&mut self, current: &[PartitionOffset]) -> Result<Option<Vec<PartitionOffset>>, Error> {
        if self.options.flow.flush_synchronously || self.topics_were_renamed() {
            self.flow.flush(FLUSH.min(self.options.flow.flush_timeout));
            self.flow.ask_for_a_call();
            if !self.flow.is_empty() {
                // Which of the partitions a renamed record came from is not known.
                return Ok(Some(Vec::new()));
            }
            return Ok(None);
        }
        self.flow.advance(true);
        self.flow.ask_for_a_call();
        let done = |at: &PartitionOffset| {
            let number = self
                .flow
                .partitions()
                .iter()
                .position(|each| each.topic == at.topic && each.partition == at.partition);
            let outstanding = number.and_then(|number| self.flow.outstanding(number as u32));
            PartitionOffset::new(
                at.topic.clone(),
                at.partition,
                outstanding.unwrap_or(at.offset).min(at.offset),
            )
        };
        Ok(Some(current.iter().map(done).collect()))
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        self.assigned.retain(|each| !partitions.contains(each));
        if self.assigned.is_empty() {
            self.flow.give_up(|_| true, FAREWELL);
        } else {
            self.flow.give_up(|each| partitions.contains(each), FAREWELL);
        }
        Ok(())
    }
}

impl ElasticsearchSinkTask {
    /// Whether records name topics that never were assigned: a transform has renamed them.
    fn topics_were_renamed(&self) -> bool {
        self.flow.partitions().iter().any(|each| !self.known.contains(each))
    }

    /// Makes sure that the places where records of this batch go exist.
    fn prepare(&mut self, records: &Records<'_>) -> Result<(), Error> {
        let mut last = "";
        for record in records {
            if record.topic() == last && self.resources.is_settled(last) {
                continue;
            }
            last = record.topic();
            if !self.plans.iter().any(|plan| plan.topic == last) {
                let target = self.options.target.of(last)?;
                let data_stream = self.options.target.is_data_stream();
                self.plans
                    .push(TopicPlan::new(last, target, &self.options.documents, data_stream));
            }
            let Some(plan) = self.plans.iter().find(|plan| plan.topic == last) else {
                continue;
            };
            self.resources
                .prepare(self.flow.client(), &self.options.target, plan, record.value_schema())?;
        }
        Ok(())
    }

    fn take(&mut self, records: &Records<'_>) -> Result<(), Error> {
        let encodings = records.frame().encodings();
        let now = Instant::now();
        let mut known: Option<(usize, i32, u32)> = None;
        for record in records {
            let partition = record.partition().unwrap_or(0);
            let (plan, number) = match known {
                Some((plan, of, number)) if of == partition && self.plans[plan].topic == record.topic() => {
                    (plan, number)
                }
                _ => {
                    let plan = self.plans.iter().position(|plan| plan.topic == record.topic());
                    let plan = plan.ok_or_else(|| Error::fatal("a topic was not prepared"))?;
                    let number = self.flow.partition(record.topic(), partition);
                    known = Some((plan, partition, number));
                    (plan, number)
                }
            };
            let plan = &self.plans[plan];
            let (writer, place) = (&mut self.writer, (number, record.offset().unwrap_or(-1)));
            let outcome = self.flow.add(place, &plan.target, now, |target, out| {
                writer.write(&record, encodings, plan, target, out)
            });
            match outcome {
                Ok(Outcome::Written | Outcome::Nothing) => {}
                Ok(Outcome::Ignored(why)) => self.report(&record, why),
                Err(error) => self.cannot_convert(&record, &error)?,
            }
        }
        Ok(())
    }

    /// Tells whoever keeps failed records, if there is anybody.
    fn report(&self, record: &RecordView<'_>, why: &str) {
        if self.options.flow.reports {
            self.context.report(&[LateFailure {
                topic: record.topic().into(),
                partition: record.partition().unwrap_or(-1),
                offset: record.offset().unwrap_or(-1),
                message: why.to_owned(),
            }]);
        }
    }

    fn cannot_convert(&self, record: &RecordView<'_>, error: &Error) -> Result<(), Error> {
        self.report(record, &error.message);
        let place = (
            record.topic(),
            record.partition().unwrap_or(-1),
            record.offset().unwrap_or(-1),
        );
        let place = format!("the record at offset {} of {}-{}", place.2, place.0, place.1);
        if self.options.documents.drop_invalid {
            warn!("{place} is left out: {error}");
            return Ok(());
        }
        Err(Error::fatal(format!("{place} cannot be converted: {error}")))
    }
}
