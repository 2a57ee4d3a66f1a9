//! Counting: what `cargo test` says of each test program, and the summary at the end.

use std::time::Duration;

use crate::cli::Stage;

/// Tests counted from `cargo test`'s output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: u64,
    pub failed: u64,
    pub ignored: u64,
}

impl Count {
    /// Adds up a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`; others say nothing.
    pub fn note(&mut self, line: &str) {
        let Some(rest) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        for part in rest.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(number)), Some(word)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// How a stage ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed(Count),
    Failed(Count),
    Skipped,
}

/// All stages that ran.
#[derive(Default)]
pub struct Summary {
    rows: Vec<(Stage, Outcome, u64)>,
}

impl Summary {
    pub fn add(&mut self, stage: Stage, outcome: Outcome, seconds: u64) {
        self.rows.push((stage, outcome, seconds));
    }

    pub fn failed(&self, stage: Stage) -> bool {
        self.rows
            .iter()
            .any(|(one, outcome, _)| *one == stage && matches!(outcome, Outcome::Failed(_)))
    }

    pub fn is_success(&self) -> bool {
        self.rows
            .iter()
            .all(|(_, outcome, _)| matches!(outcome, Outcome::Passed(_)))
    }

    /// A row per stage, and last the one plain line that others read.
    pub fn print(&self, took: Duration) {
        println!(
            "\n{:<8} {:<8} {:>7} {:>7} {:>8} {:>8}",
            "stage", "result", "passed", "failed", "ignored", "seconds"
        );
        for (stage, outcome, seconds) in &self.rows {
            let (word, count) = match outcome {
                Outcome::Passed(count) => ("ok", *count),
                Outcome::Failed(count) => ("FAILED", *count),
                Outcome::Skipped => ("skipped", Count::default()),
            };
            let stage = super::name(*stage);
            println!(
                "{stage:<8} {word:<8} {:>7} {:>7} {:>8} {seconds:>8}",
                count.passed, count.failed, count.ignored
            );
        }
        let total = self.total();
        println!("{} minutes {} seconds", took.as_secs() / 60, took.as_secs() % 60);
        println!("{} passed, {} failed", total.passed, total.failed);
    }

    fn total(&self) -> Count {
        let mut total = Count::default();
        for (_, outcome, _) in &self.rows {
            match outcome {
                Outcome::Passed(count) | Outcome::Failed(count) => {
                    total.passed += count.passed;
                    total.failed += count.failed;
                    total.ignored += count.ignored;
                }
                // What was to run and did not is no success.
                Outcome::Skipped => total.failed += 1,
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(lines: &[&str]) -> Count {
        let mut count = Count::default();
        lines.iter().for_each(|line| count.note(line));
        count
    }

    #[test]
    fn results_of_several_test_programs_add_up() {
        let count = counted(&[
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ]);
        assert_eq!(
            count,
            Count {
                passed: 4,
                failed: 2,
                ignored: 1
            }
        );
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(
            counted(&["test tests::a ... ok", "5 passed; 3 failed", ""]),
            Count::default()
        );
    }

    #[test]
    fn a_stage_that_was_skipped_is_no_success() {
        let mut summary = Summary::default();
        summary.add(
            Stage::Fmt,
            Outcome::Passed(Count {
                passed: 1,
                ..Count::default()
            }),
            1,
        );
        assert!(summary.is_success());
        summary.add(Stage::E2e, Outcome::Skipped, 0);
        assert!(!summary.is_success());
        assert_eq!(
            summary.total(),
            Count {
                passed: 1,
                failed: 1,
                ignored: 0
            }
        );
    }
}
