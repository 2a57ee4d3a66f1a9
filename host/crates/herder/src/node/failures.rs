//! What has failed here, and its restarts: [`super::recovery`] with this node's clock, statuses and drivers.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use caisson_model::{Failure, Metric, MetricGroup, MetricValue};
use caisson_store::Status;
use tokio::time::Instant;

use super::Node;
use super::recovery::{Part, Recovery, Verdict};

impl Node {
    /// The status of something that has failed; it says whether that is restarted.
    pub(super) fn failed<S>(
        &self,
        name: &str,
        part: Part,
        state: S,
        failure: Option<Failure>,
        version: Option<String>,
    ) -> Status<S> {
        let mut status = self.status(state, failure, version);
        if let Some(verdict) = self.verdict(name, part) {
            let trace = status.trace.get_or_insert_default();
            *trace = format!("{trace}\n{verdict}");
        }
        status
    }

    fn verdict(&self, name: &str, part: Part) -> Option<Verdict> {
        let entry = self.entry(name)?;
        let policy = self.worker.restart_policy(&entry.config)?;
        let now = self.began.elapsed();
        let mut recoveries = self.recoveries();
        let recovery = recoveries.entry(name.into()).or_default();
        let verdict = recovery.failed(part, entry.revision, &policy, now);
        drop(recoveries);
        match verdict {
            Verdict::Restart { .. } => tracing::warn!(connector = name, ?part, "{verdict}"),
            Verdict::GiveUp { .. } => tracing::error!(connector = name, ?part, "{verdict}"),
        }
        if let Some(inbox) = self.inboxes().get(name) {
            inbox.changed();
        }
        Some(verdict)
    }

    /// Changes what is known of a connector's failures, if any are.
    pub(super) fn recover<T>(&self, name: &str, change: impl FnOnce(&mut Recovery) -> T) -> Option<T> {
        self.recoveries().get_mut(name).map(change)
    }

    /// Nothing of the connector runs here any more.
    pub(super) fn forget_failures(&self, name: &str) {
        self.recoveries().remove(name);
    }

    pub(super) fn runs(&self, name: &str, part: Part) {
        let now = self.began.elapsed();
        self.recover(name, |recovery| recovery.runs(part, now));
    }

    pub(super) fn take_due(&self, name: &str) -> Vec<Part> {
        let now = self.began.elapsed();
        self.recover(name, |recovery| recovery.take_due(now))
            .unwrap_or_default()
    }

    /// When something of a connector is to be restarted next.
    pub(super) fn next_due(&self, name: &str) -> Option<Instant> {
        let due = self.recover(name, |recovery| recovery.next_due()).flatten()?;
        Some(self.began + due)
    }

    /// How often what was restarted.
    pub(super) fn restart_metrics(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for (name, recovery) in &*self.recoveries() {
            for (part, counts) in recovery.counts() {
                let task = match part {
                    Part::Connector => None,
                    Part::Task(number) => Some(number),
                };
                let metric = |metric_name: &'static str, value| {
                    Metric::new(MetricGroup::Restart, metric_name, value).of(name.clone(), task)
                };
                let given_up = f64::from(u8::from(counts.given_up));
                metrics.push(metric("attempts-total", MetricValue::Total(counts.restarts)));
                metrics.push(metric("given-up", MetricValue::Gauge(given_up)));
            }
        }
        metrics
    }

    fn recoveries(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Recovery>> {
        self.recoveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
