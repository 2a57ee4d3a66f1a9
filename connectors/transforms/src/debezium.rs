//! The transforms that people use with Debezium's change events, under Debezium's class names and with its keys.

mod by_logical_table_router;
mod envelope;
mod event_router;
mod expand_json;
mod extract_new_record_state;
mod field_reference;
mod projection;

pub use by_logical_table_router::ByLogicalTableRouter;
pub use event_router::EventRouter;
pub use extract_new_record_state::ExtractNewRecordState;

use caisson_sdk::prelude::*;

const PACKAGE: &str = "io.debezium.transforms";

/// What the descriptions have in common: all of them look at whole records, and have the version of what is built in.
fn transform(name: &str, documentation: &str) -> Plugin {
    Plugin::new(format!("{PACKAGE}.{name}"), caisson_sdk::api::KAFKA_CONNECT)
        .documentation(documentation)
        .ability(Ability::Warms)
        .key_encoding(Encoding::Connect)
        .value_encoding(Encoding::Connect)
        .header_encoding(Encoding::Connect)
}

/// A key that may be left out.
fn optional(name: &str, documentation: &str) -> Key {
    Key::new(name, Type::String)
        .optional()
        .importance(Importance::Low)
        .documentation(documentation)
}

fn flag(name: &str, default: &str, documentation: &str) -> Key {
    Key::new(name, Type::Boolean)
        .default(default)
        .importance(Importance::Low)
        .documentation(documentation)
}

/// A text that is given and says something.
fn given(settings: &Settings, key: &str) -> Option<String> {
    settings
        .optional_text(key)
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
