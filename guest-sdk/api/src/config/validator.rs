//! Checks of parsed values, with Kafka's messages.

use super::{ConfigError, Setting, Type, Validator};
use crate::value::java;

/// What a definition cannot find out by itself.
pub trait Checks {
    /// Whether a class exists; CLASS keys must name one.
    fn is_class(&self, _name: &str) -> bool {
        true
    }

    /// Whether the whole text matches a regular expression.
    fn matches(&self, _pattern: &str, _text: &str) -> bool {
        true
    }
}

/// Lets every class and every text pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoChecks;

impl Checks for NoChecks {}

impl Validator {
    /// Checks the value of a key (`ConfigDef.Validator.ensureValid`).
    pub fn check(&self, name: &str, value: &Setting, checks: &dyn Checks) -> Result<(), ConfigError> {
        let fail = |message: &str| Err(ConfigError::invalid(name, value, message));
        match self {
            Validator::NonNull if value.is_null() => fail("entry must be non null"),
            Validator::NonEmpty if value.text() == Some("") => fail("String must be non-empty"),
            Validator::NonEmptyWithoutControl => check_control(name, value),
            Validator::Range(min, max) => check_range(name, value, *min, *max),
            Validator::OneOf(values) => match value.text() {
                Some(text) if values.iter().any(|value| value == text) => Ok(()),
                Some(_) | None => fail(&format!("String must be one of: {}", values.join(", "))),
            },
            Validator::OneOfIgnoringCase(values) => match value.text() {
                Some(text) if values.iter().any(|value| value.to_uppercase() == text.to_uppercase()) => Ok(()),
                Some(_) | None => {
                    let values = values.join(", ").to_uppercase();
                    fail(&format!("String must be one of (case insensitive): {values}"))
                }
            },
            Validator::EachOneOf(values) => check_list(name, value, true, false, values),
            Validator::Distinct {
                empty_allowed,
                null_allowed,
                values,
            } => check_list(name, value, *empty_allowed, *null_allowed, values),
            Validator::MaxSize(max) => match value {
                Setting::List(items) if items.len() > *max => fail(&format!("exceeds maximum list size of [{max}].")),
                _ => Ok(()),
            },
            Validator::Pattern(pattern) => match value.text() {
                Some(text) if !checks.matches(pattern, text) => fail(&format!("String must match pattern: {pattern}")),
                Some(_) | None => Ok(()),
            },
            Validator::All(all) => all
                .iter()
                .try_for_each(|validator| validator.check(name, value, checks)),
            Validator::NonNull | Validator::NonEmpty | Validator::Unknown(_) => Ok(()),
        }
    }

    /// What Kafka prints for the validator; bounds of a range look like numbers of the key's type.
    pub fn to_text(&self, kind: Type) -> String {
        let bound = |n: f64| {
            if kind == Type::Double {
                java::double_text(n)
            } else {
                format!("{n}")
            }
        };
        match self {
            Validator::NonNull => "non-null string".into(),
            Validator::NonEmpty => "non-empty string".into(),
            Validator::NonEmptyWithoutControl => "non-empty string without ISO control characters".into(),
            Validator::Range(None, None) => "[...]".into(),
            Validator::Range(Some(min), None) => format!("[{},...]", bound(*min)),
            Validator::Range(None, Some(max)) => format!("[...,{}]", bound(*max)),
            Validator::Range(Some(min), Some(max)) => format!("[{},...,{}]", bound(*min), bound(*max)),
            Validator::OneOf(values) => format!("[{}]", values.join(", ")),
            Validator::OneOfIgnoringCase(values) => {
                format!("(case insensitive) [{}]", values.join(", ").to_uppercase())
            }
            Validator::EachOneOf(values) | Validator::Distinct { values, .. } if values.is_empty() => String::new(),
            Validator::EachOneOf(values) | Validator::Distinct { values, .. } => format!("[{}]", values.join(", ")),
            Validator::MaxSize(max) => format!("List containing maximum of {max} elements"),
            Validator::Pattern(pattern) => format!("string matching {pattern}"),
            Validator::All(all) => all.iter().map(|one| one.to_text(kind)).collect::<Vec<_>>().join(", "),
            Validator::Unknown(name) => name.clone(),
        }
    }
}

fn check_range(name: &str, value: &Setting, min: Option<f64>, max: Option<f64>) -> Result<(), ConfigError> {
    let Some(number) = value.number() else {
        return Err(ConfigError::invalid(name, value, "Value must be non-null"));
    };
    let bound = |n: f64| {
        if matches!(value, Setting::Double(_)) && n.fract() != 0.0 {
            java::double_text(n)
        } else {
            format!("{n}")
        }
    };
    match (min, max) {
        (Some(min), _) if number < min => Err(ConfigError::invalid(
            name,
            value,
            &format!("Value must be at least {}", bound(min)),
        )),
        (_, Some(max)) if number > max => Err(ConfigError::invalid(
            name,
            value,
            &format!("Value must be no more than {}", bound(max)),
        )),
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

/// `ConfigDef.NonEmptyStringWithoutControlChars`: null is for the check of required keys to complain about.
fn check_control(name: &str, value: &Setting) -> Result<(), ConfigError> {
    let Some(text) = value.text() else {
        return Ok(());
    };
    if text.is_empty() {
        return Err(ConfigError::invalid(name, value, "String may not be empty"));
    }
    let found: Vec<String> = text
        .chars()
        .filter(|c| c.is_control())
        .map(|c| u32::from(c).to_string())
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let found = found.join(", ");
    let message = format!("String may not contain control sequences but had the following ASCII chars: {found}");
    Err(ConfigError::invalid(name, value, &message))
}

/// `ConfigDef.ValidList`.
fn check_list(name: &str, value: &Setting, empty: bool, null: bool, values: &[String]) -> Result<(), ConfigError> {
    let fail = |what: &str| Err(ConfigError(format!("Configuration '{name}' {what}")));
    let Setting::List(items) = value else {
        return if null && value.is_null() {
            Ok(())
        } else {
            fail("values must not be null.")
        };
    };
    if items.is_empty() && !empty {
        let valid = if values.is_empty() {
            "any non-empty value".into()
        } else {
            format!("[{}]", values.join(", "))
        };
        return fail(&format!("must not be empty. Valid values include: {valid}"));
    }
    let distinct: std::collections::HashSet<&String> = items.iter().collect();
    if distinct.len() != items.len() {
        return fail("values must not be duplicated.");
    }
    for item in items {
        if item.is_empty() {
            return fail("values must not be empty.");
        }
        if !values.is_empty() && !values.contains(item) {
            return Err(ConfigError::invalid(
                name,
                item,
                &format!("String must be one of: {}", values.join(", ")),
            ));
        }
    }
    Ok(())
}
