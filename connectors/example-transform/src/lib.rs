//! Examples of links in a module of their own: a transform that masks e-mail addresses in texts, and a converter.

mod pairs;

use caisson_sdk::api::schema::Field;
use caisson_sdk::prelude::*;

caisson_sdk::plugins! {
    module: { description: "Examples: a transform that masks e-mail addresses, and a converter of pairs." },
    transforms: [MaskEmail],
    converters: [PairsConverter],
    header_converters: [PairsConverter],
}

pub use pairs::PairsConverter;

/// Leaves the first letter and the domain of each e-mail address: `ada@example.org` becomes `a***@example.org`.
#[derive(Debug)]
pub struct MaskEmail {
    /// Fields to look at; empty means all.
    fields: Vec<String>,
    mask: String,
}

impl Transform for MaskEmail {
    fn plugin() -> Plugin {
        Plugin::new("caisson.example.MaskEmail", env!("CARGO_PKG_VERSION"))
            .alias("MaskEmail")
            .documentation("Masks e-mail addresses in values: in a text, or in the texts of a struct or map.")
            .key(
                Key::new("fields", Type::List)
                    .default("")
                    .importance(Importance::Medium)
                    .documentation("Names of the fields to look at, at any depth; all of them if there are none."),
            )
            .key(
                Key::new("mask", Type::String)
                    .default("***")
                    .importance(Importance::Low)
                    .documentation("What stands for the letters that are taken out."),
            )
            .value_encoding(Encoding::Connect)
            .ability(Ability::Warms)
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(MaskEmail {
            fields: settings.list("fields").to_vec(),
            mask: settings.text("mask")?.to_string(),
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        self.mask(
            &mut record.value,
            record.value_schema.as_deref(),
            self.fields.is_empty(),
        );
        Ok(Some(record))
    }
}

impl MaskEmail {
    /// Masks what is in a value, if it is looked at, and in its parts.
    fn mask(&self, value: &mut Value, schema: Option<&Schema>, looked_at: bool) {
        match value {
            Value::String(text) if looked_at => {
                if let Some(masked) = self.masked(text) {
                    *text = masked;
                }
            }
            Value::Struct(values) => {
                let fields = schema.map(Schema::fields).unwrap_or_default();
                for (Field { name, schema }, value) in fields.iter().zip(values) {
                    self.mask(value, Some(schema), looked_at || self.fields.contains(name));
                }
            }
            Value::Map(pairs) => {
                let schema = schema.and_then(|schema| match &schema.kind {
                    Kind::Map(_, values) => Some(&**values),
                    _ => None,
                });
                for (key, value) in pairs {
                    let named = matches!(key, Value::String(key) if self.fields.contains(key));
                    self.mask(value, schema, looked_at || named);
                }
            }
            Value::Array(items) => {
                let schema = schema.and_then(|schema| match &schema.kind {
                    Kind::Array(items) => Some(&**items),
                    _ => None,
                });
                items.iter_mut().for_each(|item| self.mask(item, schema, looked_at));
            }
            _ => {}
        }
    }

    /// The text with its addresses masked; `None` if it has none.
    fn masked(&self, text: &str) -> Option<String> {
        if !text.contains('@') {
            return None;
        }
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('@') {
            let local = rest[..at]
                .rfind(|c: char| !is_local(c))
                .map_or(0, |before| before + char_len(rest, before));
            let is_address = local < at && rest[at + 1..].starts_with(|c: char| c.is_ascii_alphanumeric());
            if is_address {
                let first = char_len(rest, local);
                masked.push_str(&rest[..local + first]);
                masked.push_str(&self.mask);
                masked.push('@');
            } else {
                masked.push_str(&rest[..=at]);
            }
            rest = &rest[at + 1..];
        }
        masked.push_str(rest);
        (masked != text).then_some(masked)
    }
}

/// Whether a character may stand before the `@` of an address.
fn is_local(c: char) -> bool {
    c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c)
}

/// Bytes of the character at a place.
fn char_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}
