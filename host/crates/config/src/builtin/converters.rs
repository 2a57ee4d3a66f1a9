//! Keys of Kafka Connect's converters.

use caisson_api::config::Importance::{High, Low};
use caisson_api::config::{Type, Width};

use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};

/// JSON.
pub static JSON_CONVERTER: &[Line] = &[
    line(
        "converter.type",
        Type::String,
        Required,
        Low,
        "What is converted; the worker sets it.",
    )
    .check(Check::OneOf(&["key", "value", "header"])),
    line(
        "schemas.enable",
        Type::Boolean,
        Text("true"),
        High,
        "Whether each message carries its schema in an envelope of schema and payload.",
    )
    .at("Schemas", 0, Width::Medium, "Enable Schemas"),
    line(
        "schemas.cache.size",
        Type::Int,
        Text("1000"),
        High,
        "Schemas to remember in both directions.",
    )
    .at("Schemas", 1, Width::Medium, "Schema Cache Size"),
    line(
        "schema.content",
        Type::String,
        Null,
        High,
        "Schema for all messages, as JSON text; messages then carry none.",
    )
    .at("Schemas", 2, Width::Medium, "Schema Content"),
    line(
        "decimal.format",
        Type::String,
        Text("BASE64"),
        Low,
        "How decimals are written: BASE64 for their bytes, NUMERIC for a JSON number.",
    )
    .check(Check::OneOfIgnoringCase(&["NUMERIC", "BASE64"]))
    .at("Serialization", 0, Width::Medium, "Decimal Format"),
    line(
        "replace.null.with.default",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether a field that is null counts as its default value, where its schema has one.",
    )
    .at("Serialization", 1, Width::Medium, "Replace null with default"),
];

/// Text.
pub static STRING_CONVERTER: &[Line] = &[
    line(
        "converter.type",
        Type::String,
        Required,
        Low,
        "What is converted; the worker sets it.",
    )
    .check(Check::OneOf(&["key", "value", "header"])),
    line(
        "converter.encoding",
        Type::String,
        Text("UTF-8"),
        High,
        "Character set of the bytes.",
    )
    .at("", -1, Width::Medium, "Encoding"),
];

/// Bytes, booleans and numbers.
pub static PRIMITIVE: &[Line] = &[line(
    "converter.type",
    Type::String,
    Required,
    Low,
    "What is converted; the worker sets it.",
)
.check(Check::OneOf(&["key", "value", "header"]))];
