//! What the Java classes make of schemas and values (`tests/conformance/registry/README.md`), and what we make of them.

#![allow(clippy::unwrap_used)]

mod support;

use caisson_config::builtin::SchemaRegistryConverter::Avro;
use caisson_convert::{ConvertError, Converter, JsonConverter, JsonOptions};
use serde_json::{Value as Json, json};
use support::{FakeRegistry, hex};

/// What in a vector is not as it should be.
type Difference = String;

fn envelopes() -> JsonConverter {
    JsonConverter::new(JsonOptions {
        replace_null_with_default: false,
        ..JsonOptions::default()
    })
}

/// The registry's text is compared as text where we wrote it, since a registry may do so, too.
fn replay(vector: &Json) -> Result<(), Difference> {
    let registry = FakeRegistry::start();
    registry.set_version(3);
    let options: Vec<(&str, &str)> = vector["options"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let converter = registry.converter(Avro, &options);
    let result = if vector.get("envelope").is_some() {
        from_connect(&registry, &*converter, vector)
    } else {
        to_connect(&registry, &*converter, vector)
    };
    match (vector["error"].as_str(), result) {
        (None, Ok(None)) => Ok(()),
        (None, Ok(Some(difference))) => Err(difference),
        (None, Err(error)) => Err(format!("fails: {error:?}")),
        (Some(expected), Ok(_)) => Err(format!("does not fail with {expected}")),
        (Some(expected), Err(error)) => {
            let texts: Vec<&str> = std::iter::once(&error)
                .chain(error.causes())
                .map(|error| error.message.as_str())
                .collect();
            // Java's library adds the path to the value in some.
            let class = vector["class"].as_str().unwrap();
            let classes = std::iter::once(&error)
                .chain(error.causes())
                .map(|error| error.class.name());
            if classes.into_iter().any(|own| own == class) && texts.iter().any(|text| expected.starts_with(text)) {
                Ok(())
            } else {
                Err(format!("fails with {error:?}, not {class}: {expected}"))
            }
        }
    }
}

fn from_connect(
    registry: &FakeRegistry,
    converter: &dyn Converter,
    vector: &Json,
) -> Result<Option<Difference>, ConvertError> {
    let envelope = vector["envelope"].to_string();
    let (schema, value) = envelopes().to_connect("t", Some(envelope.as_bytes()))?;
    let mut out = Vec::new();
    let present = converter.from_connect("t", schema.as_ref(), &value, &mut out)?;
    if vector["hex"].is_null() {
        return Ok(present.then(|| "a null became bytes".to_owned()));
    }
    let (text, expected) = (registry.latest("t-value"), vector["avro"].as_str().unwrap());
    if text != expected {
        return Ok(Some(format!("schema\n  {text}\nis not\n  {expected}")));
    }
    let payload = payload(vector);
    if out[5..] != payload {
        return Ok(Some(format!("bytes {:x?} are not {payload:x?}", &out[5..])));
    }
    back(converter, &out, &vector["back"])
}

fn to_connect(
    registry: &FakeRegistry,
    converter: &dyn Converter,
    vector: &Json,
) -> Result<Option<Difference>, ConvertError> {
    let id = registry.add("t-value", &json!({ "schema": vector["schema"].to_string() }));
    let mut bytes = vec![0];
    bytes.extend(id.to_be_bytes());
    bytes.extend(payload(vector));
    back(converter, &bytes, &vector["back"])
}

fn payload(vector: &Json) -> Vec<u8> {
    let bytes = hex(vector["hex"].as_str().unwrap());
    let schema = vector.get("avro").or(vector.get("schema")).unwrap().to_string();
    // What Confluent's serializer does: bytes at the top have no length in front.
    let is_bytes = schema.replace('\\', "").starts_with(r#""{"type":"bytes""#) || schema == r#""\"bytes\"""#;
    if is_bytes { bytes[1..].to_vec() } else { bytes }
}

fn back(converter: &dyn Converter, bytes: &[u8], expected: &Json) -> Result<Option<Difference>, ConvertError> {
    let (schema, value) = converter.to_connect("t", Some(bytes))?;
    let mut out = Vec::new();
    envelopes().from_connect("t", schema.as_ref(), &value, &mut out)?;
    let envelope: Json = serde_json::from_slice(&out).unwrap_or(Json::Null);
    Ok((envelope != *expected && !(expected.is_null() && value.is_null()))
        .then(|| format!("back comes\n  {envelope}\nnot\n  {expected}")))
}

#[test]
fn schemas_and_values_are_those_of_the_java_classes() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/conformance/registry/avro.jsonl"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let vectors: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(vectors.len() >= 90);
    let mut differences = 0;
    for (index, vector) in vectors.iter().enumerate() {
        if let Err(difference) = replay(vector) {
            differences += 1;
            println!("vector {}: {difference}\nof {vector}\n", index + 1);
        }
    }
    assert_eq!(differences, 0, "of {} vectors", vectors.len());
}
