//! What can go wrong in a store.

use std::io;
use std::path::PathBuf;

/// Why a store could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "cannot keep offsets in {}: the directory {} does not exist; create it, or set offset.storage.file.filename to a file in a directory that exists",
        file.display(), directory.display()
    )]
    DirectoryMissing { file: PathBuf, directory: PathBuf },

    #[error(
        "cannot keep offsets in {}: it is a directory; set offset.storage.file.filename to the name of a file", file.display()
    )]
    IsDirectory { file: PathBuf },

    #[error("cannot write offsets to {}: the disk is full; offsets stay in memory until there is room", file.display())]
    DiskFull { file: PathBuf, source: io::Error },

    #[error("cannot {attempt} the offset file {}: {source}", file.display())]
    File {
        attempt: &'static str,
        file: PathBuf,
        source: io::Error,
    },

    #[error(
        "{} is not an offset file of Kafka Connect's standalone mode: {problem} at byte {at}; move it away to start without offsets",
        file.display()
    )]
    Corrupt { file: PathBuf, problem: String, at: usize },

    #[error("cannot make an offset key for connector {connector}: its partition is not a JSON object: {partition}")]
    Partition { connector: String, partition: String },

    /// Another worker has claimed the config topic.
    #[error(
        "Failed to write to config topic; this may be due to a transient error and the request can be safely retried"
    )]
    Fenced,

    #[error("cannot {attempt} {} in the directory of modules: {source}", path.display())]
    ModuleFile {
        attempt: &'static str,
        path: PathBuf,
        source: io::Error,
    },

    #[error("the module has more than {limit} bytes, which sandbox.module.max.bytes allows")]
    ModuleTooLarge { limit: u64 },

    #[error(
        "another worker keeps its modules in {}; give each worker a module.storage.directory of its own", directory.display()
    )]
    ModulesLocked { directory: PathBuf },

    #[error("{} cannot be read: {problem}; move it away to start without bindings", file.display())]
    BindingsCorrupt { file: PathBuf, problem: String },

    /// Somebody else has changed the binding first.
    #[error("the binding has changed meanwhile, its generation is {generation} now")]
    Superseded { generation: u64 },

    /// The log has said why.
    #[error("Error writing {0} to Kafka")]
    NotWritten(&'static str),

    /// The store's place answered with an error of its own, or the worker is shutting down.
    #[error("{0}")]
    Unavailable(String),
}
