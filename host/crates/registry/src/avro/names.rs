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
