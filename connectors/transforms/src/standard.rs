//! What the descriptions of all transforms and predicates have in common.

use caisson_sdk::prelude::*;

use crate::side::Side;

const PACKAGE: &str = "org.apache.kafka.connect.transforms";

/// A transform for whole records.
pub fn transform(name: &str, documentation: &str) -> Plugin {
    plugin(format!("{PACKAGE}.{name}"), name, documentation)
}

/// A transform for one half of records, which it sees decoded.
pub fn transform_of<S: Side>(name: &str, documentation: &str) -> Plugin {
    S::decoded(transform(&format!("{name}${}", S::NAME), documentation))
}

pub fn predicate(name: &str, documentation: &str) -> Plugin {
    plugin(format!("{PACKAGE}.predicates.{name}"), name, documentation)
}

fn plugin(class: String, alias: &str, documentation: &str) -> Plugin {
    // Whether it runs in the worker or as a component, it is the one that Kafka Connect of this version has.
    let plugin = Plugin::new(class, caisson_sdk::api::KAFKA_CONNECT);
    // Kafka Connect has no short names for what stands inside of another class.
    let plugin = if alias.contains('$') {
        plugin
    } else {
        plugin.alias(alias)
    };
    plugin.documentation(documentation).ability(Ability::Warms)
}

pub const REPLACE_NULL_WITH_DEFAULT: &str = "replace.null.with.default";

/// The key that decides what null means where a schema has a default.
pub fn replace_null_with_default() -> Key {
    Key::new(REPLACE_NULL_WITH_DEFAULT, Type::Boolean)
        .default("true")
        .importance(Importance::Medium)
        .documentation("Whether a field that is null counts as its default value, where its schema has one.")
}

/// Kafka's text for checks of pairs.
pub const PAIRS: &str = "list of colon-delimited pairs, e.g. <code>foo:bar,abc:xyz</code>";

/// Entries without empty or repeated ones.
pub fn entries(empty_allowed: bool) -> Validator {
    Validator::Distinct {
        empty_allowed,
        null_allowed: false,
        values: Vec::new(),
    }
}
