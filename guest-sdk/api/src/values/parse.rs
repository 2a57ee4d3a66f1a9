//! Text to values (`Values.parseString`), as header values are read.

use std::sync::{Arc, LazyLock};

use crate::schema::{Kind, Schema};
use crate::{Decimal, SchemaRef, Value};

use super::convert::align;
use super::shape::{Merger, Shape};
use super::temporal::{self, Temporal};
use super::tokens::{Tokens, trim};
use crate::value::java;

/// How deep lists and maps may nest; Kafka Connect ends with a stack overflow somewhere, here the text stays text.
const MAX_DEPTH: usize = 200;

/// The value that `text` most likely stands for, and its schema. Text that is nothing else is a string.
pub fn parse_string(text: &str) -> (Option<SchemaRef>, Value) {
    if text.is_empty() {
        return (Some(STRING.clone()), Value::String(String::new()));
    }
    match (Parser {
        tokens: Tokens::new(text),
    })
    .parse(Place::Top)
    {
        Ok(Some(parsed)) => (parsed.shape.into_schema(), parsed.value),
        Ok(None) => (None, Value::Null),
        // Only embedded values can fail, and what embeds them has fallen back to a string.
        Err(Unparsable) => (Some(STRING.clone()), Value::String(text.to_owned())),
    }
}

static STRING: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(Kind::String)));

struct Parser<'a> {
    tokens: Tokens<'a>,
}

struct Parsed {
    shape: Shape,
    value: Value,
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    /// Inside of so many lists and maps.
    Embedded(usize),
}

/// The text is no list or map after all.
struct Unparsable;

impl Parsed {
    fn string(text: impl Into<String>) -> Self {
        Parsed {
            shape: Shape::Leaf(STRING.clone()),
            value: Value::String(text.into()),
        }
    }

    fn leaf(kind: Kind, value: Value) -> Self {
        Parsed {
            shape: Shape::leaf(kind),
            value,
        }
    }
}

impl<'a> Parser<'a> {
    /// Reads one value; `None` is null.
    fn parse(&mut self, place: Place) -> Result<Option<Parsed>, Unparsable> {
        if !self.tokens.has_next() {
            return Ok(None);
        }
        if place != Place::Top && self.tokens.take_if("\"") {
            return Ok(Some(self.quoted()));
        }
        if self.literal("null", place) {
            return Ok(None);
        }
        for value in [true, false] {
            if self.literal(if value { "true" } else { "false" }, place) {
                return Ok(Some(Parsed::leaf(Kind::Boolean, Value::Boolean(value))));
            }
        }
        let start = self.tokens.mark();
        let inside = match place {
            Place::Top => 1,
            Place::Embedded(depth) => depth + 1,
        };
        let container = if inside > MAX_DEPTH {
            return Err(Unparsable);
        } else if self.tokens.take_if("[") {
            self.array(inside)
        } else if self.tokens.take_if("{") {
            self.map(inside)
        } else {
            return self.token(place).map(Some);
        };
        match container {
            Ok(parsed) => Ok(Some(parsed)),
            // Text that only looks like a list or map is a string, and as a whole, so that nothing is tried twice.
            Err(Unparsable) if place != Place::Top => Err(Unparsable),
            Err(Unparsable) => {
                self.tokens.rewind_to(start);
                self.token(place).map(Some)
            }
        }
    }

    /// A word that stands alone, unless something is around it that says where it ends.
    fn literal(&mut self, word: &str, place: Place) -> bool {
        let start = self.tokens.mark();
        if self.tokens.take_if(word) && (place != Place::Top || !self.tokens.has_next()) {
            return true;
        }
        self.tokens.rewind_to(start);
        false
    }

    fn token(&mut self, place: Place) -> Result<Parsed, Unparsable> {
        let token = self.tokens.take();
        let trimmed = trim(token);
        let Some(first) = trimmed.chars().next() else {
            return Ok(Parsed::string(token));
        };
        let is_digit = java::digit_value(first).is_some();
        if is_digit && let Some(parsed) = self.temporal(trimmed) {
            return Ok(parsed);
        }
        if (is_digit || first == '+' || first == '-')
            && let Some(parsed) = number(trimmed)
        {
            return Ok(parsed);
        }
        match place {
            Place::Embedded(_) => Err(Unparsable),
            Place::Top => Ok(Parsed::string(self.tokens.text())),
        }
    }

    /// Times have colons, at which tokens end: such a text is five tokens.
    fn temporal(&mut self, token: &str) -> Option<Parsed> {
        let mark = self.tokens.mark();
        if let Some(rest) = self.tokens.take_many(4)
            && let Some(parsed) = temporal_of(&[token, rest].concat())
        {
            return Some(parsed);
        }
        self.tokens.rewind_to(mark);
        temporal_of(token)
    }

    fn quoted(&mut self) -> Parsed {
        let mut content = String::new();
        while self.tokens.has_next() && !self.tokens.take_if("\"") {
            content.push_str(self.tokens.take());
        }
        temporal_of(&content).unwrap_or_else(|| Parsed::string(content))
    }

