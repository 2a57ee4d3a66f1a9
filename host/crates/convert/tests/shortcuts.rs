//! Shortcuts between the forms of a column give what the way through a value gives.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use caisson_api::schema::{Field, Kind, Schema};
use caisson_api::{Decimal, SchemaRef, Value, typed};
use caisson_convert::{
    ByteArrayConverter, ConvertError, Converter, DecimalFormat, JsonConverter, JsonOptions, StringConverter, column,
};
use proptest::prelude::*;

/// A converter that takes the slow way for everything.
struct Slow<'c>(&'c dyn Converter);

impl Converter for Slow<'_> {
    fn from_connect(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        self.0.from_connect(topic, schema, value, out)
    }

    fn to_connect(&self, topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        self.0.to_connect(topic, bytes)
    }
}

fn converters() -> Vec<Box<dyn Converter>> {
    let json = |schemas_enable, decimal_format, replace_null_with_default| {
        let options = JsonOptions {
            schemas_enable,
            decimal_format,
            replace_null_with_default,
            ..JsonOptions::default()
        };
        Box::new(JsonConverter::new(options)) as Box<dyn Converter>
    };
    vec![
        json(false, DecimalFormat::Base64, true),
        json(false, DecimalFormat::Numeric, false),
        json(true, DecimalFormat::Base64, false),
        json(true, DecimalFormat::Numeric, true),
        Box::new(StringConverter::default()),
        Box::new(StringConverter::with_encoding("UTF-16").unwrap()),
        Box::new(ByteArrayConverter),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{0,12}",
        1 => "\\PC{0,20}",
        1 => prop::collection::vec(prop_oneof![Just('"'), Just('\\'), Just('\n'), Just('\u{1}'), Just('é'), Just('😀')], 0..12)
            .prop_map(String::from_iter),
    ]
}

/// A schema and a value that fits it.
fn data() -> impl Strategy<Value = (Schema, Value)> {
    let leaf = prop_oneof![
        any::<i8>().prop_map(|v| (Schema::new(Kind::Int8), Value::Int8(v))),
        any::<i16>().prop_map(|v| (Schema::new(Kind::Int16), Value::Int16(v))),
        any::<i32>().prop_map(|v| (Schema::new(Kind::Int32), Value::Int32(v))),
        any::<i64>().prop_map(|v| (Schema::new(Kind::Int64), Value::Int64(v))),
        any::<f32>().prop_map(|v| (Schema::new(Kind::Float32), Value::Float32(v))),
        any::<f64>().prop_map(|v| (Schema::new(Kind::Float64), Value::Float64(v))),
        any::<bool>().prop_map(|v| (Schema::new(Kind::Boolean), Value::Boolean(v))),
        text().prop_map(|v| (Schema::new(Kind::String), Value::String(v))),
        any::<Vec<u8>>().prop_map(|v| (Schema::new(Kind::Bytes), Value::Bytes(v))),
        (any::<i128>(), -3..6i32).prop_map(|(v, scale)| (
            Schema::decimal(scale),
            Value::Decimal(Decimal::new(&v.to_be_bytes(), scale))
        )),
        (-100_000..100_000i64).prop_map(|v| (Schema::date(), Value::Date(v * 86_400_000))),
        (0..86_400_000i64).prop_map(|v| (Schema::time(), Value::Date(v))),
        any::<i64>().prop_map(|v| (Schema::timestamp(), Value::Date(v))),
    ];
    let leaf = (leaf, any::<bool>()).prop_map(|((schema, value), null)| match null {
        true => (schema.into_optional(), Value::Null),
        false => (schema, value),
    });
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            (inner.clone(), 0..4usize).prop_map(|((schema, value), count)| {
                (
                    Schema::new(Kind::Array(Arc::new(schema))),
                    Value::Array(vec![value; count]),
                )
            }),
            (inner.clone(), prop::collection::btree_set(text(), 0..4)).prop_map(|((schema, value), keys)| {
                let entries = keys
                    .into_iter()
                    .map(|key| (Value::String(key), value.clone()))
                    .collect();
                (
                    Schema::new(Kind::Map(Arc::new(Schema::new(Kind::String)), Arc::new(schema))),
                    Value::Map(entries),
                )
            }),
            (inner.clone(), prop::collection::btree_set(any::<i16>(), 0..4)).prop_map(|((schema, value), keys)| {
                let entries = keys.into_iter().map(|key| (Value::Int16(key), value.clone())).collect();
                (
                    Schema::new(Kind::Map(Arc::new(Schema::new(Kind::Int16)), Arc::new(schema))),
                    Value::Map(entries),
                )
            }),
            prop::collection::vec((text(), inner), 0..5).prop_map(|parts| {
                let field = |(index, (name, (schema, _))): (usize, &(String, (Schema, Value)))| Field {
                    name: format!("{index}{name}"),
                    schema: Arc::new(schema.clone()),
                };
                let fields = parts.iter().enumerate().map(field).collect();
                (
                    Schema::new(Kind::Struct(fields)),
                    Value::Struct(parts.into_iter().map(|(_, (_, value))| value).collect()),
                )
            }),
        ]
    })
}

