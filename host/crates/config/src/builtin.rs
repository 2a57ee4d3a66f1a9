//! The standard converters, transforms and predicates, which the worker has without any module: what they are called
//! and which keys they have.

mod converters;
pub mod schema_registry;
mod transforms;

use std::sync::Arc;

use caisson_api::manifest::PluginKind;

use crate::definition::{Definition, Line, definitions};
use crate::plugins::PluginInfo;

pub use schema_registry::SchemaRegistryConverter;

/// What a transform can be for.
#[derive(Clone, Copy)]
enum Form {
    /// `Name$Key` and `Name$Value`.
    KeyAndValue,
    Record,
}

const TRANSFORMS: [(&str, Form, &[Line]); 16] = [
    ("Cast", Form::KeyAndValue, transforms::CAST),
    ("DropHeaders", Form::Record, transforms::DROP_HEADERS),
    ("ExtractField", Form::KeyAndValue, transforms::EXTRACT_FIELD),
    ("Filter", Form::Record, &[]),
    ("Flatten", Form::KeyAndValue, transforms::FLATTEN),
    ("HeaderFrom", Form::KeyAndValue, transforms::HEADER_FROM),
    ("HoistField", Form::KeyAndValue, transforms::HOIST_FIELD),
    ("InsertField", Form::KeyAndValue, transforms::INSERT_FIELD),
    ("InsertHeader", Form::Record, transforms::INSERT_HEADER),
    ("MaskField", Form::KeyAndValue, transforms::MASK_FIELD),
    ("RegexRouter", Form::Record, transforms::REGEX_ROUTER),
    ("ReplaceField", Form::KeyAndValue, transforms::REPLACE_FIELD),
    ("SetSchemaMetadata", Form::KeyAndValue, transforms::SET_SCHEMA_METADATA),
    ("TimestampConverter", Form::KeyAndValue, transforms::TIMESTAMP_CONVERTER),
    ("TimestampRouter", Form::Record, transforms::TIMESTAMP_ROUTER),
    ("ValueToKey", Form::Record, transforms::VALUE_TO_KEY),
];

const PREDICATES: [(&str, &[Line]); 3] = [
    ("HasHeaderKey", transforms::HAS_HEADER_KEY),
    ("RecordIsTombstone", &[]),
    ("TopicNameMatches", transforms::TOPIC_NAME_MATCHES),
];

/// All of these convert headers too.
const CONVERTERS: [(&str, &[Line]); 9] = [
    ("converters.BooleanConverter", converters::PRIMITIVE),
    ("converters.ByteArrayConverter", converters::PRIMITIVE),
    ("converters.DoubleConverter", converters::PRIMITIVE),
    ("converters.FloatConverter", converters::PRIMITIVE),
    ("converters.IntegerConverter", converters::PRIMITIVE),
    ("converters.LongConverter", converters::PRIMITIVE),
    ("converters.ShortConverter", converters::PRIMITIVE),
    ("json.JsonConverter", converters::JSON_CONVERTER),
    ("storage.StringConverter", converters::STRING_CONVERTER),
];

const PACKAGE: &str = "org.apache.kafka.connect";

/// All of them, as plugins of one version. What converts headers too is there twice, once of each kind.
pub fn plugins(version: &str) -> Vec<PluginInfo> {
    let mut all = Vec::new();
    let mut add = |kind, class: String, keys: &Arc<[Definition]>| {
        all.push(PluginInfo {
            class,
            kind,
            version: version.to_owned(),
            keys: keys.clone(),
        });
    };
    for (name, form, lines) in TRANSFORMS {
        let keys = shared(lines);
        match form {
            Form::Record => add(PluginKind::Transform, format!("{PACKAGE}.transforms.{name}"), &keys),
            Form::KeyAndValue => {
                for part in ["Key", "Value"] {
                    add(
                        PluginKind::Transform,
                        format!("{PACKAGE}.transforms.{name}${part}"),
                        &keys,
                    );
                }
            }
        }
    }
    for (name, lines) in PREDICATES {
        add(
            PluginKind::Predicate,
            format!("{PACKAGE}.transforms.predicates.{name}"),
            &shared(lines),
        );
    }
    for (name, lines) in CONVERTERS {
        let keys = shared(lines);
        for kind in [PluginKind::Converter, PluginKind::HeaderConverter] {
            add(kind, format!("{PACKAGE}.{name}"), &keys);
        }
    }
    for converter in SchemaRegistryConverter::ALL {
        let keys = converter.definitions().into();
        add(PluginKind::Converter, converter.class().to_owned(), &keys);
    }
    let simple = format!("{PACKAGE}.storage.SimpleHeaderConverter");
    add(PluginKind::HeaderConverter, simple, &shared(&[]));
    all
}

fn shared(lines: &[Line]) -> Arc<[Definition]> {
    definitions(lines).into()
}
