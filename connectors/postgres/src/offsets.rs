//! Offsets as the original writes and reads them, so that either can go on where the other stopped.

use caisson_sdk::serde_json::{self, Value as Json, json};

use crate::lsn::Lsn;

/// The source partition, as JSON text.
pub fn partition(prefix: &str) -> String {
    json!({ "server": prefix }).to_string()
}

/// What a record of the stream was about, as offsets say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    Insert,
    Update,
    Delete,
    Truncate,
    Message,
    Commit,
    Begin,
}

impl MessageType {
    fn as_str(self) -> &'static str {
        match self {
            MessageType::Insert => "INSERT",
            MessageType::Update => "UPDATE",
            MessageType::Delete => "DELETE",
            MessageType::Truncate => "TRUNCATE",
            MessageType::Message => "MESSAGE",
            MessageType::Commit => "COMMIT",
            MessageType::Begin => "BEGIN",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [
            MessageType::Insert,
            MessageType::Update,
            MessageType::Delete,
            MessageType::Truncate,
            MessageType::Message,
            MessageType::Commit,
            MessageType::Begin,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }
}

/// A position in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Of the message that was processed last. It falls where a transaction was committed after one that it began before.
    pub lsn: Lsn,
    /// How many changes were processed there: the server writes many rows of a COPY in one record of its log. 0: only the
    /// beginning of the transaction was told.
    pub changes: u32,
    /// The end of the last transaction that was processed as a whole; 0 before the first.
    pub last_commit: Lsn,
    pub transaction: Option<u32>,
    /// Microseconds since 1970.
    pub time: i64,
    pub message: MessageType,
}

impl Position {
    /// A change at `lsn` in this transaction is processed.
    pub fn advance(&mut self, lsn: Lsn, transaction: Option<u32>) {
        let another = self.lsn == lsn && self.transaction == transaction;
        self.changes = if another { self.changes.saturating_add(1) } else { 1 };
        self.lsn = lsn;
        self.transaction = transaction;
    }
}

/// A stored offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub lsn: Lsn,
    /// How many changes at `lsn` were processed, as in [`Position::changes`].
    pub changes: u32,
    pub last_commit: Lsn,
    pub transaction: Option<u32>,
    pub message: Option<MessageType>,
    /// What was told of the transaction, if that is wanted.
    pub told: Option<Told>,
    /// Whether it was written in the middle of a snapshot, which then has to begin anew.
    pub snapshot_unfinished: bool,
    /// What an incremental snapshot needs to go on.
    pub incremental: Option<String>,
}

/// A transaction whose beginning was told (`provide.transaction.metadata`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub transaction: u32,
    /// How many changes of each table were told since, in the order in which tables came.
    pub tables: Vec<(String, i64)>,
}

impl Told {
    /// Counts a change of a table; how many there are of it now.
    pub fn count(&mut self, table: String) -> i64 {
        match self.tables.iter_mut().find(|(known, _)| *known == table) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.tables.push((table, 1));
                1
            }
        }
    }

    /// How many changes there are in all.
    pub fn total(&self) -> i64 {
        self.tables.iter().map(|(_, count)| count).sum()
    }

    fn parse(offset: &Json) -> Option<Self> {
        // Versions before 3 have a position behind a colon.
        let transaction = offset.get(TRANSACTION)?.as_str()?.split(':').next()?.parse().ok()?;
        let tables = offset.as_object()?.iter().filter_map(|(name, count)| {
            let table = name.strip_prefix(TABLE_ORDER)?;
            Some((table.to_owned(), count.as_i64()?))
        });
        Some(Told {
            transaction,
            tables: tables.collect(),
        })
    }
}

/// The member that names the transaction at hand, and those that count the changes of each table in it.
const TRANSACTION: &str = "transaction_id";
const TABLE_ORDER: &str = "transaction_data_collection_order_";
/// The member that counts the changes at `lsn`, where there are more than one.
const CHANGES: &str = "lsn_changes";
/// The member that holds the state of an incremental snapshot.
pub const INCREMENTAL: &str = "incremental_snapshot_state";
/// The original's, whose tables are then read from the beginning: its keys are Java objects.
const ORIGINAL_INCREMENTAL: &str = "incremental_snapshot_collections";

