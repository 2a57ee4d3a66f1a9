//! What only sinks have.

use std::collections::HashSet;

use caisson_api::config::{ConfigError, Setting, Type};

use crate::pattern::Pattern;
use crate::typed::Typed;

/// Keys of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkConfig {
    pub topics: Topics,
    /// `None`: failed records go nowhere.
    pub dead_letters: Option<DeadLetters>,
}

/// What a sink reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topics {
    /// Each once.
    Names(Vec<String>),
    Pattern(Pattern),
}

/// `errors.deadletterqueue.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    pub topic: String,
    pub replication_factor: i16,
    pub headers: DeadLetterHeaders,
}

/// `errors.deadletterqueue.context.headers.enable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterHeaders {
    Off,
    On,
}

impl DeadLetters {
    /// Reads the keys below a prefix; without the name of a topic there are none.
    pub(super) fn read(typed: &Typed, prefix: &str) -> Option<DeadLetters> {
        let topic = typed.filled(&format!("{prefix}.topic.name"))?;
        Some(DeadLetters {
            topic,
            replication_factor: typed.short(&format!("{prefix}.topic.replication.factor")),
            headers: if typed.boolean(&format!("{prefix}.context.headers.enable")) {
                DeadLetterHeaders::On
            } else {
                DeadLetterHeaders::Off
            },
        })
    }
}

impl SinkConfig {
    pub(super) fn read(typed: &Typed) -> Result<SinkConfig, ConfigError> {
        let config = SinkConfig {
            topics: Topics::read(typed)?,
            dead_letters: DeadLetters::read(typed, "errors.deadletterqueue"),
        };
        config.refuse_own_letters()?;
        Ok(config)
    }

    /// A sink that read its own dead letters would never come to an end.
    fn refuse_own_letters(&self) -> Result<(), ConfigError> {
        let Some(letters) = &self.dead_letters else {
            return Ok(());
        };
        match dead_letter_conflict(&self.topics, &letters.topic) {
            Some((_, message)) => Err(ConfigError::new(message)),
            None => Ok(()),
        }
    }
}

impl Topics {
    fn read(typed: &Typed) -> Result<Topics, ConfigError> {
        let names = distinct(typed.list("topics"));
        match (names.is_empty(), typed.filled("topics.regex")) {
            (false, Some(_)) => Err(ConfigError::new(BOTH)),
            (true, None) => Err(ConfigError::new(NEITHER)),
            (false, None) => Ok(Topics::Names(names)),
            (true, Some(regex)) => Pattern::new(&regex)
                .map(Topics::Pattern)
                .map_err(|error| ConfigError::invalid("topics.regex", &regex, &format!("Invalid regex: {error}"))),
        }
    }

    /// Reads the text of `topics`.
    pub(crate) fn parse_names(text: &str) -> Topics {
        Topics::Names(match Setting::parse("topics", text, Type::List) {
            Ok(Setting::List(names)) => distinct(names),
            Ok(_) | Err(_) => Vec::new(),
        })
    }

    /// Whether the sink reads a topic of that name.
    pub fn contains(&self, topic: &str) -> bool {
        match self {
            Topics::Names(names) => names.iter().any(|name| name == topic),
            Topics::Pattern(pattern) => pattern.matches(topic),
        }
    }
}

/// Each name once, and no empty ones.
fn distinct(mut names: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
    names
}

pub(crate) const BOTH: &str = "topics and topics.regex are mutually exclusive options, but both are set.";
pub(crate) const NEITHER: &str = "Must configure one of topics or topics.regex";

/// The key and the message if the topics include that of the dead letters.
pub(crate) fn dead_letter_conflict(topics: &Topics, letters: &str) -> Option<(&'static str, String)> {
    if !topics.contains(letters) {
        return None;
    }
    Some(match topics {
        Topics::Names(names) => (
            "topics",
            format!(
                "The DLQ topic '{letters}' may not be included in the list of topics ('topics=[{}]') consumed by the connector",
                names.join(", ")
            ),
        ),
        Topics::Pattern(pattern) => (
            "topics.regex",
            format!(
                "The DLQ topic '{letters}' may not be matched by the regex for the topics ('topics.regex={}') consumed by the connector",
                pattern.as_str()
            ),
        ),
    })
}
