//! Figures of a plugin, shown beside those of the worker with connector and task as labels.
//!
//! A call crosses the sandbox, so count in a field and report once per batch, not once per record.

/// Adds to a counter, which begins at zero.
pub fn count(name: &str, by: u64) {
    count_with(name, &[], by);
}

/// Adds to a counter with labels.
pub fn count_with(name: &str, labels: &[(&str, &str)], by: u64) {
    crate::host::metrics_add(name, labels, by);
}

/// Sets a gauge.
pub fn gauge(name: &str, value: f64) {
    gauge_with(name, &[], value);
}

/// Sets a gauge with labels.
pub fn gauge_with(name: &str, labels: &[(&str, &str)], value: f64) {
    crate::host::metrics_set(name, labels, value);
}
