//! What a herder answers when it cannot do what it was asked for.

use caisson_api::manifest::Grants;

/// Kafka Connect's exceptions, as far as they differ for who asked. Texts are Kafka Connect's where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `NotFoundException`: 404.
    #[error("{0}")]
    NotFound(String),
    /// `AlreadyExistsException`: 409.
    #[error("{0}")]
    AlreadyExists(String),
    /// `BadRequestException`: 400.
    #[error("{0}")]
    BadRequest(String),
    /// `ConfigException`, of a setting that Kafka Connect reads before it validates: 500.
    #[error("{0}")]
    Config(String),
    /// Switched off by the worker's configuration: 403.
    #[error("{0}")]
    Forbidden(String),
    /// A rebalance or a concurrent change is in the way; the request may be repeated: 409.
    #[error("{0}")]
    Conflict(String),
    /// What came is larger than may be: 413.
    #[error("{0}")]
    TooLarge(String),
    /// A module asks for more than the one before it had, and nobody has consented: 409.
    #[error("The module asks for more than what serves {class} now; repeat the request with consent=true to grant it")]
    Consent { class: String, added: Box<Grants> },
    /// Another worker has to do it: the leader, or the one that runs what is meant. None while nobody knows which.
    #[error("Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.")]
    Elsewhere { url: Option<String> },
    /// An internal request with a wrong signature: 403.
    #[error("{0}")]
    Untrusted(String),
    /// The worker cannot tell yet: 503.
    #[error("{0}")]
    Unavailable(String),
    /// Any other `ConnectException`: 500.
    #[error("{0}")]
    Other(String),
}

impl Error {
    pub fn connector_not_found(name: &str) -> Error {
        Error::NotFound(format!("Connector {name} not found"))
    }

    /// The refusal to change offsets of a connector that may run.
    pub fn not_stopped(name: &str) -> Error {
        Error::BadRequest(format!(
            "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
        ))
    }

    /// The text for an action on the state of a connector that is not there.
    pub fn unknown_connector(name: &str) -> Error {
        Error::NotFound(format!("Unknown connector {name}"))
    }
}

impl From<caisson_store::Error> for Error {
    fn from(error: caisson_store::Error) -> Self {
        match error {
            caisson_store::Error::ModuleTooLarge { .. } => Error::TooLarge(error.to_string()),
            caisson_store::Error::Superseded { .. } => Error::Conflict(error.to_string()),
            error => Error::Other(error.to_string()),
        }
    }
}
