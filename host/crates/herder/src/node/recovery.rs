//! Restarts of what has failed, without being asked: how often, and when. No clock, no I/O.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use caisson_model::RestartPolicy;

/// What of a connector may fail by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Connector,
    Task(u32),
}

/// What has failed here of one connector that wants restarts.
#[derive(Debug, Default)]
pub struct Recovery {
    parts: BTreeMap<Part, Row>,
}

/// Failures of one part.
#[derive(Debug, Default)]
struct Row {
    /// Of the connector's configuration: another one begins anew.
    revision: u64,
    in_a_row: u32,
    total: u64,
    running_since: Option<Duration>,
    due: Option<Duration>,
    given_up: bool,
}

/// What a failure comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Restart {
        attempt: u32,
        /// None: without end.
        of: Option<u32>,
        wait: Duration,
    },
    GiveUp {
        attempts: u32,
    },
}

/// What is measured of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub restarts: u64,
    pub given_up: bool,
}

impl Recovery {
    /// Something failed at `now`, under this revision of the connector's configuration.
    pub fn failed(&mut self, part: Part, revision: u64, policy: &RestartPolicy, now: Duration) -> Verdict {
        let row = self.parts.entry(part).or_default();
        let ran = row.running_since.take().map(|since| now.saturating_sub(since));
        if row.revision != revision || ran.is_some_and(|ran| ran >= policy.reset_after) {
            row.in_a_row = 0;
        }
        row.revision = revision;
        row.given_up = policy.attempts.is_some_and(|attempts| row.in_a_row >= attempts);
        if row.given_up {
            row.due = None;
            return Verdict::GiveUp { attempts: row.in_a_row };
        }
        let wait = policy.wait(row.in_a_row);
        row.in_a_row = row.in_a_row.saturating_add(1);
        row.due = Some(now + wait);
        Verdict::Restart {
            attempt: row.in_a_row,
            of: policy.attempts,
            wait,
        }
    }

    /// Something is being started, for whatever reason: no restart of it is due any more.
    pub fn starts(&mut self, part: Part) {
        if let Some(row) = self.parts.get_mut(&part) {
            row.due = None;
            row.running_since = None;
        }
    }

    /// Something runs.
    pub fn runs(&mut self, part: Part, now: Duration) {
        if let Some(row) = self.parts.get_mut(&part) {
            row.running_since.get_or_insert(now);
        }
    }

    /// Somebody has asked for a restart, and cares: it has all its attempts again.
    pub fn asked_for(&mut self, part: Part) {
        if let Some(row) = self.parts.get_mut(&part) {
            row.in_a_row = 0;
            row.given_up = false;
        }
    }

    /// It is not to run here any more.
    pub fn forget(&mut self, part: Part) {
        self.parts.remove(&part);
    }

    /// When something is to be restarted next.
    pub fn next_due(&self) -> Option<Duration> {
        self.parts.values().filter_map(|row| row.due).min()
    }

    /// What is to be restarted now.
    pub fn take_due(&mut self, now: Duration) -> Vec<Part> {
        let mut parts = Vec::new();
        for (part, row) in &mut self.parts {
            if row.due.take_if(|due| *due <= now).is_some() {
                row.total += 1;
                parts.push(*part);
            }
        }
        parts
    }

