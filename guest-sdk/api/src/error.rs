//! What a plugin says when a call fails, and what the worker does about it (`wit/types.wit`).

use std::fmt;

/// What the worker does about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Ask again with the same arguments, after a pause.
    Retriable,
    /// The task or connector has failed.
    Fatal,
    /// A record could not be understood: the error tolerance of the connector decides.
    Data,
    /// The configuration is not acceptable.
    Config,
    /// The plugin does not offer this operation.
    Unsupported,
}

/// An error that a plugin returned. It is one of four kinds of failure; the others (trap, limit, host bug) are not
/// the plugin's to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    /// Shown below the message in the status of the task: causes, a stack trace.
    pub detail: Option<String>,
    /// For `Retriable`: milliseconds to wait; `None` means the worker's own backoff.
    pub retry_after_ms: Option<u32>,
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            detail: None,
            retry_after_ms: None,
        }
    }

    pub fn retriable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Retriable, message)
    }

    pub fn fatal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Fatal, message)
    }

    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message)
    }

    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn with_retry_after_ms(mut self, milliseconds: u32) -> Self {
        self.retry_after_ms = Some(milliseconds);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// A record that failed on its own, by its index in the batch of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub index: u32,
    pub kind: ErrorKind,
    pub message: String,
}
