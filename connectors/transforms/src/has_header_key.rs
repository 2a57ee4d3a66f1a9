//! `HasHeaderKey`: is there a header of a name?

use caisson_sdk::prelude::*;

use crate::registry::{DynPredicate, Subject};
use crate::standard;

#[derive(Debug)]
pub struct HasHeaderKey {
    /// Null names no header.
    name: Option<String>,
}

impl Predicate for HasHeaderKey {
    fn plugin() -> Plugin {
        standard::predicate("HasHeaderKey", "Holds for records with a header of a name.").key(
            Key::new("name", Type::String)
                .validator(Validator::NonEmpty)
                .importance(Importance::Medium)
                .documentation("Name of the header."),
        )
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(HasHeaderKey {
            name: settings.optional_text("name").map(str::to_owned),
        })
    }

    fn test(&mut self, record: &RecordView<'_>) -> Result<bool, Error> {
        DynPredicate::test(self, record)
    }
}

impl DynPredicate for HasHeaderKey {
    fn test(&mut self, record: &dyn Subject) -> Result<bool, Error> {
        Ok(self.name.as_deref().is_some_and(|name| record.has_header(name)))
    }
}
