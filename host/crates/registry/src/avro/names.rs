//! Words that Confluent's converter puts into schemas, and names that Avro allows.

pub const SPACE: &str = "io.confluent.connect.avro";
pub const DEFAULT_NAME: &str = "ConnectDefault";
pub const DEFAULT_FULL_NAME: &str = "io.confluent.connect.avro.ConnectDefault";
pub const MAP_ENTRY: &str = "MapEntry";
pub const KEY: &str = "key";
pub const VALUE: &str = "value";

pub const NAME: &str = "connect.name";
pub const DOC: &str = "connect.doc";
pub const TYPE_RECORD_DOC: &str = "connect.record.doc";
pub const TYPE_ENUM_DOC: &str = "connect.enum.doc";
pub const VERSION: &str = "connect.version";
pub const DEFAULT: &str = "connect.default";
pub const PARAMETERS: &str = "connect.parameters";
pub const INTERNAL_TYPE: &str = "connect.internal.type";
pub const TYPE: &str = "connect.type";
pub const FIXED_SIZE: &str = "connect.fixed.size";
pub const PRECISION: &str = "connect.decimal.precision";
pub const DEFAULT_PRECISION: i64 = 64;

pub const RECORD_DOC: &str = "io.confluent.connect.avro.record.doc";
pub const ENUM_DOC: &str = "io.confluent.connect.avro.enum.doc.";
pub const ENUM_DEFAULT: &str = "io.confluent.connect.avro.enum.default.";
pub const FIELD_DOC: &str = "io.confluent.connect.avro.field.doc.";
/// Says of a default that it was that of a field.
pub const FIELD_DEFAULT: &str = "io.confluent.connect.avro.field.default";

pub const UNION: &str = "io.confluent.connect.avro.Union";
pub const ENUM: &str = "io.confluent.connect.avro.Enum";
pub const GENERAL_UNION: &str = "org.apache.kafka.connect.data.Union";
pub const GENERAL_ENUM: &str = "org.apache.kafka.connect.data.Enum";
pub const GENERAL_UNION_PREFIX: &str = "connect_union_";
pub const GENERAL_FIELD_PREFIX: &str = "connect_union_field_";
pub const ANYTHING: &str = "io.confluent.connect.avro.Anything";

/// What a name becomes with `scrub.invalid.names`: as `URLEncoder` writes it, with an underscore for what is still not
/// allowed.
pub fn scrub(name: &str) -> String {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut out = String::with_capacity(name.len());
    if name.bytes().all(is_good) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return name.to_owned();
    }
    for byte in name.bytes() {
        if is_good(byte) {
            out.push(char::from(byte));
        } else if matches!(byte, b'-' | b'.' | b'*' | b' ') {
            out.push('_');
        } else {
            out.push_str(&format!("_{byte:02X}"));
        }
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, 'x');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_those_that_avro_allows() {
        for (name, scrubbed) in [
            ("abc_2", "abc_2"),
            ("a b-c", "a_b_c"),
            ("2b", "x2b"),
            ("a:b", "a_3Ab"),
            ("ü", "_C3_BC"),
            ("", ""),
        ] {
            assert_eq!(scrub(name), scrubbed);
        }
    }
}
