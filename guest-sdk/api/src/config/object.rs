//! Values that a program gives for a key, such as defaults, before they are known to fit its type.

use super::{Checks, ConfigError, Password, Setting, Type};
use crate::value::java;

/// A value of any type that Kafka's API takes (`Object`). What an operator writes is always [`Object::String`].
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    Null,
    Boolean(bool),
    Byte(i8),
    Short(i16),
    Integer(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    String(String),
    List(Vec<String>),
    Class(String),
    Password(Password),
}

impl Object {
    /// The name of the Java type, which messages give.
    fn class(&self) -> &'static str {
        match self {
            Object::Null => "null",
            Object::Boolean(_) => "java.lang.Boolean",
            Object::Byte(_) => "java.lang.Byte",
            Object::Short(_) => "java.lang.Short",
            Object::Integer(_) => "java.lang.Integer",
            Object::Long(_) => "java.lang.Long",
            Object::Float(_) => "java.lang.Float",
            Object::Double(_) => "java.lang.Double",
            Object::String(_) => "java.lang.String",
            Object::List(_) => "java.util.ArrayList",
            Object::Class(_) => "java.lang.Class",
            Object::Password(_) => "org.apache.kafka.common.config.types.Password",
        }
    }

    /// What a user would write for the value; a password's is the secret itself.
    pub fn into_text(self) -> Option<String> {
        match self {
            Object::Null => None,
            Object::List(items) => Some(items.join(",")),
            Object::Class(name) => Some(name),
            Object::Password(password) => Some(password.reveal().to_owned()),
            Object::Boolean(_)
            | Object::Byte(_)
            | Object::Short(_)
            | Object::Integer(_)
            | Object::Long(_)
            | Object::Float(_)
            | Object::Double(_)
            | Object::String(_) => Some(self.to_string()),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Object::Byte(number) => Some((*number).into()),
            Object::Short(number) => Some((*number).into()),
            Object::Integer(number) => Some((*number).into()),
            Object::Long(number) => Some(*number as f64),
            Object::Float(number) => Some((*number).into()),
            Object::Double(number) => Some(*number),
            Object::Null
            | Object::Boolean(_)
            | Object::String(_)
            | Object::List(_)
            | Object::Class(_)
            | Object::Password(_) => None,
        }
    }

    /// The value as one of a type (`ConfigDef.parseType`): texts are read, numbers are not stretched except from INT to
    /// LONG and from any to DOUBLE.
    pub fn into_setting(self, name: &str, kind: Type, checks: &dyn Checks) -> Result<Setting, ConfigError> {
        let expected = match (kind, self) {
            (_, Object::Null) => return Ok(Setting::Null),
            (_, Object::String(text)) => return parse_text(name, &text, kind, checks),
            (Type::Boolean, Object::Boolean(value)) => return Ok(Setting::Boolean(value)),
            (Type::Int, Object::Integer(value)) => return Ok(Setting::Int(value)),
            (Type::Short, Object::Short(value)) => return Ok(Setting::Short(value)),
            (Type::Long, Object::Integer(value)) => return Ok(Setting::Long(value.into())),
            (Type::Long, Object::Long(value)) => return Ok(Setting::Long(value)),
            (Type::List, Object::List(items)) => return Ok(Setting::List(items)),
            (Type::Class, Object::Class(class)) => return Ok(Setting::Class(class)),
            (Type::Password, Object::Password(password)) => return Ok(Setting::Password(password)),
            (Type::Double, object) => match object.number() {
                Some(number) => return Ok(Setting::Double(number)),
                None => (object, "a double"),
            },
            (Type::Int, object) => (object, "a 32-bit integer"),
            (Type::Short, object) => (object, "a 16-bit integer (short)"),
            (Type::Long, object) => (object, "a 64-bit integer (long)"),
            (Type::String | Type::Password, object) => (object, "a string"),
            (Type::Boolean, object) => return refuse(name, &object, "Expected value to be either true or false"),
            (Type::List, object) => return refuse(name, &object, "Expected a comma separated list."),
            (Type::Class, object) => return refuse(name, &object, "Expected a Class instance or class name."),
        };
        let (object, what) = expected;
        let message = format!("Expected value to be {what}, but it was a {}", object.class());
        refuse(name, &object, &message)
    }
}

fn refuse(name: &str, object: &Object, message: &str) -> Result<Setting, ConfigError> {
    Err(ConfigError::invalid(name, object, message))
}

/// A text as a value of a type; of classes it is asked whether they exist.
pub(super) fn parse_text(name: &str, text: &str, kind: Type, checks: &dyn Checks) -> Result<Setting, ConfigError> {
    let value = Setting::parse(name, text, kind)?;
    match &value {
        Setting::Class(class) if !checks.is_class(class) => Err(ConfigError::invalid(
            name,
            text,
            &format!("Class {text} could not be found."),
        )),
        _ => Ok(value),
    }
}

/// As `String.valueOf` prints it.
impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Object::Null => f.write_str("null"),
            Object::Boolean(value) => write!(f, "{value}"),
            Object::Byte(value) => write!(f, "{value}"),
            Object::Short(value) => write!(f, "{value}"),
            Object::Integer(value) => write!(f, "{value}"),
            Object::Long(value) => write!(f, "{value}"),
            Object::Float(value) => f.write_str(&java::float_text(*value)),
            Object::Double(value) => f.write_str(&java::double_text(*value)),
            Object::String(value) => f.write_str(value),
            Object::List(items) => write!(f, "[{}]", items.join(", ")),
            Object::Class(value) => write!(f, "class {value}"),
            Object::Password(value) => write!(f, "{value}"),
        }
    }
}

impl From<&str> for Object {
    fn from(text: &str) -> Self {
        Object::String(text.to_owned())
    }
}

impl From<String> for Object {
    fn from(text: String) -> Self {
        Object::String(text)
    }
}

impl From<bool> for Object {
    fn from(value: bool) -> Self {
        Object::Boolean(value)
    }
}

impl From<i16> for Object {
    fn from(value: i16) -> Self {
        Object::Short(value)
    }
}

impl From<i32> for Object {
    fn from(value: i32) -> Self {
        Object::Integer(value)
    }
}

impl From<i64> for Object {
    fn from(value: i64) -> Self {
        Object::Long(value)
    }
}

impl From<f64> for Object {
    fn from(value: f64) -> Self {
        Object::Double(value)
    }
}
