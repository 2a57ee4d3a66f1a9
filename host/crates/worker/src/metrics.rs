//! What this node measures: how starts went, what runs, and what each task counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use caisson_config::providers::Secrets;
use caisson_model::{Metric, MetricGroup, MetricValue, Sampled, TaskId, TaskState};
use caisson_sandbox::GuestFigure;
use caisson_task::meters::Meters;
use caisson_task::swap::Place;

use crate::Worker;

/// How starts of connectors and tasks went.
pub(crate) struct Starts {
    began: Instant,
    pub(crate) connectors: StartCounts,
    pub(crate) tasks: StartCounts,
}

/// Of one kind.
#[derive(Default)]
pub(crate) struct StartCounts {
    succeeded: AtomicU64,
    failed: AtomicU64,
    /// One for each that succeeded, zero for each that failed.
    recent: Sampled,
}

struct Names {
    attempts: &'static str,
    succeeded: &'static str,
    failed: &'static str,
    success: &'static str,
    failure: &'static str,
}

const CONNECTORS: Names = Names {
    attempts: "connector-startup-attempts-total",
    succeeded: "connector-startup-success-total",
    failed: "connector-startup-failure-total",
    success: "connector-startup-success-percentage",
    failure: "connector-startup-failure-percentage",
};

const TASKS: Names = Names {
    attempts: "task-startup-attempts-total",
    succeeded: "task-startup-success-total",
    failed: "task-startup-failure-total",
    success: "task-startup-success-percentage",
    failure: "task-startup-failure-percentage",
};

/// The tasks of a connector on this node in each state.
const BY_STATE: [(&str, TaskState); 5] = [
    ("connector-running-task-count", TaskState::Running),
    ("connector-paused-task-count", TaskState::Paused),
    ("connector-failed-task-count", TaskState::Failed),
    ("connector-unassigned-task-count", TaskState::Unassigned),
    ("connector-restarting-task-count", TaskState::Restarting),
];

impl Starts {
    pub(crate) fn new() -> Starts {
        Starts {
            began: Instant::now(),
            connectors: StartCounts::default(),
            tasks: StartCounts::default(),
        }
    }

    /// When the worker began, as Kafka's `app-info` has it.
    fn time(&self) -> Metric {
        let began = SystemTime::now() - self.began.elapsed();
        let since = began.duration_since(UNIX_EPOCH).unwrap_or_default();
        let value = MetricValue::Gauge(since.as_millis() as f64);
        Metric::new(MetricGroup::AppInfo, "start-time-ms", value)
    }

    pub(crate) fn count(&self, kind: &StartCounts, well: bool) {
        let total = if well { &kind.succeeded } else { &kind.failed };
        total.fetch_add(1, Ordering::Relaxed);
        kind.recent.add(self.began.elapsed(), u64::from(well));
    }
}

impl Worker {
    /// Everything that is measured here, by Kafka Connect's names.
    pub fn metrics(&self) -> Vec<Metric> {
        let mut tasks: Vec<(TaskId, Arc<Meters>)> = Vec::new();
        let mut abouts = Vec::new();
        for (id, running) in self.tasks().iter() {
            tasks.push((id.clone(), running.meters.clone()));
            let own = running.places.iter().find(|(place, _)| *place == Place::Plugin);
            let version = own.map(|(_, plugin)| plugin.version.clone());
            abouts.push((id.clone(), running.about.clone(), version));
        }
        let connectors = self.connectors().len();
        let mut metrics = vec![
            of_worker("connector-count", None, MetricValue::Gauge(connectors as f64)),
            of_worker("task-count", None, MetricValue::Gauge(tasks.len() as f64)),
        ];
        self.starts_of(&CONNECTORS, &self.starts.connectors, &mut metrics);
        self.starts_of(&TASKS, &self.starts.tasks, &mut metrics);
        count_tasks(&tasks, &mut metrics);
        for (id, meters) in &tasks {
            metrics.extend(meters.metrics(id));
        }
        for (id, about, version) in abouts {
            metrics.extend(about.metrics(&id, version.as_deref()));
        }
        metrics.push(self.starts.time());
        metrics.extend(self.plugin_metrics());
        metrics
    }

    /// What plugins say of themselves, but for secrets that their configuration had.
    fn plugin_metrics(&self) -> Vec<Metric> {
        let mut secrets: HashMap<Arc<str>, Option<Secrets>> = HashMap::new();
        let mut metrics = Vec::new();
        for GuestFigure { label, class, metric } in self.sandbox.figures() {
            let known = secrets
                .entry(label.connector.clone())
                .or_insert_with(|| self.secrets_of(&label.connector));
            // What belongs to nothing that runs, as a preview, shows nothing.
            let Some(known) = known else { continue };
            let value = match metric.value {
                caisson_sandbox::MetricValue::Counter(count) => MetricValue::Total(count),
                caisson_sandbox::MetricValue::Gauge(value) => MetricValue::Gauge(value),
            };
            let mut shown = Metric::new(MetricGroup::Plugin, known.hide(&metric.name), value);
            shown = shown.of(label.connector, label.task).labelled("class", class);
            for (name, value) in metric.labels {
                shown = shown.labelled(known.hide(&name), known.hide(&value));
            }
            metrics.push(shown);
        }
        metrics
    }

    /// None if nothing of the connector runs here, or the connector is busy.
    fn secrets_of(&self, connector: &str) -> Option<Secrets> {
        let of_task = self
            .tasks()
            .iter()
            .find_map(|(id, running)| (&*id.connector == connector).then(|| running.secrets.clone()));
        of_task.or_else(|| Some(self.connector(connector)?.try_held()?.secrets.clone()))
    }

    fn starts_of(&self, names: &Names, counts: &StartCounts, metrics: &mut Vec<Metric>) {
        let succeeded = counts.succeeded.load(Ordering::Relaxed);
        let failed = counts.failed.load(Ordering::Relaxed);
        let recent = counts.recent.read(self.starts.began.elapsed());
        metrics.extend([
            of_worker(names.attempts, None, MetricValue::Total(succeeded + failed)),
            of_worker(names.succeeded, None, MetricValue::Total(succeeded)),
            of_worker(names.failed, None, MetricValue::Total(failed)),
            of_worker(names.success, None, MetricValue::Gauge(recent.part())),
            of_worker(names.failure, None, MetricValue::Gauge(recent.other_part())),
        ]);
    }
}

fn count_tasks(tasks: &[(TaskId, Arc<Meters>)], metrics: &mut Vec<Metric>) {
    let mut states: BTreeMap<&Arc<str>, Vec<TaskState>> = BTreeMap::new();
    for (id, meters) in tasks {
        states.entry(&id.connector).or_default().push(meters.state());
    }
    for (connector, states) in states {
        let mut push = |name, count: usize| {
            let value = MetricValue::Gauge(count as f64);
            metrics.push(of_worker(name, Some(connector.clone()), value));
        };
        push("connector-total-task-count", states.len());
        for (name, state) in BY_STATE {
            push(name, states.iter().filter(|known| **known == state).count());
        }
        // As in Kafka Connect, where a task that was destroyed is not there any more.
        push("connector-destroyed-task-count", 0);
    }
}

fn of_worker(name: &'static str, connector: Option<Arc<str>>, value: MetricValue) -> Metric {
    let metric = Metric::new(MetricGroup::Worker, name, value);
    match connector {
        Some(connector) => metric.of(connector, None),
        None => metric,
    }
}
