//! What a member's requests to its coordinator come to, by the names that Kafka's clients have for it
//! (`GroupCoordinatorMetrics` and `HeartbeatThread` of `AbstractCoordinator`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use caisson_model::{Metric, MetricGroup, MetricValue, Sampled};

use super::millis;
use crate::clock::Moment;

/// Counted by the membership's thread alone, read by anybody.
pub(super) struct Meters {
    /// Windows of figures are counted from here.
    since: Moment,
    heartbeats: Requests,
    joins: Requests,
    syncs: Requests,
    /// From the first join to the assignment.
    rebalances: Requests,
    failed: Requests,
    /// Milliseconds of all rebalances.
    rebalance_time: AtomicU64,
    /// Moments; 0 for none.
    last_heartbeat: AtomicU64,
    last_rebalance: AtomicU64,
    /// When the rebalance began that is under way.
    began: AtomicU64,
}

/// One kind of question, by those that were answered.
#[derive(Default)]
struct Requests {
    total: AtomicU64,
    /// In milliseconds.
    times: Sampled,
}

impl Requests {
    fn add(&self, now: Duration, took: Duration) {
        self.total.fetch_add(1, Ordering::Relaxed);
        self.times.add(now, u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    }

    fn total(&self) -> MetricValue {
        MetricValue::Total(self.total.load(Ordering::Relaxed))
    }
}

impl Meters {
    pub(super) fn new() -> Meters {
        Meters {
            since: Moment::now(),
            heartbeats: Requests::default(),
            joins: Requests::default(),
            syncs: Requests::default(),
            rebalances: Requests::default(),
            failed: Requests::default(),
            rebalance_time: AtomicU64::new(0),
            last_heartbeat: AtomicU64::new(0),
            last_rebalance: AtomicU64::new(0),
            began: AtomicU64::new(0),
        }
    }

    fn running(&self, now: Moment) -> Duration {
        now.after(self.since)
    }

    pub(super) fn heartbeat_sent(&self, now: Moment) {
        self.last_heartbeat.store(millis(now), Ordering::Relaxed);
    }

    pub(super) fn heartbeat_answered(&self, sent: Moment, now: Moment) {
        self.heartbeats.add(self.running(now), now.after(sent));
    }

    /// Of several joins for one assignment the first begins its rebalance.
    pub(super) fn join_sent(&self, now: Moment) {
        if self.began.load(Ordering::Relaxed) == 0 {
            self.began.store(millis(now), Ordering::Relaxed);
        }
    }

    pub(super) fn joined(&self, sent: Moment, now: Moment) {
        self.joins.add(self.running(now), now.after(sent));
    }

    /// A join or a sync was refused, or not answered. As in Kafka's clients one that is told its id first counts.
    pub(super) fn failed(&self, now: Moment) {
        self.failed.add(self.running(now), Duration::ZERO);
    }

    pub(super) fn synced(&self, sent: Moment, now: Moment) {
        self.syncs.add(self.running(now), now.after(sent));
        let began = match self.began.swap(0, Ordering::Relaxed) {
            0 => sent,
            began => Moment::from_start(Duration::from_millis(began)),
        };
        let took = now.after(began);
        self.rebalances.add(self.running(now), took);
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.rebalance_time.fetch_add(took, Ordering::Relaxed);
        self.last_rebalance.store(millis(now), Ordering::Relaxed);
    }

    pub(super) fn read(&self, now: Moment) -> Vec<Metric> {
        let running = self.running(now);
        let ago = |when: &AtomicU64| match when.load(Ordering::Relaxed) {
            0 => -1.0,
            when => (millis(now).saturating_sub(when) / 1000) as f64,
        };
        let sample = |of: &Requests| of.times.read(running);
        let gauge = MetricValue::Gauge;
        let (beats, joins, syncs) = (sample(&self.heartbeats), sample(&self.joins), sample(&self.syncs));
        let (rebalances, failed) = (sample(&self.rebalances), sample(&self.failed));
        let latency = self.rebalance_time.load(Ordering::Relaxed);
        let values = [
            ("heartbeat-rate", gauge(beats.frequency())),
            ("heartbeat-response-time-max", gauge(beats.max())),
            ("heartbeat-total", self.heartbeats.total()),
            ("last-heartbeat-seconds-ago", gauge(ago(&self.last_heartbeat))),
            ("join-rate", gauge(joins.frequency())),
            ("join-time-avg", gauge(joins.average())),
            ("join-time-max", gauge(joins.max())),
            ("join-total", self.joins.total()),
            ("sync-rate", gauge(syncs.frequency())),
            ("sync-time-avg", gauge(syncs.average())),
            ("sync-time-max", gauge(syncs.max())),
            ("sync-total", self.syncs.total()),
            ("rebalance-latency-avg", gauge(rebalances.average())),
            ("rebalance-latency-max", gauge(rebalances.max())),
            ("rebalance-latency-total", MetricValue::Total(latency)),
            ("rebalance-rate-per-hour", gauge(rebalances.frequency() * 3600.0)),
            ("rebalance-total", self.rebalances.total()),
            ("failed-rebalance-rate-per-hour", gauge(failed.frequency() * 3600.0)),
            ("failed-rebalance-total", self.failed.total()),
            ("last-rebalance-seconds-ago", gauge(ago(&self.last_rebalance))),
        ];
        let of_group = |(name, value)| Metric::new(MetricGroup::Coordinator, name, value);
        values.into_iter().map(of_group).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(metrics: &[Metric], name: &str) -> f64 {
        match &metrics.iter().find(|metric| metric.name == name).unwrap().value {
            MetricValue::Total(total) => *total as f64,
            MetricValue::Gauge(gauge) => *gauge,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn a_rebalance_takes_from_its_first_join_to_its_assignment() {
        let mut meters = Meters::new();
        let at = |seconds: u64| Moment::from_start(Duration::from_secs(1000 + seconds));
        meters.since = at(0);
        let nothing = meters.read(at(0));
        assert_eq!(value(&nothing, "last-heartbeat-seconds-ago"), -1.0);
        assert!(value(&nothing, "rebalance-latency-avg").is_nan());
        // The first join is refused: the member is told its id.
        meters.join_sent(at(1));
        meters.failed(at(2));
        meters.join_sent(at(2));
        meters.joined(at(2), at(4));
        meters.synced(at(4), at(5));
        meters.heartbeat_sent(at(6));
        meters.heartbeat_answered(at(6), at(7));
        let read = meters.read(at(10));
        let expected = [
            ("failed-rebalance-total", 1.0),
            ("join-total", 1.0),
            ("join-time-avg", 2000.0),
            ("sync-time-max", 1000.0),
            ("rebalance-total", 1.0),
            ("rebalance-latency-total", 4000.0),
            ("last-rebalance-seconds-ago", 5.0),
            ("heartbeat-total", 1.0),
            ("heartbeat-rate", 1.0 / 30.0),
            ("heartbeat-response-time-max", 1000.0),
            ("last-heartbeat-seconds-ago", 4.0),
            ("rebalance-rate-per-hour", 120.0),
        ];
        for (name, expected) in expected {
            assert_eq!(value(&read, name), expected, "{name}");
        }
    }
}
