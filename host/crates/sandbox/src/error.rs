//! What can go wrong: with a module ([`Error`]) and with a call into an instance ([`CallError`]).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use caisson_model::{Failure, FailureKind};

use caisson_model::Digest;

/// Why the sandbox could not be set up, or a module is refused. Each text names the object and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("sandbox: the Wasm engine cannot start: {0}")]
    Engine(String),

    #[error("module {name}: cannot read {path}: {source}")]
    Read {
        name: String,
        path: PathBuf,
        source: std::io::Error,
    },

    #[error(
        "module {name}: {size} bytes are more than sandbox.module.max.bytes allows ({limit}); raise it or strip the component"
    )]
    TooLarge { name: String, size: u64, limit: u64 },

    #[error(
        "module {name} is not a WebAssembly component: {found}; build it for wasm32-wasip2, or wrap a core module with `wasm-tools component new`"
    )]
    NotAComponent { name: String, found: String },

    #[error("module {name} is damaged: {detail}; build or upload it again")]
    Malformed { name: String, detail: String },

    #[error(
        "module {name} exports no interface of caisson:connect (it exports {exports}); a plugin is made with the SDK, or by exporting a world of wit/worlds.wit"
    )]
    ExportsNothing { name: String, exports: String },

    #[error(
        "module {name} asks for {interface}, this worker offers caisson:connect@{offered}; upgrade the worker, or build the module with the SDK of that version"
    )]
    NewerContract {
        name: String,
        interface: String,
        offered: String,
    },

    #[error(
        "module {name} imports {import}, which this worker does not offer; remove the dependency, or see wit/worlds.wit for what can be imported"
    )]
    UnknownImport { name: String, import: String },

    #[error("module {name} does not follow the contract: {detail}; regenerate its bindings from wit/")]
    WrongType { name: String, detail: String },

    #[error(
        "module {name} needs {what} at start, sandbox.{limit} allows {allowed}; lower what the component declares or raise the limit"
    )]
    Oversized {
        name: String,
        what: String,
        limit: &'static str,
        allowed: u64,
    },

    #[error(
        "module {name} declares more than an instance can have: {detail}; lower it, or raise sandbox.memory.bytes or sandbox.table.elements"
    )]
    Unfit { name: String, detail: String },

    #[error("module {name}: its manifest is not acceptable: {detail}; correct what `describe` returns")]
    Manifest { name: String, detail: String },

    #[error(
        "module {name}: its manifest offers {class} as {kind}, but the component does not export {interface}; export it, or correct the manifest"
    )]
    MissingRole {
        name: String,
        class: String,
        kind: String,
        interface: String,
    },

    #[error(
        "module {name}: the section caisson:manifest differs from what describe() returns; package the component again"
    )]
    ManifestDiffers { name: String },

    #[error("module {name}: describe() failed: {source}")]
    Describe { name: String, source: CallError },

    #[error("module {name} does not compile: {detail}")]
    Invalid { name: String, detail: String },

    #[error(
        "module {name}: compilation was stopped, {what} (sandbox.compiler.*); make the component smaller, or raise the limit"
    )]
    CompileLimit { name: String, what: String },

    #[error("module {name}: the compiler process failed: {detail}")]
    Compiler { name: String, detail: String },

    #[error("compile cache {path}: {detail}; make it a directory that only the worker can write")]
    Cache { path: PathBuf, detail: String },

    #[error("module {digest} has no plugin {class} of kind {kind}; its manifest offers {offered}")]
    NoSuchPlugin {
        digest: Digest,
        class: String,
        kind: String,
        offered: String,
    },

    #[error("{key}: {detail}")]
    Property { key: String, detail: String },
}

/// Why a call into a guest has no result. The four failures of the architecture, kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The guest returned an error. The instance lives on.
    Guest(caisson_api::Error),
    /// The guest trapped. Its instance is gone.
    Trap {
        message: String,
        /// The Wasm stack, and the last lines that the guest wrote to its standard error.
        backtrace: Option<String>,
    },
    /// A limit stopped the guest, or refused it what it asked for. Its instance is gone.
    Limit {
        /// The property that sets the limit, without `sandbox.`, such as `memory.bytes`.
        which: &'static str,
        message: String,
    },
    /// The worker failed, not the guest.
    Host(String),
}

impl CallError {
    pub(crate) fn timeout(call: &str, after: Duration, which: &'static str) -> Self {
        CallError::Limit {
            which,
            message: format!("{call} did not return within {after:?} (sandbox.{which})"),
        }
    }

    /// The error that the guest returned, if it is one.
    pub fn guest(&self) -> Option<&caisson_api::Error> {
        match self {
            CallError::Guest(error) => Some(error),
            CallError::Trap { .. } | CallError::Limit { .. } | CallError::Host(_) => None,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Guest(error) => f.write_str(&error.message),
            CallError::Trap { message, .. } | CallError::Limit { message, .. } => f.write_str(message),
            CallError::Host(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for CallError {}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Guest(error) => Failure {
                kind: FailureKind::Guest,
                message: error.message,
                detail: error.detail,
            },
            CallError::Trap { message, backtrace } => Failure {
                kind: FailureKind::Trap,
                message,
                detail: backtrace,
            },
            CallError::Limit { message, .. } => Failure::new(FailureKind::Limit, message),
            CallError::Host(message) => Failure::host(message),
        }
    }
}

impl From<Error> for CallError {
    /// A module that is not fit to run stops its instances before they begin; whoever made it has to act.
    fn from(error: Error) -> Self {
        match error {
            Error::Describe { source, .. } => source,
            Error::CompileLimit { .. } => CallError::Limit {
                which: "compiler",
                message: error.to_string(),
            },
            Error::Oversized { limit, .. } => CallError::Limit {
                which: limit,
                message: error.to_string(),
            },
            Error::Engine(_)
            | Error::Read { .. }
            | Error::TooLarge { .. }
            | Error::NotAComponent { .. }
            | Error::Malformed { .. }
            | Error::ExportsNothing { .. }
            | Error::NewerContract { .. }
            | Error::UnknownImport { .. }
            | Error::WrongType { .. }
            | Error::Unfit { .. }
            | Error::Manifest { .. }
            | Error::MissingRole { .. }
            | Error::ManifestDiffers { .. }
            | Error::Invalid { .. }
            | Error::Compiler { .. }
            | Error::Cache { .. }
            | Error::NoSuchPlugin { .. }
            | Error::Property { .. } => CallError::Host(error.to_string()),
        }
    }
}
