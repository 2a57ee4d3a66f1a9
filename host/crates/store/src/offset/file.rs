//! Offsets in one file, the one that Kafka Connect's standalone mode keeps (`offset.storage.file.filename`).
//!
//! The file is read once, at the start, and rewritten whole at every flush, as Kafka Connect does. A rewrite goes to a
//! temporary file beside it, is forced to the disk, and then takes the old one's name: at every moment there is one
//! complete file, whatever happens to the process or the machine.

mod java;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::memory::apply;
use super::{OffsetEntry, OffsetStore, entries_of};
use crate::{BoxFuture, Error};

/// An offset store in a file of Kafka Connect's own format.
#[derive(Debug)]
pub struct FileOffsetStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: PathBuf,
    /// What the file should hold. Held for the time of a lookup, an insertion or a copy.
    wanted: Mutex<Wanted>,
    /// The version that the file holds. Held by the one thread that rewrites the file, which may take long.
    written: Mutex<u64>,
}

#[derive(Debug, Default)]
struct Wanted {
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Counts changes, so that one rewrite serves all who wait for it.
    version: u64,
}

impl FileOffsetStore {
    /// Opens the store, and reads the file if there is one. Blocks for the time of the read.
    pub fn open(file: impl Into<PathBuf>) -> Result<FileOffsetStore, Error> {
        let file = resolve(file.into())?;
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => {
                return Err(Error::File {
                    attempt: "read",
                    file,
                    source,
                });
            }
        };
        let pairs = match java::read(&bytes) {
            Ok(pairs) => pairs,
            Err(java::Invalid { problem, at }) => return Err(Error::Corrupt { file, problem, at }),
        };
        tracing::debug!(file = %file.display(), offsets = pairs.len(), "offsets read");
        let wanted = Mutex::new(Wanted { pairs, version: 0 });
        Ok(FileOffsetStore {
            shared: Arc::new(Shared {
                file,
                wanted,
                written: Mutex::new(0),
            }),
        })
    }

    pub fn file(&self) -> &Path {
        &self.shared.file
    }
}

/// The file that a name means: where a link points to, so that a rewrite does not replace the link.
fn resolve(file: PathBuf) -> Result<PathBuf, Error> {
    let file = fs::canonicalize(&file).unwrap_or(file);
    if file.is_dir() {
        return Err(Error::IsDirectory { file });
    }
    let directory = directory_of(&file);
    if !directory.is_dir() {
        return Err(Error::DirectoryMissing { directory, file });
    }
    Ok(file)
}

fn directory_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

impl OffsetStore for FileOffsetStore {
    fn get(&self, keys: Vec<Vec<u8>>) -> BoxFuture<'_, Result<Vec<Option<Vec<u8>>>, Error>> {
        Box::pin(async move {
            let wanted = self.shared.wanted();
            Ok(keys.iter().map(|key| wanted.pairs.get(key).cloned()).collect())
        })
    }

    fn put(&self, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> BoxFuture<'_, Result<(), Error>> {
        if changes.is_empty() {
            return Box::pin(async { Ok(()) });
        }
        let shared = self.shared.clone();
        Box::pin(async move {
            let version = shared.change(changes);
            tokio::task::spawn_blocking(move || shared.write_up_to(version))
                .await
                .map_err(|_| Error::Unavailable("offset store is shutting down".to_owned()))?
        })
    }

    fn entries(&self, connector: &str) -> BoxFuture<'_, Result<Vec<OffsetEntry>, Error>> {
        let entries = entries_of(connector, self.shared.wanted().pairs.iter());
        Box::pin(async move { Ok(entries) })
    }
}

impl Shared {
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> u64 {
        let mut wanted = self.wanted();
        apply(&mut wanted.pairs, changes);
        wanted.version += 1;
        wanted.version
    }

    /// Makes sure that the file holds at least this version. Several callers at once share one rewrite.
    fn write_up_to(&self, version: u64) -> Result<(), Error> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if *written >= version {
            return Ok(());
        }
        let (bytes, newest) = {
            let wanted = self.wanted();
            (java::write(&wanted.pairs), wanted.version)
        };
        replace(&self.file, &bytes).map_err(|source| self.write_error(source))?;
        *written = newest;
        Ok(())
    }

    fn write_error(&self, source: io::Error) -> Error {
        let file = self.file.clone();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull { file, source },
            io::ErrorKind::NotFound => Error::DirectoryMissing {
                directory: directory_of(&file),
                file,
            },
            _ => Error::File {
                attempt: "write",
                file,
                source,
            },
        }
    }
}

/// Gives the file new content, all of it or none.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = file.file_name().map(ToOwned::to_owned).unwrap_or_default();
    name.push(".tmp");
    let temporary = file.with_file_name(name);
    let outcome = write_new(&temporary, file, bytes);
    if outcome.is_err() {
        // Half a file on a full disk helps nobody; that it may be gone already is fine.
        let _ = fs::remove_file(&temporary);
    }
    outcome
}

fn write_new(temporary: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = File::create(temporary)?;
    new.write_all(bytes)?;
    if let Ok(old) = fs::metadata(file) {
        new.set_permissions(old.permissions())?;
    }
    new.sync_all()?;
    fs::rename(temporary, file)?;
    // The new name has to reach the disk too, or a power cut brings the old file back.
    File::open(directory_of(file))?.sync_all()
}

#[cfg(test)]
mod tests;
