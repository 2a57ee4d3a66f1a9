//! What a plugin says when a call fails, and what the worker does about it (`wit/types.wit`).

use std::borrow::Cow;
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

impl ErrorKind {
    /// The exception that says the same in Kafka Connect.
    pub fn exception_class(self) -> &'static str {
        match self {
            ErrorKind::Retriable => "org.apache.kafka.connect.errors.RetriableException",
            ErrorKind::Fatal => "org.apache.kafka.connect.errors.ConnectException",
            ErrorKind::Data => "org.apache.kafka.connect.errors.DataException",
            ErrorKind::Config => "org.apache.kafka.common.config.ConfigException",
            ErrorKind::Unsupported => "java.lang.UnsupportedOperationException",
        }
    }
}

/// The exception that Kafka Connect would have thrown, where it is another than [`ErrorKind::exception_class`] says or
/// has causes. Users see it in the status of a task, in logs and in the headers of dead letters, and filter by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Full name of a Java class.
    pub class: Cow<'static, str>,
    /// Outermost first; the last is the root.
    pub causes: Vec<Cause>,
}

/// What lies behind an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Full name of a Java class.
    pub class: Cow<'static, str>,
    pub message: Option<String>,
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
    /// Boxed, because few errors have one and all results carry the size of it.
    pub exception: Option<Box<Exception>>,
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            detail: None,
            retry_after_ms: None,
            exception: None,
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

    /// Says which exception Kafka Connect would have thrown.
    pub fn with_class(mut self, class: impl Into<Cow<'static, str>>) -> Self {
        self.exception_mut().class = class.into();
        self
    }

    /// Adds a cause behind those that there are.
    pub fn caused_by(mut self, class: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        self.exception_mut().causes.push(Cause {
            class: class.into(),
            message: Some(message.into()),
        });
        self
    }

    /// The class of the exception.
    pub fn class(&self) -> &str {
        exception_class(self.kind, self.exception.as_deref())
    }

    /// What lies behind the exception, outermost first.
    pub fn causes(&self) -> &[Cause] {
        self.exception.as_deref().map_or(&[], |exception| &exception.causes)
    }

    fn exception_mut(&mut self) -> &mut Exception {
        let kind = self.kind;
        self.exception.get_or_insert_with(|| {
            Box::new(Exception {
                class: kind.exception_class().into(),
                causes: Vec::new(),
            })
        })
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
    pub exception: Option<Box<Exception>>,
}

impl Failure {
    /// An error, as that of a record of the batch.
    pub fn new(index: u32, error: Error) -> Self {
        Failure {
            index,
            kind: error.kind,
            message: error.message,
            exception: error.exception,
        }
    }

    /// The class of the exception.
    pub fn class(&self) -> &str {
        exception_class(self.kind, self.exception.as_deref())
    }

    /// What lies behind the exception, outermost first.
    pub fn causes(&self) -> &[Cause] {
        self.exception.as_deref().map_or(&[], |exception| &exception.causes)
    }
}

fn exception_class(kind: ErrorKind, exception: Option<&Exception>) -> &str {
    exception.map_or(kind.exception_class(), |exception| &exception.class)
}
