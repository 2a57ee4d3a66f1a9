//! Typed values (`wit/frame.md`) to JSON text, without a value in between: what a source gives with a schema is
//! written straight from its block.

use std::sync::Arc;

use caisson_api::SchemaRef;
use caisson_api::schema::{DATE, DECIMAL, Kind, Schema, TIME, TIMESTAMP};
use caisson_api::typed::{Block, MAX_DEPTH, Reader, TypedError, pointer};

use super::encode::{required, write_base64, write_f32, write_f64, write_null};
use super::options::{DecimalFormat, JsonOptions};
use super::text::write_string;
use crate::logical::time_to_millis;
use crate::{ConvertError, java};

/// How to write the values of one schema: names are escaped once, logical names are looked at once.
#[derive(Debug)]
pub(crate) struct Plan {
    step: Step,
}

#[derive(Debug)]
struct Step {
    schema: SchemaRef,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Int8,
    Int16,
    Int32,
    Int64,
    Time,
    Float32,
    Float64,
    Boolean,
    String,
    Bytes,
    DecimalBytes,
    DecimalNumber(i32),
    Array(Box<Step>),
    /// Keys that are strings; whether one may be null.
    Object {
        null_key: NullKey,
        values: Box<Step>,
    },
    /// The names come with quotes, colon and the comma or brace in front.
    Struct(Vec<(Box<[u8]>, Step)>),
}

/// What becomes of a null key.
#[derive(Clone, Copy, Debug)]
enum NullKey {
    /// The text `null`.
    Text,
    Refused,
}

impl Plan {
    /// `None` if a value of the schema takes the long way: logical types on a type that is not theirs, maps with keys
    /// that are no strings.
    pub fn new(schema: &SchemaRef, options: &JsonOptions) -> Option<Plan> {
        Some(Plan {
            step: Step::new(schema, options)?,
        })
    }

    /// Appends the value in `bytes`.
    pub fn write(&self, bytes: &[u8], options: &JsonOptions, out: &mut Vec<u8>) -> Result<(), ConvertError> {
        let mut writer = Writer {
            reader: Reader::whole(bytes),
            options,
            out,
        };
        match &self.step.form {
            Form::Struct(fields) => {
                let block = writer.reader.block(0, 0, fields.len())?;
                writer.fields(fields, &block, 1)
            }
            _ => {
                let block = writer.reader.block(0, 0, 1)?;
                writer.slot(&self.step, &block, 0, 1)
            }
        }
    }
}

impl Step {
    fn new(schema: &SchemaRef, options: &JsonOptions) -> Option<Step> {
        let name = schema.name.as_deref();
        let form = match (&schema.kind, name) {
            (Kind::Bytes, Some(DECIMAL)) => match options.decimal_format {
                // Without a scale it is refused, which the long way does.
                DecimalFormat::Base64 => schema.scale().ok().map(|_| Form::DecimalBytes)?,
                DecimalFormat::Numeric => Form::DecimalNumber(schema.scale().ok()?),
            },
            (Kind::Int32, Some(DATE)) => Form::Int32,
            (Kind::Int32, Some(TIME)) => Form::Time,
            (Kind::Int64, Some(TIMESTAMP)) => Form::Int64,
            (_, Some(DECIMAL | DATE | TIME | TIMESTAMP)) => return None,
            (Kind::Int8, _) => Form::Int8,
            (Kind::Int16, _) => Form::Int16,
            (Kind::Int32, _) => Form::Int32,
            (Kind::Int64, _) => Form::Int64,
            (Kind::Float32, _) => Form::Float32,
            (Kind::Float64, _) => Form::Float64,
            (Kind::Boolean, _) => Form::Boolean,
            (Kind::String, _) => Form::String,
            (Kind::Bytes, _) => Form::Bytes,
            (Kind::Array(element), _) => Form::Array(Box::new(Step::new(element, options)?)),
            (Kind::Map(keys, values), _) if is_plain_key(keys) => Form::Object {
                null_key: if keys.optional { NullKey::Text } else { NullKey::Refused },
                values: Box::new(Step::new(values, options)?),
            },

            (Kind::Map(..), _) => return None,
            (Kind::Struct(fields), _) => {
                let fields = fields.iter().enumerate().map(|(index, field)| {
                    let mut name = vec![if index == 0 { b'{' } else { b',' }];
                    write_string(&mut name, &field.name);
                    name.push(b':');
                    Some((name.into_boxed_slice(), Step::new(&field.schema, options)?))
                });
                Form::Struct(fields.collect::<Option<_>>()?)
            }
        };
        Some(Step {
            schema: Arc::clone(schema),
            form,
        })
    }
}

fn is_plain_key(schema: &Schema) -> bool {
    matches!(schema.kind, Kind::String) && schema.name.is_none() && schema.default.is_none()
}

struct Writer<'a, 'o> {
    reader: Reader<'a>,
    options: &'o JsonOptions,
    out: &'o mut Vec<u8>,
}

