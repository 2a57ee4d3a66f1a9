//! Single settings, typed.

use std::time::Duration;

use caisson_sdk::settings::Settings;

use super::keys;
use crate::error::{Error, Result};

/// Typed reading with Debezium's words for what is wrong.
pub struct Reader<'a> {
    pub settings: &'a Settings,
}

impl Reader<'_> {
    pub fn text(&self, key: &str) -> Option<&str> {
        self.settings
            .optional_text(key)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    pub fn required(&self, key: &str) -> Result<String> {
        self.text(key)
            .map(str::to_owned)
            .ok_or_else(|| Error::config(format!("The '{key}' value is invalid: A value is required")))
    }

    /// As it was given, or the default; for keys that no definition types as text.
    pub fn list_text(&self, key: &str) -> Option<String> {
        self.settings
            .given(key)
            .map(str::to_owned)
            .or_else(|| self.settings.optional_text(key).map(str::to_owned))
            .or_else(|| Some(self.settings.list(key).join(",")).filter(|list| !list.is_empty()))
    }

    pub fn flag(&self, key: &str) -> Result<bool> {
        self.settings.boolean(key).map_err(Error::Net)
    }

    pub fn millis(&self, key: &str) -> Result<Duration> {
        let millis = self.settings.long(key).map_err(Error::Net)?;
        u64::try_from(millis).map(Duration::from_millis).map_err(|_| {
            Error::config(format!(
                "The '{key}' value is invalid: A non-negative number is expected"
            ))
        })
    }

    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<T> {
        let text = self.text(key).unwrap_or_default();
        choices
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let offered = keys::rows()
                    .find(|(_, _, row)| row.name == key)
                    .map(|(_, _, row)| row.choices.join(", "))
                    .unwrap_or_default();
                Error::config(format!("The '{key}' value is invalid: Value must be one of {offered}"))
            })
    }
}
