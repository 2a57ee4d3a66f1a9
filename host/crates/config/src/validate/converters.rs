//! The converters that a connector has of its own.

use caisson_api::value::java::sort_as_in_hash_map;

use super::chain::versions;
use super::entry::{Entries, Entry, prefixed};
use super::infos::ConfigInfos;
use crate::given::Given;
use crate::plugins::{self, Missing, Plugins, Role};
use crate::version::Requirement;

/// Key, role, and what the converter is told that it converts; in the order in which they are validated.
const CONVERTERS: [(&str, Role, &str); 3] = [
    ("header.converter", Role::HeaderConverter, "header"),
    ("key.converter", Role::Converter, "key"),
    ("value.converter", Role::Converter, "value"),
];

/// A version that is not there is an error of the class and of the version; what is no version at all is one of the
/// version alone, with a class or without.
pub(super) fn check_versions(entries: &mut Entries, given: &Given, plugins: &dyn Plugins) {
    for (key, role, _) in CONVERTERS {
        let version_key = format!("{key}.plugin.version");
        let class = entries.get(key).and_then(|entry| entry.value.to_text());
        entries.recommend(&version_key, versions(plugins, role, class.as_deref()));
        entries.show(&version_key, class.is_some());
        let Some(version) = given.get(&version_key) else {
            continue;
        };
        if let Err(error) = Requirement::parse(version) {
            entries.add_error(&version_key, error.to_string());
            continue;
        }
        let found = given
            .get(key)
            .map(|class| plugins::find(plugins, role, class, Some(version)));
        if let Some(Err(missing @ Missing::Version { .. })) = found {
            entries.add_error(key, missing.to_string());
            entries.add_error(&version_key, missing.to_string());
        }
    }
    let class = given.get("connector.class");
    entries.recommend("connector.plugin.version", versions(plugins, Role::Connector, class));
}

/// Validates the keys of the converters that are named and good; `so_far` says which are.
pub(super) fn validate(given: &Given, plugins: &dyn Plugins, so_far: &mut ConfigInfos) -> Vec<ConfigInfos> {
    let mut all = Vec::new();
    for (key, role, kind) in CONVERTERS {
        let version_key = format!("{key}.plugin.version");
        let bad = so_far.configs.iter().any(|config| {
            let is_of_it = config.value.name == key || config.value.name == version_key;
            is_of_it && !config.value.errors.is_empty()
        });
        let Some(class) = given.get(key).filter(|_| !bad) else {
            continue;
        };
        let version = given.get(&version_key);
        let Ok(plugin) = plugins::find(plugins, role, class, version) else {
            // The value of a class is trimmed and good; where it is loaded it is what was given.
            so_far.add_error(key, format!("Failed to load class {class}: {class}"));
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
        let evaluate = |definition| Entry::evaluate(definition, 0, &own, plugins);
        let mut entries: Vec<_> = plugin.keys.iter().map(evaluate).collect();
        sort_as_in_hash_map(&mut entries, |entry| &entry.name);
        all.push(prefixed(entries, &prefix));
    }
    all
}
