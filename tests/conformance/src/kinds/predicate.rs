//! Predicates, one record at a time.

use std::collections::BTreeMap;

use caisson_api::Record;
use caisson_sdk::settings::Settings;
use caisson_sdk::transform::Origin;
use caisson_transforms::{DynPredicate, NativePredicate};
use serde_json::Value as Json;

use crate::notation::{self, Unbuildable};
use crate::{Expected, Outcome, Thrown, check_error};

/// What a predicate is asked.
#[derive(Clone, Debug)]
pub struct Input {
    pub class: String,
    pub config: BTreeMap<String, Option<String>>,
    /// None: to start, and nothing else.
    pub record: Option<(Record, Origin)>,
}

/// Replays a vector with the predicate that the worker links.
pub fn replay(input: &Json, expect: &Json) -> Outcome {
    replay_by(input, expect, |input| Ok(run(input)))
}

/// Replays a vector with whatever runs predicates; its answer is `None` if it was only started.
pub fn replay_by(
    input: &Json,
    expect: &Json,
    run: impl FnOnce(Input) -> Result<Result<Option<bool>, Thrown>, Unbuildable>,
) -> Outcome {
    let attempt = || {
        let result = run(self::input(input)?)?;
        Ok(match (Expected::of(expect), result) {
            (Expected::Error(error), Err(thrown)) => check_error(error, &thrown),
            (Expected::Error(error), Ok(_)) => Outcome::Failed(format!("no error, expected {error}")),
            (Expected::Result(_), Err(thrown)) => Outcome::Failed(format!("error {thrown:?}")),
            (Expected::Result(expect), Ok(answer)) => {
                let same = match answer {
                    Some(answer) => expect["result"] == answer,
                    None => expect["configured"] == true,
                };
                match same {
                    true => Outcome::Passed,
                    false => Outcome::Failed(format!("expected {expect}, got {answer:?}")),
                }
            }
        })
    };
    attempt().unwrap_or_else(|Unbuildable(what)| Outcome::Skipped(what))
}

fn input(json: &Json) -> Result<Input, Unbuildable> {
    let record = json.get("record").filter(|record| !record.is_null());
    Ok(Input {
        class: json["class"].as_str().unwrap_or_default().to_owned(),
        config: notation::config(&json["config"]).into_iter().collect(),
        record: record.map(notation::record).transpose()?,
    })
}

fn run(input: Input) -> Result<Option<bool>, Thrown> {
    let mut predicate = start(&input).map_err(|error| Thrown::by_plugin("configure", &error))?;
    let Some((record, _)) = input.record else {
        return Ok(None);
    };
    let tested = predicate.test(&record);
    tested.map(Some).map_err(|error| Thrown::by_plugin("apply", &error))
}

fn start(input: &Input) -> Result<Box<dyn DynPredicate>, caisson_api::Error> {
    let named = |predicate: &&NativePredicate| predicate.plugin().class() == input.class;
    let Some(predicate) = caisson_transforms::predicates().iter().find(named) else {
        return Err(caisson_api::Error::fatal(format!(
            "there is no predicate {}",
            input.class
        )));
    };
    let settings = Settings::parse_nullable(predicate.plugin().config(), input.config.clone())?;
    predicate.start(&settings)
}
