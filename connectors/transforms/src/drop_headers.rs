//! `DropHeaders`: takes headers away by name.

use caisson_sdk::prelude::*;

use crate::standard;

#[derive(Debug)]
pub struct DropHeaders {
    names: Vec<String>,
}

impl Transform for DropHeaders {
    fn plugin() -> Plugin {
        standard::transform("DropHeaders", "Takes headers away.").key(
            Key::new("headers", Type::List)
                .validator(standard::entries(false))
                .importance(Importance::High)
                .documentation("Names of headers to take away, separated by commas."),
        )
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(DropHeaders {
            names: settings.list("headers").to_vec(),
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let listed = |header: &Header| self.names.iter().any(|name| **name == *header.name);
        record.headers.retain(|header| !listed(header));
        Ok(Some(record))
    }
}
