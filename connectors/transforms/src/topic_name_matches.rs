//! `TopicNameMatches`: does the whole topic match an expression?

use caisson_sdk::prelude::*;

use crate::regex::JavaRegex;
use crate::regex_router::valid_regex;
use crate::registry::{DynPredicate, Subject};
use crate::standard;
use crate::topics::Topics;

#[derive(Debug)]
pub struct TopicNameMatches {
    regex: JavaRegex,
    answers: Topics<bool>,
}

impl Predicate for TopicNameMatches {
    fn plugin() -> Plugin {
        standard::predicate(
            "TopicNameMatches",
            "Holds for records of topics that match a regular expression.",
        )
        .key(
            Key::new("pattern", Type::String)
                .validator(Validator::All(vec![Validator::NonEmpty, valid_regex()]))
                .importance(Importance::Medium)
                .documentation("Regular expression that the whole topic has to match."),
        )
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(TopicNameMatches {
            regex: JavaRegex::new(settings.text("pattern")?).map_err(|error| Error::config(error.to_string()))?,
            answers: Topics::default(),
        })
    }

    fn test(&mut self, record: &RecordView<'_>) -> Result<bool, Error> {
        DynPredicate::test(self, record)
    }
}

impl DynPredicate for TopicNameMatches {
    fn test(&mut self, record: &dyn Subject) -> Result<bool, Error> {
        let regex = &self.regex;
        let answer = self
            .answers
            .get_or_try_insert(record.topic(), |topic| regex.matches(topic))
            .map_err(|error| Error::data(error.to_string()))?;
        Ok(*answer)
    }
}
