//! The codec of the batch frame (`wit/frame.md`).
//!
//! [`Frame`] reads: it validates a whole frame once and then hands out slices of it. [`FrameBuilder`] writes: it lays
//! every record at its final place, so that no byte of a payload is copied twice.

mod check;
mod entry;
mod read;
mod record;
mod table;
mod write;

use serde::{Deserialize, Serialize};

pub use entry::{Entry, HeaderEntry, Headers};
pub use read::{Frame, Records};
pub use record::RecordWriter;
pub use write::{FrameBuilder, NewHeader, NewRecord, RecordHead, Role};

/// Nobody sends or accepts a larger frame: positions have to fit in 32 bits, and one batch must not be all memory.
pub const MAX_FRAME: usize = 256 << 20;
/// Strings, and schemas, that one frame can hold; 65535 means "no schema".
pub const MAX_STRINGS: usize = 65_535;
/// Source partitions that one frame can hold.
pub const MAX_PARTITIONS: usize = 1 << 20;

const MAGIC: [u8; 4] = *b"CSN\x01";
const HEADER: usize = 40;
const ENTRY: usize = 48;
const SOURCE_ENTRY: usize = 64;
const NO_SCHEMA: u16 = u16::MAX;
const NO_PARTITION: u32 = u32::MAX;

/// How a column of payloads is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Encoding {
    /// As they are in Kafka.
    #[default]
    Bytes = 0,
    /// The text of one JSON value.
    Json = 1,
    /// A typed value ([`crate::typed`]).
    Connect = 2,
}

impl Encoding {
    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Encoding::Bytes),
            1 => Some(Encoding::Json),
            2 => Some(Encoding::Connect),
            3.. => None,
        }
    }

    /// The word that manifests use.
    pub fn as_str(self) -> &'static str {
        match self {
            Encoding::Bytes => "bytes",
            Encoding::Json => "json",
            Encoding::Connect => "connect",
        }
    }
}

/// The encodings of the three columns of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Encodings {
    pub key: Encoding,
    pub value: Encoding,
    pub headers: Encoding,
}

impl Encodings {
    /// The same encoding for all three columns.
    pub fn all(encoding: Encoding) -> Self {
        Encodings {
            key: encoding,
            value: encoding,
            headers: encoding,
        }
    }
}

/// When a record was made, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Timestamp {
    #[default]
    None,
    /// By the clock of whoever made the record.
    Create(i64),
    /// By the clock of the broker.
    LogAppend(i64),
    /// "Now", for sources whose time is only that of sending: the producer stamps the record, a chain of transforms
    /// sees the time at which the batch arrived.
    Arrival,
}

impl Timestamp {
    /// The time, if one is given.
    pub fn millis(self) -> Option<i64> {
        match self {
            Timestamp::Create(ms) | Timestamp::LogAppend(ms) => Some(ms),
            Timestamp::None | Timestamp::Arrival => None,
        }
    }

    fn bits(self) -> u16 {
        match self {
            Timestamp::None => 0,
            Timestamp::Create(_) => 1,
            Timestamp::LogAppend(_) => 2,
            Timestamp::Arrival => 3,
        }
    }
}

/// What becomes of the current transaction after a record or a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Boundary {
    #[default]
    None,
    Commit,
    Abort,
}

impl Boundary {
    fn from_bits(bits: u16) -> Option<Self> {
        match bits {
            0 => Some(Boundary::None),
            1 => Some(Boundary::Commit),
            2 => Some(Boundary::Abort),
            3.. => None,
        }
    }

    fn bits(self) -> u16 {
        match self {
            Boundary::None => 0,
            Boundary::Commit => 1,
            Boundary::Abort => 2,
        }
    }
}

/// Where a record of a source came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceCoordinates<'a> {
    /// Index in the partition table of the frame.
    pub partition: u32,
    /// The JSON text of the source offset.
    pub offset: &'a str,
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("frame of {0} bytes is shorter than its header")]
    Short(usize),
    #[error("frame of {0} bytes is larger than the limit of {MAX_FRAME}")]
    TooLarge(usize),
    #[error("frame does not begin with the magic bytes of version 1")]
    Magic,
    #[error("frame says that it has {said} bytes, but has {found}")]
    Length { said: u32, found: usize },
    #[error("record entries of {0} bytes: at least 48 and a multiple of 8 expected")]
    EntrySize(u16),
    #[error("reserved byte {0} of the frame header is not zero")]
    Reserved(usize),
    #[error("flags of the frame are {0:#04x}")]
    Flags(u8),
    #[error("encoding of the {column} is {found}")]
    Encoding { column: &'static str, found: u8 },
    #[error("the {0} section of the frame is out of place")]
    Section(&'static str),
    #[error("the {0} table of the frame is cut short")]
    Table(&'static str),
    #[error("the {0} table of the frame has too many entries")]
    TableSize(&'static str),
    #[error("text in the {0} table of the frame is not UTF-8")]
    TableText(&'static str),
    #[error("record {record}: attributes are {attributes:#06x}")]
    Attributes { record: usize, attributes: u16 },
    #[error("record {record}: {what} is {index}, which is not in its table")]
    Index {
        record: usize,
        what: &'static str,
        index: u32,
    },
    #[error("record {record}: {what} is {found}")]
    Number {
        record: usize,
        what: &'static str,
        found: i64,
    },
    #[error("record {record}: {what} does not lie in the data of the frame")]
    Range { record: usize, what: &'static str },
    #[error("record {record}: payloads overlap")]
    Overlap { record: usize },
    #[error("record {record}: headers do not fill their range")]
    Headers { record: usize },
    #[error("record {record}: text of the {what} is not UTF-8")]
    Text { record: usize, what: &'static str },
    #[error("record {record}: origin {origin} is not above that of the record before, or not below {inputs}")]
    Origin { record: usize, origin: u32, inputs: usize },
}
