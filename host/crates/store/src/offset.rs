//! Source offsets: which partition of a source is done up to where.
//!
//! A key is the JSON array `["connector",{partition}]`, a value the JSON object of the offset, both as Kafka Connect's
//! internal converter writes them (schemaless, compact). A missing value means: no offset.

mod file;
mod memory;
mod topic;

pub use file::FileOffsetStore;
pub use memory::MemoryOffsetStore;
pub use topic::TopicOffsetStore;

use serde_json::Value;

use crate::{BoxFuture, Error, json};

/// One offset of a connector, both sides as JSON objects.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetEntry {
    pub partition: Value,
    pub offset: Value,
}

/// A place for source offsets. Bytes in, bytes out; who writes what is the caller's affair.
pub trait OffsetStore: Send + Sync {
    /// The values of these keys, in their order. Sees every write that was reported done before.
    fn get(&self, keys: Vec<Vec<u8>>) -> BoxFuture<'_, Result<Vec<Option<Vec<u8>>>, Error>>;

    /// Writes these pairs; done means durable. A missing value removes the key.
    fn put(&self, pairs: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> BoxFuture<'_, Result<(), Error>>;

    /// All keys and values of one connector, in the order of the keys' bytes.
    fn entries(&self, connector: &str) -> BoxFuture<'_, Result<Vec<OffsetEntry>, Error>>;
}

/// The key of one source partition of one connector.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetKey {
    pub connector: String,
    pub partition: Value,
}

impl OffsetKey {
    /// The key for a partition that is given as JSON text, in whatever spacing. Null counts as a partition too, as a
    /// connector without partitions may use it.
    pub fn new(connector: &str, partition: &str) -> Result<OffsetKey, Error> {
        let value: Value = serde_json::from_str(partition).unwrap_or(Value::Bool(false));
        if !value.is_object() && !value.is_null() {
            return Err(Error::Partition {
                connector: connector.to_owned(),
                partition: partition.to_owned(),
            });
        }
        Ok(OffsetKey {
            connector: connector.to_owned(),
            partition: value,
        })
    }

    /// The bytes under which stores keep it.
    pub fn to_bytes(&self) -> Vec<u8> {
        json::compact(&Value::Array(vec![
            Value::String(self.connector.clone()),
            self.partition.clone(),
        ]))
    }

    /// Whether these bytes are the key of an offset.
    pub(crate) fn is_one(bytes: &[u8]) -> bool {
        OffsetKey::from_bytes(bytes).is_some()
    }

    /// Reads a stored key; none if these bytes are no key of an offset.
    pub fn from_bytes(bytes: &[u8]) -> Option<OffsetKey> {
        let Ok(Value::Array(mut parts)) = serde_json::from_slice(bytes) else {
            return None;
        };
        let (Some(partition), Some(Value::String(connector)), true) = (parts.pop(), parts.pop(), parts.is_empty())
        else {
            return None;
        };
        (partition.is_object() || partition.is_null()).then_some(OffsetKey { connector, partition })
    }
}

/// The entries of one connector among stored pairs. Foreign bytes are passed over with one log line each: another
/// program may have written them, and a worker must not stop for that.
fn entries_of<'a>(connector: &str, pairs: impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>) -> Vec<OffsetEntry> {
    let mut entries = Vec::new();
    for (key, value) in pairs {
        let Some(parsed) = OffsetKey::from_bytes(key) else {
            tracing::warn!(key = %String::from_utf8_lossy(key), "offset store holds a key that is no offset key; ignored");
            continue;
        };
        if parsed.connector != connector {
            continue;
        }
        match serde_json::from_slice(value) {
            Ok(offset) => entries.push(OffsetEntry {
                partition: parsed.partition,
                offset,
            }),
            Err(error) => {
                tracing::warn!(connector, partition = %parsed.partition, %error, "stored offset is not JSON; ignored");
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_what_kafka_connect_writes() {
        let key = OffsetKey::new("local-file-source", "{ \"filename\" : \"test.txt\" }").unwrap();
        assert_eq!(key.to_bytes(), br#"["local-file-source",{"filename":"test.txt"}]"#);
        assert_eq!(OffsetKey::from_bytes(&key.to_bytes()), Some(key));
    }

    #[test]
    fn members_keep_their_order() {
        let key = OffsetKey::new("c", r#"{"server":"s","db":"d","n":1}"#).unwrap();
        assert_eq!(key.to_bytes(), br#"["c",{"server":"s","db":"d","n":1}]"#);
    }

    #[test]
    fn partition_must_be_an_object() {
        for text in ["", "[]", "1", "{", "\"a\""] {
            assert!(OffsetKey::new("c", text).is_err(), "{text}");
        }
    }

    #[test]
    fn foreign_bytes_are_no_key() {
        for text in ["", "[]", "{}", "[1,{}]", "[\"c\"]", "[\"c\",5]", "[\"c\",{},{}]"] {
            assert_eq!(OffsetKey::from_bytes(text.as_bytes()), None, "{text}");
        }
    }

    async fn check(kind: &str, store: &dyn OffsetStore) {
        let key = |file: &str| {
            OffsetKey::new("c", &format!("{{\"filename\":\"{file}\"}}"))
                .unwrap()
                .to_bytes()
        };
        let other = OffsetKey::new("d", "{}").unwrap().to_bytes();
        let value = |position: u32| Some(format!("{{\"position\":{position}}}").into_bytes());
        store.put(Vec::new()).await.unwrap();
        store
            .put(vec![
                (key("a"), value(1)),
                (key("b"), value(2)),
                (other.clone(), value(3)),
            ])
            .await
            .unwrap();
        store.put(vec![(key("a"), value(4)), (key("b"), None)]).await.unwrap();
        let found = store.get(vec![other, key("b"), key("a"), key("z")]).await.unwrap();
        assert_eq!(found, [value(3), None, value(4), None], "{kind}");
        let entries = store.entries("c").await.unwrap();
        let entry = OffsetEntry {
            partition: serde_json::json!({"filename": "a"}),
            offset: serde_json::json!({"position": 4}),
        };
        assert_eq!(entries, [entry], "{kind}");
    }

    #[tokio::test]
    async fn all_stores_keep_the_newest_offset_of_each_partition() {
        use crate::log::fake::FakeTopic;

        let directory = tempfile::tempdir().unwrap();
        let file = FileOffsetStore::open(directory.path().join("offsets")).unwrap();
        let topic = FakeTopic::new();
        topic.append(None, Some(b"foreign".to_vec()));
        topic.append(Some(b"[\"c\",5]".to_vec()), Some(b"{}".to_vec()));
        let open = || {
            let (store, reader) = TopicOffsetStore::prepare();
            store(topic.open(reader))
        };
        check("memory", &MemoryOffsetStore::new()).await;
        check("file", &file).await;
        check("topic", &open()).await;
        let later = open();
        assert_eq!(later.entries("d").await.unwrap().len(), 1, "offsets outlive the worker");
    }

    #[test]
    fn records_are_read_and_written_as_recorded() {
        for (id, key, _) in crate::vectors(&["topic-offset-plain", "topic-offset-eos"]) {
            let read = OffsetKey::from_bytes(key.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(read.to_bytes()).unwrap(), key, "{id}");
        }
    }
}
