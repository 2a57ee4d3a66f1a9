//! What can go wrong between this connector and a server, and what a person is told about it.

use caisson_sdk::api::{self, ErrorKind};

/// An error of the connector.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused something.
    #[error("{0}")]
    Server(Box<ServerError>),
    /// The network, or the worker's check of it.
    #[error("{0}")]
    Net(api::Error),
    /// The server said what it should not, or what this connector does not know.
    #[error("the server does not speak as PostgreSQL does: {0}")]
    Protocol(String),
    /// No answer in time.
    #[error("{what} takes longer than {seconds} s")]
    Slow { what: String, seconds: u64 },
    /// The server has closed the connection.
    #[error("the server closed the connection{0}")]
    Closed(&'static str),
    /// What a person has to set right; says how.
    #[error("{0}")]
    Config(String),
    /// A value that cannot be turned into what its schema says.
    #[error("column {column} of {table}: {problem}")]
    Value {
        table: String,
        column: String,
        problem: String,
    },
    /// A batch that cannot be built.
    #[error("{0}")]
    Batch(api::Error),
}

/// The fields of an ErrorResponse that people need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    pub severity: String,
    /// SQLSTATE.
    pub code: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.code)?;
        if let Some(detail) = &self.detail {
            write!(f, "; {detail}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl Error {
    /// The SQLSTATE, if the server refused.
    pub fn code(&self) -> Option<&str> {
        match self {
            Error::Server(error) => Some(&error.code),
            _ => None,
        }
    }

    pub fn config(message: impl Into<String>) -> Self {
        Error::Config(message.into())
    }

    /// Whether trying again, on a new connection, may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Net(error) => error.kind == ErrorKind::Retriable,
            Error::Closed(_) | Error::Slow { .. } => true,
            Error::Server(error) => transient(&error.code),
            Error::Protocol(_) | Error::Config(_) | Error::Value { .. } | Error::Batch(_) => false,
        }
    }
}

/// Connection exceptions, resources, operator intervention, and a slot that its last reader has not let go of yet.
fn transient(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") || code == "55006"
}

impl From<api::Error> for Error {
    fn from(error: api::Error) -> Self {
        Error::Net(error)
    }
}

/// What the worker is told. Server errors that people meet get a sentence on what to do.
impl From<Error> for api::Error {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Net(error) | Error::Batch(error) => error,
            Error::Server(server) => {
                let message = match advice(&server) {
                    Some(advice) => format!("{message}: {advice}"),
                    None => message,
                };
                if transient(&server.code) {
                    api::Error::retriable(message)
                } else {
                    api::Error::fatal(message)
                }
            }
            Error::Slow { .. } | Error::Closed(_) => api::Error::retriable(message),
            Error::Config(_) => api::Error::config(message),
            Error::Protocol(_) => api::Error::fatal(message),
            Error::Value { .. } => api::Error::data(message),
        }
    }
}

fn advice(error: &ServerError) -> Option<&'static str> {
    Some(match error.code.as_str() {
        "28P01" => "check database.user and database.password",
        "28000" => {
            "check database.user and database.password, and that pg_hba.conf lets this user in from the worker's \
             address (for replication connections, too)"
        }
        "3D000" => "check database.dbname",
        "55006" => "another reader holds the replication slot; stop it, or give this connector a slot.name of its own",
        "53300" => "raise max_connections or let go of other connections",
        "53400" => "raise max_replication_slots or max_wal_senders, or drop slots that nobody reads",
        "42501" => "grant the user of database.user what is missing",
        "55000" if error.message.contains("wal_level") => {
            "set wal_level = logical in postgresql.conf and restart the server"
        }
        "55000" if error.message.contains("invalidat") || error.message.contains("can no longer") => LOST_SLOT,
        _ => return None,
    })
}

/// What to do about a slot whose WAL is gone.
pub const LOST_SLOT: &str = "the changes between the stored offset and now are lost to this slot: drop it (select \
     pg_drop_replication_slot('...')), delete the connector's offsets and let it take a new snapshot; raise \
     max_slot_wal_keep_size so that it does not happen again";

pub type Result<T> = std::result::Result<T, Error>;
