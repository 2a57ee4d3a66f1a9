//! How a source has missing topics created (`topic.creation.*`, KIP-158).

use caisson_api::config::{ConfigDef, ConfigError};

use crate::given::{Entries, Given};
use crate::pattern::Pattern;
use crate::tables;
use crate::tables::topic_creation::{self, DEFAULT_GROUP};

/// The groups of topics, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicCreation {
    /// Without the default group.
    groups: Vec<TopicGroup>,
    default: TopicGroup,
}

/// Topics that are created alike.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicGroup {
    pub name: String,
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    /// -1: as the broker likes.
    pub replication_factor: i16,
    /// -1: as the broker likes.
    pub partitions: i32,
    /// Settings of the topics.
    pub settings: Entries,
}

impl TopicCreation {
    /// `None` if the configuration says nothing of the creation of topics.
    pub(super) fn read(names: &[String], given: &Given) -> Result<Option<TopicCreation>, ConfigError> {
        if given.below("topic.creation.").next().is_none() {
            return Ok(None);
        }
        let default = TopicGroup::read(DEFAULT_GROUP, None, given)?;
        let groups = names
            .iter()
            .filter(|name| *name != DEFAULT_GROUP)
            .map(|name| TopicGroup::read(name, Some(&default), given))
            .collect::<Result<_, _>>()?;
        Ok(Some(TopicCreation { groups, default }))
    }

    /// The group that a topic belongs to: the first that has it, or the default one.
    pub fn group(&self, topic: &str) -> &TopicGroup {
        self.groups
            .iter()
            .find(|group| group.contains(topic))
            .unwrap_or(&self.default)
    }

    /// All groups, the default one last.
    pub fn groups(&self) -> impl Iterator<Item = &TopicGroup> {
        self.groups.iter().chain([&self.default])
    }
}

impl TopicGroup {
    fn read(name: &str, default: Option<&TopicGroup>, given: &Given) -> Result<TopicGroup, ConfigError> {
        let prefix = format!("topic.creation.{name}.");
        let mut table = match default {
            None => topic_creation::default_group(),
            Some(default) => topic_creation::group(name, default.replication_factor, default.partitions),
        };
        for definition in &mut table {
            definition.key.name.insert_str(0, &prefix);
        }
        let values = ConfigDef {
            keys: tables::keys(&table),
        }
        .parse(given)?;
        for definition in &table {
            definition
                .rule
                .check(definition.name(), values.get(definition.name()))?;
        }
        let patterns = |key: &str| {
            let key = format!("{prefix}{key}");
            let compile = |text: &String| {
                Pattern::new(text).map_err(|error| ConfigError::invalid(&key, text, &format!("Invalid regex: {error}")))
            };
            values
                .list(&key)
                .unwrap_or_default()
                .iter()
                .map(compile)
                .collect::<Result<Vec<_>, _>>()
        };
        let number = |key: &str| values.int(&format!("{prefix}{key}")).unwrap_or(-1);
        let mut settings = given.entries_below(&prefix);
        for own in ["include", "exclude", "replication.factor", "partitions"] {
            settings.remove(own);
        }
        Ok(TopicGroup {
            name: name.to_owned(),
            include: patterns("include")?,
            exclude: patterns("exclude")?,
            replication_factor: i16::try_from(number("replication.factor")).unwrap_or(-1),
            partitions: number("partitions"),
            settings,
        })
    }

    fn contains(&self, topic: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(topic));
        any(&self.include) && !any(&self.exclude)
    }
}
