//! JSON without a schema: what text becomes which value.

use caisson_api::Value;

use super::number::{double, long};
use super::parse::{Builder, Number};
use super::text::Text;

/// Builds schemaless values: numbers are `Int64` or `Float64`, objects are maps.
pub(crate) struct PlainBuilder;

impl<'a> Builder<'a> for PlainBuilder {
    type Value = Value;
    type Array = Vec<Value>;
    type Object = Members;

    fn null(&mut self) -> Value {
        Value::Null
    }

    fn boolean(&mut self, value: bool) -> Value {
        Value::Boolean(value)
    }

    fn number(&mut self, number: Number<'a>) -> Value {
        if number.integral {
            Value::Int64(long(&number))
        } else {
            Value::Float64(double(&number))
        }
    }

    fn string(&mut self, text: Text<'a>) -> Value {
        Value::String(text.decode().into_owned())
    }

    fn begin_array(&mut self) -> Vec<Value> {
        Vec::new()
    }

    fn element(&mut self, array: &mut Vec<Value>, value: Value) {
        array.push(value);
    }

    fn end_array(&mut self, array: Vec<Value>) -> Value {
        Value::Array(array)
    }

    fn begin_object(&mut self) -> Members {
        Members::default()
    }

    fn member(&mut self, object: &mut Members, name: Text<'a>, value: Value) {
        object.put(name.decode().into_owned(), value);
    }

    fn end_object(&mut self, object: Members) -> Value {
        Value::Map(object.entries)
    }
}

/// The members of an object; of several with one name the last one counts, at the place of the first.
#[derive(Default)]
pub(crate) struct Members {
    entries: Vec<(Value, Value)>,
    seen: Seen,
}

impl Members {
    fn put(&mut self, name: String, value: Value) {
        if self
            .seen
            .insert(&name, || self.entries.iter().filter_map(|(name, _)| text(name)))
            && let Some(entry) = self.entries.iter_mut().find(|(known, _)| text(known) == Some(&name))
        {
            entry.1 = value;
            return;
        }
        self.entries.push((Value::String(name), value));
    }
}

fn text(value: &Value) -> Option<&str> {
    if let Value::String(text) = value {
        Some(text)
    } else {
        None
    }
}

/// Says cheaply that a name is new, which it nearly always is; an object of a million members stays linear.
#[derive(Default)]
pub(crate) struct Seen {
    /// One bit per name, by length and two of its bytes.
    mask: u64,
    count: usize,
    all: Option<std::collections::HashSet<Box<str>>>,
}

/// From here on a set is kept.
const MANY: usize = 32;

impl Seen {
    /// Notes the name. False: it is new. True: look for it. `known` are the names so far.
    #[inline]
    pub fn insert<'n, I: Iterator<Item = &'n str>>(&mut self, name: &str, known: impl FnOnce() -> I) -> bool {
        self.count += 1;
        if self.count > MANY {
            return self.insert_into_set(name, known());
        }
        let bytes = name.as_bytes();
        let ends = match bytes {
            [] => 0,
            [first, .., last] => usize::from(*first) * 7 + usize::from(*last) * 31,
            [only] => usize::from(*only),
        };
        let bit = 1u64 << ((bytes.len() * 13 + ends) % 64);
        let may_be_known = self.mask & bit != 0;
        self.mask |= bit;
        may_be_known
    }

    #[cold]
    fn insert_into_set<'n>(&mut self, name: &str, known: impl Iterator<Item = &'n str>) -> bool {
        let all = self.all.get_or_insert_with(|| known.map(Box::from).collect());
        !all.insert(Box::from(name))
    }
}
