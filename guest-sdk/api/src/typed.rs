//! The codec of typed values (`wit/frame.md`, "Typed values"): a value is a block of 8-byte slots, so that field i of a
//! struct stands at a known place and reading it touches nothing else.

mod decode;
mod encode;

pub use decode::{TypedView, decode};
pub use encode::{encode, encode_string};

/// Deeper values are refused, both ways.
pub const MAX_DEPTH: usize = 64;

/// What is wrong with a typed value, or with a value that is to become one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    #[error("typed value is nested deeper than {MAX_DEPTH} levels")]
    Depth,
    #[error("typed value refers to bytes outside of itself")]
    Range,
    #[error("typed value has text that is not UTF-8")]
    Text,
    #[error("typed value has a cell of the unknown kind {0}")]
    Kind(u8),
    #[error("a value of kind {actual} does not fit a schema of type {expected}")]
    Mismatch {
        expected: &'static str,
        actual: &'static str,
    },
    #[error("typed value is larger than 4 GiB")]
    Size,
}

/// What a value without a schema is written as: `u8 kind`, 7 zero bytes, a slot.
mod cell {
    pub const BOOLEAN: u8 = 1;
    pub const INT8: u8 = 2;
    pub const INT16: u8 = 3;
    pub const INT32: u8 = 4;
    pub const INT64: u8 = 5;
    pub const FLOAT32: u8 = 6;
    pub const FLOAT64: u8 = 7;
    pub const STRING: u8 = 8;
    pub const BYTES: u8 = 9;
    pub const ARRAY: u8 = 10;
    pub const MAP: u8 = 11;
    pub const DATE: u8 = 12;
    pub const DECIMAL: u8 = 13;
}

