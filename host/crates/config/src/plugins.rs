//! What validation asks of the installed plugins.

mod catalogue;

use std::sync::Arc;

use caisson_api::manifest::PluginKind;

use crate::definition::Definition;
use crate::version::{Requirement, Version};

pub use catalogue::Catalogue;

/// The place in a configuration where a plugin is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Connector,
    Transform,
    Predicate,
    Converter,
    HeaderConverter,
}

impl Role {
    pub const ALL: [Role; 5] = [
        Role::Connector,
        Role::Transform,
        Role::Predicate,
        Role::Converter,
        Role::HeaderConverter,
    ];

    /// What Kafka Connect calls the interface in its messages.
    pub fn interface(self) -> &'static str {
        match self {
            Role::Connector => "Connector",
            Role::Transform => "Transformation",
            Role::Predicate => "Predicate",
            Role::Converter => "Converter",
            Role::HeaderConverter => "HeaderConverter",
        }
    }

    /// Kinds of plugins that can stand there.
    pub fn kinds(self) -> &'static [PluginKind] {
        match self {
            Role::Connector => &[PluginKind::Sink, PluginKind::Source],
            Role::Transform => &[PluginKind::Transform],
            Role::Predicate => &[PluginKind::Predicate],
            Role::Converter => &[PluginKind::Converter],
            Role::HeaderConverter => &[PluginKind::HeaderConverter],
        }
    }
}

/// A plugin, as far as configuration goes.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginInfo {
    /// The full class name, whatever alias was asked for.
    pub class: String,
    pub kind: PluginKind,
    pub version: String,
    /// Its own keys, in order.
    pub keys: Arc<[Definition]>,
}

/// The installed plugins.
pub trait Plugins {
    /// All versions of the plugin that has this class or alias in this role, newest first but for one that is preferred.
    fn versions(&self, role: Role, name: &str) -> Vec<PluginInfo>;

    /// Full names of the classes that can be named in this role, sorted, each once.
    fn classes(&self, role: Role) -> Vec<String>;
}

/// Why a plugin cannot be used; texts are Kafka Connect's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    #[error("Class {0} could not be found.")]
    Class(String),
    #[error("Class class {class} does not implement the {interface} interface")]
    Interface { class: String, interface: &'static str },
    #[error("This class is abstract and cannot be created. Did you mean {}?", .suggestions.join(", "))]
    Abstract { class: String, suggestions: Vec<String> },
    #[error("{0}")]
    Requirement(String),
    #[error("Plugin {class} not found that matches the version range {requirement}, available versions: [{}]", .available.join(", "))]
    Version {
        class: String,
        requirement: String,
        available: Vec<String>,
    },
}

/// The first plugin of a name that satisfies a version requirement: the preferred one, or else the newest.
pub fn find(plugins: &dyn Plugins, role: Role, name: &str, version: Option<&str>) -> Result<PluginInfo, Missing> {
    let mut versions = plugins.versions(role, name);
    let Some(newest) = versions.first() else {
        return Err(missing(plugins, role, name));
    };
    let requirement = match version {
        Some(version) => Requirement::parse(version).map_err(|error| Missing::Requirement(error.to_string()))?,
        None => Requirement::Any,
    };
    let fits = |plugin: &PluginInfo| requirement.allows(&Version::parse(&plugin.version));
    match versions.iter().position(fits) {
        Some(place) => Ok(versions.swap_remove(place)),
        None => Err(Missing::Version {
            class: newest.class.clone(),
            requirement: requirement.to_string(),
            available: available(plugins, role, name, &versions),
        }),
    }
}

/// The versions that there are. Kafka Connect counts a converter of headers and values as two plugins.
fn available(plugins: &dyn Plugins, role: Role, name: &str, versions: &[PluginInfo]) -> Vec<String> {
    let other = match role {
        Role::Converter => plugins.versions(Role::HeaderConverter, name),
        Role::HeaderConverter => plugins.versions(Role::Converter, name),
        Role::Connector | Role::Transform | Role::Predicate => Vec::new(),
    };
    let all = versions.iter().chain(&other);
    all.map(|plugin| plugin.version.clone()).collect()
}

fn missing(plugins: &dyn Plugins, role: Role, name: &str) -> Missing {
    let other = Role::ALL
        .into_iter()
        .find_map(|other| plugins.versions(other, name).into_iter().next());
    if let Some(plugin) = other {
        return Missing::Interface {
            class: plugin.class,
            interface: role.interface(),
        };
    }
    // `InsertField` has `InsertField$Key` and `InsertField$Value` inside, which are the plugins.
    let inside = format!("{name}$");
    let suggestions: Vec<String> = plugins
        .classes(role)
        .into_iter()
        .filter(|class| !name.is_empty() && class.starts_with(&inside))
        .collect();
    if suggestions.is_empty() {
        Missing::Class(name.to_owned())
    } else {
        Missing::Abstract {
            class: name.to_owned(),
            suggestions,
        }
    }
}
