//! A source that holds the worker to its word: what it was told to be written and committed has to be stored.

use caisson_sdk::info;
use caisson_sdk::prelude::*;

/// Records of one batch.
const BATCH: u64 = 100;
/// Of so many batches one has no values, for a filter to leave out.
const EMPTY: u64 = 4;
/// Commits between two lines of the log.
const COMMITS: u64 = 100;

pub struct Auditor;

pub struct AuditorTask {
    context: SourceContext,
    topic: String,
    /// Records of earlier tasks, and of this one.
    before: u64,
    polled: u64,
    /// The number of the last record of this task that was told to be written.
    written: u64,
    commits: u64,
    complaint: Option<String>,
}

impl SourceConnector for Auditor {
    type Task = AuditorTask;

    fn plugin() -> Plugin {
        Plugin::new("keeper.Auditor", "1")
            .key(Key::new("topic", Type::String).documentation("The topic to write to."))
            .ability(Ability::DeliveryReports)
    }

    fn start(_: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        Ok(Auditor)
    }

    fn task_configs(&mut self, settings: &Settings, _: usize) -> Result<Vec<Config>, Error> {
        Ok(vec![settings.config().clone()])
    }
}

impl AuditorTask {
    /// How many records the stored offset stands for.
    fn stored(context: &SourceContext) -> Result<u64, Error> {
        let offset = context.offset(&json!({}))?;
        Ok(offset.and_then(|offset| offset["count"].as_u64()).unwrap_or(0))
    }
}

impl SourceTask for AuditorTask {
    fn start(settings: &Settings, context: &SourceContext) -> Result<Self, Error> {
        Ok(AuditorTask {
            context: *context,
            topic: settings.text("topic")?.to_owned(),
            before: Self::stored(context)?,
            polled: 0,
            written: 0,
            commits: 0,
            complaint: None,
        })
    }

    fn poll(&mut self, batch: &mut Batch) -> Result<(), Error> {
        if let Some(complaint) = self.complaint.take() {
            return Err(Error::fatal(complaint));
        }
        let topic = batch.topic(&self.topic)?;
        let partition = batch.source_partition("{}")?;
        let is_empty = (self.polled / BATCH).is_multiple_of(EMPTY);
        for _ in 0..BATCH {
            self.polled += 1;
            let count = self.before + self.polled;
            let head = RecordHead {
                topic,
                ..RecordHead::default()
            };
            let mut record = batch.record_with(head);
            if !is_empty {
                record.value_bytes(count.to_string().as_bytes());
            }
            record.finish(partition, &json!({ "count": count }).to_string())?;
        }
        Ok(())
    }

    fn delivered(&mut self, deliveries: &[Delivery]) -> Result<(), Error> {
        let written = deliveries.iter().filter(|run| run.outcome == Outcome::Written);
        self.written = written
            .map(|run| run.first + u64::from(run.count))
            .max()
            .unwrap_or(self.written);
        Ok(())
    }

    fn committed(&mut self) -> Result<(), Error> {
        let (stored, written) = (Self::stored(&self.context)?, self.before + self.written);
        if stored < written {
            self.complaint = Some(format!(
                "told that all is stored: {written} are written, {stored} are stored"
            ));
        }
        self.commits += 1;
        if self.commits.is_multiple_of(COMMITS) {
            info!("audited"; commits = self.commits);
        }
        Ok(())
    }
}
