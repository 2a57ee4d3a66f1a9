//! Definitions that a configuration brings with it: those of its transforms and predicates, one set for each alias.

use caisson_api::config::{Default, Importance, Key, Setting, Type, Validator, Width};

use crate::definition::Definition;
use crate::given::Given;
use crate::plugins::{PluginInfo, Role};
use crate::rule::Rule;

/// Transforms or predicates.
#[derive(Debug)]
pub struct LinkKind {
    /// The key with the aliases, and the prefix of keys below them.
    pub key: &'static str,
    pub role: Role,
    group: &'static str,
    /// What Kafka Connect calls one of them.
    noun: &'static str,
}

pub static TRANSFORMS: LinkKind = LinkKind {
    key: "transforms",
    role: Role::Transform,
    group: "Transforms",
    noun: "transformation",
};

pub static PREDICATES: LinkKind = LinkKind {
    key: "predicates",
    role: Role::Predicate,
    group: "Predicates",
    noun: "predicate",
};

/// The framework's keys of all links of a configuration. Those of the plugins are not among them.
pub fn framework(given: &Given) -> Vec<Definition> {
    let mut all = Vec::new();
    for kind in [&TRANSFORMS, &PREDICATES] {
        let mut aliases = kind.aliases(given);
        let mut seen = std::collections::HashSet::new();
        aliases.retain(|alias| seen.insert(alias.clone()));
        for alias in aliases {
            let link = Link { kind, alias: &alias };
            all.push(link.type_key());
            all.push(link.version_key(None));
            if given.get(link.type_key().name()).is_some() {
                all.extend(link.embedded(&[]));
            }
        }
    }
    all
}

impl LinkKind {
    /// The aliases that a configuration lists, in order.
    pub fn aliases(&self, given: &Given) -> Vec<String> {
        match given
            .get(self.key)
            .map(|text| Setting::parse(self.key, text, Type::List))
        {
            Some(Ok(Setting::List(aliases))) => aliases,
            Some(_) | None => Vec::new(),
        }
    }
}

/// One transform or predicate.
#[derive(Debug)]
pub struct Link<'a> {
    pub kind: &'a LinkKind,
    pub alias: &'a str,
}

impl Link<'_> {
    /// What stands before its keys.
    pub fn prefix(&self) -> String {
        format!("{}.{}.", self.kind.key, self.alias)
    }

    fn group(&self) -> String {
        format!("{}: {}", self.kind.group, self.alias)
    }

    /// `transforms.ALIAS.type`.
    pub fn type_key(&self) -> Definition {
        let LinkKind { role, noun, .. } = self.kind;
        let alias = self.alias;
        let key = Key::new(format!("{}type", self.prefix()), Type::Class)
            .importance(Importance::High)
            .documentation(format!("Class of the {noun} {alias}."))
            .group(self.group(), 0)
            .width(Width::Long)
            .display(format!("{} type for {alias}", role.interface()))
            .validator(Validator::Unknown(format!("valid configs for {alias} {noun}")));
        Definition {
            key,
            rule: Rule::Link(*role),
        }
    }

    /// `transforms.ALIAS.plugin.version`; the default is that of the plugin.
    pub fn version_key(&self, plugin: Option<&PluginInfo>) -> Definition {
        let LinkKind { role, noun, .. } = self.kind;
        let alias = self.alias;
        let key = Key::new(format!("{}plugin.version", self.prefix()), Type::String)
            .importance(Importance::High)
            .documentation(format!(
                "Version of the {noun} {alias}, in the form that connector.plugin.version has."
            ))
            .group(self.group(), 1)
            .width(Width::Long)
            .display(format!("{} version for {alias}", role.interface()));
        Definition::from(match plugin {
            Some(plugin) => key.default(plugin.version.clone()),
            None => key.optional(),
        })
    }

    /// The plugin's own keys and those of every link of the kind, in the order in which Kafka shows them.
    pub fn embedded(&self, own: &[Definition]) -> Vec<Definition> {
        let mut all: Vec<Definition> = match self.kind.role {
            Role::Transform => condition_keys(),
            Role::Connector | Role::Predicate | Role::Converter | Role::HeaderConverter => Vec::new(),
        };
        // A plugin's key of the same name gives way.
        let own = own.iter().filter(|own| !all.iter().any(|key| key.name() == own.name()));
        let own: Vec<Definition> = own.cloned().collect();
        all.extend(own);
        embed(&mut all, &self.prefix(), &self.group(), 2);
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

/// `ConfigDef.embed`: puts definitions below a prefix and into a group, with places from `first` on.
pub(super) fn embed(definitions: &mut [Definition], prefix: &str, group: &str, first: i32) {
    sort(definitions);
    for (order, definition) in (first..).zip(definitions) {
        let key = &mut definition.key;
        let inner = key.group.take().map(|inner| format!(": {inner}")).unwrap_or_default();
        key.group = Some(format!("{group}{inner}"));
        key.order = order;
        key.name.insert_str(0, prefix);
        for dependent in &mut key.dependents {
            dependent.insert_str(0, prefix);
        }
    }
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
        let importance = match key.importance {
            Importance::High => 0,
            Importance::Medium => 1,
            Importance::Low => 2,
        };
        let group = groups.iter().position(|group| *group == key.group);
        (
            group,
            key.order,
            key.default != Default::Required,
            importance,
            key.name.clone(),
        )
    });
}
