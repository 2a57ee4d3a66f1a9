//! Checks that need more than data: regular expressions, aliases, listeners and the small languages of transforms.

use std::collections::HashSet;

use caisson_api::config::{ConfigError, NoChecks, Setting, Validator};

use crate::listener;
use crate::pattern::Pattern;
use crate::plugins::Role;

/// A check that is code. What needs to know the installed plugins is left to [`crate::validate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    None,
    /// No alias twice.
    Aliases,
    Regex,
    /// Every entry of a list is a regular expression.
    Patterns,
    /// Names a plugin of this role.
    Plugin(Role),
    /// The type of a link of a chain: a transform or predicate.
    Link(Role),
    /// A number, unless there is none.
    AtLeastIfAny(i64),
    Partitions,
    ReplicationFactor,
    Listeners,
    AdminListeners,
    CastSpec,
    Renames,
    NonEmptyList,
}

impl Rule {
    /// `name` is what messages call the key.
    pub fn check(self, name: &str, value: &Setting) -> Result<(), ConfigError> {
        match self {
            Rule::None | Rule::Plugin(_) | Rule::Link(_) => Ok(()),
            Rule::Aliases => aliases(name, value),
            Rule::Regex => regex(name, value),
            Rule::Patterns => entries(value).iter().try_for_each(|entry| {
                Pattern::new(entry)
                    .map(drop)
                    .map_err(|error| ConfigError::invalid(name, value, &format!("Invalid regex: {error}")))
            }),
            Rule::AtLeastIfAny(_) if value.is_null() => Ok(()),
            Rule::AtLeastIfAny(least) => Validator::at_least(least).check(name, value, &NoChecks),
            Rule::Partitions => number(name, value, "Number of partitions"),
            Rule::ReplicationFactor => number(name, value, "Replication factor"),
            Rule::Listeners => listener::check(name, value, listener::Purpose::Regular),
            Rule::AdminListeners => listener::check(name, value, listener::Purpose::Admin),
            Rule::CastSpec => cast_spec(value),
            Rule::Renames => renames(name, value),
            Rule::NonEmptyList if entries(value).is_empty() => Err(ConfigError::invalid(name, value, "Empty list")),
            Rule::NonEmptyList => Ok(()),
        }
    }
}

fn entries(value: &Setting) -> &[String] {
    match value {
        Setting::List(entries) => entries,
        Setting::Null
        | Setting::Boolean(_)
        | Setting::String(_)
        | Setting::Int(_)
        | Setting::Short(_)
        | Setting::Long(_)
        | Setting::Double(_)
        | Setting::Class(_)
        | Setting::Password(_) => &[],
    }
}

fn aliases(name: &str, value: &Setting) -> Result<(), ConfigError> {
    let all = entries(value);
    let different: HashSet<_> = all.iter().collect();
    if different.len() < all.len() {
        return Err(ConfigError::invalid(name, value, "Duplicate alias provided."));
    }
    Ok(())
}

fn regex(name: &str, value: &Setting) -> Result<(), ConfigError> {
    let failed = |reason: &str| Err(ConfigError::invalid(name, value, &format!("Invalid regex: {reason}")));
    match value {
        Setting::String(text) => match Pattern::new(text) {
            Ok(_) => Ok(()),
            Err(error) => failed(&error.to_string()),
        },
        Setting::Null
        | Setting::Boolean(_)
        | Setting::Int(_)
        | Setting::Short(_)
        | Setting::Long(_)
        | Setting::Double(_)
        | Setting::List(_)
        | Setting::Class(_)
        | Setting::Password(_) => failed("there is none"),
    }
}

/// -1, the broker's default, or more than nothing.
fn number(name: &str, value: &Setting, what: &str) -> Result<(), ConfigError> {
    let number = match value {
        Setting::Int(number) => *number,
        Setting::Short(number) => i32::from(*number),
        Setting::Null
        | Setting::Boolean(_)
        | Setting::String(_)
        | Setting::Long(_)
        | Setting::Double(_)
        | Setting::List(_)
        | Setting::Class(_)
        | Setting::Password(_) => return Ok(()),
    };
    if number < -1 || number == 0 {
        let text = format!("{what} must be positive, or -1 to use the broker's default");
        return Err(ConfigError::invalid(name, value, &text));
    }
    Ok(())
}

/// Types that a value can be cast to.
const CAST_TARGETS: [&str; 8] = [
    "INT8", "INT16", "INT32", "INT64", "FLOAT32", "FLOAT64", "BOOLEAN", "STRING",
];
/// Other types that a schema can have.
const OTHER_TYPES: [&str; 4] = ["ARRAY", "MAP", "STRUCT", "BYTES"];

/// `Cast`'s `spec`: one type, or `field:type` for each field.
fn cast_spec(value: &Setting) -> Result<(), ConfigError> {
    let specs = entries(value);
    if specs.is_empty() {
        return Err(ConfigError::new("Must specify at least one field to cast."));
    }
    let mut whole = false;
    for spec in specs {
        // As Java's split does it: empty parts at the end do not count.
        let parts: Vec<&str> = spec.trim_end_matches(':').split(':').collect();
        let kind = match parts.as_slice() {
            [kind] => {
                whole = true;
                kind
            }
            [_, kind] => kind,
            _ => {
                let text = format!("Invalid rename mapping: {spec}");
                return Err(ConfigError::invalid("renames", value, &text));
            }
        };
        cast_target(kind)?;
    }
    if whole && specs.len() > 1 {
        return Err(ConfigError::new(
            "Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec",
        ));
    }
    Ok(())
}

fn cast_target(kind: &str) -> Result<(), ConfigError> {
    let upper = kind.trim().to_uppercase();
    if CAST_TARGETS.contains(&upper.as_str()) {
        return Ok(());
    }
    if OTHER_TYPES.contains(&upper.as_str()) {
        let supported = CAST_TARGETS.join(", ");
        let text =
            format!("Cast transformation does not support casting to {upper}; supported types are [{supported}]");
        return Err(ConfigError::new(text));
    }
    // The original puts what it should say last into the place of the key's name.
    let cause = format!(
        "java.lang.IllegalArgumentException: No enum constant org.apache.kafka.connect.data.Schema.Type.{upper}"
    );
    let text = format!(
        "Invalid value {cause} for configuration Invalid type found in casting spec: {}",
        kind.trim()
    );
    Err(ConfigError::new(text))
}

/// `ReplaceField`'s `renames`: `old:new` for each field.
fn renames(name: &str, value: &Setting) -> Result<(), ConfigError> {
    for mapping in entries(value) {
        let parts: Vec<&str> = mapping.trim_end_matches(':').split(':').collect();
        if parts.len() != 2 {
            let text = format!("Invalid rename mapping: {mapping}");
            return Err(ConfigError::invalid(name, value, &text));
        }
    }
    Ok(())
}