    pub fn counts(&self) -> impl Iterator<Item = (Part, Counts)> {
        let counts = |row: &Row| Counts {
            restarts: row.total,
            given_up: row.given_up,
        };
        self.parts.iter().map(move |(part, row)| (*part, counts(row)))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Restart { attempt, of, wait } => {
                write!(
                    f,
                    "Restarted automatically after {} ms (attempt {attempt}",
                    wait.as_millis()
                )?;
                match of {
                    Some(of) => write!(f, " of {of})"),
                    None => write!(f, ")"),
                }
            }
            Verdict::GiveUp { attempts } => {
                write!(
                    f,
                    "Not restarted automatically any more (attempts in a row: {attempts})"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RestartPolicy = RestartPolicy {
        attempts: Some(3),
        backoff: Duration::from_secs(10),
        longest_backoff: Duration::from_secs(30),
        reset_after: Duration::from_secs(600),
    };
    const TASK: Part = Part::Task(0);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn restart(attempt: u32, wait: u64) -> Verdict {
        let (of, wait) = (POLICY.attempts, at(wait));
        Verdict::Restart { attempt, of, wait }
    }

    /// Fails as often as it may.
    fn exhausted() -> Recovery {
        let mut recovery = Recovery::default();
        for (attempt, wait) in [(1, 10), (2, 20), (3, 30)] {
            assert_eq!(recovery.failed(TASK, 1, &POLICY, at(0)), restart(attempt, wait));
            assert_eq!(recovery.next_due(), Some(at(wait)));
            assert_eq!(recovery.take_due(at(wait - 1)), []);
            assert_eq!(recovery.take_due(at(wait)), [TASK]);
            assert_eq!((recovery.next_due(), recovery.take_due(at(1000))), (None, vec![]));
            recovery.starts(TASK);
            recovery.runs(TASK, at(0));
        }
        assert_eq!(
            recovery.failed(TASK, 1, &POLICY, at(0)),
            Verdict::GiveUp { attempts: 3 }
        );
        assert_eq!(recovery.next_due(), None);
        recovery
    }

    #[test]
    fn waits_grow_until_there_are_no_attempts_left() {
        let counts = Counts {
            restarts: 3,
            given_up: true,
        };
        assert_eq!(exhausted().counts().collect::<Vec<_>>(), [(TASK, counts)]);
    }

    #[test]
    fn another_configuration_a_wish_and_a_long_run_give_all_attempts_again() {
        assert_eq!(exhausted().failed(TASK, 2, &POLICY, at(1)), restart(1, 10));

        let mut recovery = exhausted();
        recovery.asked_for(TASK);
        assert_eq!(recovery.failed(TASK, 1, &POLICY, at(1)), restart(1, 10));

        let mut recovery = exhausted();
        recovery.runs(TASK, at(100));
        recovery.runs(TASK, at(500));
        assert_eq!(recovery.failed(TASK, 1, &POLICY, at(700)), restart(1, 10));

        let mut recovery = exhausted();
        recovery.runs(TASK, at(100));
        assert_eq!(
            recovery.failed(TASK, 1, &POLICY, at(699)),
            Verdict::GiveUp { attempts: 3 }
        );
    }

    #[test]
    fn parts_are_counted_apart_and_a_start_takes_the_place_of_what_is_due() {
        let mut recovery = Recovery::default();
        recovery.failed(TASK, 1, &POLICY, at(0));
        recovery.failed(Part::Task(1), 1, &POLICY, at(5));
        assert_eq!(recovery.failed(Part::Connector, 1, &POLICY, at(9)), restart(1, 10));
        recovery.starts(TASK);
        assert_eq!(recovery.next_due(), Some(at(15)));
        recovery.forget(Part::Task(1));
        assert_eq!(recovery.take_due(at(100)), [Part::Connector]);
    }

    #[test]
    fn attempts_may_be_without_end() {
        let policy = RestartPolicy {
            attempts: None,
            ..POLICY
        };
        let mut recovery = Recovery::default();
        for attempt in 1..100 {
            let verdict = recovery.failed(TASK, 1, &policy, at(0));
            assert!(matches!(verdict, Verdict::Restart { attempt: a, of: None, .. } if a == attempt));
        }
    }

    #[test]
    fn people_are_told_when_and_how_often() {
        let told = [restart(2, 20), Verdict::GiveUp { attempts: 3 }].map(|verdict| verdict.to_string());
        assert_eq!(
            told,
            [
                "Restarted automatically after 20000 ms (attempt 2 of 3)",
                "Not restarted automatically any more (attempts in a row: 3)"
            ]
        );
    }
}
