//! The converters that a connector has of its own.

use super::chain::versions;
use super::entry::{Entries, Entry, prefixed};
use super::infos::ConfigInfos;
use crate::given::Given;
use crate::plugins::{self, Missing, Plugins, Role};

/// Key, role, and what the converter is told that it converts; in the order in which they are validated.
const CONVERTERS: [(&str, Role, &str); 3] = [
    ("header.converter", Role::HeaderConverter, "header"),
    ("key.converter", Role::Converter, "key"),
    ("value.converter", Role::Converter, "value"),
];

/// A version that is not there is an error of the class and of the version.
pub(super) fn check_versions(entries: &mut Entries, given: &Given, plugins: &dyn Plugins) {
    for (key, role, _) in CONVERTERS {
        let version_key = format!("{key}.plugin.version");
        let class = entries.get(key).and_then(|entry| entry.value.to_text());
        entries.recommend(&version_key, versions(plugins, role, class.as_deref()));
        let (Some(class), Some(version)) = (given.get(key), given.get(&version_key)) else {
            continue;
        };
        if let Err(missing @ (Missing::Version { .. } | Missing::Requirement(_))) =
            plugins::find(plugins, role, class.trim(), Some(version))
        {
            entries.add_error(key, missing.to_string());
            entries.add_error(&version_key, missing.to_string());
        }
    }
    let class = given.get("connector.class");
    entries.recommend("connector.plugin.version", versions(plugins, Role::Connector, class));
}

/// Validates the keys of the converters that are named and good; `so_far` says which are.
pub(super) fn validate(given: &Given, plugins: &dyn Plugins, so_far: &ConfigInfos) -> Vec<ConfigInfos> {
    let mut all = Vec::new();
    for (key, role, kind) in CONVERTERS {
        let bad = so_far
            .configs
            .iter()
            .any(|config| config.value.name == key && !config.value.errors.is_empty());
        let Some(class) = given.get(key).filter(|_| !bad) else {
            continue;
        };
        let version = given.get(&format!("{key}.plugin.version"));
        let Ok(plugin) = plugins::find(plugins, role, class.trim(), version) else {
            continue;
        };
        let prefix = format!("{key}.");
        let mut own: Given = given
            .below(&prefix)
            .map(|(name, value)| (name, value.map(str::to_owned)))
            .collect();
        if !own.contains("converter.type") {
            own.set("converter.type", Some(kind.to_owned()));
        }
        let entries = plugin
            .keys
            .iter()
            .map(|definition| Entry::evaluate(definition, 0, &own, plugins));
        all.push(prefixed(entries.collect(), &prefix));
    }
    all
}
