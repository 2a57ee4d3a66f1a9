//! The keys of the JSON Schema converter, and words that it puts into schemas.

use crate::error::Error;
use crate::settings::Read;

pub const ENUM: &str = "io.confluent.connect.json.Enum";
pub const ONE_OF: &str = "io.confluent.connect.json.OneOf";
/// What begins with it is not kept as a parameter.
pub const SPACE: &str = "io.confluent.connect.json";
pub const GENERAL_UNION: &str = "org.apache.kafka.connect.data.Union";
pub const GENERAL_ENUM: &str = "org.apache.kafka.connect.data.Enum";
pub const GENERAL_UNION_PREFIX: &str = "connect_union_";
pub const GENERAL_FIELD_PREFIX: &str = "connect_union_field_";
pub const NULL_MARKER: &str = "<NULL>";

pub const TYPE: &str = "connect.type";
pub const VERSION: &str = "connect.version";
pub const INDEX: &str = "connect.index";
pub const PARAMETERS: &str = "connect.parameters";
pub const KEY: &str = "key";
pub const VALUE: &str = "value";

#[derive(Clone, Debug)]
pub struct JsonSchemaOptions {
    pub additional_properties: bool,
    pub optional_for_nonrequired: bool,
    pub numeric_decimals: bool,
    pub generalized_sum_types: bool,
    pub ignore_default_for_nullables: bool,
}

impl JsonSchemaOptions {
    pub fn new(read: &Read) -> Result<Self, Error> {
        const VALIDATE: &str = "json.fail.invalid.schema";
        if read.flag(VALIDATE) {
            return Err(Error::config(
                VALIDATE,
                "values are not validated against their schemas",
            ));
        }
        Ok(JsonSchemaOptions {
            additional_properties: read.flag("object.additional.properties"),
            optional_for_nonrequired: read.flag("use.optional.for.nonrequired"),
            numeric_decimals: read
                .text("decimal.format")
                .is_some_and(|format| format.eq_ignore_ascii_case("NUMERIC")),
            generalized_sum_types: read.flag("generalized.sum.type.support"),
            ignore_default_for_nullables: read.flag("ignore.default.for.nullables"),
        })
    }

    pub fn enum_parameter(&self) -> &'static str {
        if self.generalized_sum_types { GENERAL_ENUM } else { ENUM }
    }
}