impl<'a> Writer<'a, '_> {
    fn fields(&mut self, fields: &[(Box<[u8]>, Step)], block: &Block, depth: usize) -> Result<(), ConvertError> {
        if fields.is_empty() {
            self.out.push(b'{');
        }
        for (index, (name, step)) in fields.iter().enumerate() {
            self.out.extend_from_slice(name);
            self.slot(step, block, index, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn slot(&mut self, step: &Step, block: &Block, index: usize, depth: usize) -> Result<(), ConvertError> {
        let Some(word) = block.word(self.reader.bytes, index) else {
            return write_null(self.out, &step.schema, self.options);
        };
        let after = block.end();
        match &step.form {
            Form::Int8 => self.integer::<i8>(word, "int8"),
            Form::Int16 => self.integer::<i16>(word, "int16"),
            Form::Int32 => self.integer::<i32>(word, "int32"),
            Form::Int64 => {
                java::write_i64(self.out, word as i64);
                Ok(())
            }
            Form::Time => {
                i32::try_from(word as i64).map_err(|_| wrong(word, "int32"))?;
                java::write_i64(self.out, i64::from(time_to_millis(word as i64)?));
                Ok(())
            }
            Form::Float32 => {
                let bits = u32::try_from(word).map_err(|_| wrong(word, "float32"))?;
                write_f32(self.out, f32::from_bits(bits));
                Ok(())
            }
            Form::Float64 => {
                write_f64(self.out, f64::from_bits(word));
                Ok(())
            }
            Form::Boolean => {
                let text: &[u8] = match word {
                    0 => b"false",
                    1 => b"true",
                    _ => return Err(wrong(word, "boolean")),
                };
                self.out.extend_from_slice(text);
                Ok(())
            }
            Form::String => {
                let text = self.text(word, after)?;
                write_string(self.out, text);
                Ok(())
            }
            Form::Bytes => {
                let bytes = self.reader.slice(word, after)?;
                write_base64(self.out, bytes);
                Ok(())
            }
            Form::DecimalBytes => {
                let unscaled = self.reader.slice(word, after)?;
                write_base64(self.out, shortest(unscaled));
                Ok(())
            }
            Form::DecimalNumber(scale) => {
                let unscaled = self.reader.slice(word, after)?;
                java::write_decimal(self.out, &caisson_api::Decimal::new(unscaled, *scale))
            }
            Form::Array(element) => self.array(element, word, after, depth),
            Form::Object { null_key, values } => self.object(*null_key, values, word, after, depth),
            Form::Struct(fields) => {
                let block = self.nested(pointer(word).0, after, fields.len(), depth)?;
                self.fields(fields, &block, depth + 1)
            }
        }
    }

    fn integer<N: TryFrom<i64>>(&mut self, word: u64, kind: &'static str) -> Result<(), ConvertError> {
        N::try_from(word as i64).map_err(|_| wrong(word, kind))?;
        java::write_i64(self.out, word as i64);
        Ok(())
    }

    fn text(&mut self, word: u64, after: usize) -> Result<&'a str, ConvertError> {
        let bytes = self.reader.slice(word, after)?;
        std::str::from_utf8(bytes).map_err(|_| TypedError::Text.into())
    }

    fn nested(&mut self, at: usize, after: usize, slots: usize, depth: usize) -> Result<Block, ConvertError> {
        if depth >= MAX_DEPTH {
            return Err(TypedError::Depth.into());
        }
        self.reader.block(at, after, slots).map_err(Into::into)
    }

    fn array(&mut self, element: &Step, word: u64, after: usize, depth: usize) -> Result<(), ConvertError> {
        let (at, count) = pointer(word);
        let block = self.nested(at, after, count, depth)?;
        self.out.push(b'[');
        for index in 0..count {
            if index > 0 {
                self.out.push(b',');
            }
            self.slot(element, &block, index, depth + 1)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(
        &mut self,
        null_key: NullKey,
        values: &Step,
        word: u64,
        after: usize,
        depth: usize,
    ) -> Result<(), ConvertError> {
        let (at, count) = pointer(word);
        let slots = count.checked_mul(2).ok_or(TypedError::TooLarge)?;
        let block = self.nested(at, after, slots, depth)?;
        self.out.push(b'{');
        for index in 0..count {
            if index > 0 {
                self.out.push(b',');
            }
            match (block.word(self.reader.bytes, 2 * index), null_key) {
                (Some(word), _) => {
                    let key = self.text(word, block.end())?;
                    write_string(self.out, key);
                }
                (None, NullKey::Text) => self.out.extend_from_slice(b"\"null\""),
                (None, NullKey::Refused) => return Err(required()),
            }
            self.out.push(b':');
            self.slot(values, &block, 2 * index + 1, depth + 1)?;
        }
        self.out.push(b'}');
        Ok(())
    }
}

fn wrong(word: u64, kind: &'static str) -> ConvertError {
    TypedError::Number {
        kind,
        found: word as i64,
    }
    .into()
}

/// Two's complement without leading bytes that only repeat the sign, as `BigInteger` has it; none at all are zero.
fn shortest(mut bytes: &[u8]) -> &[u8] {
    while let [first, second, ..] = bytes {
        let sign = if second & 0x80 == 0 { 0 } else { 0xff };
        if *first != sign {
            break;
        }
        bytes = &bytes[1..];
    }
    if bytes.is_empty() { &[0] } else { bytes }
}
