//! Where a record comes from: the struct `source`, and the position that it stands for.

use caisson_sdk::api::typed::{BlockAt, Blocks, TypedError};

use crate::lsn::Lsn;
use crate::table::envelope::{CONNECTOR, VERSION};

/// What all records of a task share.
#[derive(Clone, Debug)]
pub struct SourceNames {
    /// `topic.prefix`.
    pub prefix: String,
    pub database: String,
}

/// A record's place in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotMark {
    First,
    True,
    FirstInDataCollection,
    LastInDataCollection,
    Last,
    False,
    Incremental,
}

impl SnapshotMark {
    pub fn as_str(self) -> &'static str {
        match self {
            SnapshotMark::First => "first",
            SnapshotMark::True => "true",
            SnapshotMark::FirstInDataCollection => "first_in_data_collection",
            SnapshotMark::LastInDataCollection => "last_in_data_collection",
            SnapshotMark::Last => "last",
            SnapshotMark::False => "false",
            SnapshotMark::Incremental => "incremental",
        }
    }
}

/// What differs from record to record, beside the table.
#[derive(Clone, Debug)]
pub struct SourceInfo {
    /// Microseconds since 1970: of the commit, or of the snapshot.
    pub time: i64,
    pub mark: SnapshotMark,
    pub last_commit: Lsn,
    pub lsn: Lsn,
    pub transaction: Option<u32>,
    pub xmin: Option<u64>,
    pub origin: Option<Origin>,
}

/// Where the transaction was made first, if it was replicated into this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub name: String,
    pub lsn: Lsn,
}

/// Slots of the struct.
const SLOTS: usize = 16;

impl SourceInfo {
    /// Writes the struct as slot `index` of `block`.
    pub fn write(
        &self,
        blocks: &mut Blocks<'_>,
        block: BlockAt,
        index: usize,
        names: &SourceNames,
        schema: &str,
        table: &str,
    ) -> Result<(), TypedError> {
        let own = blocks.structure(block, index, SLOTS)?;
        blocks.bytes(own, 0, VERSION.as_bytes())?;
        blocks.bytes(own, 1, CONNECTOR.as_bytes())?;
        blocks.bytes(own, 2, names.prefix.as_bytes())?;
        blocks.number(own, 3, self.time.div_euclid(1000));
        blocks.bytes(own, 4, self.mark.as_str().as_bytes())?;
        blocks.bytes(own, 5, names.database.as_bytes())?;
        blocks.bytes_with(own, 6, |out| self.write_sequence(out))?;
        blocks.number(own, 7, self.time);
        blocks.number(own, 8, self.time.saturating_mul(1000));
        blocks.bytes(own, 9, schema.as_bytes())?;
        blocks.bytes(own, 10, table.as_bytes())?;
        let mut number = |index: usize, number: Option<i64>| match number {
            Some(number) => blocks.number(own, index, number),
            None => blocks.null(own, index),
        };
        let position = self.mark != SnapshotMark::Incremental;
        number(11, self.transaction.map(i64::from));
        number(12, position.then_some(self.lsn.0 as i64));
        number(13, self.xmin.map(|xmin| xmin as i64));
        match &self.origin {
            Some(origin) => {
                blocks.bytes(own, 14, origin.name.as_bytes())?;
                blocks.number(own, 15, origin.lsn.0 as i64);
            }
            None => {
                blocks.null(own, 14);
                blocks.null(own, 15);
            }
        }
        Ok(())
    }

    /// `["LAST_COMMIT","LSN"]`, the former null before the first commit.
    fn write_sequence(&self, out: &mut Vec<u8>) {
        let mut number = itoa::Buffer::new();
        if self.last_commit.is_some() && self.mark_has_commit() {
            out.extend_from_slice(b"[\"");
            out.extend_from_slice(number.format(self.last_commit.0).as_bytes());
            out.extend_from_slice(b"\",\"");
        } else {
            out.extend_from_slice(b"[null,\"");
        }
        out.extend_from_slice(number.format(self.lsn.0).as_bytes());
        out.extend_from_slice(b"\"]");
    }

    fn mark_has_commit(&self) -> bool {
        matches!(self.mark, SnapshotMark::False | SnapshotMark::Incremental)
    }
}