/// Any JSON text, some of it as only Jackson takes it.
fn json() -> impl Strategy<Value = String> {
    let quoted = text()
        .prop_map(|text| {
            let mut out = Vec::new();
            column::write_json(None, &Value::String(text), "", &mut out).unwrap();
            String::from_utf8(out).unwrap()
        })
        .boxed();
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|v| v.to_string()),
        any::<i64>().prop_map(|v| v.to_string()),
        any::<f64>()
            .prop_filter("a number", |v| v.is_finite())
            .prop_map(|v| format!("{v:e}")),
        "-?[0-9]{1,30}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
        quoted.clone(),
        Just("\"\\ud83d\\ude00\\u00e9\\/\"".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|parts| format!("[{}]", parts.join(" , "))),
            prop::collection::vec((quoted.clone(), inner), 0..5).prop_map(|parts| {
                let members: Vec<String> = parts
                    .into_iter()
                    .map(|(name, value)| format!("{name}:{value}"))
                    .collect();
                format!("{{ {} }}", members.join(","))
            }),
        ]
    })
}

/// Outputs of the fast and the slow way, with the error's text in the place of a failure.
fn both<T: PartialEq + std::fmt::Debug>(
    fast: impl FnOnce(&mut Vec<u8>) -> Result<T, ConvertError>,
    slow: impl FnOnce(&mut Vec<u8>) -> Result<T, ConvertError>,
) -> Result<(), TestCaseError> {
    let (mut fast_out, mut slow_out) = (Vec::new(), Vec::new());
    let fast = fast(&mut fast_out).map_err(|error| error.message);
    let slow = slow(&mut slow_out).map_err(|error| error.message);
    prop_assert_eq!(&fast, &slow);
    if fast.is_ok() {
        prop_assert_eq!(String::from_utf8_lossy(&fast_out), String::from_utf8_lossy(&slow_out));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn typed_blocks_are_written_alike((schema, value) in data()) {
        let schema = Arc::new(schema);
        let mut block = Vec::new();
        let present = typed::encode(Some(&schema), &value, &mut block).unwrap();
        for converter in converters() {
            let slow = Slow(converter.as_ref());
            let block = present.then_some(block.as_slice());
            both(
                |out| converter.from_typed("t", Some(&schema), block, out),
                |out| slow.from_typed("t", Some(&schema), block, out),
            )?;
        }
    }

    #[test]
    fn what_json_writes_it_reads((schema, value) in data()) {
        let schema = Arc::new(schema);
        let converter = JsonConverter::default();
        let mut out = Vec::new();
        if converter.from_connect("t", Some(&schema), &value, &mut out).is_ok() {
            let (again_schema, again) = converter.to_connect("t", Some(&out)).unwrap();
            prop_assert_eq!(again_schema, Some(schema.clone()));
            let mut again_out = Vec::new();
            converter.from_connect("t", Some(&schema), &again, &mut again_out).unwrap();
            // What JSON has no number for reads back as 0, and zero has no sign, as in Kafka Connect.
            let odd = ["NaN", "inf", "-0.0)"];
            if !odd.iter().any(|odd| format!("{value:?}").contains(odd)) {
                prop_assert_eq!(String::from_utf8_lossy(&again_out), String::from_utf8_lossy(&out));
            }
        }
    }

    #[test]
    fn json_text_becomes_the_same_typed_value(text in json()) {
        for converter in converters() {
            let slow = Slow(converter.as_ref());
            for bytes in [text.as_bytes(), &text.as_bytes()[..text.len() / 2]] {
                let read = |converter: &dyn Converter, out: &mut Vec<u8>| -> Result<_, ConvertError> {
                    let converted = converter.to_typed("t", bytes, out)?;
                    let value = match converted.present {
                        true => typed::decode(converted.schema.as_deref(), out)?,
                        false => Value::Null,
                    };
                    Ok((converted, format!("{value:?}")))
                };
                let fast = read(converter.as_ref(), &mut Vec::new()).map_err(|error| error.message);
                let slow_result = read(&slow, &mut Vec::new()).map_err(|error| error.message);
                prop_assert_eq!(fast, slow_result);
                prop_assert_eq!(converter.check("t", bytes).is_ok(), slow.check("t", bytes).is_ok());
            }
        }
    }

    /// Text that is passed on may be written otherwise than text that was read and written, but means the same.
    #[test]
    fn json_text_keeps_its_meaning(text in json()) {
        for converter in converters() {
            let slow = Slow(converter.as_ref());
            let meaning = |converter: &dyn Converter, bytes: &[u8]| -> Result<Value, String> {
                let mut out = Vec::new();
                let present = converter.to_json("t", bytes, &mut out).map_err(|error| error.message)?;
                if present { column::read_json(&out).map_err(|error| error.message) } else { Ok(Value::Null) }
            };
            for bytes in [text.as_bytes(), &text.as_bytes()[..text.len() / 2]] {
                prop_assert_eq!(
                    format!("{:?}", meaning(converter.as_ref(), bytes)),
                    format!("{:?}", meaning(&slow, bytes))
                );
                let mut out = Vec::new();
                if let Ok(true) = converter.from_json("t", bytes, &mut out) {
                    let mut slow_out = Vec::new();
                    slow.from_json("t", bytes, &mut slow_out).unwrap();
                    let fast = converter.to_connect("t", Some(&out)).unwrap();
                    prop_assert_eq!(format!("{:?}", fast), format!("{:?}", slow.to_connect("t", Some(&slow_out)).unwrap()));
                }
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_are_read_alike(bytes in any::<Vec<u8>>()) {
        for converter in converters() {
            let slow = Slow(converter.as_ref());
            both(|out| converter.from_raw("t", &bytes, out), |out| slow.from_raw("t", &bytes, out))?;
            prop_assert_eq!(converter.check("t", &bytes).is_ok(), slow.check("t", &bytes).is_ok());
            for schema in [Schema::new(Kind::String), Schema::new(Kind::Int64), Schema::optional(Kind::Bytes)] {
                let schema = Arc::new(schema);
                both(
                    |out| converter.from_typed("t", Some(&schema), Some(&bytes), out),
                    |out| slow.from_typed("t", Some(&schema), Some(&bytes), out),
                )?;
            }
        }
    }

    #[test]
    fn mutated_blocks_are_refused_alike((schema, value) in data(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let schema = Arc::new(schema);
        let mut block = Vec::new();
        if typed::encode(Some(&schema), &value, &mut block).unwrap() && !block.is_empty() {
            let at = at.index(block.len());
            block[at] = byte;
            for converter in converters() {
                let slow = Slow(converter.as_ref());
                // Of several faults either may be met first.
                let blank = |_| ConvertError::data("");
                both(
                    |out| converter.from_typed("t", Some(&schema), Some(&block), out).map_err(blank),
                    |out| slow.from_typed("t", Some(&schema), Some(&block), out).map_err(blank),
                )?;
            }
        }
    }
}
