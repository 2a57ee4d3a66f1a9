//! A list of plugins, found by class or alias.

use caisson_api::manifest::PluginKind;

use super::{PluginInfo, Plugins, Role};
use crate::version::Version;

/// Plugins and their other names.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    plugins: Vec<(PluginInfo, Vec<String>)>,
    /// Kind, class and version of those that come before newer ones.
    preferred: Vec<(PluginKind, String, String)>,
}

impl Catalogue {
    /// Adds a plugin; `aliases` are names besides those that follow from its class. One that is there already in that
    /// version stays.
    pub fn add(&mut self, plugin: PluginInfo, aliases: Vec<String>) {
        let same = |known: &PluginInfo| {
            known.class == plugin.class && known.kind == plugin.kind && known.version == plugin.version
        };
        if !self.plugins.iter().any(|(known, _)| same(known)) {
            self.plugins.push((plugin, aliases));
        }
    }

    /// Puts one version of a class before all others, newer ones too.
    pub fn prefer(&mut self, kind: PluginKind, class: &str, version: &str) {
        self.preferred
            .retain(|(known, name, _)| (*known, name.as_str()) != (kind, class));
        self.preferred.push((kind, class.to_owned(), version.to_owned()));
    }

    fn is_preferred(&self, plugin: &PluginInfo) -> bool {
        self.preferred
            .iter()
            .any(|(kind, class, version)| (*kind, class, version) == (plugin.kind, &plugin.class, &plugin.version))
    }

    /// All plugins that can stand in a role, as they were added.
    pub fn iter(&self, role: Role) -> impl Iterator<Item = &PluginInfo> {
        self.entries(role).map(|(plugin, _)| plugin)
    }

    fn entries(&self, role: Role) -> impl Iterator<Item = &(PluginInfo, Vec<String>)> {
        self.plugins
            .iter()
            .filter(move |(plugin, _)| role.kinds().contains(&plugin.kind))
    }

    /// The class that a name means: a class itself, or the only one that has the alias.
    fn class(&self, role: Role, name: &str) -> Option<&str> {
        if let Some((plugin, _)) = self.entries(role).find(|(plugin, _)| plugin.class == name) {
            return Some(&plugin.class);
        }
        let mut classes = self
            .entries(role)
            .filter(|(plugin, aliases)| {
                is_alias(role, &plugin.class, name)
                    || aliases.iter().any(|alias| alias == name || is_alias(role, alias, name))
            })
            .map(|(plugin, _)| plugin.class.as_str());
        let first = classes.next()?;
        classes.all(|class| class == first).then_some(first)
    }
}

/// The simple name, or the simple name without the suffix of its kind.
fn is_alias(role: Role, class: &str, name: &str) -> bool {
    // Of what stands inside of another class it is the inner name, which mostly several have.
    let simple = class.rsplit(['.', '$']).next().unwrap_or(class);
    // What converts headers is mostly called a converter.
    let suffixes = match role {
        Role::HeaderConverter => ["HeaderConverter", "Converter"],
        Role::Connector | Role::Transform | Role::Predicate | Role::Converter => [role.interface(); 2],
    };
    simple == name || suffixes.iter().any(|suffix| simple.strip_suffix(suffix) == Some(name))
}

impl Plugins for Catalogue {
    fn versions(&self, role: Role, name: &str) -> Vec<PluginInfo> {
        let Some(class) = self.class(role, name) else {
            return Vec::new();
        };
        let mut versions: Vec<PluginInfo> = self
            .iter(role)
            .filter(|plugin| plugin.class == class)
            .cloned()
            .collect();
        versions.sort_by_cached_key(|plugin| {
            std::cmp::Reverse((self.is_preferred(plugin), Version::parse(&plugin.version)))
        });
        versions
    }

    fn classes(&self, role: Role) -> Vec<String> {
        let mut classes: Vec<String> = self.iter(role).map(|plugin| plugin.class.clone()).collect();
        classes.sort();
        classes.dedup();
        classes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;

    fn catalogue() -> Catalogue {
        let mut catalogue = Catalogue::default();
        for version in ["1.9", "1.10"] {
            for plugin in builtin::plugins(version) {
                catalogue.add(plugin, Vec::new());
            }
        }
        catalogue
    }

    #[test]
    fn classes_and_aliases_are_found() {
        let catalogue = catalogue();
        for (role, name, class) in [
            (Role::Converter, "Json", "org.apache.kafka.connect.json.JsonConverter"),
            (
                Role::HeaderConverter,
                "Simple",
                "org.apache.kafka.connect.storage.SimpleHeaderConverter",
            ),
            (Role::Transform, "Filter", "org.apache.kafka.connect.transforms.Filter"),
            (
                Role::Transform,
                "org.apache.kafka.connect.transforms.Cast$Key",
                "org.apache.kafka.connect.transforms.Cast$Key",
            ),
        ] {
            let versions = catalogue.versions(role, name);
            assert_eq!(
                (versions[0].class.as_str(), versions[0].version.as_str()),
                (class, "1.10")
            );
            assert_eq!(versions.len(), 2);
        }
        for (role, name) in [
            (Role::Transform, "Cast"),
            (Role::Converter, "Filter"),
            (Role::Converter, ""),
        ] {
            assert!(catalogue.versions(role, name).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_preferred_version_comes_before_newer_ones() {
        let mut catalogue = catalogue();
        let class = "org.apache.kafka.connect.transforms.Filter";
        let first = |catalogue: &Catalogue| catalogue.versions(Role::Transform, "Filter")[0].version.clone();
        catalogue.prefer(PluginKind::Transform, class, "1.9");
        assert_eq!(first(&catalogue), "1.9");
        catalogue.prefer(PluginKind::Transform, class, "1.10");
        assert_eq!(first(&catalogue), "1.10");
    }

    #[test]
    fn an_alias_of_two_classes_means_none() {
        let mut catalogue = catalogue();
        let mut other = builtin::plugins("1").remove(0);
        other.class = "com.example.Filter".to_owned();
        catalogue.add(other, Vec::new());
        assert!(catalogue.versions(Role::Transform, "Filter").is_empty());
    }
}
