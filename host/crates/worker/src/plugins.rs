//! The plugins that this worker knows: those of its modules, and the converters, transforms and predicates that are
//! built in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use caisson_api::KAFKA_CONNECT;
use caisson_api::manifest::{Plugin, PluginKind};
use caisson_config::connector::Runtime;
use caisson_config::plugins::{Catalogue, Missing};
use caisson_config::{PluginInfo, Role};
use caisson_sandbox::{Module, Sandbox};
use caisson_transforms::{NativePredicate, NativeTransform};

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

/// What a link of a chain is made of.
#[derive(Clone)]
pub enum Link<N> {
    Native(N),
    Module(Installed),
}

/// All plugins.
#[derive(Clone, Default)]
pub struct Plugins {
    catalogue: Catalogue,
    /// Those of modules alone.
    modules: Catalogue,
    /// By kind, class and version.
    installed: HashMap<(PluginKind, String, String), Installed>,
}

/// Why a name gives no plugin that can run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lookup {
    #[error("{interface} {name}: {missing} Installed are: {available}")]
    Missing {
        interface: &'static str,
        name: String,
        missing: Box<Missing>,
        available: String,
    },
    #[error("{interface} {class} is built into the worker and cannot be run as a component")]
    BuiltIn { interface: &'static str, class: String },
}

impl Plugins {
    /// Loads every `*.wasm` of these directories and of the directories in them, as Kafka Connect's `plugin.path`
    /// has a directory per plugin. What cannot be loaded is logged by name and left out.
    pub async fn load(sandbox: &Sandbox, directories: &[PathBuf]) -> Plugins {
        let mut plugins = Plugins::default();
        for built_in in caisson_config::builtin::plugins(KAFKA_CONNECT) {
            plugins.catalogue.add(built_in, Vec::new());
        }
        for directory in directories {
            let files = component_files(directory);
            if files.is_empty() {
                tracing::warn!(directory = %directory.display(), "no .wasm module in this directory of plugin.path");
            }
            for file in files {
                match sandbox.load_file(&file).await {
                    Ok(module) => {
                        tracing::info!(file = %file.display(), digest = %module.digest,
                            plugins = module.manifest.plugins.len(), "module loaded");
                        plugins.add(module);
                    }
                    Err(error) => {
                        tracing::error!(file = %file.display(), %error, "module left out: it cannot be loaded");
                    }
                }
            }
        }
        plugins
    }

    /// Adds a module's plugins; those that are there in the same version stay.
    pub fn add(&mut self, module: Arc<Module>) {
        for (index, plugin) in module.manifest.plugins.iter().enumerate() {
            let keys = plugin.keys.iter().cloned().map(Into::into).collect();
            let info = PluginInfo {
                class: plugin.class.clone(),
                kind: plugin.kind,
                version: plugin.version.clone(),
                keys,
            };
            self.catalogue.add(info.clone(), plugin.aliases.clone());
            self.modules.add(info, plugin.aliases.clone());
            self.installed
                .entry((plugin.kind, plugin.class.clone(), plugin.version.clone()))
                .or_insert_with(|| Installed {
                    module: module.clone(),
                    index,
                });
        }
    }

    /// What validation looks plugins up in.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Everything that can stand in a role.
    pub fn of_role(&self, role: Role) -> Vec<PluginInfo> {
        self.catalogue.iter(role).cloned().collect()
    }

    /// The newest plugin of a name that satisfies a version requirement.
    pub fn find(&self, role: Role, name: &str, version: Option<&str>) -> Result<PluginInfo, Missing> {
        caisson_config::plugins::find(&self.catalogue, role, name, version)
    }

    /// The module that offers it.
    pub fn installed(&self, role: Role, name: &str, version: Option<&str>) -> Result<Installed, Lookup> {
        let interface = role.interface();
        let info = self
            .find(role, name, version)
            .map_err(|missing| self.missing(role, name, missing))?;
        let key = (info.kind, info.class, info.version);
        match self.installed.get(&key) {
            Some(installed) => Ok(installed.clone()),
            None => Err(Lookup::BuiltIn {
                interface,
                class: key.1,
            }),
        }
    }

    /// The transform that a configuration names.
    pub fn transform(
        &self,
        name: &str,
        version: Option<&str>,
        runtime: Runtime,
    ) -> Result<Link<NativeTransform>, Lookup> {
        let native = |class: &str| {
            let all = caisson_transforms::transforms().iter();
            all.copied().find(|native| native.plugin().class() == class)
        };
        self.link((Role::Transform, name, version), runtime, native)
    }

    /// The predicate that a configuration names.
    pub fn predicate(
        &self,
        name: &str,
        version: Option<&str>,
        runtime: Runtime,
    ) -> Result<Link<NativePredicate>, Lookup> {
        let native = |class: &str| {
            let all = caisson_transforms::predicates().iter();
            all.copied().find(|native| native.plugin().class() == class)
        };
        self.link((Role::Predicate, name, version), runtime, native)
    }

    /// Built-in ones have the version of Kafka Connect: what has another, or is to run as a component, is a module's.
    fn link<N>(
        &self,
        (role, name, version): (Role, &str, Option<&str>),
        runtime: Runtime,
        native: impl Fn(&str) -> Option<N>,
    ) -> Result<Link<N>, Lookup> {
        let catalogue = match runtime {
            Runtime::Native => &self.catalogue,
            Runtime::Component => &self.modules,
        };
        let info = caisson_config::plugins::find(catalogue, role, name, version)
            .map_err(|missing| self.missing(role, name, missing))?;
        let key = (info.kind, info.class, info.version);
        let built_in = match runtime {
            Runtime::Native if key.2 == KAFKA_CONNECT => native(&key.1),
            Runtime::Native | Runtime::Component => None,
        };
        match (built_in, self.installed.get(&key)) {
            (Some(native), _) => Ok(Link::Native(native)),
            (None, Some(installed)) => Ok(Link::Module(installed.clone())),
            (None, None) => Err(Lookup::BuiltIn {
                interface: role.interface(),
                class: key.1,
            }),
        }
    }

    fn missing(&self, role: Role, name: &str, missing: Missing) -> Lookup {
        Lookup::Missing {
            interface: role.interface(),
            name: name.to_owned(),
            missing: Box::new(missing),
            available: self.available(role),
        }
    }

    fn available(&self, role: Role) -> String {
        let mut classes: Vec<_> = self.catalogue.iter(role).map(|plugin| plugin.class.as_str()).collect();
        classes.dedup();
        match classes.as_slice() {
            [] => "none (is plugin.path right?)".to_owned(),
            some => some.join(", "),
        }
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
        Ok(entries) => entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect(),
        Err(error) => {
            tracing::warn!(directory = %directory.display(), %error, "cannot read this directory of plugin.path");
            Vec::new()
        }
    }
}

fn is_component(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm") && path.is_file()
}
