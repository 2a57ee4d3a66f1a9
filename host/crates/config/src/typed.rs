//! Reading typed values by a table of definitions.

use std::time::Duration;

use caisson_api::config::{ConfigDef, ConfigError, NoChecks, Password, Properties, Settings};

use crate::definition::Definition;
use crate::tables;

/// The values of a configuration, checked, with defaults in place of what is not given.
pub struct Typed(Settings);

impl Typed {
    /// Reads by a table; the first error ends it.
    pub fn parse(table: &[Definition], given: &dyn Properties) -> Result<Typed, ConfigError> {
        let settings = ConfigDef {
            keys: tables::keys(table),
        }
        .parse_with(given, &NoChecks)?;
        for definition in table {
            definition
                .rule
                .check(definition.name(), settings.get(definition.name()))?;
        }
        Ok(Typed(settings))
    }

    /// Empty if it is null.
    pub fn text(&self, name: &str) -> String {
        self.optional(name).unwrap_or_default()
    }

    pub fn optional(&self, name: &str) -> Option<String> {
        self.0.string(name).map(str::to_owned)
    }

    /// Like [`Self::optional`], with an empty text like a missing one.
    pub fn filled(&self, name: &str) -> Option<String> {
        self.optional(name).filter(|text| !text.is_empty())
    }

    /// A secret; an empty one is like none.
    pub fn password(&self, name: &str) -> Option<Password> {
        self.0
            .password(name)
            .filter(|secret| !secret.reveal().is_empty())
            .cloned()
    }

    pub fn boolean(&self, name: &str) -> bool {
        self.0.boolean(name).unwrap_or_default()
    }

    pub fn int(&self, name: &str) -> i32 {
        self.0.int(name).unwrap_or_default()
    }

    pub fn optional_int(&self, name: &str) -> Option<i32> {
        self.0.int(name)
    }

    pub fn short(&self, name: &str) -> i16 {
        i16::try_from(self.int(name)).unwrap_or(i16::MAX)
    }

    pub fn long(&self, name: &str) -> i64 {
        self.0.long(name).unwrap_or_default()
    }

    /// Negative ones count as none.
    pub fn milliseconds(&self, name: &str) -> Duration {
        Duration::from_millis(u64::try_from(self.long(name)).unwrap_or_default())
    }

    pub fn optional_milliseconds(&self, name: &str) -> Option<Duration> {
        self.0.long(name).map(|_| self.milliseconds(name))
    }

    /// Empty if it is null.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.optional_list(name).unwrap_or_default()
    }

    pub fn optional_list(&self, name: &str) -> Option<Vec<String>> {
        self.0.list(name).map(<[String]>::to_vec)
    }
}
