//! What can be wrong with a configuration.

use caisson_api::config::ConfigError;

/// A configuration that cannot be used. Texts that users know from Kafka Connect are as they are there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{file}: more than {limit} {what}")]
    TooLarge {
        file: String,
        what: &'static str,
        limit: usize,
    },
    #[error("{file}, line {line}: {reason}")]
    Properties {
        file: String,
        line: usize,
        reason: &'static str,
    },
    #[error("{file}: no connector configuration: {reason}")]
    ConnectorFile { file: String, reason: String },
    /// In Kafka's words; the key is named in them.
    #[error("{file}: {message}")]
    Worker { file: String, message: String },
    /// In Kafka's words; the key is named in them.
    #[error("{0}")]
    Connector(String),
    #[error("configuration provider {provider}: {reason}")]
    Provider { provider: String, reason: String },
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Error::Connector(error.0)
    }
}
