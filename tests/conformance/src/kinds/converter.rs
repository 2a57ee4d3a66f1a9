//! Converters and header converters, both ways.

use caisson_api::{SchemaRef, Value};
use caisson_convert::ConvertError;
use caisson_convert::registry::Bundled;
use serde_json::Value as Json;

use crate::notation::{self, Unbuildable};
use crate::{Expected, Outcome, Thrown, check_error, same_data};

/// What a converter gave.
enum Result {
    Bytes(Option<Vec<u8>>),
    Data((Option<SchemaRef>, Value)),
}

pub fn replay(input: &Json, expect: &Json) -> Outcome {
    let result = match run(input) {
        Ok(result) => result,
        Err(Unbuildable(what)) => return Outcome::Skipped(what),
    };
    match (Expected::of(expect), result) {
        (Expected::Error(error), Err(thrown)) => check_error(error, &thrown),
        (Expected::Error(error), Ok(_)) => Outcome::Failed(format!("no error, expected {error}")),
        (Expected::Result(_), Err(thrown)) => Outcome::Failed(format!("error {thrown:?}")),
        (Expected::Result(expect), Ok(result)) => {
            check(expect, result).unwrap_or_else(|Unbuildable(what)| Outcome::Skipped(what))
        }
    }
}

fn check(expect: &Json, result: Result) -> std::result::Result<Outcome, Unbuildable> {
    Ok(match result {
        Result::Bytes(bytes) => {
            let expected = if expect["bytes"].is_null() {
                None
            } else {
                Some(notation::bytes(&expect["bytes"])?)
            };
            let text = |bytes: &Option<Vec<u8>>| {
                bytes
                    .as_ref()
                    .map_or("null".into(), |bytes| String::from_utf8_lossy(bytes).into_owned())
            };
            match bytes == expected {
                true => Outcome::Passed,
                false => Outcome::Failed(format!("expected {}, got {}", text(&expected), text(&bytes))),
            }
        }
        Result::Data(data) => {
            let expected = notation::data(&expect["data"])?;
            match same_data(&expected, &data) {
                true => Outcome::Passed,
                false => Outcome::Failed(format!("expected {expected:?}, got {data:?}")),
            }
        }
    })
}

fn run(input: &Json) -> std::result::Result<std::result::Result<Result, Thrown>, Unbuildable> {
    let class = input["class"].as_str().unwrap_or_default();
    let bundled = Bundled::find(class).ok_or_else(|| Unbuildable(format!("converter {class}")))?;
    let options = notation::config(&input["config"]);
    let topic = input["topic"].as_str().unwrap_or_default();
    let configure = |error: ConvertError| Thrown {
        phase: Some("configure"),
        ..Thrown::from(&error)
    };
    let convert = |error: ConvertError| Thrown {
        phase: Some("convert"),
        ..Thrown::from(&error)
    };
    let is_header = input["role"] == "header";
    if input["op"] == "from" {
        let (schema, value) = notation::data(&input["data"])?;
        let mut out = Vec::new();
        let written = if is_header {
            let name = input["header"].as_str().unwrap_or_default();
            match bundled.header_converter(&options) {
                Ok(converter) => converter.from_connect_header(topic, name, schema.as_ref(), &value, &mut out),
                Err(error) => return Ok(Err(configure(error))),
            }
        } else {
            match bundled.converter(&options) {
                Ok(converter) => converter.from_connect(topic, schema.as_ref(), &value, &mut out),
                Err(error) => return Ok(Err(configure(error))),
            }
        };
        return Ok(written.map(|some| Result::Bytes(some.then_some(out))).map_err(convert));
    }
    let bytes = if input["bytes"].is_null() {
        None
    } else {
        Some(notation::bytes(&input["bytes"])?)
    };
    let read = if is_header {
        let name = input["header"].as_str().unwrap_or_default();
        match bundled.header_converter(&options) {
            Ok(converter) => converter.to_connect_header(topic, name, bytes.as_deref()),
            Err(error) => return Ok(Err(configure(error))),
        }
    } else {
        match bundled.converter(&options) {
            Ok(converter) => converter.to_connect(topic, bytes.as_deref()),
            Err(error) => return Ok(Err(configure(error))),
        }
    };
    Ok(read.map(Result::Data).map_err(convert))
}
