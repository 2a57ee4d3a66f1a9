//! Why a conversion failed, in Kafka Connect's terms: the class of the exception, its message, its cause.

use std::fmt;

use crate::schema::SchemaError;
use crate::typed::TypedError;

/// A failed conversion or configuration of a converter.
///
/// Class and message are what Kafka Connect would have thrown, for they reach users by the status of the task, by
/// the log and by the headers of dead letters.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConvertError {
    pub class: Class,
    pub message: String,
    #[source]
    pub cause: Option<Box<ConvertError>>,
}

/// The class of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `org.apache.kafka.connect.errors.DataException`
    Data,
    /// `org.apache.kafka.connect.errors.SchemaBuilderException`
    SchemaBuilder,
    /// `org.apache.kafka.connect.errors.SchemaProjectorException`
    SchemaProjector,
    /// `org.apache.kafka.connect.errors.NotFoundException`
    NotFound,
    /// `org.apache.kafka.common.errors.SerializationException`
    Serialization,
    /// `org.apache.kafka.common.config.ConfigException`
    Config,
    /// `org.apache.kafka.connect.errors.RetriableException`: the same conversion may succeed later on.
    Retriable,
    /// A class of Java or of one of its libraries, by its full name.
    Foreign(&'static str),
}

impl Class {
    /// The full name of the Java class.
    pub fn name(self) -> &'static str {
        match self {
            Class::Data => "org.apache.kafka.connect.errors.DataException",
            Class::SchemaBuilder => "org.apache.kafka.connect.errors.SchemaBuilderException",
            Class::SchemaProjector => "org.apache.kafka.connect.errors.SchemaProjectorException",
            Class::NotFound => "org.apache.kafka.connect.errors.NotFoundException",
            Class::Serialization => "org.apache.kafka.common.errors.SerializationException",
            Class::Config => "org.apache.kafka.common.config.ConfigException",
            Class::Retriable => "org.apache.kafka.connect.errors.RetriableException",
            Class::Foreign(name) => name,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ConvertError {
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        ConvertError {
            class,
            message: message.into(),
            cause: None,
        }
    }

    pub fn data(message: impl Into<String>) -> Self {
        Self::new(Class::Data, message)
    }

    pub fn because(mut self, cause: ConvertError) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// The causes, outermost first; the last is the root.
    pub fn causes(&self) -> impl Iterator<Item = &ConvertError> {
        std::iter::successors(self.cause.as_deref(), |error| error.cause.as_deref())
    }
}

impl From<SchemaError> for ConvertError {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::Data(message) => ConvertError::data(message),
            SchemaError::Builder(message) => ConvertError::new(Class::SchemaBuilder, message),
            SchemaError::Default(cause) => {
                ConvertError::new(Class::SchemaBuilder, "Invalid default value").because((*cause).into())
            }
            SchemaError::Json(message) => {
                ConvertError::new(Class::Foreign("com.fasterxml.jackson.core.JsonParseException"), message)
            }
        }
    }
}

/// A block that cannot be read, or a value that no block can hold.
impl From<TypedError> for ConvertError {
    fn from(error: TypedError) -> Self {
        ConvertError::data(error.to_string())
    }
}

impl From<ConvertError> for crate::Error {
    fn from(error: ConvertError) -> Self {
        let causes: Vec<_> = error
            .causes()
            .map(|cause| (cause.class.name(), cause.message.clone()))
            .collect();
        let class = error.class.name();
        let outer = crate::Error::data(error.message);
        let outer = if class == outer.class() {
            outer
        } else {
            outer.with_class(class)
        };
        causes
            .into_iter()
            .fold(outer, |error, (class, message)| error.caused_by(class, message))
    }
}
