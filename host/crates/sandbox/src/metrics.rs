//! The figures that a guest keeps: bounded in number, readable by the worker at any time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Bytes in a name, a label's name, or a label's value; longer ones are cut.
const MAX_TEXT: usize = 200;
/// Labels of one series; what is beyond is left out.
const MAX_LABELS: usize = 8;

/// The value of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricValue {
    Counter(u64),
    Gauge(f64),
}

/// One series of a guest's metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub value: MetricValue,
}

/// A name and its labels, sorted: the order in which a guest gives labels makes no new series.
type Series = (String, Vec<(String, String)>);

#[derive(Debug, Default)]
struct Registry {
    series: BTreeMap<Series, MetricValue>,
    refused: u64,
}

/// The metrics of one instance. Clones see the same figures, also while a call runs and after the instance has gone.
#[derive(Clone, Debug)]
pub struct Metrics {
    max_series: usize,
    /// Written by the instance's thread, read by whoever renders metrics; held for one update or one copy.
    registry: Arc<Mutex<Registry>>,
}

/// The metrics of an instance for as long as somebody else has them.
pub(crate) struct WeakMetrics {
    max_series: usize,
    registry: Weak<Mutex<Registry>>,
}

impl WeakMetrics {
    pub(crate) fn metrics(&self) -> Option<Metrics> {
        Some(Metrics {
            max_series: self.max_series,
            registry: self.registry.upgrade()?,
        })
    }
}

impl Metrics {
    pub(crate) fn downgrade(&self) -> WeakMetrics {
        WeakMetrics {
            max_series: self.max_series,
            registry: Arc::downgrade(&self.registry),
        }
    }

    pub(crate) fn new(max_series: usize) -> Self {
        Metrics {
            max_series,
            registry: Arc::default(),
        }
    }

    /// All series by name.
    pub fn snapshot(&self) -> Vec<Metric> {
        let registry = self.lock();
        let copy = |((name, labels), value): (&Series, &MetricValue)| Metric {
            name: name.clone(),
            labels: labels.clone(),
            value: *value,
        };
        registry.series.iter().map(copy).collect()
    }

    /// The sum of a counter over all its labels; zero if the guest never used it.
    pub fn counter(&self, name: &str) -> u64 {
        let registry = self.lock();
        let of_name = registry.series.iter().filter(|((series, _), _)| series == name);
        of_name
            .map(|(_, value)| match value {
                MetricValue::Counter(count) => *count,
                MetricValue::Gauge(_) => 0,
            })
            .fold(0, u64::saturating_add)
    }

    /// Updates that were refused because the instance has as many series as it may (`sandbox.metric.series`).
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    pub(crate) fn add(&self, name: &str, labels: Vec<(String, String)>, by: u64) {
        self.update(name, labels, MetricValue::Counter(by));
    }

    pub(crate) fn set(&self, name: &str, labels: Vec<(String, String)>, value: f64) {
        self.update(name, labels, MetricValue::Gauge(value));
    }

    fn update(&self, name: &str, mut labels: Vec<(String, String)>, new: MetricValue) {
        labels.truncate(MAX_LABELS);
        for (label, value) in &mut labels {
            cut(label);
            cut(value);
        }
        labels.sort();
        let mut name = name.to_owned();
        cut(&mut name);
        let mut registry = self.lock();
        if let Some(value) = registry.series.get_mut(&(name.clone(), labels.clone())) {
            *value = match (*value, new) {
                (MetricValue::Counter(old), MetricValue::Counter(by)) => MetricValue::Counter(old.saturating_add(by)),
                (_, new) => new,
            };
        } else if registry.series.len() < self.max_series {
            registry.series.insert((name, labels), new);
        } else {
            registry.refused += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        // Every update leaves the registry whole, so a panic elsewhere does not spoil it.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cut(text: &mut String) {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_order_of_labels_makes_no_new_series() {
        let metrics = Metrics::new(10);
        let label = |name: &str| (name.to_owned(), "1".to_owned());
        metrics.add("records", vec![label("a"), label("b")], 2);
        metrics.add("records", vec![label("b"), label("a")], 3);
        assert_eq!(metrics.snapshot().len(), 1);
        assert_eq!(metrics.counter("records"), 5);
    }

    #[test]
    fn series_beyond_the_limit_are_refused_and_counted() {
        let metrics = Metrics::new(3);
        for i in 0..100 {
            metrics.set("gauge", vec![("i".into(), i.to_string())], 1.0);
        }
        assert_eq!(metrics.snapshot().len(), 3);
        assert_eq!(metrics.refused(), 97);
    }

    #[test]
    fn long_names_are_cut_at_a_character() {
        let metrics = Metrics::new(1);
        metrics.add(&"é".repeat(1000), vec![], 1);
        assert_eq!(metrics.snapshot()[0].name.len(), 200);
    }
}
