//! What types become under the connector's settings.

use super::codec::{Codec, Elements};
use super::kind::Kind;
use super::time::Fraction;

/// `decimal.handling.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalMode {
    Precise,
    Double,
    Text,
}

/// `time.precision.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeMode {
    Adaptive,
    AdaptiveTimeMicroseconds,
    Connect,
    IsoText,
    Microseconds,
    Nanoseconds,
}

/// `binary.handling.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryMode {
    Bytes,
    Base64,
    Base64UrlSafe,
    Hex,
}

/// `hstore.handling.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HstoreMode {
    Json,
    Map,
}

/// `interval.handling.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntervalMode {
    Numeric,
    Text,
}

/// `include.unknown.datatypes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownTypes {
    LeaveOut,
    AsBytes,
}

/// All of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    pub decimal: DecimalMode,
    pub time: TimeMode,
    pub binary: BinaryMode,
    pub hstore: HstoreMode,
    pub interval: IntervalMode,
    pub unknown: UnknownTypes,
    /// `money.fraction.digits`.
    pub money_digits: u32,
}

impl Default for Modes {
    fn default() -> Self {
        Modes {
            decimal: DecimalMode::Precise,
            time: TimeMode::Adaptive,
            binary: BinaryMode::Bytes,
            hstore: HstoreMode::Json,
            interval: IntervalMode::Numeric,
            unknown: UnknownTypes::LeaveOut,
            money_digits: 2,
        }
    }
}

/// How a date, a time of day or a timestamp is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Days,
    ConnectDays,
    Millis,
    Micros,
    Nanos,
    ConnectMillis,
    IsoText,
}

impl Modes {
    /// How values of a type are written; `None` leaves the column out.
    pub fn codec(&self, kind: &Kind) -> Option<Codec> {
        Some(match kind {
            Kind::Boolean => Codec::Boolean,
            Kind::Int16 => Codec::Int16,
            Kind::Int32 => Codec::Int32,
            Kind::Int64 | Kind::Oid => Codec::Int64,
            Kind::Float32 => Codec::Float32,
            Kind::Float64 => Codec::Float64,
            Kind::Numeric(size) => self.numeric(*size),
            Kind::Money => Codec::Money(self.decimal, self.money_digits),
            Kind::Text | Kind::OtherText => Codec::Text(None),
            Kind::Uuid => Codec::Text(Some("io.debezium.data.Uuid")),
            Kind::Json => Codec::Json,
            Kind::Xml => Codec::Text(Some("io.debezium.data.Xml")),
            Kind::Ltree => Codec::Text(Some("io.debezium.data.Ltree")),
            Kind::Tsvector => Codec::Text(Some("io.debezium.data.Tsvector")),
            Kind::Enum(labels) => Codec::Enum(labels.clone()),
            Kind::Bytes => Codec::Bytes(self.binary),
            Kind::Date => Codec::Date(self.date()),
            Kind::Time(digits) => Codec::Time(self.time(*digits)),
            Kind::TimeWithZone => Codec::TimeWithZone,
            Kind::Timestamp(digits) => Codec::Timestamp(self.timestamp(*digits)),
            Kind::TimestampWithZone(digits) => Codec::TimestampWithZone(Fraction::Padded(*digits)),
            Kind::Interval => Codec::Interval(self.interval),
            Kind::Bits(1) => Codec::Bit,
            Kind::Bits(bits) => Codec::Bits(*bits),
            Kind::Point => Codec::Point,
            Kind::Geometry => Codec::Geometry("Geometry"),
            Kind::Geography => Codec::Geometry("Geography"),
            Kind::Vector => Codec::Vector,
            Kind::HalfVector => Codec::HalfVector,
            Kind::SparseVector => Codec::SparseVector,
            Kind::Hstore => match self.hstore {
                HstoreMode::Json => Codec::HstoreJson,
                HstoreMode::Map => Codec::HstoreMap,
            },
            Kind::Array(element) => Codec::Array(Box::new(self.codec(element)?), Elements::of(element)),
            Kind::BitArray(bits) => {
                let single = self.codec(&Kind::Bits(*bits))?;
                Codec::Valueless(Box::new(single))
            }
            Kind::LeftOut => return None,
            Kind::Shape | Kind::Unknown => match (self.unknown, kind) {
                (UnknownTypes::LeaveOut, _) => return None,
                (UnknownTypes::AsBytes, Kind::Shape) => Codec::Shape(self.binary),
                (UnknownTypes::AsBytes, _) => Codec::Unknown(self.binary),
            },
        })
    }

    fn numeric(&self, size: Option<(u32, u32)>) -> Codec {
        match (self.decimal, size) {
            (DecimalMode::Precise, Some((precision, scale))) => Codec::Decimal { precision, scale },
            (DecimalMode::Precise, None) => Codec::VariableDecimal,
            (DecimalMode::Double, _) => Codec::Float64,
            (DecimalMode::Text, size) => Codec::DecimalText(size.map(|(_, scale)| scale)),
        }
    }

    fn date(&self) -> Form {
        match self.time {
            TimeMode::Connect => Form::ConnectDays,
            TimeMode::IsoText => Form::IsoText,
            TimeMode::Adaptive
            | TimeMode::AdaptiveTimeMicroseconds
            | TimeMode::Microseconds
            | TimeMode::Nanoseconds => Form::Days,
        }
    }

    fn time(&self, digits: u32) -> Form {
        match self.time {
            TimeMode::Adaptive if digits <= 3 => Form::Millis,
            TimeMode::Adaptive | TimeMode::AdaptiveTimeMicroseconds | TimeMode::Microseconds => Form::Micros,
            TimeMode::Nanoseconds => Form::Nanos,
            TimeMode::Connect => Form::ConnectMillis,
            TimeMode::IsoText => Form::IsoText,
        }
    }

    fn timestamp(&self, digits: u32) -> Form {
        match self.time {
            TimeMode::Adaptive | TimeMode::AdaptiveTimeMicroseconds if digits <= 3 => Form::Millis,
            TimeMode::Adaptive | TimeMode::AdaptiveTimeMicroseconds | TimeMode::Microseconds => Form::Micros,
            TimeMode::Nanoseconds => Form::Nanos,
            TimeMode::Connect => Form::ConnectMillis,
            TimeMode::IsoText => Form::IsoText,
        }
    }
}
