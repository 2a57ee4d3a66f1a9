//! Log lines and errors of clients, on their way to `tracing`.
//!
//! librdkafka logs every failed connection attempt of every broker. Here the attempts are debug lines, and one warning
//! per half minute says that a client cannot reach Kafka, why, and that it goes on trying.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::error::KafkaError;

/// How often the same complaint is repeated.
const REPEAT: Duration = Duration::from_secs(30);

/// A line as librdkafka hands it over; `level` is syslog's.
pub(crate) struct LogLine<'a> {
    pub level: i32,
    pub facility: &'a str,
    pub line: &'a str,
}

/// Where one client's lines go.
pub(crate) struct Reporter {
    client: String,
    brokers: String,
    /// When the last complaint of each sort was made.
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    unreachable: Option<Instant>,
    refused: Option<Instant>,
}

impl Reporter {
    pub(crate) fn new(client: String, brokers: String) -> Self {
        Reporter {
            client,
            brokers,
            said: Mutex::default(),
        }
    }

    pub(crate) fn client(&self) -> &str {
        &self.client
    }

    pub(crate) fn log(&self, line: &LogLine<'_>) {
        let (client, facility) = (&*self.client, line.facility);
        // Failures come once more as errors, from where they are reported with a limit.
        let level = if matches!(facility, "FAIL" | "ERROR") {
            6
        } else {
            line.level
        };
        match level {
            ..=4 => tracing::warn!(target: "kafka", client, facility, "{}", line.line),
            5 | 6 => tracing::debug!(target: "kafka", client, facility, "{}", line.line),
            _ => tracing::trace!(target: "kafka", client, facility, "{}", line.line),
        }
    }

    /// Reports an error, unless it is one that repeats and was reported a moment ago; says whether it did.
    pub(crate) fn error(&self, error: &KafkaError) -> bool {
        let (client, brokers) = (&*self.client, &*self.brokers);
        if error.fatal {
            tracing::error!(target: "kafka", client, %error, "Kafka client has failed for good");
        } else if error.code.is_refused() {
            if !self.due(|said| &mut said.refused) {
                return false;
            }
            tracing::error!(target: "kafka", client, brokers, %error, "Kafka refuses this client; check its settings and rights");
        } else if error.code.is_unreachable() {
            if !self.due(|said| &mut said.unreachable) {
                return false;
            }
            tracing::warn!(target: "kafka", client, brokers, %error, "cannot reach Kafka; retrying");
        } else {
            tracing::warn!(target: "kafka", client, %error, "Kafka client reports an error");
        }
        true
    }

    /// Whether a complaint is due, which is noted as made.
    fn due(&self, which: impl FnOnce(&mut Said) -> &mut Option<Instant>) -> bool {
        let mut said = self.said.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let last = which(&mut said);
        let due = last.is_none_or(|last| last.elapsed() >= REPEAT);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}
