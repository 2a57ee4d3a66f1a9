//! The plugins that this worker knows: those of its modules, and the converters, transforms and predicates that are
//! built in.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use caisson_api::KAFKA_CONNECT;
use caisson_api::manifest::{Plugin, PluginKind};
use caisson_config::connector::Runtime;
use caisson_config::plugins::{Catalogue, Missing, Plugins as _};
use caisson_config::{PluginInfo, Role};
use caisson_model::Digest;
use caisson_sandbox::{Module, Sandbox};
use caisson_transforms::{NativePredicate, NativeTransform};

/// Where a module came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleOrigin {
    /// A file of `plugin.path`, or beside the program.
    PluginPath,
    Upload,
}

/// A module that this worker has, whether anything of it runs or not.
#[derive(Clone)]
pub struct LoadedModule {
    pub module: Arc<Module>,
    pub origin: ModuleOrigin,
}

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
    /// In the order in which they were found.
    loaded: Vec<LoadedModule>,
    /// The module that serves a class by decision; without one, uploads serve only what nobody else has.
    bound: BTreeMap<String, Digest>,
    catalogue: Catalogue,
    /// Those of modules alone.
    modules: Catalogue,
    /// By kind, class and version; several modules may have the same.
    installed: HashMap<(PluginKind, String, String), Vec<Installed>>,
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
                        plugins.insert(module, ModuleOrigin::PluginPath);
                    }
                    Err(error) => {
                        tracing::error!(file = %file.display(), %error, "module left out: it cannot be loaded");
                    }
                }
            }
        }
        plugins.index();
        plugins
    }

    /// Adds a module that was uploaded.
    pub fn add(&mut self, module: Arc<Module>) {
        self.insert(module, ModuleOrigin::Upload);
        self.index();
    }

    /// Forgets a module that was uploaded.
    pub fn remove(&mut self, digest: Digest) {
        self.loaded
            .retain(|loaded| loaded.module.digest != digest || loaded.origin == ModuleOrigin::PluginPath);
        self.index();
    }

    /// Decides which modules serve which classes; of all others the newest version does.
    pub fn bind(&mut self, bound: BTreeMap<String, Digest>) {
        self.bound = bound;
        self.index();
    }

    /// The same with another module for a class.
    pub fn with_bound(&self, class: &str, digest: Digest) -> Plugins {
        let mut plugins = self.clone();
        plugins.bound.insert(class.to_owned(), digest);
        plugins.index();
        plugins
    }

    /// All modules.
    pub fn loaded(&self) -> &[LoadedModule] {
        &self.loaded
    }

    fn insert(&mut self, module: Arc<Module>, origin: ModuleOrigin) {
        if !self.loaded.iter().any(|known| known.module.digest == module.digest) {
            self.loaded.push(LoadedModule { module, origin });
        }
    }

    fn is_bound(&self, plugin: &Plugin, module: &Module) -> bool {
        self.bound.get(&plugin.class) == Some(&module.digest)
    }

    /// Makes the tables anew: there are few modules, and they change seldom. Of two plugins with the same class and version
    /// the keys of the first one count, so those that are bound come first, and what was uploaded last.
    fn index(&mut self) {
        let mut tables = Tables::default();
        for pass in [Pass::Bound, Pass::Found, Pass::Uploaded] {
            if pass == Pass::Found {
                for built_in in caisson_config::builtin::plugins(KAFKA_CONNECT) {
                    tables.catalogue.add(built_in, Vec::new());
                }
            }
            for loaded in &self.loaded {
                for (index, plugin) in loaded.module.manifest.plugins.iter().enumerate() {
                    let bound = self.is_bound(plugin, &loaded.module);
                    if Pass::of(bound, loaded.origin) == pass {
                        tables.add(loaded, index, plugin, bound);
                    }
                }
            }
            if pass == Pass::Found {
                tables.prefer_what_is_found();
            }
        }
        self.catalogue = tables.catalogue;
        self.modules = tables.modules;
        self.installed = tables.installed;
    }

    /// What validation looks plugins up in.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Everything that can stand in a role.
    pub fn of_role(&self, role: Role) -> Vec<PluginInfo> {
        self.catalogue.iter(role).cloned().collect()
    }

    /// The plugin of a name that satisfies a version requirement: the bound one, or else the newest.
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
        match self.installed.get(&key).and_then(|all| all.first()) {
            Some(installed) => Ok(installed.clone()),
            None => Err(Lookup::BuiltIn {
                interface,
                class: key.1,
            }),
        }
    }

    /// The component that a configuration gets which names a class and no version; none for what is built in.
    pub fn serving(&self, role: Role, class: &str) -> Option<Installed> {
        let runtime = Runtime::Native;
        match role {
            Role::Transform => match self.transform(class, None, runtime).ok()? {
                Link::Module(installed) => Some(installed),
                Link::Native(_) => None,
            },
            Role::Predicate => match self.predicate(class, None, runtime).ok()? {
                Link::Module(installed) => Some(installed),
                Link::Native(_) => None,
            },
            Role::Connector | Role::Converter | Role::HeaderConverter => self.installed(role, class, None).ok(),
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
        let installed = self.installed.get(&key).and_then(|all| all.first());
        // What is built in gives way to a component by decision only.
        let decided = installed.is_some_and(|installed| self.is_bound(installed.plugin(), &installed.module));
        let built_in = match runtime {
            Runtime::Native if key.2 == KAFKA_CONNECT && !decided => native(&key.1),
            Runtime::Native | Runtime::Component => None,
        };
        match (built_in, installed) {
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

/// The order in which plugins come into the tables.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Bound,
    Found,
    Uploaded,
}

impl Pass {
    fn of(bound: bool, origin: ModuleOrigin) -> Pass {
        match (bound, origin) {
            (true, _) => Pass::Bound,
            (false, ModuleOrigin::PluginPath) => Pass::Found,
            (false, ModuleOrigin::Upload) => Pass::Uploaded,
        }
    }
}

/// Tables that are being made.
#[derive(Default)]
struct Tables {
    catalogue: Catalogue,
    modules: Catalogue,
    installed: HashMap<(PluginKind, String, String), Vec<Installed>>,
    /// Classes that somebody has decided about.
    decided: HashSet<String>,
}

impl Tables {
    fn add(&mut self, loaded: &LoadedModule, index: usize, plugin: &Plugin, bound: bool) {
        let keys = plugin.keys.iter().cloned().map(Into::into).collect();
        let info = PluginInfo {
            class: plugin.class.clone(),
            kind: plugin.kind,
            version: plugin.version.clone(),
            keys,
        };
        for catalogue in [&mut self.catalogue, &mut self.modules] {
            catalogue.add(info.clone(), plugin.aliases.clone());
            if bound {
                catalogue.prefer(plugin.kind, &plugin.class, &plugin.version);
            }
        }
        if bound {
            self.decided.insert(plugin.class.clone());
        }
        let installed = Installed {
            module: loaded.module.clone(),
            index,
        };
        self.installed
            .entry((plugin.kind, plugin.class.clone(), plugin.version.clone()))
            .or_default()
            .push(installed);
    }

    /// What was not uploaded goes before newer versions that were, unless somebody has decided.
    fn prefer_what_is_found(&mut self) {
        for catalogue in [&mut self.catalogue, &mut self.modules] {
            let newest: Vec<PluginInfo> = Role::ALL
                .into_iter()
                .flat_map(|role| catalogue.classes(role).into_iter().map(move |class| (role, class)))
                .filter(|(_, class)| !self.decided.contains(class))
                .filter_map(|(role, class)| catalogue.versions(role, &class).into_iter().next())
                .collect();
            for plugin in newest {
                catalogue.prefer(plugin.kind, &plugin.class, &plugin.version);
            }
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
