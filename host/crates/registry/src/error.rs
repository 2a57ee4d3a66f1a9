//! What can go wrong between a converter and its registry.

use caisson_api::config::ConfigError;

/// Why the registry gave no answer that can be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// It answered that it will not or cannot; the text is what Confluent's client makes of it.
    #[error("{message}; error code: {code}")]
    Refused { status: u16, code: i64, message: String },
    /// No registry could be reached, or none answered in time.
    #[error("no schema registry answered; {url}: {reason}")]
    Unreachable {
        url: String,
        reason: String,
        class: &'static str,
    },
    /// It answered something else than a registry would.
    #[error("the answer of {url} is not a schema registry's: {reason}")]
    Answer { url: String, reason: String },
    /// A configuration that cannot be used.
    #[error("{0}")]
    Config(String),
}

impl Error {
    /// Whether the same request may succeed later on.
    pub fn is_passing(&self) -> bool {
        match self {
            Error::Refused { status, .. } => *status == 408 || *status == 429 || *status >= 500,
            Error::Unreachable { .. } => true,
            Error::Answer { .. } | Error::Config(_) => false,
        }
    }

    /// Whether it knows nothing of what it was asked for.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Error::Refused { status: 404, .. })
    }

    pub(crate) fn config(name: &str, reason: impl std::fmt::Display) -> Self {
        Error::Config(format!("configuration {name} cannot be used: {reason}"))
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Error::Config(error.0)
    }
}
