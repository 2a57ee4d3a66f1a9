//! The sandbox of a worker: one engine, one linker, one compiler with its cache, one catalogue.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::{
    PACKAGE, connector_context, exceptions, http, keystores, log, metrics, net, offsets, sink_context,
};
use crate::compiler::Compiler;
use crate::engine;
use crate::error::{CallError, Error};
use crate::figures::{Figures, GuestFigure};
use crate::files;
use crate::grants::network::NetworkCeiling;
use crate::instance::{self, State};
use crate::module::Module;
use crate::network::{self, Trust};
use crate::options::SandboxOptions;
use caisson_model::Digest;

/// What every module and instance of a worker shares.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) compiler: Compiler,
    pub(crate) options: SandboxOptions,
    pub(crate) trust: Arc<Trust>,
    pub(crate) figures: Figures,
}

/// The door to all guest code. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
    catalogue: Arc<Catalogue>,
}

/// One module per digest, as long as somebody uses it.
#[derive(Default)]
struct Catalogue {
    /// The map is held for one look-up; the lock of an entry while its module is loaded, so that the same bytes are
    /// never compiled twice at once.
    entries: Mutex<HashMap<Digest, Arc<Entry>>>,
}

type Entry = tokio::sync::Mutex<Weak<Module>>;

/// Entries from which on the catalogue looks for some that nobody uses.
const MOST_ENTRIES: usize = 1_000;

impl Catalogue {
    fn entry(&self, digest: Digest) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST_ENTRIES {
            // Those of modules that are gone, or that never were any.
            let is_used = |entry: &Arc<Entry>| {
                let loading = Arc::strong_count(entry) > 1;
                loading || entry.try_lock().is_ok_and(|module| module.strong_count() > 0)
            };
            entries.retain(|_, entry| is_used(entry));
        }
        entries.entry(digest).or_default().clone()
    }
}

impl Sandbox {
    /// Starts the engine and its clock, and prepares the cache directory.
    pub fn new(options: SandboxOptions) -> Result<Self, Error> {
        let engine = engine::worker_engine(options.instances)?;
        engine::start_ticking(&engine)?;
        let linker = linker(&engine).map_err(|error| Error::Engine(format!("{error:#}")))?;
        let compiler = Compiler::new(&engine, &options)?;
        let trust = Arc::new(Trust::new(options.trusted.clone()));
        let shared = Arc::new(Shared {
            engine,
            linker,
            compiler,
            options,
            trust,
            figures: Figures::default(),
        });
        Ok(Sandbox {
            shared,
            catalogue: Arc::default(),
        })
    }

    /// What all guests that there are count and measure.
    pub fn figures(&self) -> Vec<GuestFigure> {
        self.shared.figures.all()
    }

    /// Takes a component's bytes. `name` is for people: the name of a file or an upload.
    pub async fn load(&self, name: &str, bytes: Vec<u8>) -> Result<Arc<Module>, Error> {
        let limit = self.shared.options.module_bytes;
        if bytes.len() as u64 > limit {
            return Err(Error::TooLarge {
                name: name.into(),
                size: bytes.len() as u64,
                limit,
            });
        }
        let digest = Digest::of(&bytes);
        let entry = self.catalogue.entry(digest);
        let mut held = entry.lock().await;
        if let Some(module) = held.upgrade() {
            return Ok(module);
        }
        let module = Arc::new(Module::load(self.shared.clone(), name.into(), digest, bytes.into()).await?);
        *held = Arc::downgrade(&module);
        Ok(module)
    }

    /// Takes a component from a file.
    pub async fn load_file(&self, path: &Path) -> Result<Arc<Module>, Error> {
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        let read = |source| Error::Read {
            name: name.clone(),
            path: path.to_owned(),
            source,
        };
        let size = tokio::fs::metadata(path).await.map_err(read)?.len();
        if size > self.shared.options.module_bytes {
            return Err(Error::TooLarge {
                name,
                size,
                limit: self.shared.options.module_bytes,
            });
        }
        let bytes = tokio::fs::read(path).await.map_err(read)?;
        self.load(&name, bytes).await
    }

    /// What the operator lets connections reach that the worker makes because a configuration names where to.
    pub fn network_ceiling(&self) -> Result<NetworkCeiling, CallError> {
        NetworkCeiling::new(&self.shared.options.policy)
    }

    pub fn options(&self) -> &SandboxOptions {
        &self.shared.options
    }

    /// How many components this process had compiled; what came from the cache is not counted.
    pub fn compilations(&self) -> u64 {
        self.shared.compiler.compilations()
    }
}

impl Shared {
    /// Names an import that the worker does not offer, in words that an author understands.
    pub(crate) fn check_imports(&self, module: &str, imports: &[String]) -> Result<(), Error> {
        let offered: BTreeSet<&str> = [
            "types",
            "log",
            "metrics",
            "exceptions",
            "net",
            "http",
            "keystores",
            "connector-context",
            "offsets",
            "sink-context",
        ]
        .into();
        for import in imports {
            let known = match import.split_once('/') {
                Some((PACKAGE, interface)) => {
                    offered.contains(interface.split_once('@').map_or(interface, |(interface, _)| interface))
                }
                Some((package, _)) => {
                    [
                        "wasi:cli",
                        "wasi:clocks",
                        "wasi:filesystem",
                        "wasi:http",
                        "wasi:io",
                        "wasi:random",
                        "wasi:sockets",
                    ]
                    .contains(&package)
                        && import
                            .split_once('@')
                            .is_none_or(|(_, version)| version.starts_with("0.2."))
                }
                None => false,
            };
            if !known {
                return Err(Error::UnknownImport {
                    name: module.into(),
                    import: import.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Everything that a component may import. What an instance may do with it lies in its state.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    // The filesystem of WASI knows directories; ours knows single files.
    linker.allow_shadowing(true);
    files::add_to_linker(&mut linker)?;
    instance::clock::add_to_linker(&mut linker)?;
    // The look-up of WASI knows all names; ours those that are granted.
    network::add_to_linker(&mut linker)?;
    linker.allow_shadowing(false);
    network::http::add_to_linker(&mut linker)?;
    log::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    metrics::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    exceptions::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    net::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    http::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    keystores::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    connector_context::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    offsets::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    sink_context::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}
