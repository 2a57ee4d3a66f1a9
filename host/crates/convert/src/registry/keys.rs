//! The keys of the bundled converters, as Kafka Connect defines them.

use caisson_api::config::{Default, Importance, Key, Type, Validator, Width};

/// `converter.type`, which all have.
pub(super) fn converter_type() -> Key {
    Key {
        validator: Some(Validator::OneOf(vec!["key".into(), "value".into(), "header".into()])),
        ..key(
            ("converter.type", Type::String, Default::Required, Importance::Low),
            "What the converter is used for: keys, values or headers. The worker sets it.",
        )
    }
}

/// `converter.encoding` of the string converter.
pub(super) fn encoding() -> Key {
    Key {
        width: Width::Medium,
        display: "Encoding".to_owned(),
        ..key(
            ("converter.encoding", Type::String, text("UTF-8"), Importance::High),
            "Name of the Java charset that text is written and read in.",
        )
    }
}

/// The keys of the JSON converter.
pub(super) fn json() -> [Key; 5] {
    let enable = key(
        ("schemas.enable", Type::Boolean, text("true"), Importance::High),
        "Whether every value stands in an envelope that carries its schema.",
    );
    let size = key(
        ("schemas.cache.size", Type::Int, text("1000"), Importance::High),
        "How many schemas this converter remembers.",
    );
    let content = key(
        ("schema.content", Type::String, Default::None, Importance::High),
        "A schema, as JSON, for everything that is read, in place of the schemas in the envelopes. It counts for sinks \
         with schemas.enable only.",
    );
    let format = key(
        ("decimal.format", Type::String, text("BASE64"), Importance::Low),
        "How Decimals are written: BASE64, the bytes of the unscaled number, or NUMERIC, a JSON number. Both are \
         understood when read.",
    );
    let format = Key {
        validator: Some(Validator::OneOfIgnoringCase(vec!["NUMERIC".into(), "BASE64".into()])),
        ..format
    };
    let replace = key(
        (
            "replace.null.with.default",
            Type::Boolean,
            text("true"),
            Importance::Low,
        ),
        "Whether a null becomes the default of its schema, if there is one.",
    );
    [
        in_group("Schemas", 0, "Enable Schemas", enable),
        in_group("Schemas", 1, "Schema Cache Size", size),
        in_group("Schemas", 2, "Schema Content", content),
        in_group("Serialization", 0, "Decimal Format", format),
        in_group("Serialization", 1, "Replace null with default", replace),
    ]
}

fn text(text: &str) -> Default {
    Default::Text(text.to_owned())
}

fn key((name, kind, default, importance): (&str, Type, Default, Importance), documentation: &str) -> Key {
    Key {
        name: name.to_owned(),
        kind,
        default,
        validator: None,
        importance,
        documentation: documentation.to_owned(),
        group: None,
        order: -1,
        width: Width::None,
        display: name.to_owned(),
        dependents: Vec::new(),
    }
}

fn in_group(group: &str, order: i32, display: &str, key: Key) -> Key {
    Key {
        group: Some(group.to_owned()),
        order,
        width: Width::Medium,
        display: display.to_owned(),
        ..key
    }
}
