//! The plugins that this worker knows, found by the names that configurations use: full class name, simple name, or
//! simple name without the suffix of its kind (`FileStreamSource` for `...FileStreamSourceConnector`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use caisson_api::manifest::{Plugin, PluginKind};
use caisson_sandbox::{Module, Sandbox};

/// One plugin of a loaded module.
#[derive(Clone)]
pub struct Installed {
    pub module: Arc<Module>,
    /// Its place in the module's manifest.
    index: usize,
}

impl Installed {
    pub fn plugin(&self) -> &Plugin {
        &self.module.manifest.plugins[self.index]
    }
}

/// All plugins of all modules.
#[derive(Clone, Default)]
pub struct Plugins {
    installed: Vec<Installed>,
}

/// Why a name gives no plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lookup {
    #[error("failed to find any {kind} plugin whose class is, or whose alias matches, {name}; {available}")]
    NotFound { kind: &'static str, name: String, available: String },
    #[error("more than one {kind} plugin matches alias {name}: {classes}; use the full class name instead")]
    Ambiguous { kind: &'static str, name: String, classes: String },
}

impl Plugins {
    /// Loads every `*.wasm` of these directories and of the directories in them, as Kafka Connect's `plugin.path`
    /// has a directory per plugin. What cannot be loaded is logged by name and left out.
    pub async fn load(sandbox: &Sandbox, directories: &[PathBuf]) -> Plugins {
        let mut plugins = Plugins::default();
        for directory in directories {
            let files = component_files(directory);
            if files.is_empty() {
                tracing::warn!(directory = %directory.display(), "no .wasm module in this directory of plugin.path");
            }
            for file in files {
                match sandbox.load_file(&file).await {
                    Ok(module) => plugins.add(module),
                    Err(error) => {
                        tracing::error!(file = %file.display(), %error, "module left out: it cannot be loaded");
                    }
                }
            }
        }
        plugins
    }

    /// Adds a module; one that is there already changes nothing.
    pub fn add(&mut self, module: Arc<Module>) {
        if self.installed.iter().any(|known| known.module.digest == module.digest) {
            return;
        }
        for index in 0..module.manifest.plugins.len() {
            self.installed.push(Installed { module: module.clone(), index });
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Installed> {
        self.installed.iter()
    }

    /// The newest plugin of one of these kinds that has this name.
    pub fn find(&self, kinds: &[PluginKind], name: &str) -> Result<&Installed, Lookup> {
        let of_kind = || self.installed.iter().filter(|installed| kinds.contains(&installed.plugin().kind));
        let mut matching: Vec<&Installed> =
            of_kind().filter(|installed| installed.plugin().class == name).collect();
        if matching.is_empty() {
            matching = of_kind().filter(|installed| answers_to(installed.plugin(), name)).collect();
        }
        let Some(first) = matching.first() else {
            let available: Vec<_> = of_kind().map(|installed| installed.plugin().class.as_str()).collect();
            let available = match available.as_slice() {
                [] => "none is installed: is plugin.path right?".to_owned(),
                some => format!("available are: {}", some.join(", ")),
            };
            return Err(Lookup::NotFound { kind: kind_name(kinds), name: name.to_owned(), available });
        };
        if matching.iter().any(|other| other.plugin().class != first.plugin().class) {
            let classes: Vec<_> = matching.iter().map(|other| other.plugin().class.as_str()).collect();
            return Err(Lookup::Ambiguous {
                kind: kind_name(kinds),
                name: name.to_owned(),
                classes: classes.join(", "),
            });
        }
        Ok(matching.iter().fold(first, |newest, other| {
            if version_key(&other.plugin().version) > version_key(&newest.plugin().version) { other } else { newest }
        }))
    }
}

/// Numbers compare as numbers; what is no number counts as older than any.
fn version_key(version: &str) -> Vec<(bool, u64, String)> {
    version
        .split(['.', '-', '+'])
        .map(|part| match part.parse() {
            Ok(number) => (true, number, String::new()),
            Err(_) => (false, 0, part.to_owned()),
        })
        .collect()
}

fn answers_to(plugin: &Plugin, name: &str) -> bool {
    let matches = |class: &str| {
        let simple = class.rsplit('.').next().unwrap_or(class);
        class == name || simple == name || simple.strip_suffix(suffix(plugin.kind)) == Some(name)
    };
    matches(&plugin.class) || plugin.aliases.iter().any(|alias| matches(alias))
}

/// What Kafka Connect leaves out of a class name to make its alias.
fn suffix(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Source | PluginKind::Sink => "Connector",
        PluginKind::Transform => "Transformation",
        PluginKind::Predicate => "Predicate",
        PluginKind::Converter => "Converter",
        PluginKind::HeaderConverter => "HeaderConverter",
    }
}

fn kind_name(kinds: &[PluginKind]) -> &'static str {
    match kinds {
        [PluginKind::Transform] => "transform",
        [PluginKind::Predicate] => "predicate",
        [PluginKind::Converter] => "converter",
        [PluginKind::HeaderConverter] => "header converter",
        _ => "connector",
    }
}

fn component_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in entries(directory) {
        if path.is_dir() {
            files.extend(entries(&path).into_iter().filter(|inner| is_component(inner)));
        } else if is_component(&path) {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    match std::fs::read_dir(directory) {
        Ok(entries) => entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect(),
        Err(error) => {
            tracing::warn!(directory = %directory.display(), %error, "cannot read this directory of plugin.path");
            Vec::new()
        }
    }
}

fn is_component(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm") && path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(version_key("1.10.0") > version_key("1.9.3"));
        assert!(version_key("4.3.1") > version_key("4.3"));
        assert!(version_key("1.0.0") > version_key("1.rc.0"));
    }
}
