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

/// Room that an object gets at first.
pub(crate) const MEMBERS: usize = 8;

/// Says cheaply that a name is new, which it nearly always is; an object of a million members stays linear.
#[derive(Default)]
pub(crate) struct Seen {
    /// One bit per name, by its hash.
    mask: [u64; 4],
    count: usize,
    all: Option<std::collections::HashSet<Box<str>>>,
}

/// From here on a set is kept.
const MANY: usize = 48;

impl Seen {
    /// Notes the name. False: it is new. True: look for it. `known` are the names so far.
    #[inline]
    pub fn insert<N: AsRef<str>, I: Iterator<Item = N>>(&mut self, name: &str, known: impl FnOnce() -> I) -> bool {
        self.count += 1;
        if self.count > MANY {
            return self.insert_into_set(name, known());
        }
        let hash = hash(name.as_bytes());
        let (word, bit) = (&mut self.mask[usize::from(hash >> 6)], 1u64 << (hash & 63));
        let may_be_known = *word & bit != 0;
        *word |= bit;
        may_be_known
    }

    #[cold]
    fn insert_into_set<N: AsRef<str>>(&mut self, name: &str, known: impl Iterator<Item = N>) -> bool {
        let all = self
            .all
            .get_or_insert_with(|| known.map(|name| Box::from(name.as_ref())).collect());
        !all.insert(Box::from(name))
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
