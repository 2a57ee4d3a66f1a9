//! Transforms, one record at a time.

use std::collections::BTreeMap;

use caisson_api::{Record, Value};
use caisson_convert::{Converter, JsonConverter, JsonObject, JsonOptions, ObjectParts};
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

/// Replays a vector with the transform that the worker links: on the record, and on the members of a value that is still
/// the text of a JSON object.
pub fn replay(input: &Json, expect: &Json) -> Outcome {
    match replay_by(input, expect, |input| Ok(run(input, whole))) {
        Outcome::Passed => replay_by(input, expect, |input| Ok(run(input, by_member))),
        other => other,
    }
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

type Apply = fn(&mut dyn DynTransform, Record, Origin) -> Result<Option<Record>, caisson_api::Error>;

fn run(input: Input, apply: Apply) -> Result<Applied, Thrown> {
    let configure = |error| Thrown::by_plugin("configure", &error);
    let mut transform = start(&input).map_err(configure)?;
    let Some((record, origin)) = input.record else {
        return Ok(Applied::Configured);
    };
    match apply(&mut *transform, record, origin) {
        Ok(Some(record)) => Ok(Applied::Record(record.into())),
        Ok(None) => Ok(Applied::Dropped),
        Err(error) => Err(Thrown::by_plugin("apply", &error)),
    }
}

fn whole(
    transform: &mut dyn DynTransform,
    record: Record,
    origin: Origin,
) -> Result<Option<Record>, caisson_api::Error> {
    transform.apply(record, origin)
}

/// Where neither transform nor value are made for it, as [`whole`].
fn by_member(
    transform: &mut dyn DynTransform,
    mut record: Record,
    origin: Origin,
) -> Result<Option<Record>, caisson_api::Error> {
    let text = json_text(&record);
    let mut parts = ObjectParts::default();
    let object = text.as_ref().and_then(|text| JsonObject::read(text, &mut parts));
    let (Some(edit), Some(mut object)) = (transform.by_member(), object) else {
        return transform.apply(record, origin);
    };
    record.value = Value::Null;
    edit.edit(&mut object, &record, origin)?;
    record.value = object.into_value();
    Ok(Some(record))
}

/// The value as JSON, if it has no schema and comes back from there as it was.
fn json_text(record: &Record) -> Option<Vec<u8>> {
    let converter = JsonConverter::new(JsonOptions {
        schemas_enable: false,
        ..JsonOptions::default()
    });
    let mut text = Vec::new();
    let written = converter.from_connect("", None, &record.value, &mut text);
    let is_same = written.is_ok() && converter.to_connect("", Some(&text)).ok()? == (None, record.value.clone());
    (record.value_schema.is_none() && is_same).then_some(text)
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
