//! Maps with names for keys, as transforms without a schema change them, whatever it is that they are kept in.

use crate::{Error, Value};

/// The entries of a map in insertion order, names unique. Behind it are values, or a text of which only those entries
/// become values that somebody asks for. Places are below [`Members::len`].
pub trait Members {
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fails if a key is no text, which Kafka Connect's transforms only notice where they look at every key.
    fn check_names(&self) -> Result<(), Error>;

    /// The name at a place; empty for a key that is no text.
    fn name(&self, place: usize) -> &str;

    /// Where a name is.
    fn find(&self, name: &str) -> Option<usize>;

    /// The value at a place.
    fn value(&mut self, place: usize) -> &mut Value;

    /// Whether the value at a place is a text, which need not be read for that.
    fn is_text(&self, place: usize) -> bool;

    /// Puts a text in the place of a value; `write` appends it.
    fn write_text(&mut self, place: usize, write: &mut dyn FnMut(&mut String));

    /// Adds an entry at the end; the name must not be there yet.
    fn push(&mut self, name: &str, value: Value);

    /// As [`Members::push`], of a text.
    fn push_text(&mut self, name: &str, text: &str);

    /// Gives the entry at a place another name, which must not be there yet.
    fn rename(&mut self, place: usize, name: &str);

    /// Takes the entry at `from` away; its value replaces that at `place`, which lies before it.
    fn absorb(&mut self, place: usize, from: usize);

    /// Takes an entry away.
    fn remove(&mut self, place: usize);

    /// Takes all entries away but those whose names are to be kept.
    fn retain(&mut self, keep: &mut dyn FnMut(&str) -> bool);
}

impl Members for Vec<(Value, Value)> {
    fn len(&self) -> usize {
        self.len()
    }

    fn check_names(&self) -> Result<(), Error> {
        match self.iter().find(|(key, _)| text(key).is_none()) {
            None => Ok(()),
            Some((key, _)) => {
                let class = key.java_class();
                let message = format!("class {class} cannot be cast to class java.lang.String");
                Err(Error::data(message).with_class("java.lang.ClassCastException"))
            }
        }
    }

    fn name(&self, place: usize) -> &str {
        text(&self[place].0).unwrap_or_default()
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.iter().position(|(key, _)| text(key) == Some(name))
    }

    fn value(&mut self, place: usize) -> &mut Value {
        &mut self[place].1
    }

    fn is_text(&self, place: usize) -> bool {
        matches!(self[place].1, Value::String(_))
    }

    fn write_text(&mut self, place: usize, write: &mut dyn FnMut(&mut String)) {
        let value = &mut self[place].1;
        // The text that is there gives its memory.
        let mut text = match std::mem::take(value) {
            Value::String(text) => text,
            _ => String::with_capacity(MOST),
        };
        text.clear();
        write(&mut text);
        *value = Value::String(text);
    }

    fn push(&mut self, name: &str, value: Value) {
        self.push((Value::from(name), value));
    }

    fn push_text(&mut self, name: &str, text: &str) {
        self.push((Value::from(name), Value::from(text)));
    }

    fn rename(&mut self, place: usize, name: &str) {
        self[place].0 = Value::from(name);
    }

    fn absorb(&mut self, place: usize, from: usize) {
        let (_, value) = Vec::remove(self, from);
        self[place].1 = value;
    }

    fn remove(&mut self, place: usize) {
        Vec::remove(self, place);
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&str) -> bool) {
        Vec::retain(self, |(key, _)| keep(text(key).unwrap_or_default()));
    }
}

/// What most texts have room in.
const MOST: usize = 32;

fn text(key: &Value) -> Option<&str> {
    if let Value::String(text) = key {
        Some(text)
    } else {
        None
    }
}
