//! Entries of an answer while they are being made.

use std::collections::HashMap;

use caisson_api::config::{ConfigError, Default, NoChecks, Setting};
use caisson_api::value::java::sort_as_in_hash_map;

use super::infos::{ConfigInfo, ConfigInfos, KeyInfo, ValueInfo};
use crate::definition::Definition;
use crate::given::Given;
use crate::plugins::{self, Missing, Plugins, Role};
use crate::rule::Rule;

/// One key: its definition, its value, and what is wrong with it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub name: String,
    pub definition: Option<Definition>,
    pub value: Setting,
    pub recommended: Vec<String>,
    pub errors: Vec<String>,
    pub visible: bool,
}

impl Entry {
    /// Reads and checks a value. Messages of checks leave out the first `prefix` bytes of the name, as the checks of an
    /// embedded definition do.
    pub fn evaluate(definition: &Definition, prefix: usize, given: &Given, plugins: &dyn Plugins) -> Entry {
        let name = definition.name().to_owned();
        let mut errors = Vec::new();
        let value = read(definition, given, plugins).unwrap_or_else(|error| {
            errors.push(error.0);
            Setting::Null
        });
        if let Err(error) = definition.check(&name[prefix..], &value, &NoChecks) {
            errors.push(error.0);
        }
        let mut recommended = Vec::new();
        if let Rule::Plugin(role) | Rule::Link(role) = definition.rule {
            recommended = plugins.classes(role);
            if let Err(error) = implements(plugins, role, &value) {
                errors.push(error.to_string());
            }
        }
        Entry {
            name,
            definition: Some(definition.clone()),
            value,
            recommended,
            errors,
            visible: true,
        }
    }

    /// A key that nobody defined.
    pub fn undefined(name: &str, value: Option<&str>) -> Entry {
        Entry {
            name: name.to_owned(),
            definition: None,
            value: value.map_or(Setting::Null, |text| Setting::String(text.to_owned())),
            recommended: Vec::new(),
            errors: Vec::new(),
            visible: true,
        }
    }

    /// What REST shows, with a prefix before the name.
    pub fn into_info(self, prefix: &str) -> ConfigInfo {
        ConfigInfo {
            definition: self.definition.map(|definition| KeyInfo::new(&definition.key, prefix)),
            value: ValueInfo {
                name: format!("{prefix}{}", self.name),
                value: self.value.to_text(),
                recommended_values: self.recommended,
                errors: self.errors,
                visible: self.visible,
            },
        }
    }
}

fn read(definition: &Definition, given: &Given, plugins: &dyn Plugins) -> Result<Setting, ConfigError> {
    let key = &definition.key;
    let text = match (given.given(&key.name), &key.default) {
        (Some(Some(text)), _) => text,
        (None, Default::Text(text)) => text,
        (Some(None), _) | (None, Default::None) => return Ok(Setting::Null),
        (None, Default::Required) => {
            return Err(ConfigError::new(format!(
                "Missing required configuration \"{}\" which has no default value.",
                key.name
            )));
        }
    };
    let value = Setting::parse(&key.name, text, key.kind)?;
    if let (Setting::Class(class), Rule::Plugin(role) | Rule::Link(role)) = (&value, definition.rule) {
        return known_class(plugins, role, class).map(Setting::Class).ok_or_else(|| {
            let missing = Missing::Class(class.clone());
            ConfigError::invalid(&key.name, text, &missing.to_string())
        });
    }
    Ok(value)
}

/// The full name of a class that exists, whatever it is.
fn known_class(plugins: &dyn Plugins, role: Role, name: &str) -> Option<String> {
    let roles = [role].into_iter().chain(Role::ALL);
    let found = roles
        .map(|role| plugins.versions(role, name))
        .find(|versions| !versions.is_empty());
    if let Some(plugin) = found.and_then(|versions| versions.into_iter().next()) {
        return Some(plugin.class);
    }
    match plugins::find(plugins, role, name, None) {
        Err(Missing::Abstract { class, .. }) => Some(class),
        Ok(_)
        | Err(Missing::Class(_) | Missing::Interface { .. } | Missing::Requirement(_) | Missing::Version { .. }) => {
            None
        }
    }
}

/// Whether a class that exists can stand in its role.
fn implements(plugins: &dyn Plugins, role: Role, value: &Setting) -> Result<(), Missing> {
    if let Setting::Class(class) = value {
        plugins::find(plugins, role, class, None)?;
    }
    Ok(())
}

