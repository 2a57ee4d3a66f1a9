//! Definitions that a configuration brings with it: those of its transforms and predicates, one set for each alias.

use std::collections::HashSet;

use caisson_api::config::{Importance, Key, Setting, Type, Width};

use super::entry::{Entries, Entry};
use crate::connector::negated_nothing;
use crate::definition::Definition;
use crate::given::Given;
use crate::plugins::{self, Missing, PluginInfo, Plugins, Role};
use crate::rule::Rule;

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
                entries.add_error(
                    kind.key,
                    format!("Configuration '{}' has more than {MAX_LINKS} aliases.", kind.key),
                );
                break;
            }
            kind.link(&alias, given, plugins, entries);
        }
    }
}

/// Transforms or predicates.
struct LinkKind {
    /// The key with the aliases, and the prefix of keys below them.
    key: &'static str,
    role: Role,
    group: &'static str,
    /// What Kafka Connect calls one of them.
    noun: &'static str,
}

const TRANSFORMS: LinkKind = LinkKind {
    key: "transforms",
    role: Role::Transform,
    group: "Transforms",
    noun: "transformation",
};

const PREDICATES: LinkKind = LinkKind {
    key: "predicates",
    role: Role::Predicate,
    group: "Predicates",
    noun: "predicate",
};

impl LinkKind {
    fn aliases(&self, given: &Given) -> Vec<String> {
        match given
            .get(self.key)
            .map(|text| Setting::parse(self.key, text, Type::List))
        {
            Some(Ok(Setting::List(aliases))) => aliases,
            Some(_) | None => Vec::new(),
        }
    }

    fn link(&self, alias: &str, given: &Given, plugins: &dyn Plugins, entries: &mut Entries) {
        let prefix = format!("{}.{alias}.", self.key);
        let version_key = format!("{prefix}plugin.version");
        let class = given.get(&format!("{prefix}type")).map(str::trim);
        let found = class.map(|class| plugins::find(plugins, self.role, class, given.get(&version_key)));
        let plugin = found.as_ref().and_then(|found| found.as_ref().ok());

        let mut kind = Entry::evaluate(&self.type_definition(&prefix, alias), 0, given, plugins);
        if self.role == Role::Transform
            && !kind.value.is_null()
            && let Err(error) = negated_nothing(alias, given)
        {
            // Kafka Connect looks at this before it looks at the class.
            kind.errors = vec![error.0];
        }
        let version = self.version_definition(&version_key, alias, plugin);
        let mut version = Entry::evaluate(&version, 0, given, plugins);
        version.recommended = versions(plugins, self.role, class);
        if let Some(Err(missing @ (Missing::Version { .. } | Missing::Requirement(_)))) = &found {
            kind.errors.push(missing.to_string());
            version.errors.push(missing.to_string());
        }
        entries.push(kind);
        entries.push(version);
        if let Some(plugin) = plugin {
            for definition in self.embedded(plugin, &prefix, alias) {
                entries.push(Entry::evaluate(&definition, prefix.len(), given, plugins));
            }
        }
    }

    fn group(&self, alias: &str) -> String {
        format!("{}: {alias}", self.group)
    }

    fn type_definition(&self, prefix: &str, alias: &str) -> Definition {
        let display = format!("{} type for {alias}", self.role.interface());
        let key = Key::new(format!("{prefix}type"), Type::Class)
            .importance(Importance::High)
            .documentation(format!("Class of the {} {alias}.", self.noun))
            .group(self.group(alias), 0)
            .width(Width::Long)
            .display(display);
        Definition {
            key,
            rule: Rule::Link(self.role),
        }
    }

    fn version_definition(&self, name: &str, alias: &str, plugin: Option<&PluginInfo>) -> Definition {
        let key = Key::new(name, Type::String)
            .importance(Importance::High)
            .documentation(format!(
                "Version of the {} {alias}, in the form that connector.plugin.version has.",
                self.noun
            ))
            .group(self.group(alias), 1)
            .width(Width::Long)
            .display(format!("{} version for {alias}", self.role.interface()));
        let key = match plugin {
            Some(plugin) => key.default(plugin.version.clone()),
            None => key.optional(),
        };
        Definition::from(key)
    }

    /// The plugin's own keys and those of every link, in the order in which Kafka shows them.
    fn embedded(&self, plugin: &PluginInfo, prefix: &str, alias: &str) -> Vec<Definition> {
        let mut all: Vec<Definition> = match self.role {
            Role::Transform => condition_keys(),
            Role::Connector | Role::Predicate | Role::Converter | Role::HeaderConverter => Vec::new(),
        };
        // A plugin's key of the same name gives way.
        let own = plugin
            .keys
            .iter()
            .filter(|own| !all.iter().any(|key| key.name() == own.name()));
        let own: Vec<Definition> = own.cloned().collect();
        all.extend(own);
        sort(&mut all);
        for (order, definition) in (2..).zip(&mut all) {
            let key = &mut definition.key;
            let inner = key.group.take().map(|group| format!(": {group}")).unwrap_or_default();
            key.group = Some(format!("{}{inner}", self.group(alias)));
            key.order = order;
            key.name.insert_str(0, prefix);
            for dependent in &mut key.dependents {
                dependent.insert_str(0, prefix);
            }
        }
        all
    }
}

/// What every transform has.
fn condition_keys() -> Vec<Definition> {
    let predicate = Key::new("predicate", Type::String)
        .optional()
        .importance(Importance::Medium)
        .documentation("Alias of the predicate that says which records the transform is for; absent: for all.");
    let negate = Key::new("negate", Type::Boolean)
        .default("false")
        .importance(Importance::Medium)
        .documentation("Whether the transform is for the records that do not satisfy the predicate.");
    vec![predicate.into(), negate.into()]
}

/// `ConfigDef.sortedConfigs`: by group, place, need, importance and name.
fn sort(definitions: &mut [Definition]) {
    let mut groups: Vec<Option<String>> = vec![None];
    for definition in definitions.iter() {
        if !groups.contains(&definition.key.group) {
            groups.push(definition.key.group.clone());
        }
    }
    definitions.sort_by_cached_key(|definition| {
        let key = &definition.key;
        let has_default = key.default != caisson_api::config::Default::Required;
        let importance = match key.importance {
            Importance::High => 0,
            Importance::Medium => 1,
            Importance::Low => 2,
        };
        let group = groups.iter().position(|group| *group == key.group);
        (group, key.order, has_default, importance, key.name.clone())
    });
}

/// All versions of a class.
pub(super) fn versions(plugins: &dyn Plugins, role: Role, class: Option<&str>) -> Vec<String> {
    let all = class.map(|class| plugins.versions(role, class)).unwrap_or_default();
    all.into_iter().map(|plugin| plugin.version).collect()
}
