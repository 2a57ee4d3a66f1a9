//! Records as lines of JSON. Bytes that are text stand as that, others in Base64: what `run` prints, it reads.

use anyhow::{Context, anyhow, bail};
use caisson_api::value::base64;
use caisson_task::local::LocalRecord;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// The topic of records that name none, where nobody else does.
const TOPIC: &str = "local";

/// One line, without its end.
pub fn write(record: &LocalRecord) -> String {
    let mut members = Map::new();
    members.insert("topic".to_owned(), record.topic.as_str().into());
    members.insert("partition".to_owned(), record.partition.into());
    members.insert("offset".to_owned(), record.offset.into());
    members.insert("timestamp".to_owned(), record.timestamp.into());
    put(&mut members, "key", record.key.as_deref());
    put(&mut members, "value", record.value.as_deref());
    if !record.headers.is_empty() {
        let header = |(name, value): &(String, Option<Vec<u8>>)| {
            let mut members = Map::from_iter([("name".to_owned(), json!(name))]);
            put(&mut members, "value", value.as_deref());
            Value::Object(members)
        };
        members.insert("headers".to_owned(), record.headers.iter().map(header).collect());
    }
    Value::Object(members).to_string()
}

fn put(members: &mut Map<String, Value>, name: &str, bytes: Option<&[u8]>) {
    match bytes.map(|bytes| (std::str::from_utf8(bytes), bytes)) {
        None => members.insert(name.to_owned(), Value::Null),
        Some((Ok(text), _)) => members.insert(name.to_owned(), text.into()),
        Some((Err(_), bytes)) => members.insert(format!("{name}_base64"), base64::encode(bytes).into()),
    };
}

/// A record of which there is the value alone.
pub fn of_value(value: Vec<u8>, topic: Option<&str>) -> LocalRecord {
    LocalRecord {
        topic: topic.unwrap_or(TOPIC).to_owned(),
        partition: 0,
        offset: 0,
        timestamp: None,
        key: None,
        value: Some(value),
        headers: Vec::new(),
    }
}

/// One line as [`write`] makes it. Members may be left out; offsets are counted anew; a value that is no text stands for its
/// own JSON.
pub fn read(line: &[u8], topic: Option<&str>) -> anyhow::Result<LocalRecord> {
    let members: std::collections::BTreeMap<String, &RawValue> =
        serde_json::from_slice(line).context("it is no JSON object (--lines takes lines as they are)")?;
    let mut record = LocalRecord {
        value: None,
        ..of_value(Vec::new(), topic)
    };
    for (name, raw) in &members {
        match name.as_str() {
            "topic" => record.topic = serde_json::from_str(raw.get()).context("topic")?,
            "partition" => record.partition = serde_json::from_str(raw.get()).context("partition")?,
            "timestamp" => record.timestamp = serde_json::from_str(raw.get()).context("timestamp")?,
            "offset" => {}
            "key" | "key_base64" => record.key = bytes(name, raw)?,
            "value" | "value_base64" => record.value = bytes(name, raw)?,
            "headers" => record.headers = headers(raw)?,
            other => bail!("it has a member {other:?}, known are topic, partition, timestamp, key, value, headers"),
        }
    }
    match record.partition {
        0.. => Ok(record),
        negative => Err(anyhow!("partition {negative} is negative")),
    }
}

fn bytes(name: &str, raw: &RawValue) -> anyhow::Result<Option<Vec<u8>>> {
    let text: Option<String> = match raw.get().as_bytes().first() {
        Some(b'"' | b'n') => serde_json::from_str(raw.get()).with_context(|| name.to_owned())?,
        _ if name.ends_with("_base64") => bail!("{name} is no text"),
        _ => return Ok(Some(raw.get().as_bytes().to_vec())),
    };
    match (text, name.ends_with("_base64")) {
        (None, _) => Ok(None),
        (Some(text), false) => Ok(Some(text.into_bytes())),
        (Some(text), true) => Ok(Some(
            base64::decode(&text).ok_or_else(|| anyhow!("{name} is no Base64"))?,
        )),
    }
}

fn headers(raw: &RawValue) -> anyhow::Result<Vec<(String, Option<Vec<u8>>)>> {
    let all: Vec<std::collections::BTreeMap<String, &RawValue>> = serde_json::from_str(raw.get()).context("headers")?;
    let header = |members: &std::collections::BTreeMap<String, &RawValue>| -> anyhow::Result<_> {
        let name = members.get("name").context("a header has no name")?;
        let value = ["value", "value_base64"]
            .into_iter()
            .find_map(|name| Some((name, members.get(name)?)));
        let value = value.map(|(name, raw)| bytes(name, raw)).transpose()?.flatten();
        Ok((serde_json::from_str(name.get()).context("a header's name")?, value))
    };
    all.iter().map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let record = LocalRecord {
            topic: "t".to_owned(),
            partition: 3,
            offset: 0,
            timestamp: Some(7),
            key: Some(vec![0xff]),
            value: Some(b"{\"n\":1}".to_vec()),
            headers: vec![("h".to_owned(), None), ("i".to_owned(), Some(b"x".to_vec()))],
        };
        let line = write(&record);
        assert!(
            line.contains(r#""key_base64":"/w==""#) && line.contains(r#""value":"{\"n\":1}""#),
            "{line}"
        );
        assert_eq!(read(line.as_bytes(), None).unwrap(), record);
        let short = read(br#"{"value": {"n": 1.50}}"#, Some("own")).unwrap();
        assert_eq!(
            (short.topic.as_str(), short.value.as_deref()),
            ("own", Some(&b"{\"n\": 1.50}"[..]))
        );
        assert_eq!(read(br#"{"value": null, "key": null}"#, None).unwrap().value, None);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for line in [
            "",
            "5",
            "[]",
            "{",
            r#"{"vaule": 1}"#,
            r#"{"partition": -1}"#,
            r#"{"partition": "x"}"#,
            r#"{"key_base64": "!"}"#,
            r#"{"key_base64": 5}"#,
            r#"{"headers": [{}]}"#,
            r#"{"headers": 1}"#,
            r#"{"topic": null}"#,
        ] {
            assert!(read(line.as_bytes(), None).is_err(), "{line}");
        }
    }
}
