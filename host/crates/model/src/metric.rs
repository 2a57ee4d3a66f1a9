//! Measurements, by the names that Kafka Connect gives them in JMX.

use std::sync::Arc;

/// What a measurement is about; Kafka Connect's `type` without `-metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricGroup {
    /// `connect-worker-metrics`, of the worker or of one connector's tasks on it.
    Worker,
    /// `connect-worker-rebalance-metrics`
    Rebalance,
    Connector,
    ConnectorTask,
    SourceTask,
    SinkTask,
    TaskError,
    /// Restarts of what has failed, which Kafka Connect does not have.
    Restart,
}

/// One measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub group: MetricGroup,
    /// With dashes.
    pub name: &'static str,
    pub connector: Option<Arc<str>>,
    pub task: Option<u32>,
    pub value: MetricValue,
}

#[derive(Clone, Debug, PartialEq)]
pub enum MetricValue {
    /// Only grows while what it is about goes on.
    Total(u64),
    /// Not a number where there is nothing to divide by, as in Kafka.
    Gauge(f64),
    Text(String),
}
