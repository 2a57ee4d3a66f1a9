//! A module: one component, what it says of itself, and its compiled code once somebody needs it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{CallError, Error};
use crate::inspect::{self, Found, Interface};
use crate::sandbox::Shared;
use caisson_api::manifest::{FORMAT, Grants, Manifest, ModuleInfo, Plugin, PluginKind};
use caisson_model::Digest;

mod probe;
mod ready;
pub(crate) use ready::Ready;

/// A module that was found acceptable as far as can be told without compiling it. Its code is compiled, or taken from
/// the cache, by the first instance or by [`Module::prepare`].
pub struct Module {
    pub digest: Digest,
    /// For people: a file name, or the name it was uploaded under.
    pub name: String,
    pub manifest: Manifest,
    /// The interfaces that the component exports.
    pub interfaces: BTreeSet<Interface>,
    shared: Arc<Shared>,
    /// The component's bytes until they are compiled; nobody needs them after that.
    bytes: Mutex<Option<Arc<[u8]>>>,
    /// Held while the code is being compiled, so that it happens once.
    ready: tokio::sync::OnceCell<Arc<Ready>>,
    /// The text of its section, if it has one, until it was compared with what the component says.
    section: Option<String>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Module {
    /// Reads what `bytes` say. Without a manifest section the component is compiled now, to ask it.
    pub(crate) async fn load(
        shared: Arc<Shared>,
        name: String,
        digest: Digest,
        bytes: Arc<[u8]>,
    ) -> Result<Self, Error> {
        let Found {
            interfaces,
            imports,
            manifest,
        } = inspect::inspect(&name, &bytes)?;
        shared.check_imports(&name, &imports)?;
        let section = manifest.map(|bytes| text(&name, bytes)).transpose()?;
        let mut module = Module {
            digest,
            name,
            manifest: Manifest {
                format: FORMAT,
                module: ModuleInfo::default(),
                plugins: Vec::new(),
            },
            interfaces,
            shared,
            bytes: Mutex::new(Some(bytes)),
            ready: tokio::sync::OnceCell::new(),
            section,
        };
        module.manifest = match &module.section {
            Some(section) => parse(&module.name, section)?,
            None => parse(&module.name, &module.compiled().await?.described(&module).await?)?,
        };
        module.check_manifest()?;
        Ok(module)
    }

    /// Compiles the module if nobody has, links it, and compares its section with what it describes.
    ///
    /// An upload calls this at once, so that its errors reach the uploader; otherwise the first instance does.
    pub async fn prepare(&self) -> Result<(), Error> {
        self.ready().await.map(drop)
    }

    /// The plugin of this class or alias.
    pub fn plugin(&self, class: &str) -> Option<&Plugin> {
        self.manifest.plugin(class)
    }

    /// The plugin of this class, if it is of this kind.
    pub(crate) fn plugin_of(&self, class: &str, kind: &[PluginKind]) -> Result<&Plugin, CallError> {
        match self.plugin(class) {
            Some(plugin) if kind.contains(&plugin.kind) => Ok(plugin),
            _ => {
                let offered: Vec<&str> = self
                    .manifest
                    .plugins
                    .iter()
                    .map(|plugin| plugin.class.as_str())
                    .collect();
                Err(CallError::from(Error::NoSuchPlugin {
                    digest: self.digest,
                    class: class.to_owned(),
                    kind: kind
                        .iter()
                        .map(|kind| kind_name(*kind))
                        .collect::<Vec<_>>()
                        .join(" or "),
                    offered: offered.join(", "),
                }))
            }
        }
    }

    /// The text of `describe`, asked of the component itself.
    pub(crate) async fn described(&self) -> Result<String, Error> {
        self.compiled().await?.described(self).await
    }

    /// The module as one that asks for nothing: its instances reach no file, no network and no environment, whatever a
    /// configuration names.
    pub async fn confined(&self) -> Result<Arc<Module>, Error> {
        let ready = self.ready().await?;
        let mut manifest = self.manifest.clone();
        for plugin in &mut manifest.plugins {
            plugin.grants = Grants::default();
        }
        Ok(Arc::new(Module {
            digest: self.digest,
            name: self.name.clone(),
            manifest,
            interfaces: self.interfaces.clone(),
            shared: self.shared.clone(),
            bytes: Mutex::new(None),
            ready: tokio::sync::OnceCell::new_with(Some(ready)),
            section: self.section.clone(),
        }))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) async fn ready(&self) -> Result<Arc<Ready>, Error> {
        let ready = self.compiled().await?;
        let described = ready.described(self).await?;
        if self
            .section
            .as_ref()
            .is_some_and(|section| !same_json(section, &described))
        {
            return Err(Error::ManifestDiffers {
                name: self.name.clone(),
            });
        }
        Ok(ready)
    }

    async fn compiled(&self) -> Result<Arc<Ready>, Error> {
        let compile = async || {
            let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(bytes) = bytes else {
                return Err(Error::Engine(format!("the bytes of module {} are gone", self.name)));
            };
            let component = self
                .shared
                .compiler
                .component(&self.shared.engine, &self.name, self.digest, &bytes)
                .await?;
            let ready = Ready::link(&self.shared, &self.name, &component, &self.interfaces)?;
            *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) = None;
            Ok(Arc::new(ready))
        };
        self.ready.get_or_try_init(compile).await.cloned()
    }

