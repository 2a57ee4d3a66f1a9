//! Transforms, one record at a time.

use std::collections::BTreeMap;

use caisson_api::Record;
use caisson_sdk::settings::Settings;
use caisson_sdk::transform::Origin;
use caisson_transforms::{DynTransform, NativeTransform};
use serde_json::Value as Json;

use crate::notation::{self, Unbuildable};
use crate::{Expected, Outcome, Thrown, check_error, same_record};

/// What a transform is asked to do.
#[derive(Clone, Debug)]
pub struct Input {
    pub class: String,
    pub config: BTreeMap<String, Option<String>>,
    /// None: to start, and nothing else.
    pub record: Option<(Record, Origin)>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    Configured,
    Record(Box<Record>),
    Dropped,
}

/// Replays a vector with the transform that the worker links.
pub fn replay(input: &Json, expect: &Json) -> Outcome {
    replay_by(input, expect, |input| Ok(run(input)))
}

/// Replays a vector with whatever runs transforms.
pub fn replay_by(
    input: &Json,
    expect: &Json,
    run: impl FnOnce(Input) -> Result<Result<Applied, Thrown>, Unbuildable>,
) -> Outcome {
    let attempt = || {
        let result = run(self::input(input)?)?;
        Ok(match (Expected::of(expect), result) {
            (Expected::Error(error), Err(thrown)) => check_error(error, &thrown),
            (Expected::Error(error), Ok(_)) => Outcome::Failed(format!("no error, expected {error}")),
            (Expected::Result(_), Err(thrown)) => Outcome::Failed(format!("error {thrown:?}")),
            (Expected::Result(expect), Ok(applied)) => check(expect, &applied)?,
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

fn check(expect: &Json, applied: &Applied) -> Result<Outcome, Unbuildable> {
    let same = match applied {
        Applied::Configured => expect["configured"] == true,
        Applied::Dropped => expect["dropped"] == true,
        Applied::Record(record) => {
            expect.get("record").is_some() && same_record(&notation::record(&expect["record"])?.0, record)
        }
    };
    Ok(match same {
        true => Outcome::Passed,
        false => Outcome::Failed(format!("expected {expect}, got {applied:?}")),
    })
}

fn run(input: Input) -> Result<Applied, Thrown> {
    let configure = |error| Thrown::by_plugin("configure", &error);
    let mut transform = start(&input).map_err(configure)?;
    let Some((record, origin)) = input.record else {
        return Ok(Applied::Configured);
    };
    match transform.apply(record, origin) {
        Ok(Some(record)) => Ok(Applied::Record(record.into())),
        Ok(None) => Ok(Applied::Dropped),
        Err(error) => Err(Thrown::by_plugin("apply", &error)),
    }
}

fn start(input: &Input) -> Result<Box<dyn DynTransform>, caisson_api::Error> {
    let named = |transform: &&NativeTransform| transform.plugin().class() == input.class;
    let Some(transform) = caisson_transforms::transforms().iter().find(named) else {
        return Err(caisson_api::Error::fatal(format!(
            "there is no transform {}",
            input.class
        )));
    };
    let settings = Settings::parse_nullable(transform.plugin().config(), input.config.clone())?;
    transform.start(&settings)
}
