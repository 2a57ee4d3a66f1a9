//! `InsertHeader`: adds a fixed header.

use std::sync::Arc;

use caisson_sdk::api::values::parse_string;
use caisson_sdk::prelude::*;

use crate::standard;

#[derive(Debug)]
pub struct InsertHeader {
    header: Header,
}

impl Transform for InsertHeader {
    fn plugin() -> Plugin {
        let text = |name: &str, documentation: &str| {
            Key::new(name, Type::String)
                .validator(Validator::NonNull)
                .importance(Importance::High)
                .documentation(documentation)
        };
        let literal = "Its value, in the text form from which types are inferred.";
        standard::transform("InsertHeader", "Adds a fixed header.")
            .key(text("header", "Name of the header."))
            .key(text("value.literal", literal))
            .header_encoding(Encoding::Connect)
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        let (schema, value) = parse_string(settings.text("value.literal")?);
        Ok(InsertHeader {
            header: Header {
                name: Arc::from(settings.text("header")?),
                schema,
                value,
            },
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        record.headers.push(self.header.clone());
        Ok(Some(record))
    }
}
