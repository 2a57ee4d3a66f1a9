//! `topics.regex`: the pattern is matched here, and the group subscribes to the names that are found.

use regex::Regex;

use crate::error::Error;
use crate::wire::messages::TopicLeaders;

pub(crate) struct Pattern(Regex);

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Result<Pattern, Error> {
        let regex = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| Error::Pattern {
            pattern: pattern.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Pattern(regex))
    }

    /// The names that match, sorted; without Kafka's own topics (`exclude.internal.topics`).
    pub(crate) fn select(&self, topics: &[TopicLeaders]) -> Vec<String> {
        let matching = topics
            .iter()
            .filter(|topic| !topic.is_internal && self.0.is_match(&topic.name));
        let mut names: Vec<String> = matching.map(|topic| topic.name.clone()).collect();
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_must_match_the_whole_name_of_a_topic_that_is_not_kafkas_own() {
        let topic = |name: &str, is_internal| TopicLeaders {
            code: 0,
            name: name.to_owned(),
            id: None,
            is_internal,
            partitions: Vec::new(),
        };
        let topics = [
            topic("b-1", false),
            topic("a-1", false),
            topic("a-1x", false),
            topic("a-2", true),
        ];
        let pattern = Pattern::new(r"(?:a|b)-\d+").unwrap();
        assert_eq!(pattern.select(&topics), ["a-1", "b-1"]);
        assert!(Pattern::new("(").is_err());
    }
}
