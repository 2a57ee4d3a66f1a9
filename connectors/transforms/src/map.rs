//! Maps without a schema: entries in insertion order, found by going through them, as records have few.

use caisson_sdk::api::Members;
use caisson_sdk::prelude::*;

/// Sets the value of a name: in its place if it is there, else at the end.
pub fn put(members: &mut dyn Members, name: &str, value: Value) {
    match members.find(name) {
        Some(place) => *members.value(place) = value,
        None => members.push(name, value),
    }
}

/// As [`put`], of a text.
pub fn put_text(members: &mut dyn Members, name: &str, text: &str) {
    match members.find(name) {
        Some(place) => members.write_text(place, &mut |out| out.push_str(text)),
        None => members.push_text(name, text),
    }
}

/// The place of a name. What is not there is there as null from now on, and there is nothing to be done about it.
pub fn present(members: &mut dyn Members, name: &str) -> Option<usize> {
    let found = members.find(name);
    if found.is_none() {
        members.push(name, Value::Null);
    }
    found
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
