//! The two halves of a record that most transforms exist for: `Cast$Key` and `Cast$Value`.

use std::fmt::Debug;

use caisson_sdk::api::{self, SchemaRef};
use caisson_sdk::prelude::{Encoding, Plugin, Record};

/// A half of a record.
pub trait Side: Debug + Send + 'static {
    /// The name of the inner class.
    const NAME: &'static str;

    /// Schema and value of this half.
    fn of(record: &mut Record) -> (&mut Option<SchemaRef>, &mut api::Value);

    /// Has the plugin see this half decoded.
    fn decoded(plugin: Plugin) -> Plugin;
}

#[derive(Debug)]
pub struct Key;

impl Side for Key {
    const NAME: &'static str = "Key";

    fn of(record: &mut Record) -> (&mut Option<SchemaRef>, &mut api::Value) {
        (&mut record.key_schema, &mut record.key)
    }

    fn decoded(plugin: Plugin) -> Plugin {
        plugin.key_encoding(Encoding::Connect)
    }
}

#[derive(Debug)]
pub struct Value;

impl Side for Value {
    const NAME: &'static str = "Value";

    fn of(record: &mut Record) -> (&mut Option<SchemaRef>, &mut api::Value) {
        (&mut record.value_schema, &mut record.value)
    }

    fn decoded(plugin: Plugin) -> Plugin {
        plugin.value_encoding(Encoding::Connect)
    }
}
