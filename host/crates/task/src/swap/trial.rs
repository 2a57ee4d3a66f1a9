//! Probation: for so many records, or so long, a plugin may be replaced again by the one before it.

use std::time::Duration;

use caisson_model::{Failure, FailureKind};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::settings::PluginRef;

/// Failures from which on a rate is worth looking at before the probation is over.
const ENOUGH_FAILURES: u64 = 10;
/// Records from which on the rate of the plugin before is known.
const ENOUGH_RECORDS: u64 = 100;

/// How long a probation is; it ends with whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub records: u64,
    pub time: Duration,
}

/// What became of a plugin's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub records: u64,
    pub failures: u64,
}

/// A probation that goes on.
#[derive(Debug)]
pub struct Trial {
    /// Who comes back.
    pub before: PluginRef,
    terms: Terms,
    until: Instant,
    since: Tally,
    /// Of the plugin before.
    rate: Tally,
    verdict: oneshot::Sender<Result<(), Failure>>,
}

/// What a look at a probation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    GoOn,
    Passed,
    /// More fails than before.
    Worse(String),
}

impl Tally {
    pub fn add(&mut self, records: u64, failures: u64) {
        self.records += records;
        self.failures += failures;
    }

    /// Whether more than twice as much fails as `before`; of a plugin that was hardly used nothing is known, and then
    /// half is too much.
    fn is_worse_than(self, before: Tally) -> bool {
        let (new, old) = (u128::from(self.failures), u128::from(before.failures));
        if before.records < ENOUGH_RECORDS {
            return new * 2 > u128::from(self.records);
        }
        new * u128::from(before.records) > 2 * old * u128::from(self.records)
    }
}

impl Trial {
    pub fn begin(before: PluginRef, rate: Tally, terms: Terms, verdict: oneshot::Sender<Result<(), Failure>>) -> Trial {
        Trial {
            before,
            terms,
            until: Instant::now() + terms.time,
            since: Tally::default(),
            rate,
            verdict,
        }
    }

    /// When to look again, if no batch comes.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// A batch has passed, or time has.
    pub fn look(&mut self, records: u64, failures: u64) -> Step {
        self.since.add(records, failures);
        let over = Instant::now() >= self.until || self.since.records >= self.terms.records;
        judge(self.rate, self.since, over)
    }

    /// The plugin has proved itself.
    pub fn pass(self) {
        // Nobody waits for it where the worker shuts down.
        let _ = self.verdict.send(Ok(()));
    }

    /// It has not.
    pub fn fail(self, failure: Failure) {
        let _ = self.verdict.send(Err(failure));
    }
}

/// What is to be said of a plugin, from what became of its records and of those of the one before it.
fn judge(before: Tally, since: Tally, over: bool) -> Step {
    let enough = since.failures >= ENOUGH_FAILURES || over;
    if enough && since.failures > 0 && since.is_worse_than(before) {
        return Step::Worse(format!(
            "{} of {} records failed, before it was {} of {}",
            since.failures, since.records, before.failures, before.records
        ));
    }
    if over { Step::Passed } else { Step::GoOn }
}

/// A failure rate as a failure.
pub fn worse(class: &str, how: String) -> Failure {
    Failure::new(FailureKind::Guest, format!("{class} fails too often: {how}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(before: (u64, u64), since: (u64, u64), late: bool) -> &'static str {
        let tally = |(records, failures)| Tally { records, failures };
        match judge(tally(before), tally(since), late || since.0 >= 1_000) {
            Step::Worse(_) => "worse",
            Step::Passed => "passed",
            Step::GoOn => "on",
        }
    }

    #[test]
    fn a_probation_ends_by_records_by_time_or_by_failures() {
        assert_eq!(step((500, 0), (10, 0), false), "on");
        assert_eq!(step((500, 0), (1_000, 0), false), "passed");
        assert_eq!(step((500, 0), (10, 0), true), "passed");
        assert_eq!(step((500, 0), (900, 9), false), "on");
        assert_eq!(step((500, 0), (900, 10), false), "worse");
        assert_eq!(step((500, 0), (1_000, 1), false), "worse");
    }

    #[test]
    fn what_failed_before_may_fail_again() {
        assert_eq!(step((1_000, 100), (900, 150), false), "on");
        assert_eq!(step((1_000, 100), (1_000, 200), false), "passed");
        assert_eq!(step((1_000, 100), (1_000, 201), false), "worse");
        assert_eq!(
            step((3, 0), (1_000, 400), false),
            "passed",
            "nothing is known of the one before"
        );
        assert_eq!(step((3, 0), (1_000, 501), false), "worse");
    }
}
