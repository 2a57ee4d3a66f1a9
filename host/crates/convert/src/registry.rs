//! Kafka Connect's bundled converters by name, configured by their keys (defined in `caisson_config::builtin`).

use std::sync::Arc;

use crate::json::read_schema_content;
use crate::{
    BooleanConverter, ByteArrayConverter, Class, ConvertError, Converter, DecimalFormat, HeaderConverter,
    JsonConverter, JsonOptions, NumberConverter, SimpleHeaderConverter, StringConverter,
};

/// The options of a converter: those keys of a configuration that begin with its prefix, which has been taken away.
/// `None` is an explicit null.
pub type Options = [(String, Option<String>)];

/// A converter that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bundled {
    Json,
    String,
    ByteArray,
    Boolean,
    Number(NumberConverter),
    SimpleHeader,
}

/// By their Java classes.
const BUNDLED: [(Bundled, &str); 10] = [
    (Bundled::Json, "org.apache.kafka.connect.json.JsonConverter"),
    (Bundled::String, "org.apache.kafka.connect.storage.StringConverter"),
    (
        Bundled::ByteArray,
        "org.apache.kafka.connect.converters.ByteArrayConverter",
    ),
    (Bundled::Boolean, "org.apache.kafka.connect.converters.BooleanConverter"),
    (
        Bundled::Number(NumberConverter::Short),
        "org.apache.kafka.connect.converters.ShortConverter",
    ),
    (
        Bundled::Number(NumberConverter::Integer),
        "org.apache.kafka.connect.converters.IntegerConverter",
    ),
    (
        Bundled::Number(NumberConverter::Long),
        "org.apache.kafka.connect.converters.LongConverter",
    ),
    (
        Bundled::Number(NumberConverter::Float),
        "org.apache.kafka.connect.converters.FloatConverter",
    ),
    (
        Bundled::Number(NumberConverter::Double),
        "org.apache.kafka.connect.converters.DoubleConverter",
    ),
    (
        Bundled::SimpleHeader,
        "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    ),
];

impl Bundled {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Bundled> {
        BUNDLED.iter().map(|(bundled, _)| *bundled)
    }

    /// The one of a Java class, given by its full name, its simple name, or that without `Converter` or
    /// `HeaderConverter` at its end.
    pub fn find(name: &str) -> Option<Bundled> {
        BUNDLED
            .iter()
            .find(|(_, class)| {
                let simple = class.rsplit('.').next().unwrap_or_default();
                *class == name
                    || simple == name
                    || simple.strip_suffix("Converter") == Some(name)
                    || simple.strip_suffix("HeaderConverter") == Some(name)
            })
            .map(|(bundled, _)| *bundled)
    }

    /// The full name of the Java class.
    pub fn class(self) -> &'static str {
        BUNDLED
            .iter()
            .find(|(bundled, _)| *bundled == self)
            .map_or("", |(_, class)| class)
    }

    /// Whether it converts keys and values, and not only headers.
    pub fn is_converter(self) -> bool {
        self != Bundled::SimpleHeader
    }

    /// The configured converter of keys or values.
    pub fn converter(self, options: &Options) -> Result<Arc<dyn Converter>, ConvertError> {
        check_type(options)?;
        Ok(match self {
            Bundled::Json => Arc::new(json(options)?),
            Bundled::String => Arc::new(string(options)?),
            Bundled::ByteArray => Arc::new(ByteArrayConverter),
            Bundled::Boolean => Arc::new(BooleanConverter),
            Bundled::Number(number) => Arc::new(number),
            Bundled::SimpleHeader => {
                let message = format!("{} converts headers only", self.class());
                return Err(ConvertError::new(Class::Config, message));
            }
        })
    }

    /// The configured converter of the values of headers, for those who treat a header as a column like any other: to
    /// the bundled converters its name means nothing.
    pub fn header_values(self, options: &Options) -> Result<Arc<dyn Converter>, ConvertError> {
        match self {
            Bundled::SimpleHeader => Ok(Arc::new(SimpleHeaderConverter)),
            Bundled::Json | Bundled::String | Bundled::ByteArray | Bundled::Boolean | Bundled::Number(_) => {
                self.converter(options)
            }
        }
    }

    /// The configured converter of headers.
    pub fn header_converter(self, options: &Options) -> Result<Arc<dyn HeaderConverter>, ConvertError> {
        if self == Bundled::SimpleHeader {
            return Ok(Arc::new(SimpleHeaderConverter));
        }
        check_type(options)?;
        Ok(match self {
            Bundled::Json => Arc::new(json(options)?),
            Bundled::String => Arc::new(string(options)?),
            Bundled::ByteArray => Arc::new(ByteArrayConverter),
            Bundled::Boolean => Arc::new(BooleanConverter),
            Bundled::Number(number) => Arc::new(number),
            Bundled::SimpleHeader => Arc::new(SimpleHeaderConverter),
        })
    }
}

