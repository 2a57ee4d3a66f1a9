//! Schemas: projection, validation, structs, the builder.

use caisson_api::schema::{Kind, Schema, SchemaBuilder, SchemaError};
use caisson_api::value::to_java_string;
use caisson_api::{SchemaRef, Value};
use caisson_convert::project::project;
use caisson_convert::{Class, ConvertError};
use serde_json::Value as Json;

use crate::notation::{self, Unbuildable};
use crate::{Expected, Outcome, Thrown, check_error, same_text, same_value};

enum Result {
    Valid,
    Text(String),
    Value(Value, Option<SchemaRef>),
    Schema(SchemaRef),
}

type Attempt = std::result::Result<std::result::Result<Result, ConvertError>, Unbuildable>;

pub fn replay(input: &Json, expect: &Json) -> Outcome {
    attempt(input, expect).unwrap_or_else(|Unbuildable(what)| Outcome::Skipped(what))
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
        Result::Valid => (expect["valid"] == true, format!("valid, expected {expect}")),
        Result::Text(text) => (
            expect["text"]
                .as_str()
                .is_some_and(|expected| same_text(expected, &text)),
            format!("got {text}, expected {expect}"),
        ),
        Result::Value(value, schema) => {
            let expected = notation::value(&expect["value"], schema.as_deref())?;
            (
                same_value(&expected, &value),
                format!("expected {expected:?}, got {value:?}"),
            )
        }
        Result::Schema(schema) => {
            let expected = notation::schema(&expect["schema"])?;
            (
                expected.as_ref() == Some(&schema),
                format!("expected {expected:?}, got {schema:?}"),
            )
        }
    };
    Ok(if same {
        Outcome::Passed
    } else {
        Outcome::Failed(difference)
    })
}

fn run(input: &Json) -> Attempt {
    match input["op"].as_str() {
        Some("project") => run_project(input),
        Some("validate") => run_validate(input),
        Some("structPut") => run_put(input),
        Some("structGet") => run_get(input),
        Some("structText") => run_text(input),
        Some("build") => Ok(build(&input["schema"])?.map(Result::Schema)),
        other => Err(Unbuildable(format!("operation {other:?}"))),
    }
}

fn required_schema(json: &Json) -> std::result::Result<SchemaRef, Unbuildable> {
    notation::schema(json)?.ok_or_else(|| Unbuildable("no schema".to_owned()))
}

fn run_project(input: &Json) -> Attempt {
    let (source, target) = (required_schema(&input["source"])?, required_schema(&input["target"])?);
    let value = notation::value(&input["value"], Some(&source))?;
    Ok(project(&source, &value, &target).map(|value| Result::Value(value, Some(target))))
}

fn run_validate(input: &Json) -> Attempt {
    if input["schema"].is_null() {
        // A schema is no option here, so that the error of its absence is the type checker's.
        return Ok(Err(ConvertError::new(
            Class::Foreign("java.lang.NullPointerException"),
            "schema is null",
        )));
    }
    let schema = required_schema(&input["schema"])?;
    let value = notation::value(&input["value"], Some(&schema))?;
    let result = match input["name"].as_str() {
        Some(name) => schema.validate_field(name, &value),
        None => schema.validate(&value),
    };
    Ok(result.map(|()| Result::Valid).map_err(Into::into))
}

/// Sets one field of an empty struct and validates the whole if asked to.
fn run_put(input: &Json) -> Attempt {
    let schema = required_schema(&input["schema"])?;
    let name = input["field"].as_str().unwrap_or_default();
    let mut values = vec![Value::Null; schema.fields().len()];
    let Some(index) = schema.field_index(name) else {
        return Ok(Err(no_field(name)));
    };
    let field = &schema.fields()[index].schema;
    let value = notation::value(&input["value"], Some(field))?;
    if let Err(error) = field.validate_field(name, &value) {
        return Ok(Err(error.into()));
    }
    values[index] = value;
    let value = Value::Struct(values);
    if input["validate"] == true
        && let Err(error) = schema.validate(&value)
    {
        return Ok(Err(error.into()));
    }
    Ok(Ok(Result::Value(value, Some(schema))))
}

