//! What went wrong, as the exception that Kafka Connect would have thrown: it reaches users by the status of the task, by
//! the log and by the headers of dead letters.

use std::borrow::Cow;
use std::fmt;

use caisson_api::{Cause, ErrorKind};
use caisson_convert::ConvertError;

/// `org.apache.kafka.connect.errors.DataException`: the record is to blame.
pub const DATA_EXCEPTION: &str = "org.apache.kafka.connect.errors.DataException";
/// `org.apache.kafka.connect.errors.ConnectException`
pub const CONNECT_EXCEPTION: &str = "org.apache.kafka.connect.errors.ConnectException";
/// `org.apache.kafka.connect.errors.RetriableException`: the same operation may succeed later.
pub const RETRIABLE_EXCEPTION: &str = "org.apache.kafka.connect.errors.RetriableException";

/// An exception and what lies behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throwable {
    /// Full name of a Java class.
    pub class: Cow<'static, str>,
    /// Java's exceptions may have none.
    pub message: Option<String>,
    /// Outermost first; the last is the root.
    pub causes: Vec<Cause>,
    pub kind: ErrorClass,
}

/// What kind of failure a record met, in words that stay the same whatever a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The record cannot be understood.
    Data,
    /// Something else was not ready, and was not until the time for retries was over.
    Retriable,
    /// The plugin gave up.
    Fatal,
    /// The plugin crashed on the record.
    Trap,
    /// The plugin met a limit with the record: time, memory, output.
    Limit,
}

impl ErrorClass {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorClass::Data => "data",
            ErrorClass::Retriable => "retriable",
            ErrorClass::Fatal => "fatal",
            ErrorClass::Trap => "guest-trap",
            ErrorClass::Limit => "limit",
        }
    }
}

impl From<ErrorKind> for ErrorClass {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Data => ErrorClass::Data,
            ErrorKind::Retriable => ErrorClass::Retriable,
            ErrorKind::Fatal | ErrorKind::Config | ErrorKind::Unsupported => ErrorClass::Fatal,
        }
    }
}

impl Throwable {
    pub fn new(class: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let class = class.into();
        let kind = match &*class {
            RETRIABLE_EXCEPTION => ErrorClass::Retriable,
            _ => ErrorClass::Data,
        };
        Throwable {
            class,
            message: Some(message.into()),
            causes: Vec::new(),
            kind,
        }
    }

    /// `new ConnectException(cause)`, which takes its message from the cause.
    pub fn wrapping(cause: &Throwable) -> Self {
        Throwable::new(CONNECT_EXCEPTION, cause.to_string())
            .of_kind(cause.kind)
            .caused_by(cause)
    }

    pub fn of_kind(self, kind: ErrorClass) -> Self {
        Throwable { kind, ..self }
    }

    /// Another one behind those that there are.
    pub fn caused_by(mut self, cause: &Throwable) -> Self {
        self.causes.push(Cause {
            class: cause.class.clone(),
            message: cause.message.clone(),
        });
        self.causes.extend_from_slice(&cause.causes);
        self
    }

    /// Whether the operation is worth another try.
    pub fn is_retriable(&self) -> bool {
        self.kind == ErrorClass::Retriable
    }

    /// `Throwable.printStackTrace`, without the places in Java's code.
    pub fn stack_trace(&self) -> String {
        let mut text = self.to_string();
        for cause in &self.causes {
            text.push_str("\nCaused by: ");
            write_one(&mut text, &cause.class, cause.message.as_deref());
        }
        text
    }
}

/// `Throwable.toString`.
impl fmt::Display for Throwable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_one(&mut text, &self.class, self.message.as_deref());
        f.write_str(&text)
    }
}

fn write_one(out: &mut String, class: &str, message: Option<&str>) {
    out.push_str(class);
    if let Some(message) = message {
        out.push_str(": ");
        out.push_str(message);
    }
}

impl From<&ConvertError> for Throwable {
    fn from(error: &ConvertError) -> Self {
        let causes = error.causes().map(|cause| Cause {
            class: cause.class.name().into(),
            message: Some(cause.message.clone()),
        });
        Throwable {
            causes: causes.collect(),
            ..Throwable::new(error.class.name(), &*error.message)
        }
    }
}

/// A record that a plugin could not do anything with.
impl From<&caisson_api::Failure> for Throwable {
    fn from(failure: &caisson_api::Failure) -> Self {
        Throwable {
            class: failure.class().to_owned().into(),
            message: Some(failure.message.clone()),
            causes: failure.causes().to_vec(),
            kind: failure.kind.into(),
        }
    }
}

impl From<&caisson_api::Error> for Throwable {
    fn from(error: &caisson_api::Error) -> Self {
        Throwable {
            class: error.class().to_owned().into(),
            message: Some(error.message.clone()),
            causes: error.causes().to_vec(),
            kind: error.kind.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_java_prints_it() {
        let root = Throwable::new("java.lang.NumberFormatException", "For input string: \"x\"");
        let error = Throwable::new("org.apache.kafka.connect.errors.DataException", "bad").caused_by(&root);
        assert_eq!(error.to_string(), "org.apache.kafka.connect.errors.DataException: bad");
        assert_eq!(
            error.stack_trace(),
            "org.apache.kafka.connect.errors.DataException: bad\n\
             Caused by: java.lang.NumberFormatException: For input string: \"x\""
        );
        let silent = Throwable {
            message: None,
            ..Throwable::new("java.lang.NullPointerException", "")
        };
        assert_eq!(silent.to_string(), "java.lang.NullPointerException");
    }
}
