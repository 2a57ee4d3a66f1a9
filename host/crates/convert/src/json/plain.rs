//! JSON without a schema: what text becomes which value.

use std::collections::HashMap;

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
        if number.is_integral() {
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
        Members {
            entries: Vec::with_capacity(MEMBERS),
            seen: Seen::default(),
        }
    }

    fn member(&mut self, object: &mut Members, name: Text<'a>, value: Value) {
        object.put(name.decode().into_owned(), value);
    }

    fn end_object(&mut self, object: Members) -> Value {
        Value::Map(object.entries)
    }
}

/// The members of an object; of several with one name the last one counts, at the place of the first.
pub(crate) struct Members {
    entries: Vec<(Value, Value)>,
    seen: Seen,
}

impl Members {
    fn put(&mut self, name: String, value: Value) {
        let entries = &mut self.entries;
        let place = self.seen.insert(&name, entries.len(), |wanted| {
            entries
                .iter()
                .take(FEW)
                .position(|(known, _)| text(known) == Some(wanted))
        });
        match place {
            Some(index) => entries[index].1 = value,
            None => entries.push((Value::String(name), value)),
        }
    }
}

fn text(value: &Value) -> Option<&str> {
    if let Value::String(text) = value {
        Some(text)
    } else {
        None
    }
}

/// Room that an object gets at first.
pub(crate) const MEMBERS: usize = 8;

/// Finds a name among those of an object, and says cheaply that it is new, which it nearly always is. The work for an
/// object of a million members stays linear.
#[derive(Default)]
pub(crate) struct Seen {
    /// One bit per name, by its hash.
    mask: [u64; 4],
    /// The places of all names but the first few.
    later: HashMap<Box<str>, usize>,
}

/// So many names are looked for one by one.
pub(crate) const FEW: usize = 48;

impl Seen {
    /// Where the name stands already; if nowhere, it is noted for the place `next`. `find` looks for it among the
    /// names at the first places.
    #[inline]
    pub fn insert(&mut self, name: &str, next: usize, find: impl FnOnce(&str) -> Option<usize>) -> Option<usize> {
        let hash = hash(name.as_bytes());
        let (word, bit) = (&mut self.mask[usize::from(hash >> 6)], 1u64 << (hash & 63));
        let may_be_known = *word & bit != 0;
        *word |= bit;
        if next < FEW {
            return if may_be_known { find(name) } else { None };
        }
        self.insert_later(name, next, find)
    }

    #[cold]
    fn insert_later(&mut self, name: &str, next: usize, find: impl FnOnce(&str) -> Option<usize>) -> Option<usize> {
        if let Some(place) = self.later.get(name).copied().or_else(|| find(name)) {
            return Some(place);
        }
        self.later.insert(Box::from(name), next);
        None
    }
}

/// Eight bits of the length and the last bytes, where names differ most.
#[inline]
fn hash(bytes: &[u8]) -> u8 {
    let ends = match bytes.last_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    ((ends ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}
