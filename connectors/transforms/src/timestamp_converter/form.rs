//! The forms that a time can have.

use caisson_sdk::api::Members;
use caisson_sdk::api::logical::DAY;
use caisson_sdk::api::schema::{DATE, TIME, TIMESTAMP};
use caisson_sdk::api::value::java;
use caisson_sdk::prelude::*;

use crate::date_format::DateFormat;
use crate::map;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Unix,
    Date,
    Time,
    Timestamp,
}

/// The unit of times that are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
}

impl Form {
    pub const ALL: [Form; 5] = [Form::Text, Form::Unix, Form::Date, Form::Time, Form::Timestamp];

    pub fn name(self) -> &'static str {
        match self {
            Form::Text => "string",
            Form::Unix => "unix",
            Form::Date => "Date",
            Form::Time => "Time",
            Form::Timestamp => "Timestamp",
        }
    }

    /// The form of a name that has passed validation.
    pub fn of_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|form| form.name() == name)
            .unwrap_or(Form::Timestamp)
    }

    /// By the logical type's name first, whatever it stands on.
    pub fn of_schema(schema: &Schema) -> Option<Self> {
        match (schema.name.as_deref(), &schema.kind) {
            (Some(TIMESTAMP), _) => Some(Form::Timestamp),
            (Some(DATE), _) => Some(Form::Date),
            (Some(TIME), _) => Some(Form::Time),
            (_, Kind::String) => Some(Form::Text),
            (_, Kind::Int64) => Some(Form::Unix),
            (_, _) => None,
        }
    }

    /// The schema of times of this form.
    pub fn schema(self, optional: bool) -> Schema {
        let schema = match self {
            Form::Text => Schema::new(Kind::String),
            Form::Unix => Schema::new(Kind::Int64),
            Form::Date => Schema::date(),
            Form::Time => Schema::time(),
            Form::Timestamp => Schema::timestamp(),
        };
        Schema { optional, ..schema }
    }
}

impl Precision {
    pub const ALL: [Precision; 4] = [
        Precision::Nanoseconds,
        Precision::Microseconds,
        Precision::Milliseconds,
        Precision::Seconds,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Precision::Nanoseconds => "nanoseconds",
            Precision::Microseconds => "microseconds",
            Precision::Milliseconds => "milliseconds",
            Precision::Seconds => "seconds",
        }
    }

    /// The unit of a name that has passed validation.
    pub fn of_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|precision| precision.name() == name)
            .unwrap_or(Precision::Milliseconds)
    }

    /// As `TimeUnit` converts: towards zero, and ending at the bounds of a long.
    fn to_millis(self, number: i64) -> i64 {
        match self {
            Precision::Nanoseconds => number / 1_000_000,
            Precision::Microseconds => number / 1000,
            Precision::Milliseconds => number,
            Precision::Seconds => number.saturating_mul(1000),
        }
    }

    fn of_millis(self, millis: i64) -> i64 {
        match self {
            Precision::Nanoseconds => millis.saturating_mul(1_000_000),
            Precision::Microseconds => millis.saturating_mul(1000),
            Precision::Milliseconds => millis,
            Precision::Seconds => millis / 1000,
        }
    }
}

/// What a formatted time may need beyond its pattern.
const ROOM: usize = 8;

/// From any form to the one that is wanted.
#[derive(Debug)]
pub struct Conversion {
    pub target: Form,
    pub format: Option<DateFormat>,
    pub precision: Precision,
}

impl Conversion {
    /// A value whose class says its form.
    pub fn convert_any(&self, value: &mut Value) -> Result<(), Error> {
        match self.read_any(value)? {
            Some(millis) => self.write(millis, value),
            None => Ok(()),
        }
    }

    /// A member of a map.
    pub fn convert_member(&self, members: &mut dyn Members, field: &str) -> Result<(), Error> {
        let Some(place) = map::present(members, field) else {
            return Ok(());
        };
        let value = members.value(place);
        let Some(millis) = self.read_any(value)? else {
            return Ok(());
        };
        if self.target != Form::Text {
            return self.write(millis, value);
        }
        let format = self.format()?;
        members.write_text(place, &mut |out| format.write(millis, out));
        Ok(())
    }

    /// The moment that a value of any form is; none for null.
    fn read_any(&self, value: &Value) -> Result<Option<i64>, Error> {
        let form = match value {
            Value::Null => return Ok(None),
            Value::Date(_) => Form::Timestamp,
            Value::Int64(_) => Form::Unix,
            Value::String(_) => Form::Text,
            other => {
                let class = java::class_of(other);
                return Err(Error::data(format!(
                    "TimestampConverter does not support {class} objects as timestamps"
                )));
            }
        };
        self.read(form, value).map(Some)
    }

    /// A value of a known form; null stays null.
    pub fn convert(&self, form: Form, value: &mut Value) -> Result<(), Error> {
        if !value.is_null() {
            let millis = self.read(form, value)?;
            self.write(millis, value)?;
        }
        Ok(())
    }

    fn read(&self, form: Form, value: &Value) -> Result<i64, Error> {
        let expected = |what: &str| {
            let class = java::class_of(value);
            Err(Error::data(format!("Expected {what}, but found {class}")))
        };
        match (form, value) {
            (Form::Text, Value::String(text)) => self.parse(text),
            (Form::Text, _) => expected("string timestamp to be a String"),
            (Form::Unix, Value::Int64(number)) => Ok(self.precision.to_millis(*number)),
            (Form::Unix, _) => expected("Unix timestamp to be a Long"),
            (Form::Date | Form::Time | Form::Timestamp, Value::Date(millis)) => Ok(*millis),
            (Form::Date, _) => expected("Date to be a java.util.Date"),
            (Form::Time, _) => expected("Time to be a java.util.Date"),
            (Form::Timestamp, _) => expected("Timestamp to be a java.util.Date"),
        }
    }

    fn parse(&self, text: &str) -> Result<i64, Error> {
        let format = self.format()?;
        format.parse(text).ok_or_else(|| {
            let pattern = format.pattern();
            Error::data(format!(
                "Could not parse timestamp: value ({text}) does not match pattern ({pattern})"
            ))
            .caused_by("java.text.ParseException", format!("Unparseable date: \"{text}\""))
        })
    }

    fn write(&self, millis: i64, value: &mut Value) -> Result<(), Error> {
        match self.target {
            Form::Text => {
                let format = self.format()?;
                // The text that is there gives its memory. Most fields are as long as their letters.
                let mut text = match std::mem::take(value) {
                    Value::String(text) => text,
                    _ => String::with_capacity(format.pattern().len() + ROOM),
                };
                text.clear();
                format.write(millis, &mut text);
                *value = Value::String(text);
            }
            Form::Unix => *value = Value::Int64(self.precision.of_millis(millis)),
            Form::Date => *value = Value::Date(millis - millis.rem_euclid(DAY)),
            Form::Time => *value = Value::Date(millis.rem_euclid(DAY)),
            Form::Timestamp => *value = Value::Date(millis),
        }
        Ok(())
    }

    fn format(&self) -> Result<&DateFormat, Error> {
        self.format.as_ref().ok_or_else(|| {
            Error::data("a time that is text needs the option format").with_class("java.lang.NullPointerException")
        })
    }
}
