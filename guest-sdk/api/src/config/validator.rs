//! Checks of parsed values, with Kafka's messages.

use std::fmt;

use super::{ConfigError, Setting, Validator};
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

/// A bound of a range. Messages show it as it was written: `1` or `1.0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    Whole(i64),
    Real(f64),
}

impl Bound {
    fn number(self) -> f64 {
        match self {
            Bound::Whole(number) => number as f64,
            Bound::Real(number) => number,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Whole(number) => write!(f, "{number}"),
            Bound::Real(number) => f.write_str(&java::double_text(*number)),
        }
    }
}

impl From<i64> for Bound {
    fn from(number: i64) -> Self {
        Bound::Whole(number)
    }
}

impl From<f64> for Bound {
    fn from(number: f64) -> Self {
        Bound::Real(number)
    }
}

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
            Validator::OneOfOrNull(values) => match values.iter().any(|one| one.as_deref() == value.text()) {
                true => Ok(()),
                false => fail(&format!("String must be one of: {}", listed(values))),
            },
            Validator::OneOfIgnoringCase(values) => match value.text() {
                Some(text) if values.iter().any(|value| value.to_uppercase() == text.to_uppercase()) => Ok(()),
                Some(_) | None => fail(&format!(
                    "String must be one of (case insensitive): {}",
                    upper_case(values)
                )),
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
            Validator::Code(code) => code.check.map_or(Ok(()), |check| check(name, value)),
            Validator::NonNull | Validator::NonEmpty | Validator::Unknown(_) => Ok(()),
        }
    }

    /// A number of at least so much.
    pub fn at_least(least: impl Into<Bound>) -> Self {
        Validator::Range(Some(least.into()), None)
    }

    /// A number in a range, both ends included.
    pub fn between<B: Into<Bound>>(least: B, most: B) -> Self {
        Validator::Range(Some(least.into()), Some(most.into()))
    }

    /// What Kafka prints for the validator.
    pub fn to_text(&self) -> String {
        match self {
            Validator::NonNull => "non-null string".into(),
            Validator::NonEmpty => "non-empty string".into(),
            Validator::NonEmptyWithoutControl => "non-empty string without ISO control characters".into(),
            Validator::Range(None, None) => "[...]".into(),
            Validator::Range(Some(min), None) => format!("[{min},...]"),
            Validator::Range(None, Some(max)) => format!("[...,{max}]"),
            Validator::Range(Some(min), Some(max)) => format!("[{min},...,{max}]"),
            Validator::OneOf(values) => format!("[{}]", values.join(", ")),
            Validator::OneOfOrNull(values) => format!("[{}]", listed(values)),
            Validator::OneOfIgnoringCase(values) => {
                format!("(case insensitive) [{}]", upper_case(values))
            }
            Validator::EachOneOf(values) | Validator::Distinct { values, .. } if values.is_empty() => String::new(),
            Validator::EachOneOf(values) | Validator::Distinct { values, .. } => format!("[{}]", values.join(", ")),
            Validator::MaxSize(max) => format!("List containing maximum of {max} elements"),
            Validator::Pattern(pattern) => format!("string matching {pattern}"),
            Validator::All(all) => all.iter().map(Validator::to_text).collect::<Vec<_>>().join(", "),
            Validator::Code(code) => code.description.clone(),
            Validator::Unknown(name) => name.clone(),
        }
    }
}

/// The texts of a set of Java, in its order.
fn upper_case(values: &[String]) -> String {
    let mut all: Vec<String> = Vec::new();
    for value in values {
        let value = value.to_uppercase();
        if !all.contains(&value) {
            all.push(value);
        }
    }
    java::sort_as_in_hash_map(&mut all, |value| value);
    all.join(", ")
}

/// Texts of which some may be null.
fn listed(values: &[Option<String>]) -> String {
    let values: Vec<&str> = values.iter().map(|value| value.as_deref().unwrap_or("null")).collect();
    values.join(", ")
}

fn check_range(name: &str, value: &Setting, min: Option<Bound>, max: Option<Bound>) -> Result<(), ConfigError> {
    let fail = |message: &str| Err(ConfigError::invalid(name, value, message));
    let Some(number) = value.number() else {
        return fail("Value must be non-null");
    };
    match (min, max) {
        (Some(min), _) if number < min.number() => fail(&format!("Value must be at least {min}")),
        (_, Some(max)) if number > max.number() => fail(&format!("Value must be no more than {max}")),
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
