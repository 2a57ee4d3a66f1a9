//! Measurements, by the names that Kafka Connect gives them in JMX.

use std::borrow::Cow;
use std::sync::Arc;

use crate::histogram::Distribution;

/// What a measurement is about; Kafka Connect's `type` without `-metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricGroup {
    /// `connect-worker-metrics`, of the worker or of one connector's tasks on it.
    Worker,
    /// `connect-worker-rebalance-metrics`
    Rebalance,
    Connector,
    ConnectorTask,
    /// `connector-transform-metrics`, which Kafka Connect has since 4.1, as the next.
    Transform,
    /// `connector-predicate-metrics`
    Predicate,
    SourceTask,
    SinkTask,
    TaskError,
    /// `connect-coordinator-metrics`
    Coordinator,
    /// `app-info`
    AppInfo,
    /// Restarts of what has failed, which Kafka Connect does not have.
    Restart,
    /// What tasks do with their time, which Kafka Connect does not tell.
    Stage,
    /// Plugins that were replaced while they ran.
    Module,
    /// What plugins count and measure.
    Plugin,
}

/// One measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub group: MetricGroup,
    /// With dashes; a plugin's is of its own choice.
    pub name: Cow<'static, str>,
    pub connector: Option<Arc<str>>,
    pub task: Option<u32>,
    /// Further labels.
    pub labels: Vec<(Cow<'static, str>, String)>,
    pub value: MetricValue,
}

#[derive(Clone, Debug, PartialEq)]
pub enum MetricValue {
    /// Only grows while what it is about goes on.
    Total(u64),
    /// Not a number where there is nothing to divide by, as in Kafka.
    Gauge(f64),
    Text(String),
    Distribution(Distribution),
}

impl Metric {
    /// A measurement of the whole worker.
    pub fn new(group: MetricGroup, name: impl Into<Cow<'static, str>>, value: MetricValue) -> Metric {
        Metric {
            group,
            name: name.into(),
            connector: None,
            task: None,
            labels: Vec::new(),
            value,
        }
    }

    /// Of a connector, or of one of its tasks.
    pub fn of(self, connector: Arc<str>, task: Option<u32>) -> Metric {
        Metric {
            connector: Some(connector),
            task,
            ..self
        }
    }

    pub fn labelled(mut self, label: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Metric {
        self.labels.push((label.into(), value.into()));
        self
    }
}
