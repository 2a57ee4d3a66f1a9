//! A source that makes records as fast as the worker takes them, or at a rate.

mod payload;

use std::thread;
use std::time::{Duration, Instant};

use caisson_sdk::api::config::Config;
use caisson_sdk::prelude::*;

use payload::Payload;

caisson_sdk::plugins! {
    module: { description: "A source that makes records, for demonstrations, tests and benchmarks." },
    sources: [DatagenSource],
}

/// The job: as many tasks as are wanted, each with a count of its own.
#[derive(Debug)]
pub struct DatagenSource;

fn number(name: &str, default: &str, least: Option<i64>, text: &str) -> Key {
    let key = Key::new(name, Type::Int)
        .default(default)
        .importance(Importance::Medium)
        .documentation(text);
    match least {
        Some(least) => key.validator(Validator::at_least(least)),
        None => key,
    }
}

impl SourceConnector for DatagenSource {
    type Task = DatagenTask;

    fn plugin() -> Plugin {
        let format = "What a value is. bytes: always the same bytes. struct: a struct of several types. timestamp: the \
                      microseconds since the epoch in decimal digits, filled up with spaces. sequence: JSON with a count \
                      and a sum, which DiscardSink can check.";
        Plugin::new("caisson.DatagenSource", env!("CARGO_PKG_VERSION"))
            .alias("DatagenSourceConnector")
            .alias("DatagenSource")
            .documentation("Makes records without end, for demonstrations, tests and benchmarks.")
            .key(
                Key::new("topic", Type::String)
                    .validator(Validator::NonEmpty)
                    .importance(Importance::High)
                    .documentation("Topic to write to."),
            )
            .key(
                Key::new("format", Type::String)
                    .default("bytes")
                    .validator(Validator::OneOf(
                        ["bytes", "struct", "timestamp", "sequence"].map(str::to_string).into(),
                    ))
                    .importance(Importance::High)
                    .documentation(format),
            )
            .key(number("record.bytes", "100", Some(20), "Size of a value.").importance(Importance::High))
            .key(number("batch.records", "1000", Some(1), "Records for each poll."))
            .key(number(
                "rate",
                "-1",
                None,
                "Records per second and task; -1 is no limit, 0 none at all.",
            ))
            .key(
                Key::new("max.records", Type::Long)
                    .default("-1")
                    .importance(Importance::Medium)
                    .documentation("Records for each task, those of earlier runs included; -1 is no limit."),
            )
            .key(number(
                "partitions",
                "0",
                Some(0),
                "Partitions of the topic to write to in turn; 0 leaves the choice to the partitioner.",
            ))
            .key(
                Key::new("seed", Type::Long)
                    .default("0")
                    .importance(Importance::Low)
                    .documentation("With the format sequence: what the contents follow from."),
            )
            .key(
                number(
                    "transaction.records",
                    "1000",
                    Some(1),
                    "Records of a transaction, where transaction.boundary is connector.",
                )
                .importance(Importance::Low),
            )
            .ability(Ability::ExactlyOnce)
            .ability(Ability::TransactionBoundaries)
    }

    fn start(_: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        Ok(DatagenSource)
    }

    fn task_configs(&mut self, settings: &Settings, max_tasks: usize) -> Result<Vec<Config>, Error> {
        let task = |number: usize| {
            let mut config = settings.config().clone();
            config.entries.retain(|(key, _)| key != "task");
            config.entries.push(("task".to_string(), number.to_string()));
            config
        };
        Ok((0..max_tasks).map(task).collect())
    }

    fn exactly_once(_: &Settings) -> ExactlyOnce {
        ExactlyOnce::Supported
    }
}

/// Makes the records of one task.
#[derive(Debug)]
pub struct DatagenTask {
    topic: String,
    payload: Payload,
    batch_records: u64,
    /// Records per second; `None` is no limit.
    rate: Option<u64>,
    max_records: Option<u64>,
    partitions: u64,
    /// Records of a transaction, if it is this source that says where they end.
    transaction_records: u64,
    /// The source partition as JSON text.
    partition: String,
    /// Records so far, those of earlier runs included.
    count: u64,
    /// Since when, and how many records of this run, for the rate.
    started: Instant,
    sent: u64,
}

