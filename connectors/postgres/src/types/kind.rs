//! What a type is in the database.

/// A type with its modifiers. Domains are what they stand on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Int16,
    Int32,
    Int64,
    Oid,
    Float32,
    Float64,
    /// Precision and scale; without them each value has a scale of its own.
    Numeric(Option<(u32, u32)>),
    Money,
    /// `text`, `varchar`, `char(n)`.
    Text,
    /// Any other text that is just text. Arrays of them have no placeholder for what is unchanged.
    OtherText,
    Bytes,
    Date,
    /// Digits after the second.
    Time(u32),
    TimeWithZone,
    Timestamp(u32),
    TimestampWithZone(u32),
    Interval,
    Uuid,
    Json,
    Xml,
    Ltree,
    Tsvector,
    Hstore,
    Enum(Vec<String>),
    /// Number of bits; `i32::MAX` for `varbit` without a limit.
    Bits(u32),
    Point,
    /// PostGIS.
    Geometry,
    Geography,
    /// pgvector.
    Vector,
    HalfVector,
    SparseVector,
    Array(Box<Kind>),
    /// An array of `bit(n)`, which the original takes for a single one without a value.
    BitArray(u32),
    /// An array of what the original leaves out in arrays.
    LeftOut,
    /// A geometric type that has no schema of its own.
    Shape,
    Unknown,
}

/// The modifier that says nothing.
pub const NO_MODIFIER: i32 = -1;

/// A type of `pg_catalog` or of a well-known extension, by name.
pub fn by_name(name: &str, modifier: i32) -> Kind {
    let precision = || digits(modifier);
    match name {
        "bool" => Kind::Boolean,
        "int2" | "smallserial" => Kind::Int16,
        "int4" | "serial" => Kind::Int32,
        "int8" | "bigserial" => Kind::Int64,
        "oid" => Kind::Oid,
        "float4" => Kind::Float32,
        "float8" => Kind::Float64,
        "numeric" => Kind::Numeric(numeric(modifier)),
        "money" => Kind::Money,
        "text" | "varchar" | "bpchar" => Kind::Text,
        "char" | "name" | "citext" | "inet" | "cidr" | "macaddr" | "macaddr8" | "int4range" | "int8range"
        | "numrange" | "tsrange" | "tstzrange" | "daterange" | "isbn" => Kind::OtherText,
        "bytea" => Kind::Bytes,
        "date" => Kind::Date,
        "time" => Kind::Time(precision()),
        "timetz" => Kind::TimeWithZone,
        "timestamp" => Kind::Timestamp(precision()),
        "timestamptz" => Kind::TimestampWithZone(precision()),
        "interval" => Kind::Interval,
        "uuid" => Kind::Uuid,
        "json" | "jsonb" => Kind::Json,
        "xml" => Kind::Xml,
        "ltree" => Kind::Ltree,
        "tsvector" => Kind::Tsvector,
        "hstore" => Kind::Hstore,
        "bit" => Kind::Bits(u32::try_from(modifier).unwrap_or(1)),
        "varbit" => Kind::Bits(u32::try_from(modifier).unwrap_or(i32::MAX as u32)),
        "point" => Kind::Point,
        "line" | "lseg" | "box" | "path" | "polygon" | "circle" => Kind::Shape,
        "geometry" => Kind::Geometry,
        "geography" => Kind::Geography,
        "vector" => Kind::Vector,
        "halfvec" => Kind::HalfVector,
        "sparsevec" => Kind::SparseVector,
        _ => Kind::Unknown,
    }
}

/// Digits after the second: six unless the modifier says otherwise.
fn digits(modifier: i32) -> u32 {
    u32::try_from(modifier).map_or(6, |digits| digits.min(6))
}

/// Precision and scale; a negative scale reads as the JDBC driver reads it, as eleven bits.
fn numeric(modifier: i32) -> Option<(u32, u32)> {
    let packed = u32::try_from(modifier.checked_sub(4)?).ok()?;
    Some((packed >> 16, packed & 0xffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_are_read_as_the_jdbc_driver_reads_them() {
        assert_eq!(by_name("numeric", -1), Kind::Numeric(None));
        assert_eq!(by_name("numeric", (10 << 16 | 2) + 4), Kind::Numeric(Some((10, 2))));
        assert_eq!(by_name("numeric", (5 << 16 | 2046) + 4), Kind::Numeric(Some((5, 2046))));
        assert_eq!(by_name("timestamp", -1), Kind::Timestamp(6));
        assert_eq!(by_name("time", 3), Kind::Time(3));
        assert_eq!(by_name("bit", 1), Kind::Bits(1));
        assert_eq!(by_name("varbit", -1), Kind::Bits(2_147_483_647));
        assert_eq!(by_name("line", -1), Kind::Shape);
        assert_eq!(by_name("int4multirange", -1), Kind::Unknown);
        assert_eq!(by_name("numeric", i32::MIN), Kind::Numeric(None));
    }
}
