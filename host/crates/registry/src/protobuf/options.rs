//! The keys of the Protobuf converter, and words that it puts into schemas.

use crate::settings::Read;

pub const ENUM: &str = "io.confluent.connect.protobuf.Enum";
pub const UNION_PREFIX: &str = "io.confluent.connect.protobuf.Union.";
pub const UNION: &str = "io.confluent.connect.protobuf.Union";
/// The number of a field.
pub const TAG: &str = "io.confluent.connect.protobuf.Tag";
/// The type of a number, where it is not the usual one.
pub const TYPE: &str = "io.confluent.connect.protobuf.Type";
pub const GENERAL_UNION: &str = "org.apache.kafka.connect.data.Union";
pub const GENERAL_ENUM: &str = "org.apache.kafka.connect.data.Enum";
pub const DEFAULT_NAME: &str = "ConnectDefault";
pub const PRECISION: &str = "connect.decimal.precision";
pub const CONNECT_TYPE: &str = "connect.type";

pub const DECIMAL: &str = "confluent.type.Decimal";
pub const DATE: &str = "google.type.Date";
pub const TIME: &str = "google.type.TimeOfDay";
pub const TIMESTAMP: &str = "google.protobuf.Timestamp";

#[derive(Clone, Debug)]
pub struct ProtobufOptions {
    pub generalized_sum_types: bool,
    pub enhanced_schema_support: bool,
    pub scrub_invalid_names: bool,
    pub int_for_enums: bool,
    pub optional_for_nullables: bool,
    pub optional_for_proto2: bool,
    pub wrapper_for_nullables: bool,
    pub wrapper_for_raw_primitives: bool,
    pub ignore_default_for_nullables: bool,
}

impl ProtobufOptions {
    pub fn new(read: &Read) -> Self {
        ProtobufOptions {
            generalized_sum_types: read.flag("generalized.sum.type.support"),
            enhanced_schema_support: read.flag("enhanced.protobuf.schema.support"),
            scrub_invalid_names: read.flag("scrub.invalid.names"),
            int_for_enums: read.flag("int.for.enums"),
            optional_for_nullables: read.flag("optional.for.nullables"),
            optional_for_proto2: read.flag("optional.for.proto2"),
            wrapper_for_nullables: read.flag("wrapper.for.nullables"),
            wrapper_for_raw_primitives: read.flag("wrapper.for.raw.primitives"),
            ignore_default_for_nullables: read.flag("ignore.default.for.nullables"),
        }
    }

    /// The parameter that marks the schema of an enumeration.
    pub fn enum_parameter(&self) -> &'static str {
        if self.generalized_sum_types { GENERAL_ENUM } else { ENUM }
    }

    /// The name, or what it becomes with `scrub.invalid.names`; no underscore may come first here.
    pub fn scrub(&self, name: &str) -> String {
        if !self.scrub_invalid_names {
            return name.to_owned();
        }
        let scrubbed = crate::names::scrub(name);
        if scrubbed.starts_with('_') {
            format!("x{scrubbed}")
        } else {
            scrubbed
        }
    }
}

/// The wrapper messages, in the order of their file; each has one field, `value`, of the type.
pub const WRAPPERS: [(&str, &str); 9] = [
    ("google.protobuf.DoubleValue", "double"),
    ("google.protobuf.FloatValue", "float"),
    ("google.protobuf.Int64Value", "int64"),
    ("google.protobuf.UInt64Value", "uint64"),
    ("google.protobuf.Int32Value", "int32"),
    ("google.protobuf.UInt32Value", "uint32"),
    ("google.protobuf.BoolValue", "bool"),
    ("google.protobuf.StringValue", "string"),
    ("google.protobuf.BytesValue", "bytes"),
];

/// The place of a wrapper message in its file.
pub fn wrapper(full_name: &str) -> Option<usize> {
    WRAPPERS.iter().position(|(name, _)| *name == full_name)
}
