//! From what went wrong to the exceptions that Confluent's converters throw: classes, texts and causes.

use caisson_convert::{Class, ConvertError};

use crate::error::Error;
use crate::wire::SchemaId;

/// `RestClientException`
const REST: Class = Class::Foreign("io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException");

/// A failed conversion, before it is known to which topic.
#[derive(Debug)]
pub enum Fault {
    /// Thrown as it is.
    Plain(ConvertError),
    /// The bytes, or the value, are not what the schema says.
    Format(ConvertError),
    /// The registry gave no answer to `doing`.
    Registry { doing: String, error: Error },
}

impl From<ConvertError> for Fault {
    fn from(error: ConvertError) -> Self {
        Fault::Plain(error)
    }
}

impl Fault {
    pub fn format(class: &'static str, message: impl Into<String>) -> Self {
        Fault::Format(ConvertError::new(Class::Foreign(class), message))
    }

    pub fn registry(doing: impl Into<String>, error: Error) -> Self {
        Fault::Registry {
            doing: doing.into(),
            error,
        }
    }
}

/// The words in which a converter speaks of its format.
pub struct Words {
    /// `Avro`
    pub format: &'static str,
    /// In front of a topic, and behind it.
    pub read: (&'static str, &'static str),
    pub written: (&'static str, &'static str),
    pub accessed: &'static str,
    /// What is in front of a schema in texts.
    pub colon: &'static str,
}

impl Words {
    pub fn reading(&self, topic: &str, id: Option<SchemaId>, fault: Fault) -> ConvertError {
        let id = id.map_or_else(|| "-1".to_owned(), |id| id.to_string());
        let message = format!("Error deserializing {} message for id {id}", self.format);
        self.wrap(self.read, topic, message, fault)
    }

    pub fn writing(&self, topic: &str, fault: Fault) -> ConvertError {
        let message = format!("Error serializing {} message", self.format);
        self.wrap(self.written, topic, message, fault)
    }

    /// A serialization error that no other one caused.
    pub fn unreadable(&self, topic: &str, message: impl Into<String>) -> ConvertError {
        ConvertError::data(around(self.read, topic)).because(ConvertError::new(Class::Serialization, message))
    }

    fn wrap(&self, outer: (&str, &str), topic: &str, message: String, fault: Fault) -> ConvertError {
        let serialization = |message: String, cause| ConvertError::new(Class::Serialization, message).because(cause);
        match fault {
            Fault::Plain(error) => error,
            Fault::Format(cause) => ConvertError::data(around(outer, topic)).because(serialization(message, cause)),
            // A refusal whose code is a status by itself is the configuration's fault to Confluent's converters.
            Fault::Registry {
                error: error @ Error::Refused { code: 400..=499, .. },
                ..
            } if !error.is_passing() => {
                let message = format!("Failed to access {} data from topic {topic} : {error}", self.accessed);
                ConvertError::new(Class::Config, message)
            }
            Fault::Registry { doing, error } => {
                let outer = around(outer, topic);
                let outer = if error.is_passing() {
                    ConvertError::new(Class::Retriable, outer)
                } else {
                    ConvertError::data(outer)
                };
                outer.because(serialization(doing, cause(error)))
            }
        }
    }
}

fn around((before, behind): (&str, &str), topic: &str) -> String {
    format!("{before}{topic}{behind}")
}

fn cause(error: Error) -> ConvertError {
    let class = match &error {
        Error::Refused { .. } => REST,
        Error::Unreachable { class, .. } => Class::Foreign(class),
        Error::Answer { .. } => Class::Foreign("java.io.IOException"),
        Error::Config(_) => Class::Config,
    };
    ConvertError::new(class, error.to_string())
}
