//! The figures by Kafka Connect's names.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use caisson_model::{Metric, MetricGroup, MetricValue, Sampled, TaskId, TaskState};

use super::{Meters, STAGES, millis};
use crate::settings::Direction;

/// Collects what one group says of one task.
struct Group<'a> {
    id: &'a TaskId,
    group: MetricGroup,
    metrics: &'a mut Vec<Metric>,
}

impl<'a> Group<'a> {
    fn new(id: &'a TaskId, group: MetricGroup, metrics: &'a mut Vec<Metric>) -> Group<'a> {
        Group { id, group, metrics }
    }

    fn push(&mut self, name: &'static str, value: MetricValue) {
        let metric = Metric::new(self.group, name, value);
        self.metrics
            .push(metric.of(self.id.connector.clone(), Some(self.id.task)));
    }

    fn total(&mut self, name: &'static str, counter: &AtomicU64) {
        self.push(name, MetricValue::Total(counter.load(Ordering::Relaxed)));
    }

    fn gauge(&mut self, name: &'static str, value: f64) {
        self.push(name, MetricValue::Gauge(value));
    }

    /// Of microseconds, in milliseconds.
    fn times(&mut self, [max, average]: [&'static str; 2], times: &Sampled, now: Duration) {
        let sample = times.read(now);
        self.gauge(max, sample.max() / 1000.0);
        self.gauge(average, sample.average() / 1000.0);
    }
}

impl Meters {
    /// Everything that is known of the task by now.
    pub fn metrics(&self, id: &TaskId) -> Vec<Metric> {
        let now = self.began.elapsed();
        let mut metrics = Vec::with_capacity(32);
        self.common(Group::new(id, MetricGroup::ConnectorTask, &mut metrics), now);
        match self.direction {
            Direction::ToKafka => self.source(Group::new(id, MetricGroup::SourceTask, &mut metrics), now),
            Direction::FromKafka => self.sink(Group::new(id, MetricGroup::SinkTask, &mut metrics), now),
        }
        self.errors(Group::new(id, MetricGroup::TaskError, &mut metrics));
        self.stages(id, &mut metrics);
        let mut group = Group::new(id, MetricGroup::Module, &mut metrics);
        group.total("swaps-total", &self.swaps);
        group.total("rollbacks-total", &self.rollbacks);
        metrics
    }

    fn stages(&self, id: &TaskId, metrics: &mut Vec<Metric>) {
        for (stage, times) in STAGES.iter().zip(&self.stages) {
            let Some(read) = times.read() else { continue };
            let metric = Metric::new(MetricGroup::Stage, "stage-seconds", MetricValue::Distribution(read));
            let metric = metric.of(id.connector.clone(), Some(id.task));
            metrics.push(metric.labelled("stage", stage.as_str()));
        }
    }

    fn common(&self, mut group: Group<'_>, now: Duration) {
        let state = self.state();
        group.push("status", MetricValue::Text(state.as_str().to_lowercase()));
        let current = millis(now).saturating_sub(self.life.since.load(Ordering::Relaxed));
        let ratio = |counter: &AtomicU64, of: TaskState| {
            let past = counter.load(Ordering::Relaxed);
            let time = if state == of { past + current } else { past };
            time as f64 / millis(now).max(1) as f64
        };
        group.gauge("running-ratio", ratio(&self.life.running, TaskState::Running));
        group.gauge("pause-ratio", ratio(&self.life.paused, TaskState::Paused));
        let batches = self.batches.read(now);
        group.gauge("batch-size-max", batches.max());
        group.gauge("batch-size-avg", batches.average());
        let names = ["offset-commit-max-time-ms", "offset-commit-avg-time-ms"];
        group.times(names, &self.commits.times, now);
        let commits = self.commits.recent.read(now);
        group.gauge("offset-commit-success-percentage", commits.part());
        group.gauge("offset-commit-failure-percentage", commits.other_part());
    }

    fn source(&self, mut group: Group<'_>, now: Duration) {
        group.total("source-record-poll-total", &self.taken.total);
        group.gauge("source-record-poll-rate", self.taken.recent.read(now).rate());
        group.total("source-record-write-total", &self.given.total);
        group.gauge("source-record-write-rate", self.given.recent.read(now).rate());
        let names = [
            "source-record-active-count",
            "source-record-active-count-max",
            "source-record-active-count-avg",
        ];
        self.active_records(&mut group, names, now);
        let names = ["poll-batch-max-time-ms", "poll-batch-avg-time-ms"];
        group.times(names, &self.calls, now);
        let sizes = self.transactions.read(now);
        group.gauge("transaction-size-min", sizes.min());
        group.gauge("transaction-size-max", sizes.max());
        group.gauge("transaction-size-avg", sizes.average());
    }

    fn sink(&self, mut group: Group<'_>, now: Duration) {
        group.total("sink-record-read-total", &self.taken.total);
        group.gauge("sink-record-read-rate", self.taken.recent.read(now).rate());
        group.total("sink-record-send-total", &self.given.total);
        group.gauge("sink-record-send-rate", self.given.recent.read(now).rate());
        group.gauge("partition-count", self.partitions.load(Ordering::Relaxed) as f64);
        let sequence = self.commits.sequence.load(Ordering::Relaxed);
        group.gauge("offset-commit-seq-no", sequence as f64);
        group.total("offset-commit-completion-total", &self.commits.succeeded);
        group.gauge("offset-commit-completion-rate", self.commits.recent.read(now).rate());
        group.total("offset-commit-skip-total", &self.commits.skipped.total);
        let skipped = self.commits.skipped.recent.read(now);
        group.gauge("offset-commit-skip-rate", skipped.rate());
        group.gauge("sink-record-lag-max", self.lag.load(Ordering::Relaxed) as f64);
        let names = [
            "sink-record-active-count",
            "sink-record-active-count-max",
            "sink-record-active-count-avg",
        ];
        self.active_records(&mut group, names, now);
        let names = ["put-batch-max-time-ms", "put-batch-avg-time-ms"];
        group.times(names, &self.calls, now);
    }

    fn active_records(&self, group: &mut Group<'_>, [count, max, average]: [&'static str; 3], now: Duration) {
        let recent = self.recently_active.read(now);
        group.gauge(count, self.active.load(Ordering::Relaxed) as f64);
        group.gauge(max, recent.max());
        group.gauge(average, recent.average());
    }

    fn errors(&self, mut group: Group<'_>) {
        let errors = &self.errors;
        group.total("total-record-failures", &errors.failures);
        group.total("total-record-errors", &errors.errors);
        group.total("total-records-skipped", &errors.skipped);
        group.total("total-retries", &errors.retries);
        group.total("total-errors-logged", &errors.logged);
        group.total("deadletterqueue-produce-requests", &errors.letters);
        group.total("deadletterqueue-produce-failures", &errors.letters_lost);
        group.gauge("last-error-timestamp", errors.last.load(Ordering::Relaxed) as f64);
    }
}
