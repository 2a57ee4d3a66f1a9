//! The body of `PATCH /connectors/{name}/offsets`.

use caisson_herder::ConnectorOffset;
use serde_json::{Map, Value};

use super::Unreadable;
use super::jackson::{elements, members, mismatch, value};

const OFFSETS: &str = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffsets";
const OFFSET: &str = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffset";
const LIST: &str = "java.util.ArrayList<org.apache.kafka.connect.runtime.rest.entities.ConnectorOffset>";
const MAP: &str = "java.util.LinkedHashMap<java.lang.String,java.lang.Object>";

/// Reads the offsets to change; empty if the list is missing, null or empty.
pub fn parse_offsets(body: &[u8]) -> Result<Vec<ConnectorOffset>, Unreadable> {
    let raw = value(body)?.ok_or_else(|| Unreadable("The request has no body".to_owned()))?;
    let mut offsets = Vec::new();
    for (member, raw) in members(raw, OFFSETS)? {
        match member.as_str() {
            "offsets" if raw == "null" => offsets.clear(),
            "offsets" => offsets = elements(raw, LIST)?.into_iter().map(offset).collect::<Result<_, _>>()?,
            _ => return Err(unrecognised(&member, OFFSETS)),
        }
    }
    Ok(offsets)
}

fn offset(raw: &str) -> Result<ConnectorOffset, Unreadable> {
    let mut read = ConnectorOffset {
        partition: None,
        offset: None,
    };
    for (member, raw) in members(raw, OFFSET)? {
        match member.as_str() {
            "partition" => read.partition = object(raw)?,
            "offset" => read.offset = object(raw)?,
            _ => return Err(unrecognised(&member, OFFSET)),
        }
    }
    Ok(read)
}

fn object(raw: &str) -> Result<Option<Map<String, Value>>, Unreadable> {
    match serde_json::from_str(raw) {
        Ok(Value::Null) => Ok(None),
        Ok(Value::Object(members)) => Ok(Some(members)),
        Ok(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => Err(mismatch(MAP, raw)),
        Err(error) => Err(Unreadable(error.to_string())),
    }
}

fn unrecognised(member: &str, class: &str) -> Unreadable {
    Unreadable(format!(
        "Unrecognized field \"{member}\" (class {class}), not marked as ignorable"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read() {
        let body = br#"{"offsets":[{"partition":{"filename":"a"},"offset":{"position":30}},{"partition":null,"offset":null},{}]}"#;
        let offsets = parse_offsets(body).unwrap();
        assert_eq!(offsets.len(), 3);
        assert_eq!(
            Value::from(offsets[0].offset.clone().unwrap()),
            serde_json::json!({"position": 30})
        );
        assert_eq!(
            offsets[1],
            ConnectorOffset {
                partition: None,
                offset: None
            }
        );
    }

    #[test]
    fn no_list_is_an_empty_one() {
        for body in ["{}", r#"{"offsets":null}"#, r#"{"offsets":[]}"#] {
            assert_eq!(parse_offsets(body.as_bytes()), Ok(Vec::new()), "{body}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for body in [
            "",
            "null",
            "[]",
            r#"{"offsets":{}}"#,
            r#"{"offsets":[null]}"#,
            r#"{"offsets":[{"partition":5}]}"#,
            r#"{"x":1}"#,
        ] {
            assert!(parse_offsets(body.as_bytes()).is_err(), "{body}");
        }
    }
}