impl Stored {
    /// Reads what this connector or the original wrote. `None`: there is no position in it.
    pub fn parse(offset: &Json) -> Option<Self> {
        let number = |name: &str| match offset.get(name) {
            Some(Json::Number(number)) => number.as_u64(),
            Some(Json::String(text)) => text.parse().ok(),
            _ => None,
        };
        let flag = |name: &str| match offset.get(name) {
            Some(Json::Bool(value)) => Some(*value),
            Some(Json::String(text)) => text.parse().ok(),
            _ => None,
        };
        let in_snapshot = offset.get("snapshot").is_some_and(|value| !value.is_null());
        let completed = flag("snapshot_completed").or(flag("last_snapshot_record"));
        let message = offset.get("messageType").and_then(Json::as_str);
        let message = message.and_then(MessageType::parse);
        Some(Stored {
            lsn: Lsn(number("lsn_proc").or_else(|| number("lsn"))?),
            changes: match message {
                Some(MessageType::Begin) => 0,
                _ => number(CHANGES).and_then(|changes| changes.try_into().ok()).unwrap_or(1),
            },
            message,
            told: Told::parse(offset),
            last_commit: Lsn(number("lsn_commit").unwrap_or(0)),
            transaction: number("txId").map(|xid| xid as u32),
            snapshot_unfinished: in_snapshot && completed != Some(true),
            incremental: [INCREMENTAL, ORIGINAL_INCREMENTAL]
                .iter()
                .find_map(|name| offset.get(name))
                .and_then(Json::as_str)
                .map(str::to_owned),
        })
    }

    /// Where the stream has to begin so that nothing after the offset is missed.
    pub fn start(&self) -> Lsn {
        if self.last_commit.is_some() {
            self.last_commit
        } else {
            self.lsn
        }
    }
}

fn push_number(out: &mut String, name: &str, number: i64) {
    let mut buffer = itoa::Buffer::new();
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
    out.push_str(buffer.format(number));
}

/// What an offset has beside the position.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// The transaction that is numbered.
    pub told: Option<&'a Told>,
    /// The state of an incremental snapshot.
    pub incremental: Option<&'a str>,
}

/// Writes the offset of a record of the stream, replacing what `out` holds.
pub fn write_stream(out: &mut String, position: &Position, extras: Extras<'_>) {
    out.clear();
    out.push('{');
    if let Some(told) = extras.told {
        out.push('"');
        out.push_str(TRANSACTION);
        out.push_str("\":\"");
        out.push_str(itoa::Buffer::new().format(told.transaction));
        out.push('"');
    }
    push_number(out, "lsn_proc", position.lsn.0 as i64);
    out.push_str(",\"messageType\":\"");
    out.push_str(position.message.as_str());
    out.push('"');
    if position.last_commit.is_some() {
        push_number(out, "lsn_commit", position.last_commit.0 as i64);
    }
    push_number(out, "lsn", position.lsn.0 as i64);
    if position.changes > 1 {
        push_number(out, CHANGES, position.changes.into());
    }
    if let Some(xid) = position.transaction {
        push_number(out, "txId", xid.into());
    }
    push_number(out, "ts_usec", position.time);
    for (table, count) in extras.told.iter().flat_map(|told| &told.tables) {
        let name = Json::from([TABLE_ORDER, table].concat()).to_string();
        out.push(',');
        out.push_str(&name);
        out.push(':');
        out.push_str(itoa::Buffer::new().format(*count));
    }
    if let Some(state) = extras.incremental {
        let state = serde_json::to_string(state).unwrap_or_default();
        out.push_str(&format!(",\"{INCREMENTAL}\":{state}"));
    }
    out.push('}');
}

/// Where a snapshot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Running,
    Completed,
}

