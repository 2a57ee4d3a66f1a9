//! How often the group has shared out its work, and how long that took, as this worker saw it.

use std::time::Duration;

use caisson_model::{GroupProtocol, Metric, MetricGroup, MetricValue, Sampled};

use super::core::Core;

#[derive(Default)]
pub struct Rebalances {
    /// When the one that goes on began.
    began: Option<Duration>,
    completed: u64,
    last: Option<Duration>,
    /// In milliseconds.
    times: Sampled,
}

impl Rebalances {
    /// A step has happened: whether it was a round's first, and whether an assignment is in effect after it.
    pub fn note(&mut self, begins: bool, resolved: bool, now: Duration) {
        if begins && !resolved {
            self.began.get_or_insert(now);
        }
        if resolved && let Some(began) = self.began.take() {
            self.completed += 1;
            self.last = Some(now);
            let took = now.saturating_sub(began).as_millis();
            self.times.add(now, u64::try_from(took).unwrap_or(u64::MAX));
        }
    }

    pub fn metrics(&self, core: &Core, now: Duration) -> Vec<Metric> {
        let times = self.times.read(now);
        let since = self
            .last
            .map_or(f64::INFINITY, |last| now.saturating_sub(last).as_millis() as f64);
        let protocol = match core.protocol() {
            GroupProtocol::Eager => "EAGER",
            GroupProtocol::Compatible => "COMPATIBLE",
            GroupProtocol::Sessioned => "SESSIONED",
        };
        let values = [
            ("connect-protocol", MetricValue::Text(protocol.to_owned())),
            ("leader-name", MetricValue::Text(core.leader_url().unwrap_or_default())),
            ("epoch", MetricValue::Gauge(f64::from(core.generation()))),
            ("completed-rebalances-total", MetricValue::Total(self.completed)),
            (
                "rebalancing",
                MetricValue::Gauge(f64::from(u8::from(self.began.is_some()))),
            ),
            ("rebalance-max-time-ms", MetricValue::Gauge(times.max())),
            ("rebalance-avg-time-ms", MetricValue::Gauge(times.average())),
            ("time-since-last-rebalance-ms", MetricValue::Gauge(since)),
        ];
        let (connectors, tasks) = core.assigned();
        let assigned = [("assigned-connectors", connectors), ("assigned-tasks", tasks)];
        let assigned = assigned.map(|(name, count)| (name, MetricValue::Gauge(count as f64)));
        let of = |group| move |(name, value)| Metric::new(group, name, value);
        let values = values.into_iter().map(of(MetricGroup::Rebalance));
        values
            .chain(assigned.into_iter().map(of(MetricGroup::Coordinator)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebalance_is_over_when_its_assignment_is_in_effect() {
        let at = Duration::from_secs;
        let mut rebalances = Rebalances::default();
        rebalances.note(true, false, at(1));
        rebalances.note(true, false, at(2));
        assert_eq!((rebalances.began, rebalances.completed), (Some(at(1)), 0));
        rebalances.note(false, true, at(4));
        // What happens without a round is none.
        rebalances.note(false, true, at(5));
        assert_eq!((rebalances.began, rebalances.completed), (None, 1));
        assert_eq!(rebalances.times.read(at(5)).average(), 3000.0);
        assert_eq!(rebalances.last, Some(at(4)));
    }
}
