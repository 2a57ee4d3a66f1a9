//! Offsets as the REST API shows and changes them (KIP-875).

use caisson_model::TopicPartition;
use serde_json::{Map, Value};

use crate::Error;

const TOPIC: &str = "kafka_topic";
const PARTITION: &str = "kafka_partition";
const OFFSET: &str = "kafka_offset";

/// One partition and its offset, both as JSON objects; in a request each may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorOffset {
    pub partition: Option<Map<String, Value>>,
    pub offset: Option<Map<String, Value>>,
}

/// What a request wants changed. No offset means: forget it.
#[derive(Clone, Debug, PartialEq)]
pub enum OffsetChanges {
    Source(Vec<ConnectorOffset>),
    Sink(Vec<(TopicPartition, Option<i64>)>),
}

/// Who changed the offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetOutcome {
    /// The plugin's `alterOffsets` returned true.
    Complete,
    /// It returned false, or has none: offsets that the plugin keeps elsewhere are as they were.
    FrameworkOnly,
}

/// A partition that is named twice is changed once, as its last mention says: the request is a map.
pub fn without_repeats(offsets: Vec<ConnectorOffset>) -> Vec<ConnectorOffset> {
    let mut unique: Vec<ConnectorOffset> = Vec::with_capacity(offsets.len());
    for offset in offsets {
        match unique.iter_mut().find(|known| known.partition == offset.partition) {
            Some(known) => *known = offset,
            None => unique.push(offset),
        }
    }
    unique
}

/// Reads what a request says of a sink's offsets, with Kafka Connect's refusals.
pub fn sink_changes(connector: &str, offsets: &[ConnectorOffset]) -> Result<OffsetChanges, Error> {
    let changes = offsets.iter().map(sink_change).collect::<Result<Vec<_>, _>>()?;
    if changes
        .iter()
        .any(|(_, offset)| offset.is_some_and(|offset| offset < 0))
    {
        return Err(Error::Other(format!(
            "Failed to modify offsets for sink connector {connector}"
        )));
    }
    Ok(OffsetChanges::Sink(changes))
}

fn sink_change(offset: &ConnectorOffset) -> Result<(TopicPartition, Option<i64>), Error> {
    let refuse = |text: &str| Error::BadRequest(text.to_owned());
    let partition = offset
        .partition
        .as_ref()
        .ok_or_else(|| refuse("The partition for a sink connector offset cannot be null or missing"))?;
    let (Some(topic), Some(number)) = (partition.get(TOPIC), partition.get(PARTITION)) else {
        let text =
            "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'";
        return Err(refuse(text));
    };
    if topic.is_null() {
        return Err(refuse("Kafka topic names must be valid strings and may not be null"));
    }
    if number.is_null() {
        return Err(refuse("Kafka partitions must be valid numbers and may not be null"));
    }
    let number = parse_integer::<i32>(number).ok_or_else(|| not_an_integer("partition", "Partition", number))?;
    let offset = match &offset.offset {
        None => None,
        Some(offset) => Some(sink_offset(offset)?),
    };
    Ok((TopicPartition::new(java_text(topic), number), offset))
}

fn sink_offset(offset: &Map<String, Value>) -> Result<i64, Error> {
    let value = offset.get(OFFSET).ok_or_else(|| {
        let text = "The offset for a sink connector should either be null or contain the key 'kafka_offset'";
        Error::BadRequest(text.to_owned())
    })?;
    parse_integer::<i64>(value).ok_or_else(|| not_an_integer("offset", "Offset", value))
}

fn not_an_integer(what: &str, capitalised: &str, value: &Value) -> Error {
    Error::BadRequest(format!(
        "Failed to parse the following Kafka {what} value in the provided offsets: '{}'. {capitalised} values for sink connectors need to be integers.",
        java_text(value)
    ))
}

/// Numbers and texts that hold a number count alike.
fn parse_integer<T: std::str::FromStr>(value: &Value) -> Option<T> {
    java_text(value).parse().ok()
}

/// A JSON value as Java's `String.valueOf` shows the object that Jackson makes of it.
fn java_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(value) => value.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(java_text).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{name}={}", java_text(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// One offset of a sink as the REST API shows it.
pub fn of_sink(partition: &TopicPartition, offset: i64) -> ConnectorOffset {
    let members = [
        (TOPIC, Value::from(&*partition.topic)),
        (PARTITION, Value::from(partition.partition)),
    ];
    ConnectorOffset {
        partition: Some(
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        ),
        offset: Some(Map::from_iter([(OFFSET.to_owned(), Value::from(offset))])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(partition: Value, offset: Value) -> Result<OffsetChanges, Error> {
        let offset = ConnectorOffset {
            partition: partition.as_object().cloned(),
            offset: offset.as_object().cloned(),
        };
        sink_changes("c", &[offset])
    }

    #[test]
    fn numbers_may_be_texts() {
        let expected = OffsetChanges::Sink(vec![(TopicPartition::new("t", 0), Some(1))]);
        let partition = json!({"kafka_topic": "t", "kafka_partition": 0});
        assert_eq!(check(partition, json!({"kafka_offset": 1})), Ok(expected.clone()));
        let partition = json!({"kafka_topic": "t", "kafka_partition": "0"});
        assert_eq!(check(partition, json!({"kafka_offset": "1"})), Ok(expected));
    }

    #[test]
    fn null_offset_means_forget() {
        let partition = json!({"kafka_topic": "t", "kafka_partition": 3});
        let expected = OffsetChanges::Sink(vec![(TopicPartition::new("t", 3), None)]);
        assert_eq!(check(partition, Value::Null), Ok(expected));
    }

    #[test]
    fn fractions_and_objects_are_no_integers() {
        let partition = json!({"kafka_topic": "t", "kafka_partition": 1.5});
        let error = check(partition, Value::Null).unwrap_err().to_string();
        assert!(
            error.contains("Kafka partition value in the provided offsets: '1.5'. Partition values"),
            "{error}"
        );
        let partition = json!({"kafka_topic": "t", "kafka_partition": 1});
        let error = check(partition, json!({"kafka_offset": {"a": [1, null]}}))
            .unwrap_err()
            .to_string();
        assert!(error.contains("'{a=[1, null]}'. Offset values"), "{error}");
    }

    #[test]
    fn negative_offset_is_refused_as_a_failure() {
        let partition = json!({"kafka_topic": "t", "kafka_partition": 0});
        let error = check(partition, json!({"kafka_offset": -1})).unwrap_err();
        assert_eq!(
            error,
            Error::Other("Failed to modify offsets for sink connector c".to_owned())
        );
    }

    #[test]
    fn last_mention_of_a_partition_counts() {
        let offset = |position: i64| ConnectorOffset {
            partition: json!({"filename": "a"}).as_object().cloned(),
            offset: json!({"position": position}).as_object().cloned(),
        };
        assert_eq!(without_repeats(vec![offset(1), offset(2)]), [offset(2)]);
    }
}
