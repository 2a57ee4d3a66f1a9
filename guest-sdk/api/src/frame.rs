//! The codec of the batch frame (`wit/frame.md`): how a batch of records crosses the sandbox boundary as one list of
//! bytes.
//!
//! Reading borrows everything from the frame; building lays each record down once, at its final place.

mod build;
mod read;

pub use build::{FrameBuilder, RecordBuilder, RecordMeta};
pub use read::{Entry, Frame, HeaderEntry, Headers, SourceCoordinates};

pub(crate) const MAGIC: [u8; 4] = [b'C', b'S', b'N', 1];
pub(crate) const HEADER: usize = 40;
/// Bytes of a record entry without and with the source's coordinates.
pub(crate) const SINK_ENTRY: usize = 48;
pub(crate) const SOURCE_ENTRY: usize = 64;
/// "No schema" and "no entry" in 16-bit indexes.
pub(crate) const NONE: u16 = u16::MAX;
/// A frame may not be larger; a good one is some 64 KiB to 1 MiB.
pub const MAX_FRAME: usize = 256 << 20;

/// How a column of payloads is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// As in Kafka.
    #[default]
    Bytes = 0,
    /// The text of one JSON value.
    Json = 1,
    /// A typed value with a schema, see [`crate::typed`].
    Connect = 2,
}

impl Encoding {
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Encoding::Bytes),
            1 => Some(Encoding::Json),
            2 => Some(Encoding::Connect),
            _ => None,
        }
    }
}

/// The encodings of the three columns of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Encodings {
    pub key: Encoding,
    pub value: Encoding,
    pub headers: Encoding,
}

/// When a record was made; milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Timestamp {
    #[default]
    None,
    Create(i64),
    LogAppend(i64),
    /// The time at which the worker hands the record on: for sources whose records have no time of their own. The
    /// producer may then stamp the record.
    Arrival,
}

/// Where a source wants its transaction to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Boundary {
    #[default]
    None,
    Commit,
    Abort,
}

impl Boundary {
    pub(crate) fn from_bits(bits: u16) -> Option<Self> {
        match bits {
            0 => Some(Boundary::None),
            1 => Some(Boundary::Commit),
            2 => Some(Boundary::Abort),
            _ => None,
        }
    }
}

/// What is wrong with a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("frame does not begin with the magic of version 1")]
    Magic,
    #[error("frame of {actual} bytes says that it has {stated}")]
    Length { stated: usize, actual: usize },
    #[error("frame of {0} bytes is larger than {MAX_FRAME}")]
    TooLarge(usize),
    #[error("frame has record entries of {0} bytes; they are at least 48 and a multiple of 8")]
    EntrySize(usize),
    #[error("frame has the unknown encoding {0}")]
    Encoding(u8),
    #[error("frame has the unknown flags {0}")]
    Flags(u8),
    #[error("the {table} table of the frame does not fit into it")]
    Table { table: &'static str },
    #[error("the {table} table of the frame has an entry that is not UTF-8")]
    TableText { table: &'static str },
    #[error("record {record} of the frame: {what}")]
    Record { record: usize, what: &'static str },
}
