//! Uploaded modules, and which of them serves which class.
//!
//! [`Modules`] is all that the REST face may ask for. [`Desk`] decides, with a store that remembers and a worker that
//! performs ([`ModuleWorker`]): a module counts once it is stored, a class changes its module only because somebody
//! said so, and a change that goes wrong is taken back.

mod desk;
mod grants;
mod worker;

use std::path::PathBuf;

use caisson_api::manifest::Manifest;
use caisson_model::Digest;
use caisson_store::{Binding, BoxFuture, Canary, Published, Spooled, Upload};

use crate::Error;
pub use desk::{Desk, DeskOptions, DeskParts};
pub use grants::wider;
pub use worker::{
    Examined, Ingredient, ModuleWorker, Scope, Server, SwapOrder, Swaps, Trial, TrialTerms, WorkerModule,
};

/// Where a module came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    PluginPath,
    Upload,
}

/// A module that this worker has.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleInfo {
    pub digest: Digest,
    pub name: String,
    pub origin: Origin,
    pub manifest: Manifest,
    /// In bytes; none for what lies in `plugin.path`.
    pub size: Option<u64>,
    /// In milliseconds since 1970.
    pub uploaded: Option<u64>,
    /// The classes that it serves by decision.
    pub serves: Vec<String>,
    /// Connectors and tasks that run with it, on any worker.
    pub used_by: Vec<String>,
}

/// How sure a binding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingState {
    Settled,
    /// What runs with it may still go back by itself.
    Probation,
}

/// Which module serves a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingInfo {
    pub class: String,
    pub current: Binding,
    pub previous: Option<Binding>,
    pub state: BindingState,
    /// What one task of all workers tries, or has tried in vain.
    pub canary: Option<Canary>,
}

/// What a change of a binding did to what runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    pub binding: BindingInfo,
    /// Connectors and tasks that go on with the new module.
    pub swapped: Vec<String>,
    /// Those that take it when they are started the next time.
    pub waiting: Vec<String>,
}

/// Whether a module may have what the one before it had not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Given,
    Withheld,
}

/// A change that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindRequest {
    /// None: what the worker has besides uploads.
    pub module: Option<Digest>,
    pub consent: Consent,
    /// Who asks.
    pub by: String,
}

/// Whether an upload is to serve its classes at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddRequest {
    pub activate: bool,
    pub consent: Consent,
    pub by: String,
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    pub module: ModuleInfo,
    pub published: Published,
    /// Classes that it serves from now on.
    pub activated: Vec<Bound>,
}

/// All that may be asked about modules. As with [`crate::Herder`], an operation that is dropped leaves everything
/// consistent, and what it began goes on without it.
pub trait Modules: Send + Sync {
    fn list(&self) -> Vec<ModuleInfo>;
    fn module(&self, digest: Digest) -> Result<ModuleInfo, Error>;
    /// The file with the bytes of an uploaded module.
    fn file(&self, digest: Digest) -> Result<PathBuf, Error>;
    /// Makes room for an upload; its size is limited.
    fn begin(&self) -> BoxFuture<'_, Result<Upload, Error>>;
    /// Looks at what was uploaded, compiles it, and keeps it.
    fn add(&self, upload: Spooled, request: AddRequest) -> BoxFuture<'_, Result<Added, Error>>;
    /// Refused while something runs with it.
    fn remove(&self, digest: Digest, by: String) -> BoxFuture<'_, Result<(), Error>>;

    /// By class.
    fn bindings(&self) -> Vec<BindingInfo>;
    fn binding(&self, class: &str) -> Result<BindingInfo, Error>;
    /// Oldest first.
    fn history(&self, class: &str) -> Result<Vec<Binding>, Error>;
    fn bind(&self, class: String, request: BindRequest) -> BoxFuture<'_, Result<Bound, Error>>;
    /// Has one task take the module, on whichever worker it runs. The others follow, by a decision as of [`Self::bind`], when its
    /// probation has ended well; if it does not, that task goes back.
    fn try_out(&self, class: String, request: BindRequest) -> BoxFuture<'_, Result<Bound, Error>>;
    /// Takes notice of what other workers have changed until now. Whether there was anything.
    fn catch_up(&self) -> BoxFuture<'_, Result<bool, Error>>;

    /// Goes back to what served the class before; while one task tries something, only it does.
    fn roll_back(&self, class: String, by: String) -> BoxFuture<'_, Result<Bound, Error>>;
}
