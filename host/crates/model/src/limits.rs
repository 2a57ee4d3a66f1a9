//! What one instance of a guest may use. Set per worker by `sandbox.*` properties, lowered per connector.

use std::time::Duration;

/// Limits of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all linear memories together.
    pub memory: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Core instances inside the component.
    pub instances: u32,
    /// Wall clock for one call of a record function (`poll` beyond its wait, `put`, `apply`, ...).
    pub call: Duration,
    /// Wall clock for `start`, `stop`, `validate`, `task-configs`, `open`, `close`.
    pub lifecycle_call: Duration,
    /// Bytes that one call may return.
    pub output: u64,
    /// Log lines a second, and bytes in one line; what is beyond is counted and dropped.
    pub log_lines: u32,
    pub log_line: usize,
    /// Series of metrics that one instance may make.
    pub metric_series: usize,
    /// Connections that it may have open by way of the worker.
    pub connections: u32,
    /// Bytes of the body of one outgoing request, and of that of its answer.
    pub http_body: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory: 256 << 20,
            table_elements: 100_000,
            instances: 64,
            call: Duration::from_secs(30),
            lifecycle_call: Duration::from_secs(60),
            output: 64 << 20,
            log_lines: 100,
            log_line: 8 << 10,
            metric_series: 100,
            connections: 64,
            http_body: 1 << 30,
        }
    }
}
