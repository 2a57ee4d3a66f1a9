//! Operations that fail: how long to wait before the next attempt, and what becomes of the record in the end.

use caisson_model::Tolerance;
use caisson_task::errors::{Occasion, Retry, RetryPolicy, Stage, Throwable, Verdict};
use serde_json::Value as Json;

use super::failure::{Built, outcome, stage, throwable};
use crate::notation::Unbuildable;
use crate::{Outcome, Thrown, check_error};

/// What came of an operation under the retry policy.
struct Run {
    waits: Vec<Wait>,
    calls: u64,
    clock: i64,
    failure: Option<Throwable>,
    verdict: Option<Verdict>,
}

#[derive(Debug, PartialEq)]
enum Wait {
    Exactly(i64),
    Below(i64),
}

pub fn replay(input: &Json, expect: &Json) -> Outcome {
    match run(input) {
        Ok(run) => check_run(&run, expect),
        Err(Unbuildable(what)) => Outcome::Skipped(what),
    }
}

fn run(input: &Json) -> Built<Run> {
    let stage = stage(input)?;
    let tolerance = match input["errors.tolerance"].as_str() {
        Some("all") => Tolerance::All,
        _ => Tolerance::None,
    };
    let milliseconds = |name: &str| {
        let number = u64::try_from(input[name].as_i64().unwrap_or_default()).ok();
        number.map(std::time::Duration::from_millis)
    };
    let policy = RetryPolicy {
        timeout: milliseconds("errors.retry.timeout"),
        longest_delay: milliseconds("errors.retry.delay.max.ms").unwrap_or_default(),
    };
    let failures: Vec<_> = input["failures"].as_array().into_iter().flatten().collect();
    let always = &input["alwaysFail"];
    // What the operation answers to its call of that number.
    let call = |number: u64| match failures.get(number as usize - 1) {
        Some(failure) => throwable(failure),
        None if number <= always["times"].as_u64().unwrap_or_default() => throwable(always),
        None => None,
    };
    let mut run = Run {
        waits: Vec::new(),
        calls: 0,
        clock: 0,
        failure: None,
        verdict: None,
    };
    if input["executeFailed"] == true {
        run.failure = throwable(failures[0]);
        run.judge(tolerance, stage, Occasion::Report);
        return Ok(run);
    }
    let mut attempts = policy.begin(run.clock);
    loop {
        run.calls += 1;
        run.clock += input["callMs"].as_i64().unwrap_or_default();
        let Some(error) = call(run.calls) else { return Ok(run) };
        // What is left to chance is known by its bounds.
        let mut latest = attempts.clone();
        let mut chance = false;
        let next = match error.is_retriable() {
            true => attempts.failed(run.clock, |_| {
                chance = true;
                0
            }),
            false => Retry::GiveUp,
        };
        match (next, latest.failed(run.clock, |below| below - 1)) {
            (Retry::After(_), Retry::After(latest)) if chance => run.waits.push(Wait::Below(latest + 1)),
            (Retry::After(delay), _) => {
                run.waits.push(Wait::Exactly(delay));
                run.clock += delay.max(0);
            }
            (Retry::GiveUp, _) => {
                run.failure = Some(error);
                run.judge(tolerance, stage, Occasion::Operation);
                return Ok(run);
            }
        }
    }
}

impl Run {
    fn judge(&mut self, tolerance: Tolerance, stage: Stage, occasion: Occasion) {
        self.verdict = self
            .failure
            .as_ref()
            .map(|failure| Verdict::on(failure, stage, occasion, tolerance));
    }
}

fn check_run(run: &Run, expect: &Json) -> Outcome {
    let wait = |json: &Json| match json.as_i64() {
        Some(delay) => Wait::Exactly(delay),
        None => Wait::Below(json["below"].as_i64().unwrap_or_default()),
    };
    let waits: Vec<_> = expect["waits"].as_array().into_iter().flatten().map(wait).collect();
    if waits != run.waits {
        return Outcome::Failed(format!("expected waits {waits:?}, got {:?}", run.waits));
    }
    if expect["calls"] != run.calls || expect["clock"] != run.clock {
        return Outcome::Failed(format!("{} calls, clock at {}", run.calls, run.clock));
    }
    let class = run.failure.as_ref().map(|failure| &*failure.class);
    if expect["failed"] != run.failure.is_some() || expect["failure"].as_str() != class {
        return Outcome::Failed(format!("failure {class:?}"));
    }
    let thrown = match (&run.failure, run.verdict) {
        (Some(failure), Some(verdict)) => verdict.exception(failure),
        (_, _) => None,
    };
    match (expect.get("error"), thrown) {
        (None, None) => outcome((expect["result"] == "done") == run.failure.is_none(), || {
            "another result".to_owned()
        }),
        (Some(error), Some(thrown)) => check_error(error, &Thrown::from(&thrown)),
        (expected, thrown) => Outcome::Failed(format!("expected {expected:?}, got {thrown:?}")),
    }
}