fn run_get(input: &Json) -> Attempt {
    let schema = required_schema(&input["schema"])?;
    let name = input["field"].as_str().unwrap_or_default();
    let Value::Struct(values) = notation::value(&input["value"], Some(&schema))? else {
        return Err(Unbuildable("no struct".to_owned()));
    };
    let Some(index) = schema.field_index(name) else {
        return Ok(Err(no_field(name)));
    };
    let field = &schema.fields()[index].schema;
    let value = values[index].clone();
    let value = match input["as"].as_str().unwrap_or_default() {
        "any" if value.is_null() => field.default.clone().unwrap_or_default(),
        "any" | "raw" => value,
        getter if getter.eq_ignore_ascii_case(field.kind.name()) => match value {
            Value::Date(_) | Value::Decimal(_) => {
                let cast = Class::Foreign("java.lang.ClassCastException");
                return Ok(Err(ConvertError::new(cast, "a logical type has no getter of its own")));
            }
            value => value,
        },
        getter => {
            let kind = getter.to_ascii_uppercase();
            return Ok(Err(ConvertError::data(format!("Field '{name}' is not of type {kind}"))));
        }
    };
    Ok(Ok(Result::Value(value, Some(field.clone()))))
}

fn no_field(name: &str) -> ConvertError {
    ConvertError::data(format!("{name} is not a valid field name"))
}

fn run_text(input: &Json) -> Attempt {
    let schema = required_schema(&input["schema"])?;
    let value = notation::value(&input["value"], Some(&schema))?;
    Ok(Ok(Result::Text(to_java_string(Some(&schema), &value))))
}

/// Makes a schema by the builder, step by step as the notation says.
fn build(json: &Json) -> std::result::Result<std::result::Result<SchemaRef, ConvertError>, Unbuildable> {
    let part = |name: &str| -> std::result::Result<std::result::Result<SchemaRef, ConvertError>, Unbuildable> {
        if json[name].is_null() {
            let error = SchemaError::Builder(format!("{name} cannot be null."));
            return Ok(Err(error.into()));
        }
        build(&json[name])
    };
    let mut builder = match json["type"].as_str() {
        Some("array") => match part("valueSchema")? {
            Ok(element) => SchemaBuilder::array(element),
            Err(error) => return Ok(Err(error)),
        },
        Some("map") => match (part("keySchema")?, part("valueSchema")?) {
            (Ok(key), Ok(value)) => SchemaBuilder::map(key, value),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
        },
        Some("struct") => match build_fields(&json["fields"])? {
            Ok(builder) => builder,
            Err(error) => return Ok(Err(error)),
        },
        Some(_) | None => {
            let plain = serde_json::json!({ "type": json["type"] });
            SchemaBuilder::from(Schema::clone(&*required_schema(&plain)?))
        }
    };
    if json["optional"] == true {
        builder = builder.optional();
    }
    if let Some(name) = json["name"].as_str() {
        builder = builder.name(name);
    }
    if let Some(version) = json["version"].as_i64() {
        builder = builder.version(version as i32);
    }
    if let Some(doc) = json["doc"].as_str() {
        builder = builder.doc(doc);
    }
    for (name, value) in json["parameters"].as_object().into_iter().flatten() {
        builder = builder.parameter(name, value.as_str().unwrap_or_default());
    }
    if let Some(default) = json.get("default") {
        if json["type"] == "struct" && default.get("struct").is_some() {
            if let Err(error) = builder.build() {
                return Ok(Err(error.into()));
            }
            // A struct has its schema with it, which is finished, and so is none that is being built.
            let cause = ConvertError::data("Struct schemas do not match.");
            let error = SchemaError::Builder("Invalid default value".to_owned());
            return Ok(Err(ConvertError::from(error).because(cause)));
        }
        let without = without_default(json);
        let context = notation::schema(&without)?;
        builder = builder.default(notation::value(default, context.as_deref())?);
    }
    Ok(builder.build().map(Into::into).map_err(Into::into))
}

fn without_default(json: &Json) -> Json {
    let mut copy = json.clone();
    if let Some(members) = copy.as_object_mut() {
        members.remove("default");
    }
    copy
}

fn build_fields(json: &Json) -> std::result::Result<std::result::Result<SchemaBuilder, ConvertError>, Unbuildable> {
    let mut builder = SchemaBuilder::structure();
    for field in json.as_array().map(Vec::as_slice).unwrap_or_default() {
        let name = field["name"].as_str().unwrap_or_default();
        let schema = if field["schema"].is_null() {
            if !name.is_empty() {
                let error = SchemaError::Builder(format!("fieldSchema for field {name} cannot be null."));
                return Ok(Err(error.into()));
            }
            Schema::new(Kind::Boolean).into()
        } else {
            match build(&field["schema"])? {
                Ok(schema) => schema,
                Err(error) => return Ok(Err(error)),
            }
        };
        builder = builder.field(name, schema);
    }
    Ok(Ok(builder))
}
