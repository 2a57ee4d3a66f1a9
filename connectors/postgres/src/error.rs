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

impl ServerError {
    /// Whether the message or the detail has these words.
    fn says(&self, words: &str) -> bool {
        self.message.contains(words) || self.detail.as_ref().is_some_and(|detail| detail.contains(words))
    }
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

    /// The worker wants the call to return; what was begun is begun again.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Error::Net(error) if error.retry_after_ms == Some(0))
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
        "42501" if error.message.contains("publication") || error.message.contains("must be owner") => {
            "have the owner of the tables make the publication and set publication.autocreate.mode to disabled, or make \
             the user of database.user a member of the role that owns them"
        }
        "42501" => "grant the user of database.user what is missing",
        "55000" if error.message.contains("wal_level") => {
            "set wal_level = logical in postgresql.conf and restart the server"
        }
        "55000" if error.says("invalidated") || error.says("can no longer") => LOST_SLOT,
        "58P01" if error.says("WAL segment") && error.says("removed") => LOST_SLOT,
        _ => return None,
    })
}

/// What to do about a slot whose WAL is gone.
pub const LOST_SLOT: &str = "the changes between the stored offset and now are lost to this slot: drop it (select \
     pg_drop_replication_slot('...')), delete the connector's offsets and let it take a new snapshot; raise \
     max_slot_wal_keep_size so that it does not happen again";

pub type Result<T> = std::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of PostgreSQL 13 to 15.
    #[test]
    fn errors_that_people_meet_say_what_to_do() {
        for (code, message, detail, advice) in [
            (
                "28P01",
                "password authentication failed for user \"u\"",
                "",
                "check database.user and database.password",
            ),
            (
                "28000",
                "no pg_hba.conf entry for replication connection from host \"10.0.0.1\", user \"u\", no encryption",
                "",
                "pg_hba.conf",
            ),
            ("3D000", "database \"d\" does not exist", "", "check database.dbname"),
            (
                "55000",
                "logical decoding requires wal_level >= logical",
                "",
                "set wal_level = logical",
            ),
            ("55006", "replication slot \"s\" is active for PID 7", "", "slot.name"),
            (
                "55000",
                "can no longer get changes from replication slot \"s\"",
                "This slot has been invalidated because it exceeded the maximum reserved size.",
                "max_slot_wal_keep_size",
            ),
            (
                "55000",
                "cannot read from logical replication slot \"s\"",
                "This slot has been invalidated because it exceeded the maximum reserved size.",
                "max_slot_wal_keep_size",
            ),
            (
                "58P01",
                "requested WAL segment 000000010000000000000001 has already been removed",
                "",
                "max_slot_wal_keep_size",
            ),
            (
                "42501",
                "must be owner of publication p",
                "",
                "publication.autocreate.mode",
            ),
            ("42501", "must be owner of table t", "", "publication.autocreate.mode"),
            (
                "42501",
                "permission denied for table t",
                "",
                "grant the user of database.user",
            ),
            (
                "53400",
                "all replication slots are in use",
                "",
                "raise max_replication_slots",
            ),
        ] {
            let error = api::Error::from(Error::Server(Box::new(ServerError {
                code: code.into(),
                message: message.into(),
                detail: (!detail.is_empty()).then(|| detail.into()),
                ..ServerError::default()
            })));
            assert!(error.message.starts_with(message), "{error}");
            assert!(error.message.contains(advice), "{advice}: {error}");
        }
    }
}
