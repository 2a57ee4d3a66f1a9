//! What the desk needs of the worker below it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use caisson_api::manifest::{Manifest, Plugin, PluginKind};
use caisson_model::{Digest, Failure};
use caisson_store::{BoxFuture, Config};
use tokio::sync::oneshot;

use super::Origin;

/// A module as the worker has it.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerModule {
    pub digest: Digest,
    pub name: String,
    pub origin: Origin,
    pub manifest: Manifest,
}

/// A module that was read and compiled, and that nothing can name yet.
pub struct Examined {
    pub digest: Digest,
    pub name: String,
    pub manifest: Manifest,
    /// Takes it among the plugins.
    pub install: Box<dyn FnOnce() + Send>,
}

/// What would be taken if a configuration named a class and no version.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    pub kind: PluginKind,
    /// None: it is built in.
    pub module: Option<Digest>,
    /// What the module says of it.
    pub plugin: Option<Plugin>,
}

/// How long a plugin that replaced another one is on probation: until so many records have passed, or so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrialTerms {
    pub records: u64,
    pub time: Duration,
}

/// What of a class is to be swapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that runs is brought in line with the bindings.
    All,
    /// This task is.
    Task(String),
    /// This task takes this module, whatever the bindings say. Nothing happens where it does not run.
    Canary { task: String, module: Digest },
}

/// What is to be swapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapOrder {
    pub class: String,
    pub scope: Scope,
    /// None: whoever is replaced does not come back by itself.
    pub trial: Option<TrialTerms>,
    /// Shown in statuses, if nobody asked for it.
    pub reason: Option<Failure>,
}

/// A task that goes on with another module, on probation.
pub struct Trial {
    /// `name-0`.
    pub task: String,
    /// The failure for which the task has gone back. Dropped: the task has ended, or was swapped again.
    pub verdict: oneshot::Receiver<Result<(), Failure>>,
}

/// What was swapped.
#[derive(Default)]
pub struct Swaps {
    pub swapped: Vec<String>,
    pub waiting: Vec<String>,
    pub trials: Vec<Trial>,
}

/// A module that a connector of some configuration is made of, wherever it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingredient {
    pub class: String,
    pub module: Digest,
    /// The connector itself is made of it too, not its tasks alone.
    pub connector: bool,
}

/// The worker, as far as modules go.
pub trait ModuleWorker: Send + Sync {
    /// Reads a component and compiles it. The error is for who uploaded it.
    fn examine<'a>(&'a self, name: Option<&'a str>, file: &'a Path) -> BoxFuture<'a, Result<Examined, String>>;

    fn forget(&self, digest: Digest);

    fn modules(&self) -> Vec<WorkerModule>;

    /// Connectors and tasks that run here with a module, or would if they had not failed.
    fn users(&self, digest: Digest) -> Vec<String>;

    /// Whether a task, by its name, was started here and has not ended.
    fn runs(&self, task: &str) -> bool;

    /// Tasks that run here with something else for a class, and would take the module if it served the class.
    fn takers(&self, class: &str, module: Digest) -> Vec<String>;

    /// The modules that a connector of this configuration is made of; of the one class as if this module served it.
    fn made_of(&self, connector: &Config, tried: Option<(&str, Digest)>) -> Result<Vec<Ingredient>, Failure>;

    fn server(&self, class: &str) -> Option<Server>;

    /// Decides for classes that are started from now on.
    fn bind(&self, bound: BTreeMap<String, Digest>);

    /// Brings what runs of a class in line with the bindings, as far as the order goes. Everything new is started before anything old ends; a
    /// failure says what could not be started, and may leave some swapped: another order brings them back.
    fn swap(&self, order: SwapOrder) -> BoxFuture<'_, Result<Swaps, Failure>>;
}
