//! The figures of all guests that there are, for whoever shows them.

use std::sync::{Mutex, PoisonError};

use crate::Label;
use crate::metrics::{Metric, Metrics, WeakMetrics};

/// The instances whose figures somebody still has. Held to add one, or to look at all.
#[derive(Default)]
pub(crate) struct Figures(Mutex<Vec<Known>>);

struct Known {
    label: Label,
    class: String,
    metrics: WeakMetrics,
}

/// One series of one instance.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestFigure {
    pub label: Label,
    /// The plugin's class.
    pub class: String,
    pub metric: Metric,
}

impl Figures {
    /// Those of an instance that is new; forgets the ones that are gone.
    pub(crate) fn add(&self, label: Label, class: &str, metrics: &Metrics) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| known.metrics.metrics().is_some());
        known.push(Known {
            label,
            class: class.to_owned(),
            metrics: metrics.downgrade(),
        });
    }

    pub(crate) fn all(&self) -> Vec<GuestFigure> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut figures = Vec::new();
        for known in &*known {
            let series = known.metrics.metrics().map(|metrics| metrics.snapshot());
            figures.extend(series.into_iter().flatten().map(|metric| GuestFigure {
                label: known.label.clone(),
                class: known.class.clone(),
                metric,
            }));
        }
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_go_with_their_instance() {
        let figures = Figures::default();
        let label = |task| Label {
            connector: "c".into(),
            task: Some(task),
        };
        let (first, second) = (Metrics::new(9), Metrics::new(9));
        figures.add(label(0), "Sink", &first);
        figures.add(label(1), "Sink", &second);
        first.add("records", Vec::new(), 3);
        second.add("records", Vec::new(), 4);
        let tasks = || {
            figures
                .all()
                .into_iter()
                .map(|figure| figure.label.task)
                .collect::<Vec<_>>()
        };
        assert_eq!(tasks(), [Some(0), Some(1)]);
        drop(first);
        assert_eq!(tasks(), [Some(1)]);
    }
}