impl SourceTask for DatagenTask {
    fn start(settings: &Settings, context: &SourceContext) -> Result<Self, Error> {
        let task = settings.given("task").unwrap_or("0");
        let partition = json!({"task": task});
        let count = match context
            .offset(&partition)?
            .as_ref()
            .and_then(|offset| offset.get("count"))
        {
            None => 0,
            Some(count) => count
                .as_u64()
                .ok_or_else(|| Error::fatal(format!("stored offset of task {task} is not a count: {count}")))?,
        };
        let task = task
            .parse()
            .map_err(|_| Error::config(format!("task {task} is not a number")))?;
        Ok(DatagenTask {
            topic: settings.text("topic")?.to_string(),
            payload: Payload::new(settings, task)?,
            batch_records: settings.long("batch.records")?.unsigned_abs(),
            rate: u64::try_from(settings.int("rate")?).ok(),
            max_records: u64::try_from(settings.long("max.records")?).ok(),
            partitions: settings.long("partitions")?.unsigned_abs(),
            transaction_records: settings.long("transaction.records")?.unsigned_abs(),
            partition: partition.to_string(),
            count,
            started: Instant::now(),
            sent: 0,
        })
    }

    fn poll(&mut self, batch: &mut Batch) -> Result<(), Error> {
        let due = self.due(batch.max_wait());
        if due == 0 {
            return Ok(());
        }
        batch.encode_values(self.payload.encoding());
        batch.expect(due as usize);
        let topic = batch.topic(&self.topic)?;
        let partition = batch.source_partition(&self.partition)?;
        let schema = self.payload.schema().map(|schema| batch.schema(schema)).transpose()?;
        let mut head = RecordHead {
            topic,
            timestamp: Timestamp::Arrival,
            ..RecordHead::default()
        };
        let mut offset = Offset::default();
        for _ in 0..due {
            if batch.is_full() {
                break;
            }
            let (chosen, sequence) = self.place();
            let count = self.count + 1;
            head.partition = chosen;
            head.boundary = match count % self.transaction_records {
                0 => Boundary::Commit,
                _ => Boundary::None,
            };
            let mut record = batch.record_with(head);
            let payload = &mut self.payload;
            record.value_with(schema, |to| {
                payload.write(count, chosen, sequence, to);
                Ok(())
            })?;
            record.finish(partition, offset.text(count))?;
            self.count = count;
            self.sent += 1;
        }
        Ok(())
    }
}

impl DatagenTask {
    /// How many records the next poll owes; waits for the first.
    fn due(&self, wait: Duration) -> u64 {
        let left = self
            .max_records
            .map_or(u64::MAX, |most| most.saturating_sub(self.count));
        let most = self.batch_records.min(left);
        let Some(rate) = self.rate.filter(|_| most > 0) else {
            if most == 0 {
                thread::sleep(wait);
            }
            return most;
        };
        let deadline = Instant::now() + wait;
        loop {
            let now = Instant::now();
            let owed = ((now - self.started).as_micros() * u128::from(rate) / 1_000_000) as u64;
            if owed > self.sent {
                return most.min(owed - self.sent);
            }
            if now >= deadline {
                return 0;
            }
            let next = match rate {
                0 => deadline,
                rate => {
                    let nanos = u128::from(self.sent + 1) * 1_000_000_000 / u128::from(rate) + 1_000;
                    self.started + Duration::from_nanos(nanos as u64)
                }
            };
            thread::sleep(next.min(deadline).saturating_duration_since(now));
        }
    }

    /// Partition and sequence of the next record, both from the count alone, so that a restart goes on with them.
    fn place(&self) -> (Option<i32>, u64) {
        match self.partitions {
            0 => (None, self.count + 1),
            partitions => (Some((self.count % partitions) as i32), self.count / partitions + 1),
        }
    }
}

/// The JSON text of an offset, written over and over into the same memory.
struct Offset(String);

const COUNT: &str = r#"{"count":"#;

impl Default for Offset {
    fn default() -> Self {
        Offset(COUNT.to_string())
    }
}

impl Offset {
    fn text(&mut self, count: u64) -> &str {
        self.0.truncate(COUNT.len());
        self.0.push_str(itoa::Buffer::new().format(count));
        self.0.push('}');
        &self.0
    }
}
