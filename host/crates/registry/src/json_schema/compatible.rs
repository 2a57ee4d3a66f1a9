//! Whether a JSON Schema allows the values of another one, as far as their properties and types say.

use serde_json::Value as Json;

/// Levels that are compared; what lies deeper counts as equal.
const MAX_DEPTH: usize = 64;

/// The reason if `reader` does not.
pub fn check(reader: &Json, writer: &Json) -> Result<(), String> {
    compare(reader, writer, "", 0)
}

fn compare(reader: &Json, writer: &Json, path: &str, depth: usize) -> Result<(), String> {
    // References and combinations are left to the registry, which compares every schema that is registered.
    let is_plain = |json: &Json| {
        ["$ref", "oneOf", "anyOf", "allOf"]
            .iter()
            .all(|key| json.get(key).is_none())
    };
    if depth >= MAX_DEPTH || !is_plain(reader) || !is_plain(writer) {
        return Ok(());
    }
    let (read, written) = (reader.get("type"), writer.get("type"));
    if let (Some(Json::String(read)), Some(Json::String(written))) = (read, written) {
        let widens = read == "number" && written == "integer";
        if read != written && !widens {
            return Err(format!("{path} is {read} there and {written} here"));
        }
    }
    let (Some(Json::Object(read)), written) = (reader.get("properties"), writer.get("properties")) else {
        return match (reader.get("items"), writer.get("items")) {
            (Some(read), Some(written)) => compare(read, written, &format!("{path}[]"), depth + 1),
            _ => Ok(()),
        };
    };
    let nothing = serde_json::Map::new();
    let written = written.and_then(Json::as_object).unwrap_or(&nothing);
    for (name, property) in written {
        match read.get(name) {
            Some(read) => compare(read, property, &format!("{path}/{name}"), depth + 1)?,
            None if reader.get("additionalProperties") == Some(&Json::Bool(false)) => {
                return Err(format!("{path}/{name} is not allowed there"));
            }
            None => {}
        }
    }
    for name in reader.get("required").and_then(Json::as_array).into_iter().flatten() {
        if let Some(name) = name.as_str()
            && !written.contains_key(name)
        {
            return Err(format!("{path}/{name} is required there and missing here"));
        }
    }
    Ok(())
}
