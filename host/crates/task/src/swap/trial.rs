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

/// What a task keeps of its own plugin in this respect: how its records fare, and whether it is on probation.
#[derive(Default)]
pub struct Probation {
    /// Since the plugin has its place.
    tally: Tally,
    /// While it may be replaced by the one before it.
    trial: Option<Trial>,
    /// The last failure was the plugin's.
    pub at_fault: bool,
}

impl Probation {
    /// Another plugin has the place of `before`; without terms it is not on probation.
    pub fn begin(&mut self, before: PluginRef, terms: Option<Terms>, verdict: oneshot::Sender<Result<(), Failure>>) {
        let rate = std::mem::take(&mut self.tally);
        self.trial = terms.map(|terms| Trial::begin(before, rate, terms, verdict));
    }

    /// When to look again, if no batch comes.
    pub fn until(&self) -> Option<Instant> {
        self.trial.as_ref().map(Trial::until)
    }

    /// Counts what became of a batch; a plugin on probation may have proved itself, or not.
    pub fn count(&mut self, class: &str, records: usize, failures: usize) -> Result<(), Failure> {
        let (records, failures) = (records as u64, failures as u64);
        self.tally.add(records, failures);
        let Some(trial) = &mut self.trial else { return Ok(()) };
        match trial.look(records, failures) {
            Step::GoOn => {}
            Step::Passed => {
                if let Some(trial) = self.trial.take() {
                    trial.pass();
                }
            }
            Step::Worse(how) => {
                self.at_fault = true;
                return Err(worse(class, how));
            }
        }
        Ok(())
    }

    /// Whether a failure is the plugin's own, and another one can take its place.
    pub fn may_fall_back(&self, failure: &Failure) -> bool {
        self.trial.is_some() && self.at_fault && failure.kind != FailureKind::Host
    }

    /// Ends the probation of a plugin that failed; returns who comes back, or the failure if there is nobody.
    pub fn fail(&mut self, class: &str, failure: Failure) -> Result<PluginRef, Failure> {
        let Some(trial) = self.trial.take() else {
            return Err(failure);
        };
        tracing::error!(
            kind = failure.kind.as_str(),
            class,
            "the plugin failed on probation, the one before it comes back: {failure}"
        );
        let before = trial.before.clone();
        trial.fail(failure);
        self.tally = Tally::default();
        Ok(before)
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
