//! Entries of transforms and predicates, which a configuration brings with it.

use std::collections::HashSet;

use caisson_api::config::ConfigError;

use super::entry::{Entries, Entry};
use crate::connector::negated_nothing;
use crate::given::Given;
use crate::plugins::{self, Missing, Plugins, Role};
use crate::tables;
use crate::tables::links::{Link, PREDICATES, TRANSFORMS};

/// Links of one kind that a configuration may have. Each brings a list of all classes into the answer, so that without
/// a limit a small request would have an answer of any size.
const MAX_LINKS: usize = 1000;

/// Adds the entries of all links, transforms first.
pub(super) fn expand(entries: &mut Entries, given: &Given, plugins: &dyn Plugins) {
    for kind in [&TRANSFORMS, &PREDICATES] {
        let mut seen = HashSet::new();
        for alias in kind.aliases(given) {
            if !seen.insert(alias.clone()) {
                continue;
            }
            if seen.len() > MAX_LINKS {
                let text = format!("Configuration '{}' has more than {MAX_LINKS} aliases.", kind.key);
                entries.add_error(kind.key, text);
                break;
            }
            add(&Link { kind, alias: &alias }, entries, given, plugins);
        }
    }
}

/// What Kafka Connect says first of transforms and predicates when a connector starts with a configuration that nobody
/// has validated.
pub fn check_links(given: &Given, plugins: &dyn Plugins) -> Result<(), ConfigError> {
    let common = Entries::evaluate(tables::source().iter(), given, plugins);
    for kind in [&TRANSFORMS, &PREDICATES] {
        if let Some(error) = common.get(kind.key).and_then(|entry| entry.errors.first()) {
            return Err(ConfigError::new(error));
        }
    }
    // Classes have to be there before any other value is read, for they say which keys there are.
    for kind in [&TRANSFORMS, &PREDICATES] {
        for alias in kind.aliases(given).iter().take(MAX_LINKS) {
            let link = Link { kind, alias };
            let key = link.type_key();
            if given.get(key.name()).is_none() {
                let expected = format!("Not a {}", kind.role.interface());
                return Err(ConfigError::invalid(key.name(), "null", &expected));
            }
            if let Some(error) = Entry::evaluate(&key, 0, given, plugins).errors.first() {
                return Err(ConfigError::new(error));
            }
        }
    }
    let mut entries = Entries::default();
    expand(&mut entries, given, plugins);
    match entries.first_error() {
        Some(error) => Err(ConfigError::new(error)),
        None => Ok(()),
    }
}

fn add(link: &Link<'_>, entries: &mut Entries, given: &Given, plugins: &dyn Plugins) {
    let role = link.kind.role;
    let prefix = link.prefix();
    let class = given.get(&format!("{prefix}type")).map(str::trim);
    let version = given.get(&format!("{prefix}plugin.version"));
    let found = class.map(|class| plugins::find(plugins, role, class, version));
    let plugin = found.as_ref().and_then(|found| found.as_ref().ok());

    let mut kind = Entry::evaluate(&link.type_key(), 0, given, plugins);
    if role == Role::Transform
        && let Err(error) = negated_nothing(link.alias, given)
    {
        // Kafka Connect looks at this before it looks at the class.
        if !kind.value.is_null() {
            kind.errors.clear();
        }
        kind.errors.push(error.0);
    }
    let newest = class.and_then(|class| plugins::find(plugins, role, class, None).ok());
    let mut version = Entry::evaluate(&link.version_key(newest.as_ref()), 0, given, plugins);
    version.recommended = versions(plugins, role, class);
    if let Some(Err(missing @ (Missing::Version { .. } | Missing::Requirement(_)))) = &found {
        kind.errors.push(missing.to_string());
        version.errors.push(missing.to_string());
    }
    entries.push(kind);
    entries.push(version);
    if let Some(plugin) = plugin {
        for definition in link.embedded(&plugin.keys) {
            entries.push(Entry::evaluate(&definition, prefix.len(), given, plugins));
        }
    }
}

/// All versions of a class.
pub(super) fn versions(plugins: &dyn Plugins, role: Role, class: Option<&str>) -> Vec<String> {
    let all = class.map(|class| plugins.versions(role, class)).unwrap_or_default();
    all.into_iter().map(|plugin| plugin.version).collect()
}