/// The offset of a record of a snapshot.
pub fn snapshot(lsn: Lsn, transaction: Option<u32>, time: i64, progress: Progress) -> String {
    let done = progress == Progress::Completed;
    json!({
        "last_snapshot_record": done,
        "lsn": lsn.0,
        "txId": transaction,
        "ts_usec": time,
        "snapshot": "INITIAL",
        "snapshot_completed": done,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn stored(text: &str) -> Option<Stored> {
        Stored::parse(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn offsets_of_the_original_are_read() {
        let stream = stored(
            r#"{"lsn_proc":217093096,"messageType":"INSERT","lsn_commit":217093000,"lsn":217093096,"txId":1377,"ts_usec":1}"#,
        )
        .unwrap();
        assert_eq!(stream.start(), Lsn(217_093_000));
        assert_eq!((stream.lsn, stream.transaction), (Lsn(217_093_096), Some(1377)));
        assert!(!stream.snapshot_unfinished);
        let done = stored(
            r#"{"last_snapshot_record":true,"lsn":243275200,"txId":1459,"ts_usec":1,"snapshot":"INITIAL","snapshot_completed":true}"#,
        )
        .unwrap();
        assert!(!done.snapshot_unfinished);
        assert_eq!(done.start(), Lsn(243_275_200));
        let half = stored(r#"{"lsn":1,"snapshot":"INITIAL","snapshot_completed":false}"#).unwrap();
        assert!(half.snapshot_unfinished);
        assert_eq!(
            (half.changes, stored(r#"{"lsn":1,"lsn_changes":3}"#).unwrap().changes),
            (1, 3)
        );
        let begun =
            stored(r#"{"transaction_id":"571","lsn_proc":5,"messageType":"BEGIN","lsn":5,"txId":571}"#).unwrap();
        let told = Told {
            transaction: 571,
            tables: Vec::new(),
        };
        assert_eq!((begun.changes, begun.told), (0, Some(told)));
        assert_eq!(stored(r#"{"lsn":1,"transaction_id":"x"}"#).unwrap().told, None);
        assert_eq!(stored(r#"{"txId":1}"#), None);
        assert_eq!(stored("[]"), None);
    }

    #[test]
    fn offsets_are_written_as_the_original_writes_them() {
        let mut position = Position {
            lsn: Lsn(10),
            changes: 1,
            last_commit: Lsn(0),
            transaction: Some(7),
            time: 5,
            message: MessageType::Insert,
        };
        let mut out = String::new();
        write_stream(&mut out, &position, Extras::default());
        assert_eq!(
            out,
            r#"{"lsn_proc":10,"messageType":"INSERT","lsn":10,"txId":7,"ts_usec":5}"#
        );
        position.advance(Lsn(10), Some(7));
        write_stream(&mut out, &position, Extras::default());
        assert_eq!(
            out,
            r#"{"lsn_proc":10,"messageType":"INSERT","lsn":10,"lsn_changes":2,"txId":7,"ts_usec":5}"#
        );
        position.advance(Lsn(10), Some(8));
        assert_eq!(position.changes, 1);
        position.transaction = Some(7);
        position.last_commit = Lsn(9);
        position.message = MessageType::Commit;
        let told = Told {
            transaction: 7,
            tables: vec![("public.t".into(), 1)],
        };
        let extras = Extras {
            told: Some(&told),
            incremental: None,
        };
        write_stream(&mut out, &position, extras);
        assert_eq!(
            out,
            r#"{"transaction_id":"7","lsn_proc":10,"messageType":"COMMIT","lsn_commit":9,"lsn":10,"txId":7,"ts_usec":5,"transaction_data_collection_order_public.t":1}"#
        );
        let read = stored(&out).unwrap();
        assert_eq!((read.told, read.message), (Some(told), Some(MessageType::Commit)));
        assert_eq!(
            snapshot(Lsn(3), Some(4), 5, Progress::Completed),
            r#"{"last_snapshot_record":true,"lsn":3,"txId":4,"ts_usec":5,"snapshot":"INITIAL","snapshot_completed":true}"#
        );
    }
}
