//! A figure over the last two windows of half a minute, as `metrics.num.samples` and `metrics.sample.window.ms` are by
//! default.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(30);

/// Two windows that take turns. Where several write at the moment at which a window begins, one of their figures may be
/// lost, and nothing else.
#[derive(Default)]
pub struct Sampled([Window; 2]);

#[derive(Default)]
struct Window {
    /// Counts windows from one; zero: never used.
    number: AtomicU64,
    count: AtomicU64,
    sum: AtomicU64,
    max: AtomicU64,
    /// As seen from the largest number, so that nothing is zero.
    min: AtomicU64,
}

/// What was added in the windows that count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    count: u64,
    sum: u64,
    max: u64,
    min: u64,
    /// The time that the windows cover.
    covered: Duration,
}

fn number(now: Duration) -> u64 {
    now.as_secs() / WINDOW.as_secs() + 1
}

impl Sampled {
    /// `now` is the time since whatever began that this is a figure of.
    pub fn add(&self, now: Duration, value: u64) {
        let number = number(now);
        let window = &self.0[(number % 2) as usize];
        if window.number.swap(number, Ordering::Relaxed) != number {
            for figure in [&window.count, &window.sum, &window.max, &window.min] {
                figure.store(0, Ordering::Relaxed);
            }
        }
        window.count.fetch_add(1, Ordering::Relaxed);
        window.sum.fetch_add(value, Ordering::Relaxed);
        window.max.fetch_max(value, Ordering::Relaxed);
        window.min.fetch_max(u64::MAX - value, Ordering::Relaxed);
    }

    pub fn read(&self, now: Duration) -> Sample {
        let current = number(now);
        let first = current.saturating_sub(1).max(1);
        let mut sample = Sample {
            covered: now.saturating_sub(WINDOW * u32::try_from(first - 1).unwrap_or(u32::MAX)),
            min: u64::MAX,
            ..Sample::default()
        };
        for window in &self.0 {
            if window.number.load(Ordering::Relaxed) < first {
                continue;
            }
            sample.count += window.count.load(Ordering::Relaxed);
            sample.sum += window.sum.load(Ordering::Relaxed);
            sample.max = sample.max.max(window.max.load(Ordering::Relaxed));
            sample.min = sample.min.min(u64::MAX - window.min.load(Ordering::Relaxed));
        }
        sample
    }
}

impl Sample {
    /// Not a number if there was nothing.
    pub fn average(self) -> f64 {
        self.sum as f64 / self.count as f64
    }

    /// Not a number if there was nothing.
    pub fn max(self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.max as f64 }
    }

    /// Not a number if there was nothing.
    pub fn min(self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.min as f64 }
    }

    /// Per second. As in Kafka, over one window at least, so that what has just begun shows no peak.
    pub fn rate(self) -> f64 {
        self.sum as f64 / self.covered.max(WINDOW).as_secs_f64()
    }

    /// How often per second, over the same time.
    pub fn frequency(self) -> f64 {
        self.count as f64 / self.covered.max(WINDOW).as_secs_f64()
    }

    /// Of ones and zeros, the part that are ones; zero if there was nothing.
    pub fn part(self) -> f64 {
        if self.count == 0 { 0.0 } else { self.average() }
    }

    /// The rest.
    pub fn other_part(self) -> f64 {
        if self.count == 0 { 0.0 } else { 1.0 - self.average() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn nothing_has_no_average() {
        let sample = Sampled::default().read(at(100));
        assert!(sample.average().is_nan());
        assert!(sample.max().is_nan());
        assert_eq!((sample.rate(), sample.part(), sample.other_part()), (0.0, 0.0, 0.0));
    }

    #[test]
    fn what_is_older_than_two_windows_does_not_count() {
        let figure = Sampled::default();
        figure.add(at(1), 10);
        figure.add(at(31), 20);
        let sample = figure.read(at(45));
        assert_eq!((sample.average(), sample.max()), (15.0, 20.0));
        assert_eq!(sample.rate(), 30.0 / 45.0);
        // The first window is over, though nothing has taken its place.
        let sample = figure.read(at(60));
        assert_eq!((sample.average(), sample.rate()), (20.0, 20.0 / 30.0));
        figure.add(at(61), 40);
        assert_eq!(figure.read(at(61)).average(), 30.0);
        assert!(figure.read(at(500)).average().is_nan());
    }

    #[test]
    fn a_rate_covers_one_window_at_least() {
        let figure = Sampled::default();
        figure.add(at(1), 300);
        assert_eq!(figure.read(at(1)).rate(), 10.0);
        assert_eq!(figure.read(at(1)).frequency(), 1.0 / 30.0);
    }

    #[test]
    fn parts_are_of_ones_and_zeros() {
        let figure = Sampled::default();
        for value in [1, 1, 1, 0] {
            figure.add(at(2), value);
        }
        let sample = figure.read(at(2));
        assert_eq!((sample.part(), sample.other_part()), (0.75, 0.25));
    }
}