/// Entries in order, each name once.
#[derive(Debug, std::default::Default)]
pub(super) struct Entries {
    entries: Vec<Entry>,
    places: HashMap<String, usize>,
    groups: Vec<String>,
}

impl Entries {
    pub fn evaluate<'a>(table: impl Iterator<Item = &'a Definition>, given: &Given, plugins: &dyn Plugins) -> Entries {
        let mut entries = Entries::default();
        for definition in table {
            entries.push(Entry::evaluate(definition, 0, given, plugins));
        }
        entries
    }

    /// Adds an entry; one that is there already gives way, in its place.
    pub fn push(&mut self, entry: Entry) {
        if let Some(group) = entry
            .definition
            .as_ref()
            .and_then(|definition| definition.key.group.as_ref())
            && !self.groups.contains(group)
        {
            self.groups.push(group.clone());
        }
        if let Some(place) = self.places.get(&entry.name) {
            self.entries[*place] = entry;
            return;
        }
        self.places.insert(entry.name.clone(), self.entries.len());
        self.entries.push(entry);
    }

    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.places.get(name).map(|place| &self.entries[*place])
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Entry> {
        self.places.get(name).map(|place| &mut self.entries[*place])
    }

    pub fn add_error(&mut self, name: &str, error: impl Into<String>) {
        if let Some(entry) = self.get_mut(name) {
            entry.errors.push(error.into());
        }
    }

    pub fn first_error(&self) -> Option<&str> {
        self.entries
            .iter()
            .find_map(|entry| entry.errors.first())
            .map(String::as_str)
    }

    pub fn recommend(&mut self, name: &str, values: Vec<String>) {
        if let Some(entry) = self.get_mut(name) {
            entry.recommended = values;
        }
    }

    /// A version means nothing without the class that it is of.
    pub fn show(&mut self, name: &str, visible: bool) {
        if let Some(entry) = self.get_mut(name) {
            entry.visible = visible;
        }
    }

    /// Kafka Connect has no use for null. Keys that nobody defined come in the order of the map of all entries.
    pub fn add_null_errors(&mut self, given: &Given) {
        for (name, value) in given.iter() {
            if value.is_none() {
                if self.get(name).is_none() {
                    self.push(Entry::undefined(name, None));
                }
                self.add_error(name, "Null value can not be supplied as the configuration value.");
            }
        }
        let mut order: Vec<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
        sort_as_in_hash_map(&mut order, |name| name);
        let rank: HashMap<String, usize> = order.iter().map(|name| (*name).to_owned()).zip(0..).collect();
        self.entries.sort_by_key(|entry| match entry.definition {
            None => rank.get(&entry.name).copied(),
            Some(_) => Some(usize::MAX),
        });
        let names = self.entries.iter().map(|entry| entry.name.clone());
        self.places = names.zip(0..).collect();
    }

    /// Adds the connector's own entries. Where there is one already, the connector's word counts; what was there only
    /// because it was given as null moves to where the connector has it.
    pub fn take_over(&mut self, own: Vec<Entry>) {
        let was_undefined = |entry: &Entry| entry.definition.is_none() && own.iter().any(|own| own.name == entry.name);
        if self.entries.iter().any(was_undefined) {
            self.entries.retain(|entry| !was_undefined(entry));
            let names = self.entries.iter().map(|entry| entry.name.clone());
            self.places = names.zip(0..).collect();
        }
        for entry in own {
            self.push(entry);
        }
    }

    /// Keys without a definition come first.
    pub fn into_infos(self, class: &str) -> ConfigInfos {
        let error_count = self.entries.iter().map(|entry| entry.errors.len()).sum();
        let (defined, undefined): (Vec<_>, Vec<_>) =
            self.entries.into_iter().partition(|entry| entry.definition.is_some());
        ConfigInfos {
            name: class.to_owned(),
            error_count,
            groups: self.groups,
            configs: undefined
                .into_iter()
                .chain(defined)
                .map(|entry| entry.into_info(""))
                .collect(),
        }
    }
}

/// The values of a definition that are validated on their own, below a prefix: a converter's or a client's.
pub(super) fn prefixed(entries: Vec<Entry>, prefix: &str) -> ConfigInfos {
    let mut infos = ConfigInfos {
        error_count: entries.iter().filter(|entry| !entry.errors.is_empty()).count(),
        ..ConfigInfos::default()
    };
    for entry in entries {
        let info = entry.into_info(prefix);
        let group = info.definition.as_ref().and_then(|definition| definition.group.clone());
        if let Some(group) = group.filter(|group| !infos.groups.contains(group)) {
            infos.groups.push(group);
        }
        infos.configs.push(info);
    }
    infos
}
