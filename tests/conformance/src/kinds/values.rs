//! `Values`: text to values, schemas from values, one type to another.

use caisson_api::{SchemaRef, Value};
use caisson_convert::ConvertError;
use caisson_convert::values::{Target, convert_to, infer_schema, parse_string};
use serde_json::Value as Json;

use crate::notation::{self, Unbuildable};
use crate::{Expected, Outcome, Thrown, check_error, same_data, same_value};

pub fn replay(input: &Json, expect: &Json) -> Outcome {
    attempt(input, expect).unwrap_or_else(|Unbuildable(what)| Outcome::Skipped(what))
}

enum Result {
    Data((Option<SchemaRef>, Value)),
    Schema(Option<SchemaRef>),
    Value(Value),
}

fn attempt(input: &Json, expect: &Json) -> std::result::Result<Outcome, Unbuildable> {
    let result = run(input)?;
    Ok(match (Expected::of(expect), result) {
        (Expected::Error(error), Err(thrown)) => check_error(error, &Thrown::from(&thrown)),
        (Expected::Error(error), Ok(_)) => Outcome::Failed(format!("no error, expected {error}")),
        (Expected::Result(_), Err(thrown)) => Outcome::Failed(format!("error {thrown:?}")),
        (Expected::Result(expect), Ok(result)) => check(expect, result)?,
    })
}

fn check(expect: &Json, result: Result) -> std::result::Result<Outcome, Unbuildable> {
    let (same, difference) = match result {
        Result::Data(data) => {
            let expected = notation::data(&expect["data"])?;
            (
                same_data(&expected, &data),
                format!("expected {expected:?}, got {data:?}"),
            )
        }
        Result::Schema(schema) => {
            let expected = notation::schema(&expect["schema"])?;
            (expected == schema, format!("expected {expected:?}, got {schema:?}"))
        }
        Result::Value(value) => {
            let expected = notation::value(&expect["value"], None)?;
            (
                same_value(&expected, &value),
                format!("expected {expected:?}, got {value:?}"),
            )
        }
    };
    Ok(if same {
        Outcome::Passed
    } else {
        Outcome::Failed(difference)
    })
}

fn run(input: &Json) -> std::result::Result<std::result::Result<Result, ConvertError>, Unbuildable> {
    let op = input["op"].as_str().unwrap_or_default();
    if op == "parseString" {
        let data = input["text"].as_str().map_or((None, Value::Null), parse_string);
        return Ok(Ok(Result::Data(data)));
    }
    let (schema, value) = notation::data(&input["data"])?;
    if op == "inferSchema" {
        return Ok(infer_schema(&value).map(Result::Schema));
    }
    let target = match op {
        "convertToBoolean" => Target::Boolean,
        "convertToByte" => Target::Int8,
        "convertToShort" => Target::Int16,
        "convertToInteger" => Target::Int32,
        "convertToLong" => Target::Int64,
        "convertToFloat" => Target::Float32,
        "convertToDouble" => Target::Float64,
        "convertToString" => Target::String,
        "convertToDecimal" => Target::Decimal(input["scale"].as_i64().unwrap_or_default() as i32),
        "convertToDate" => Target::Date,
        "convertToTime" => Target::Time,
        "convertToTimestamp" => Target::Timestamp,
        "convertToList" => Target::List,
        "convertToMap" => Target::Map,
        "convertToStruct" => Target::Struct,
        other => return Err(Unbuildable(format!("operation {other}"))),
    };
    Ok(convert_to(target, schema.as_deref(), &value).map(Result::Value))
}
