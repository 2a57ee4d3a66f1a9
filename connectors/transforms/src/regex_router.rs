//! `RegexRouter`: renames topics that match an expression.

use caisson_sdk::api::config::{ConfigError, Setting};
use caisson_sdk::prelude::*;

use crate::regex::{JavaRegex, ReplaceError, Replacement};
use crate::standard;
use crate::topics::Topics;

#[derive(Debug)]
pub struct RegexRouter {
    regex: JavaRegex,
    /// Null is a mistake that the original notices with the first topic that matches.
    replacement: Option<Replacement>,
    routes: Topics<Option<std::sync::Arc<str>>>,
}

impl Transform for RegexRouter {
    fn plugin() -> Plugin {
        standard::transform("RegexRouter", "Renames topics that match a regular expression.")
            .key(
                Key::new("regex", Type::String)
                    .validator(valid_regex())
                    .importance(Importance::High)
                    .documentation("Regular expression that a whole topic has to match."),
            )
            .key(
                Key::new("replacement", Type::String)
                    .importance(Importance::High)
                    .documentation("New topic; $1 and so on stand for groups of the expression."),
            )
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(RegexRouter {
            regex: JavaRegex::new(settings.text("regex")?).map_err(|error| Error::config(error.to_string()))?,
            replacement: settings.optional_text("replacement").map(Replacement::new),
            routes: Topics::default(),
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let (regex, replacement) = (&self.regex, self.replacement.as_ref());
        let route = self
            .routes
            .get_or_try_insert(&record.topic, |topic| route(regex, replacement, topic))?;
        if let Some(route) = route {
            record.topic = route.clone();
        }
        Ok(Some(record))
    }
}

fn route(
    regex: &JavaRegex,
    replacement: Option<&Replacement>,
    topic: &str,
) -> Result<Option<std::sync::Arc<str>>, Error> {
    match replacement {
        Some(replacement) => Ok(replaced(regex, replacement, topic)?.map(Into::into)),
        None if !is_match(regex, topic)? => Ok(None),
        None => Err(Error::data("replacement").with_class("java.lang.NullPointerException")),
    }
}

/// The text that a replacement makes of one that matches as a whole.
pub fn replaced(regex: &JavaRegex, replacement: &Replacement, text: &str) -> Result<Option<String>, Error> {
    if !is_match(regex, text)? {
        return Ok(None);
    }
    match replacement.replace_first(regex, text) {
        Ok(new) => Ok(Some(new)),
        Err(ReplaceError::Argument(message)) => {
            Err(Error::data(message).with_class("java.lang.IllegalArgumentException"))
        }
        Err(ReplaceError::NoGroup(number)) => {
            Err(Error::data(format!("No group {number}")).with_class("java.lang.IndexOutOfBoundsException"))
        }
        Err(ReplaceError::TooManySteps) => Err(Error::data(crate::regex::TooManySteps.to_string())),
    }
}

fn is_match(regex: &JavaRegex, text: &str) -> Result<bool, Error> {
    regex.matches(text).map_err(|error| Error::data(error.to_string()))
}

/// `RegexValidator`.
pub fn valid_regex() -> Validator {
    Validator::code("valid regex", |name, value| {
        let Setting::String(text) = value else {
            let reason = "Invalid regex: Cannot invoke \"String.isEmpty()\" because \"this.pattern\" is null";
            return Err(ConfigError::invalid(name, value, reason));
        };
        match JavaRegex::new(text) {
            Ok(_) => Ok(()),
            Err(error) => Err(ConfigError::invalid(name, value, &format!("Invalid regex: {error}"))),
        }
    })
}