    /// There has to be a plugin, and the component has to export what each of them is.
    fn check_manifest(&self) -> Result<(), Error> {
        let wrong = |detail: String| Error::Manifest {
            name: self.name.clone(),
            detail,
        };
        if self.manifest.plugins.is_empty() {
            return Err(wrong("it offers no plugin".into()));
        }
        for plugin in &self.manifest.plugins {
            if plugin.class.trim().is_empty() || plugin.class.len() > 500 || plugin.class.chars().any(char::is_control)
            {
                return Err(wrong(format!("{:?} is no class name", plugin.class)));
            }
            for interface in required(plugin.kind) {
                if !self.interfaces.contains(interface) {
                    return Err(Error::MissingRole {
                        name: self.name.clone(),
                        class: plugin.class.clone(),
                        kind: kind_name(plugin.kind).into(),
                        interface: format!("caisson:connect/{}", interface.name()),
                    });
                }
            }
        }
        Ok(())
    }
}

fn required(kind: PluginKind) -> &'static [Interface] {
    match kind {
        PluginKind::Source => &[Interface::SourceConnector, Interface::SourceTask],
        PluginKind::Sink => &[Interface::SinkConnector, Interface::SinkTask],
        PluginKind::Transform => &[Interface::Transform],
        PluginKind::Predicate => &[Interface::Predicate],
        PluginKind::Converter | PluginKind::HeaderConverter => &[Interface::Converter],
    }
}

fn kind_name(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Source => "source",
        PluginKind::Sink => "sink",
        PluginKind::Transform => "transform",
        PluginKind::Predicate => "predicate",
        PluginKind::Converter => "converter",
        PluginKind::HeaderConverter => "header-converter",
    }
}

/// Bytes of a manifest that are read.
const MAX_MANIFEST: usize = 4 << 20;

fn text(name: &str, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|error| Error::Manifest {
        name: name.into(),
        detail: format!("it is not UTF-8: {error}"),
    })
}

fn parse(name: &str, text: &str) -> Result<Manifest, Error> {
    let wrong = |detail: String| Error::Manifest {
        name: name.into(),
        detail,
    };
    if text.len() > MAX_MANIFEST {
        return Err(wrong(format!("{} bytes are more than {MAX_MANIFEST}", text.len())));
    }
    Manifest::from_json(text).map_err(|error| wrong(error.to_string()))
}

/// Whether two texts are the same JSON value, whatever their spaces.
fn same_json(one: &str, other: &str) -> bool {
    one == other
        || match (
            serde_json::from_str::<serde_json::Value>(one),
            serde_json::from_str::<serde_json::Value>(other),
        ) {
            (Ok(one), Ok(other)) => one == other,
            (Err(_), _) | (_, Err(_)) => false,
        }
}
