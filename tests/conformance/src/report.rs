//! What came of a replay.

use std::collections::BTreeMap;
use std::fmt;

/// What came of one vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// The difference.
    Failed(String),
    /// It fails, and the reason why it may.
    Excused(&'static str),
    /// Its input cannot be built here.
    Skipped(String),
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    passed: usize,
    failed: usize,
    excused: usize,
    skipped: usize,
}

/// Totals per kind, and every vector that failed.
#[derive(Debug, Default)]
pub struct Report {
    totals: BTreeMap<String, Totals>,
    failures: Vec<(String, String)>,
    excused: Vec<(String, &'static str)>,
    other_kinds: BTreeMap<String, usize>,
}

impl Report {
    pub fn add(&mut self, kind: &str, id: &str, outcome: Outcome) {
        let totals = self.totals.entry(kind.to_owned()).or_default();
        match outcome {
            Outcome::Passed => totals.passed += 1,
            Outcome::Failed(difference) => {
                totals.failed += 1;
                self.failures.push((id.to_owned(), difference));
            }
            Outcome::Excused(reason) => {
                totals.excused += 1;
                self.excused.push((id.to_owned(), reason));
            }
            Outcome::Skipped(_) => totals.skipped += 1,
        }
    }

    pub fn skip_file(&mut self, kind: &str, vectors: usize) {
        *self.other_kinds.entry(kind.to_owned()).or_default() += vectors;
    }

    pub fn passed(&self) -> usize {
        self.totals.values().map(|totals| totals.passed).sum()
    }

    pub fn failed(&self) -> usize {
        self.totals.values().map(|totals| totals.failed).sum()
    }

    /// Nothing failed, and nothing was left out.
    pub fn is_complete(&self) -> bool {
        self.failed() == 0 && self.other_kinds.is_empty()
    }

    /// The vectors that failed and how.
    pub fn failures(&self) -> &[(String, String)] {
        &self.failures
    }
}

/// Failures first, totals per kind, and the two numbers last.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, difference) in &self.failures {
            writeln!(f, "FAILED {id}: {difference}")?;
        }
        for (id, reason) in &self.excused {
            writeln!(f, "excused {id}: {reason}")?;
        }
        for (kind, totals) in &self.totals {
            let Totals {
                passed,
                failed,
                excused,
                skipped,
            } = totals;
            writeln!(
                f,
                "{kind:<16} {passed:>5} passed {failed:>5} failed {excused:>4} excused {skipped:>4} skipped"
            )?;
        }
        for (kind, count) in &self.other_kinds {
            writeln!(f, "{kind:<16} {count:>5} not replayed: no runner for this kind")?;
        }
        write!(f, "{} passed, {} failed", self.passed(), self.failed())
    }
}