/// Bytes of the null bits of a block of so many slots.
fn null_bytes(slots: usize) -> usize {
    slots.div_ceil(64) * 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{DATE, DECIMAL, Field, Kind, Schema, TIMESTAMP};
    use crate::value::{Decimal, Value};
    use std::sync::Arc;

    fn check(schema: Option<&Schema>, value: &Value) {
        let mut bytes = b"before".to_vec();
        encode(schema, value, &mut bytes).expect("it fits");
        assert_eq!(&decode(schema, &bytes[6..]).expect("own bytes"), value);
    }

    fn field(name: &str, schema: Schema) -> Field {
        Field {
            name: name.into(),
            schema: Arc::new(schema),
        }
    }

    #[test]
    fn the_struct_of_the_example_has_the_bytes_of_the_example() {
        let schema = Schema::new(Kind::Struct(vec![
            field("id", Schema::new(Kind::Int64)),
            field("name", Schema::new(Kind::String)),
            field("note", Schema::optional(Kind::String)),
        ]));
        let value = Value::Struct(vec![Value::Int64(7), Value::String("Ada".into()), Value::Null]);
        let mut bytes = Vec::new();
        encode(Some(&schema), &value, &mut bytes).expect("it fits");
        let expected = [
            4u8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'A',
            b'd', b'a',
        ];
        assert_eq!(bytes, expected);
        let view = TypedView::new(&bytes);
        assert_eq!(view.field(&schema, 1), Ok(Value::String("Ada".into())));
        assert_eq!(view.field(&schema, 2), Ok(Value::Null));
    }

    #[test]
    fn values_of_every_schema_survive() {
        let inner = Arc::new(Schema::optional(Kind::Int32));
        let decimal = Schema {
            name: Some(DECIMAL.into()),
            parameters: Some(vec![("scale".into(), "2".into())]),
            ..Schema::new(Kind::Bytes)
        };
        let date = Schema {
            name: Some(DATE.into()),
            ..Schema::new(Kind::Int32)
        };
        let timestamp = Schema {
            name: Some(TIMESTAMP.into()),
            ..Schema::new(Kind::Int64)
        };
        check(Some(&Schema::new(Kind::Int8)), &Value::Int8(-5));
        check(Some(&Schema::new(Kind::Float32)), &Value::Float32(-0.5));
        check(Some(&Schema::new(Kind::Boolean)), &Value::Boolean(true));
        check(Some(&Schema::new(Kind::Bytes)), &Value::Bytes(vec![1, 2]));
        check(
            Some(&Schema::new(Kind::Array(inner.clone()))),
            &Value::Array(vec![Value::Int32(1), Value::Null]),
        );
        let map = Schema::new(Kind::Map(Arc::new(Schema::new(Kind::String)), inner));
        check(
            Some(&map),
            &Value::Map(vec![(Value::String("a".into()), Value::Int32(3))]),
        );
        check(
            Some(&decimal),
            &Value::Decimal(Decimal {
                unscaled: vec![0x30, 0x39],
                scale: 2,
            }),
        );
        check(Some(&date), &Value::Date(86_400_000 * 3));
        check(Some(&timestamp), &Value::Date(-1));
        let nested = Schema::new(Kind::Struct(vec![field("m", map), field("d", timestamp)]));
        check(Some(&nested), &Value::Struct(vec![Value::Map(vec![]), Value::Date(5)]));
    }

    #[test]
    fn values_without_a_schema_survive() {
        let value = Value::Map(vec![
            (
                Value::String("list".into()),
                Value::Array(vec![Value::Int64(1), Value::Null, Value::Float64(0.5)]),
            ),
            (Value::String("when".into()), Value::Date(12)),
            (
                Value::String("price".into()),
                Value::Decimal(Decimal {
                    unscaled: vec![0xff],
                    scale: -3,
                }),
            ),
            (Value::Int16(4), Value::Map(vec![])),
            (Value::Boolean(false), Value::Bytes(vec![0; 9])),
        ]);
        check(None, &value);
        check(None, &Value::String(String::new()));
    }

    #[test]
    fn a_value_that_is_too_deep_is_refused_both_ways() {
        let mut value = Value::Int8(0);
        for _ in 0..MAX_DEPTH + 1 {
            value = Value::Array(vec![value]);
        }
        assert_eq!(encode(None, &value, &mut Vec::new()), Err(TypedError::Depth));
        // An array whose only element is the array itself.
        let mut bytes = vec![0u8; 8];
        bytes.extend_from_slice(&[16, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(&[cell::ARRAY, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0]);
        assert!(decode(None, &bytes).is_err());
    }

    #[test]
    fn a_value_that_points_at_the_same_bytes_again_and_again_is_refused() {
        // Each level's block has two slots that both point at the cell of the next level: 2^40 values in 2 KiB.
        let (levels, size) = (40u32, 8 + 16 + 16);
        let mut bytes = vec![0u8; 8];
        bytes.extend_from_slice(&u64::from(16u32).to_le_bytes());
        for level in 0..levels {
            let cell = 16 + level * size;
            bytes.extend_from_slice(&[cell::ARRAY, 0, 0, 0, 0, 0, 0, 0]);
            bytes.extend_from_slice(&(cell + 16).to_le_bytes());
            bytes.extend_from_slice(&2u32.to_le_bytes());
            bytes.extend_from_slice(&[0; 8]);
            bytes.extend_from_slice(&u64::from(cell + size).to_le_bytes());
            bytes.extend_from_slice(&u64::from(cell + size).to_le_bytes());
        }
        bytes.extend_from_slice(&[cell::INT8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(decode(None, &bytes), Err(TypedError::Range));
    }

    #[test]
    fn mutilated_bytes_are_refused_or_read_but_never_panic() {
        let mut bytes = Vec::new();
        let value = Value::Map(vec![(
            Value::String("k".into()),
            Value::Array(vec![Value::Int64(1), Value::Bytes(vec![1])]),
        )]);
        encode(None, &value, &mut bytes).expect("it fits");
        for at in 0..bytes.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut mutilated = bytes.clone();
                mutilated[at] = byte;
                let _ = decode(None, &mutilated);
            }
            let _ = decode(None, &bytes[..at]);
        }
    }
}
