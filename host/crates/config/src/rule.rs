//! Checks that need more than data: regular expressions, aliases and listeners.

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
