//! `topics.regex`: the pattern is matched here, and the group subscribes to the names that are found.
//!
//! librdkafka has patterns of its own, but in POSIX's syntax, which differs from Java's in what users write (`\d`, `\w`,
//! `(?:...)`).

use std::time::{Duration, Instant};

use regex::Regex;

use crate::error::{Error, KafkaError};
use crate::ffi::Client;
use crate::settings::ClientSettings;

/// How often topics are looked up unless `metadata.max.age.ms` says otherwise.
const INTERVAL: Duration = Duration::from_secs(300);
/// How soon after a failure.
const RETRY: Duration = Duration::from_secs(2);
/// How long one look-up may hold up the consumer's thread.
const TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) struct Pattern {
    regex: Regex,
    interval: Duration,
    due: Instant,
    subscribed: Vec<String>,
}

impl Pattern {
    pub(crate) fn new(pattern: &str, settings: &ClientSettings) -> Result<Pattern, Error> {
        let regex = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| Error::Pattern {
            pattern: pattern.to_owned(),
            reason: error.to_string(),
        })?;
        let interval = settings
            .native("topic.metadata.refresh.interval.ms")
            .and_then(|value| value.parse().ok());
        let interval = interval.map_or(INTERVAL, Duration::from_millis);
        Ok(Pattern {
            regex,
            interval,
            due: Instant::now(),
            subscribed: Vec::new(),
        })
    }

    /// When [`Pattern::refresh`] wants to be called.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Looks topics up, and subscribes anew if others match than before.
    pub(crate) fn refresh(&mut self, client: &Client) -> Result<(), KafkaError> {
        self.due = Instant::now() + RETRY;
        let topics = client.topics(TIMEOUT)?;
        let mut names: Vec<String> = topics
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| !is_internal(name) && self.regex.is_match(name))
            .collect();
        names.sort();
        if names != self.subscribed {
            client.subscribe(&names)?;
            self.subscribed = names;
        }
        self.due = Instant::now()
            + if self.subscribed.is_empty() {
                RETRY.max(self.interval.min(RETRY * 5))
            } else {
                self.interval
            };
        Ok(())
    }
}

/// Kafka's own topics, which no pattern matches (`exclude.internal.topics`).
fn is_internal(name: &str) -> bool {
    matches!(
        name,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}
