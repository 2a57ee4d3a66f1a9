//! Maps without a schema: entries in insertion order, found by going through them, as records have few.

use caisson_sdk::prelude::*;

use crate::require::Entries;

/// Sets the value of a key: in its place if it is there, else at the end.
pub fn put(entries: &mut Entries, key: &str, value: Value) {
    match find(entries, key) {
        Some(place) => entries[place].1 = value,
        None => entries.push((Value::from(key), value)),
    }
}

/// The value of a key.
pub fn get<'v>(entries: &'v [(Value, Value)], key: &str) -> Option<&'v Value> {
    find(entries, key).map(|place| &entries[place].1)
}

/// Where a key is.
pub fn find(entries: &[(Value, Value)], key: &str) -> Option<usize> {
    entries
        .iter()
        .position(|(known, _)| matches!(known, Value::String(known) if known == key))
}

/// The name that a key of a map is; Kafka Connect's transforms know texts only.
pub fn key_text(key: &Value) -> Result<&str, Error> {
    match key {
        Value::String(text) => Ok(text),
        other => {
            let class = other.java_class();
            let message = format!("class {class} cannot be cast to class java.lang.String");
            Err(Error::data(message).with_class("java.lang.ClassCastException"))
        }
    }
}
