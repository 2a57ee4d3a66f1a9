//! The settings of the JSON converter.

use caisson_api::SchemaRef;

/// What the keys of `JsonConverterConfig` say.
#[derive(Clone, Debug)]
pub struct JsonOptions {
    /// `schemas.enable`: whether there is an envelope around values that holds their schema.
    pub schemas_enable: bool,
    /// `schemas.cache.size`
    pub cache_size: usize,
    /// `decimal.format`
    pub decimal_format: DecimalFormat,
    /// `replace.null.with.default`
    pub replace_null_with_default: bool,
    /// `schema.content`: the schema of everything that is read, whatever the envelope says.
    pub schema_content: Option<SchemaRef>,
}

impl Default for JsonOptions {
    fn default() -> Self {
        JsonOptions {
            schemas_enable: true,
            cache_size: 1000,
            decimal_format: DecimalFormat::Base64,
            replace_null_with_default: true,
            schema_content: None,
        }
    }
}

/// How a Decimal stands in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalFormat {
    /// The bytes of the unscaled number, in base64.
    Base64,
    /// A number.
    Numeric,
}