    fn array(&mut self, depth: usize) -> Result<Parsed, Unparsable> {
        let mut values = Vec::new();
        let mut merger = Merger::default();
        while self.tokens.has_next() {
            if self.tokens.take_if("]") {
                let element = merger.into_common();
                if let Some(shape) = &element {
                    values = align_all(shape, values)?;
                }
                return Ok(Parsed {
                    shape: Shape::Array(element.map(Box::new)),
                    value: Value::Array(values),
                });
            }
            if self.tokens.take_if(",") {
                return Err(Unparsable);
            }
            let element = self.parse(Place::Embedded(depth))?;
            merger.merge(element.as_ref().map(|parsed| &parsed.shape));
            values.push(element.map_or(Value::Null, |parsed| parsed.value));
            let mark = self.tokens.mark();
            if self.tokens.take_if("]") {
                self.tokens.rewind_to(mark);
            } else if !self.tokens.take_if(",") {
                return Err(Unparsable);
            }
        }
        Err(Unparsable)
    }

    fn map(&mut self, depth: usize) -> Result<Parsed, Unparsable> {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        let (mut key_merger, mut value_merger) = (Merger::default(), Merger::default());
        while self.tokens.has_next() {
            if self.tokens.take_if("}") {
                return finish_map(keys, values, key_merger.into_common(), value_merger.into_common());
            }
            if self.tokens.take_if(",") {
                return Err(Unparsable);
            }
            let Some(key) = self.parse(Place::Embedded(depth))? else {
                return Err(Unparsable);
            };
            if !self.tokens.take_if(":") {
                return Err(Unparsable);
            }
            let value = self.parse(Place::Embedded(depth))?;
            self.tokens.take_if(",");
            key_merger.merge(Some(&key.shape));
            value_merger.merge(value.as_ref().map(|parsed| &parsed.shape));
            keys.push(key.value);
            values.push(value.map_or(Value::Null, |parsed| parsed.value));
        }
        Err(Unparsable)
    }
}

/// Gives keys and values their common type. Without one for the keys there is none for the values either.
fn finish_map(
    mut keys: Vec<Value>,
    mut values: Vec<Value>,
    key: Option<Shape>,
    value: Option<Shape>,
) -> Result<Parsed, Unparsable> {
    let value = value.filter(|_| key.is_some());
    if let Some(key) = &key {
        keys = align_all(key, keys)?;
    }
    if let Some(value) = &value {
        values = align_all(value, values)?;
    }
    let entries = crate::value::unique_keys(keys.into_iter().zip(values).collect());
    Ok(Parsed {
        shape: Shape::Map(key.map(Box::new), value.map(Box::new)),
        value: Value::Map(entries),
    })
}

fn align_all(shape: &Shape, values: Vec<Value>) -> Result<Vec<Value>, Unparsable> {
    values
        .into_iter()
        .map(|value| align(shape, value).map_err(|_| Unparsable))
        .collect()
}

fn temporal_of(text: &str) -> Option<Parsed> {
    let (temporal, millis) = temporal::parse(text)?;
    Some(Parsed {
        shape: Shape::Leaf(Arc::new(logical_schema(temporal))),
        value: Value::Date(millis),
    })
}

fn logical_schema(temporal: Temporal) -> Schema {
    match temporal {
        Temporal::Date => Schema::date(),
        Temporal::Time => Schema::time(),
        Temporal::Timestamp => Schema::timestamp(),
    }
}

/// The smallest type that holds the number; with a fraction the smaller of the two floating-point types that has the
/// range, whatever that does to its precision.
fn number(text: &str) -> Option<Parsed> {
    let decimal = java::parse_decimal(text)?;
    if let Some(integer) = java::exact_long(&decimal) {
        return Some(integer_of(integer));
    }
    if decimal.scale != 0 {
        let float = java::float_value(&decimal);
        if float.is_finite() {
            return Some(Parsed::leaf(Kind::Float32, Value::Float32(float)));
        }
        let double = java::double_value(&decimal);
        if double.is_finite() {
            return Some(Parsed::leaf(Kind::Float64, Value::Float64(double)));
        }
    }
    Some(decimal_of(decimal))
}

fn integer_of(integer: i64) -> Parsed {
    if let Ok(value) = i8::try_from(integer) {
        Parsed::leaf(Kind::Int8, Value::Int8(value))
    } else if let Ok(value) = i16::try_from(integer) {
        Parsed::leaf(Kind::Int16, Value::Int16(value))
    } else if let Ok(value) = i32::try_from(integer) {
        Parsed::leaf(Kind::Int32, Value::Int32(value))
    } else {
        Parsed::leaf(Kind::Int64, Value::Int64(integer))
    }
}

fn decimal_of(decimal: Decimal) -> Parsed {
    Parsed {
        shape: Shape::Leaf(Arc::new(Schema::decimal(decimal.scale))),
        value: Value::Decimal(decimal),
    }
}
