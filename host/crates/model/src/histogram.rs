//! How long things took, counted by size.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds, in microseconds; what took longer counts above all of them.
const BOUNDS: [u64; 12] = [
    100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000, 10_000_000, 60_000_000,
];

/// Durations since the beginning. Each figure is right by itself; those of one reading may be one duration apart.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; BOUNDS.len() + 1],
    /// In microseconds.
    sum: AtomicU64,
}

/// What a histogram had at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// Upper bounds in seconds, and how many durations were not above them.
    pub buckets: Vec<(f64, u64)>,
    pub count: u64,
    /// In seconds.
    pub sum: f64,
}

impl Histogram {
    pub fn add(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// None if there was nothing.
    pub fn read(&self) -> Option<Distribution> {
        let seconds = |micros: u64| Duration::from_micros(micros).as_secs_f64();
        let mut count = 0;
        let mut buckets = Vec::with_capacity(BOUNDS.len());
        for (bound, counted) in BOUNDS.iter().zip(&self.counts) {
            count += counted.load(Ordering::Relaxed);
            buckets.push((seconds(*bound), count));
        }
        count += self.counts[BOUNDS.len()].load(Ordering::Relaxed);
        (count > 0).then(|| Distribution {
            buckets,
            count,
            sum: seconds(self.sum.load(Ordering::Relaxed)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_count_everything_up_to_their_bound() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read(), None);
        for millis in [0, 1, 2, 70_000] {
            histogram.add(Duration::from_millis(millis));
        }
        let read = histogram.read().expect("there was something");
        assert_eq!((read.count, read.sum), (4, 70.003));
        assert_eq!(read.buckets[..4], [(0.0001, 1), (0.0005, 1), (0.001, 2), (0.005, 3)]);
        assert_eq!(read.buckets.last(), Some(&(60.0, 3)));
    }
}
