//! Definitions of keys: what `caisson_api` knows about a key, and rules that only the worker can check.

use std::fmt;

use caisson_api::config::{ConfigError, Importance, Key, Setting, Type, Validator, Width};

use crate::plugins::Role;
use crate::rule::Rule;

/// The definition of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub key: Key,
    /// Checked after the key's own validator, if that had nothing to say.
    pub rule: Rule,
}

impl Definition {
    pub fn name(&self) -> &str {
        &self.key.name
    }

    /// Checks a parsed value; `name` is what messages call the key.
    pub fn check(
        &self,
        name: &str,
        value: &Setting,
        checks: &dyn caisson_api::config::Checks,
    ) -> Result<(), ConfigError> {
        if let Some(validator) = &self.key.validator {
            validator.check(name, value, checks)?;
        }
        self.rule.check(name, value)
    }
}

impl From<Key> for Definition {
    fn from(key: Key) -> Self {
        Definition { key, rule: Rule::None }
    }
}

/// A definition as it stands in a table of this crate.
#[derive(Clone, Copy)]
pub struct Line {
    name: &'static str,
    kind: Type,
    default: Default,
    importance: Importance,
    check: Check,
    place: Option<Place>,
    documentation: &'static str,
}

/// What a key is if it is not given.
#[derive(Clone, Copy)]
pub enum Default {
    Required,
    Null,
    Text(&'static str),
}

#[derive(Clone, Copy)]
struct Place {
    group: &'static str,
    order: i32,
    width: Width,
    display: &'static str,
}

/// What has to hold for a value; of the words some are Kafka's own texts for its validators.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Check {
    Any,
    NonEmpty,
    /// A name of a connector.
    Name,
    AtLeast(i64),
    /// Null is good too.
    AtLeastIfAny(i64),
    Between(i64, i64),
    BetweenReals(f64, f64),
    OneOf(&'static [&'static str]),
    OneOfIgnoringCase(&'static [&'static str]),
    /// A list without empty or repeated entries, perhaps empty, perhaps null.
    Entries {
        empty: bool,
        null: bool,
    },
    /// Different names, of what is said.
    Aliases(&'static str),
    Regex,
    Plugin(Role),
    /// A number of partitions, or -1.
    Partitions,
    ReplicationFactor,
    /// A list of regular expressions, and the text that Kafka has for it.
    Patterns(&'static str),
    Listeners,
    AdminListeners,
    HeaderRules,
    /// Only described.
    Said(&'static str),
}

pub const fn line(
    name: &'static str,
    kind: Type,
    default: Default,
    importance: Importance,
    documentation: &'static str,
) -> Line {
    Line {
        name,
        kind,
        default,
        importance,
        check: Check::Any,
        place: None,
        documentation,
    }
}

impl Line {
    pub const fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    pub const fn at(mut self, group: &'static str, order: i32, width: Width, display: &'static str) -> Self {
        self.place = Some(Place {
            group,
            order,
            width,
            display,
        });
        self
    }

    pub fn definition(&self) -> Definition {
        let mut key = Key::new(self.name, self.kind)
            .importance(self.importance)
            .documentation(self.documentation);
        key = match self.default {
            Default::Required => key,
            Default::Null => key.optional(),
            Default::Text(text) => key.default(text),
        };
        if let Some(place) = self.place {
            key = key.width(place.width).display(place.display);
            // Some of Kafka's keys have a width without a group.
            if !place.group.is_empty() {
                key = key.group(place.group, place.order);
            }
        }
        key.validator = self.check.validator();
        Definition {
            key,
            rule: self.check.rule(),
        }
    }
}

/// The definitions of a table.
pub fn definitions(lines: &[Line]) -> Vec<Definition> {
    lines.iter().map(Line::definition).collect()
}

// Kafka's texts for checks that are code.
const PARTITIONS: &str = "Positive number, or -1 to use the broker's default";
const REPLICATION_FACTOR: &str =
    "Positive number not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default";
const LISTENERS: &str = "List of comma-separated URLs, ex: http://localhost:8080,https://localhost:8443.";
const HEADER_RULES: &str = "Comma-separated header rules, where each header rule is of the form '[action] [header name]:[header value]' and optionally surrounded by double quotes if any part of a header rule contains a comma";

impl Check {
    /// The part that is data, which also says how the check is described.
    pub(crate) fn validator(self) -> Option<Validator> {
        let said = |text: &str| Validator::Unknown(text.to_owned());
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Some(match self {
            Check::Any => return None,
            Check::Patterns("non-null string") => Validator::NonNull,
            Check::NonEmpty => Validator::NonEmpty,
            Check::Name => Validator::NonEmptyWithoutControl,
            Check::AtLeast(least) => Validator::at_least(least),
            Check::AtLeastIfAny(least) => said(&format!("[{least},...]")),
            Check::Between(least, most) => Validator::between(least, most),
            Check::BetweenReals(least, most) => Validator::between(least, most),
            Check::OneOf(all) => Validator::OneOf(words(all)),
            Check::OneOfIgnoringCase(all) => Validator::OneOfIgnoringCase(words(all)),
            Check::Entries { empty, null } => Validator::Distinct {
                empty_allowed: empty,
                null_allowed: null,
                values: Vec::new(),
            },
            Check::Aliases(of) => Validator::All(vec![Validator::NonNull, said(&format!("unique {of}"))]),
            Check::Regex => said("valid regex"),
            Check::Plugin(role) => said(&format!(
                "A concrete subclass of org.apache.kafka.connect.storage.{}, A class with a public, no-argument constructor",
                role.interface()
            )),
            Check::Partitions => said(PARTITIONS),
            Check::ReplicationFactor => said(REPLICATION_FACTOR),
            Check::Listeners => said(LISTENERS),
            Check::AdminListeners => said(""),
            Check::HeaderRules => said(HEADER_RULES),
            Check::Patterns(text) | Check::Said(text) => said(text),
        })
    }

    /// The part that is code.
    pub(crate) fn rule(self) -> Rule {
        match self {
            Check::Any
            | Check::NonEmpty
            | Check::Name
            | Check::AtLeast(_)
            | Check::Between(..)
            | Check::BetweenReals(..)
            | Check::OneOf(_)
            | Check::OneOfIgnoringCase(_)
            | Check::Entries { .. }
            | Check::HeaderRules
            | Check::Said(_) => Rule::None,
            Check::AtLeastIfAny(least) => Rule::AtLeastIfAny(least),
            Check::Aliases(_) => Rule::Aliases,
            Check::Regex => Rule::Regex,
            Check::Plugin(role) => Rule::Plugin(role),
            Check::Partitions => Rule::Partitions,
            Check::ReplicationFactor => Rule::ReplicationFactor,
            Check::Patterns(_) => Rule::Patterns,
            Check::Listeners => Rule::Listeners,
            Check::AdminListeners => Rule::AdminListeners,
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}