/// The worker sets the type by itself; one that the configuration names is checked all the same.
fn check_type(options: &Options) -> Result<(), ConvertError> {
    match option(options, "converter.type") {
        Some(Some(given)) if !matches!(given, "key" | "value" | "header") => Err(invalid(
            "converter.type",
            given,
            "String must be one of: key, value, header",
        )),
        Some(_) | None => Ok(()),
    }
}

fn option<'o>(options: &'o Options, name: &str) -> Option<Option<&'o str>> {
    options
        .iter()
        .rev()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_deref())
}

fn invalid(name: &str, value: &str, expected: &str) -> ConvertError {
    ConvertError::new(
        Class::Config,
        format!("Invalid value {value} for configuration {name}: {expected}"),
    )
}

fn json(options: &Options) -> Result<JsonConverter, ConvertError> {
    let defaults = JsonOptions::default();
    let mut settings = JsonOptions {
        schemas_enable: boolean(options, "schemas.enable", defaults.schemas_enable)?,
        cache_size: cache_size(options, defaults.cache_size)?,
        decimal_format: decimal_format(options)?,
        replace_null_with_default: boolean(options, "replace.null.with.default", defaults.replace_null_with_default)?,
        schema_content: None,
    };
    if let Some(Some(content)) = option(options, "schema.content")
        && !content.is_empty()
    {
        settings.schema_content = read_schema_content(content, settings.replace_null_with_default)?;
    }
    Ok(JsonConverter::new(settings))
}

fn boolean(options: &Options, name: &str, default: bool) -> Result<bool, ConvertError> {
    match option(options, name) {
        None => Ok(default),
        Some(None) => Err(invalid(name, "null", "Expected value to be either true or false")),
        Some(Some(text)) if text.trim().eq_ignore_ascii_case("true") => Ok(true),
        Some(Some(text)) if text.trim().eq_ignore_ascii_case("false") => Ok(false),
        Some(Some(text)) => Err(invalid(name, text, "Expected value to be either true or false")),
    }
}

fn cache_size(options: &Options, default: usize) -> Result<usize, ConvertError> {
    const NAME: &str = "schemas.cache.size";
    match option(options, NAME) {
        None => Ok(default),
        Some(text) => {
            let text = text.unwrap_or("null");
            let size: i32 = text
                .trim()
                .parse()
                .map_err(|_| invalid(NAME, text, "Not a number of type INT"))?;
            Ok(usize::try_from(size).unwrap_or(0))
        }
    }
}

fn decimal_format(options: &Options) -> Result<DecimalFormat, ConvertError> {
    let text = match option(options, "decimal.format") {
        None => return Ok(DecimalFormat::Base64),
        Some(text) => text.unwrap_or("null"),
    };
    match text.to_ascii_uppercase().as_str() {
        "BASE64" => Ok(DecimalFormat::Base64),
        "NUMERIC" => Ok(DecimalFormat::Numeric),
        _ => Err(invalid(
            "decimal.format",
            text,
            "String must be one of (case insensitive): NUMERIC, BASE64",
        )),
    }
}

fn string(options: &Options) -> Result<StringConverter, ConvertError> {
    match option(options, "converter.encoding") {
        Some(Some(name)) => StringConverter::with_encoding(name),
        Some(None) | None => Ok(StringConverter::default()),
    }
}
