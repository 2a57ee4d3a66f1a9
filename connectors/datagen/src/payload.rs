//! What the values hold.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use caisson_sdk::api::schema::{Field, Kind, Schema, SchemaRef};
use caisson_sdk::api::typed;
use caisson_sdk::prelude::*;
use caisson_sequence::{Sequenced, Stream};

/// A format with what it needs.
#[derive(Debug)]
pub enum Payload {
    /// Always the same.
    Bytes(Vec<u8>),
    Struct(Template),
    /// Microseconds since the epoch, in so many bytes.
    Timestamp(usize),
    Sequence {
        seed: i64,
        task: u32,
        size: usize,
    },
}

impl Payload {
    pub fn new(settings: &Settings, task: u32) -> Result<Self, Error> {
        let size = settings.int("record.bytes")?.unsigned_abs() as usize;
        match settings.text("format")? {
            "bytes" => Ok(Payload::Bytes(vec![b'x'; size])),
            "struct" => Template::new(size).map(Payload::Struct),
            "timestamp" => Ok(Payload::Timestamp(size)),
            "sequence" => Ok(Payload::Sequence {
                seed: settings.long("seed")?,
                task,
                size,
            }),
            other => Err(Error::config(format!("Invalid value {other} for configuration format"))),
        }
    }

    /// The column that the values are in.
    pub fn encoding(&self) -> Encoding {
        match self {
            Payload::Struct(_) => Encoding::Connect,
            Payload::Bytes(_) | Payload::Timestamp(_) | Payload::Sequence { .. } => Encoding::Bytes,
        }
    }

    pub fn schema(&self) -> Option<&SchemaRef> {
        match self {
            Payload::Struct(template) => Some(&template.schema),
            Payload::Bytes(_) | Payload::Timestamp(_) | Payload::Sequence { .. } => None,
        }
    }

    /// Appends the value of record number `count`.
    pub fn write(&mut self, count: u64, partition: Option<i32>, sequence: u64, to: &mut Vec<u8>) {
        match self {
            Payload::Bytes(bytes) => to.extend_from_slice(bytes),
            Payload::Struct(template) => template.write(count, to),
            Payload::Timestamp(size) => stamp(*size, to),
            Payload::Sequence { seed, task, size } => {
                let stream = Stream {
                    seed: *seed,
                    task: *task,
                    partition: partition.unwrap_or(-1),
                };
                caisson_sequence::write(Sequenced { stream, sequence }, *size, to);
            }
        }
    }
}

fn stamp(size: usize, to: &mut Vec<u8>) {
    let end = to.len() + size;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_micros() as u64;
    to.extend_from_slice(itoa::Buffer::new().format(now).as_bytes());
    to.resize(end, b' ');
}

/// A struct of which two numbers change from record to record.
#[derive(Debug)]
pub struct Template {
    schema: SchemaRef,
    /// The typed value of record 0.
    bytes: Vec<u8>,
    /// Where the slots begin, behind the null bits.
    slots: usize,
}

/// Places of the fields that change.
const ID: usize = 0;
const TS: usize = 2;
const FIRST_ID: i64 = 100_000_000;
const FIRST_TS: i64 = 1_700_000_000_000;
const FILLER: &str = "abcdefghijklmnopqrstuvwxyz01234567890123";
/// The fixed fields as JSON have 104 bytes, each filler 49.
const FIXED_BYTES: usize = 104;
const FILLER_BYTES: usize = 49;
const MOST_FILLERS: usize = 1000;

impl Template {
    fn new(size: usize) -> Result<Self, Error> {
        let fillers = (size + FILLER_BYTES / 2).saturating_sub(FIXED_BYTES) / FILLER_BYTES;
        let fillers = fillers.min(MOST_FILLERS);
        let field = |name: String, kind: Kind| Field {
            name,
            schema: Arc::new(Schema::new(kind)),
        };
        let mut fields = vec![
            field("id".into(), Kind::Int64),
            field("user".into(), Kind::String),
            field("ts".into(), Kind::Int64),
            field("amount".into(), Kind::Float64),
            field("card".into(), Kind::String),
            field("ok".into(), Kind::Boolean),
        ];
        fields.extend((0..fillers).map(|number| field(format!("f{number:02}"), Kind::String)));
        let mut values = vec![
            Value::Int64(FIRST_ID),
            Value::String("u-000001".into()),
            Value::Int64(FIRST_TS),
            Value::Float64(19.75),
            Value::String("4111111111111111".into()),
            Value::Boolean(true),
        ];
        values.extend((0..fillers).map(|_| Value::String(FILLER.into())));
        let slots = fields.len().div_ceil(64) * 8;
        let schema = Schema {
            name: Some("bench.Record".into()),
            ..Schema::new(Kind::Struct(fields))
        };
        let mut bytes = Vec::new();
        typed::encode(Some(&schema), &Value::Struct(values), &mut bytes)?;
        Ok(Template {
            schema: Arc::new(schema),
            bytes,
            slots,
        })
    }

    fn write(&self, count: u64, to: &mut Vec<u8>) {
        let start = to.len();
        to.extend_from_slice(&self.bytes);
        for (field, value) in [(ID, FIRST_ID + count as i64), (TS, FIRST_TS + count as i64)] {
            let at = start + self.slots + field * 8;
            to[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
    }
}
