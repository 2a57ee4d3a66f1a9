//! Modules that were uploaded, and which of them serves which class.
//!
//! An upload is written down piece by piece before anybody looks at it ([`Upload`]), and counts from the moment it is
//! published. What a store answers it has at hand: bytes lie in files of this machine whatever is behind, so that a
//! worker compiles and serves them without asking anybody.

mod binding;
mod canary;
mod directory;
mod topic;
mod upload;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use caisson_model::Digest;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use binding::{Binding, History};
pub use canary::{Canary, CanaryStage};
pub use directory::DirectoryModuleStore;
pub use topic::TopicModuleStore;
pub use upload::{Spooled, Upload};

use crate::{BoxFuture, Error};

/// A module that a store holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredModule {
    pub digest: Digest,
    /// For people.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// When it was uploaded, in milliseconds since 1970.
    pub uploaded: u64,
}

/// Whether a module was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    New,
    Known,
}

/// A place for modules and bindings.
pub trait ModuleStore: Send + Sync {
    /// Those that are whole, in the order of their digests.
    fn modules(&self) -> Vec<StoredModule>;

    /// Where the bytes of a module are; none if the store does not have it.
    fn file(&self, digest: Digest) -> Option<PathBuf>;

    /// Makes room for an upload of at most `limit` bytes.
    fn begin(&self, limit: u64) -> BoxFuture<'_, Result<Upload, Error>>;

    /// Keeps what was uploaded. When this returns it outlives a crash; before that there is none of it.
    fn publish(&self, upload: Spooled, name: String) -> BoxFuture<'_, Result<Published, Error>>;

    /// Forgets a module; `false` if there was none.
    fn remove(&self, digest: Digest) -> BoxFuture<'_, Result<bool, Error>>;

    /// All bindings, by class.
    fn bindings(&self) -> BTreeMap<String, History>;

    /// Writes a binding down, if its generation follows the current one.
    fn bind(&self, class: String, next: Binding) -> BoxFuture<'_, Result<(), Error>>;

    /// What single tasks try, or tried last, by class.
    fn canaries(&self) -> BTreeMap<String, Canary>;

    /// Says how a canary does; none: there is none of the class any more. Where several workers say so, the last word counts.
    fn set_canary(&self, class: String, canary: Option<Canary>) -> BoxFuture<'_, Result<(), Error>>;

    /// Changes whenever modules, bindings or canaries have, whoever changed them; none where nobody else can.
    fn changes(&self) -> Option<watch::Receiver<u64>> {
        None
    }

    /// Removes what uploads without an end have left, where that is not done at the start; to be called now and then.
    fn tidy(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Returns once everything is known that was written before the call.
    fn refresh(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// In milliseconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as u64)
}
