//! Modules in a directory of one worker: `DIGEST.wasm` with its entry `DIGEST.json` beside it, and `bindings.json`.
//!
//! The entry is written last, under another name first, so that a crash leaves a whole module or files that the next
//! start removes. One process at a time: a lock on a file says so.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caisson_model::Digest;
use serde::{Deserialize, Serialize};

use super::{Binding, Canary, History, ModuleStore, Published, Spooled, StoredModule, Upload};
use crate::{BoxFuture, Error};

/// Bytes of an entry or of the bindings that are read.
const MAX_JSON: u64 = 16 << 20;
const BINDINGS: &str = "bindings.json";
const FORMAT: u32 = 1;

/// A directory with modules.
#[derive(Clone)]
pub struct DirectoryModuleStore {
    shared: Arc<Shared>,
}

struct Shared {
    directory: PathBuf,
    /// What is on the disk. Held while a change is written, which is what it is for; only blocking threads and short looks
    /// take it.
    known: Mutex<Known>,
    /// Makes the names of uploads differ.
    next: AtomicU64,
    /// Locked as long as the store lives.
    _lock: File,
}

#[derive(Default)]
struct Known {
    modules: BTreeMap<Digest, StoredModule>,
    bindings: BTreeMap<String, History>,
    /// Not on the disk: the tasks that try something end with the worker.
    canaries: BTreeMap<String, Canary>,
}

#[derive(Serialize, Deserialize)]
struct BindingsFile {
    format: u32,
    classes: BTreeMap<String, History>,
}

impl DirectoryModuleStore {
    /// Opens the directory, which is made if it is not there, and removes what uploads without an end left.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(|source| file_error("create", directory, source))?;
        let lock = locked(directory)?;
        let mut known = Known {
            bindings: read_bindings(directory)?,
            ..Known::default()
        };
        let entries = fs::read_dir(directory).map_err(|source| file_error("read", directory, source))?;
        for entry in entries.flatten() {
            let path = entry.path();
            match kind_of(&path) {
                Some(Kind::Entry(digest)) => match read_entry(&path, digest) {
                    Ok(module) => {
                        known.modules.insert(digest, module);
                    }
                    Err(problem) => {
                        tracing::error!(file = %path.display(), problem, "module left out: its entry cannot be read");
                    }
                },
                Some(Kind::Bytes(digest)) if !path.with_file_name(entry_name(digest)).exists() => discard(&path),
                Some(Kind::Partial) => discard(&path),
                Some(Kind::Bytes(_)) | None => {}
            }
        }
        Ok(DirectoryModuleStore {
            shared: Arc::new(Shared {
                directory: directory.to_owned(),
                known: Mutex::new(known),
                next: AtomicU64::new(0),
                _lock: lock,
            }),
        })
    }

    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// As [`ModuleStore::publish`], on this thread.
    pub(super) fn publish_now(&self, upload: &Spooled, name: String) -> Result<Published, Error> {
        self.shared.publish(upload, name)
    }

    /// As [`ModuleStore::remove`], on this thread.
    pub(super) fn remove_now(&self, digest: Digest) -> Result<bool, Error> {
        self.shared.remove(digest)
    }
}

impl ModuleStore for DirectoryModuleStore {
    fn modules(&self) -> Vec<StoredModule> {
        self.shared.known().modules.values().cloned().collect()
    }

    fn file(&self, digest: Digest) -> Option<PathBuf> {
        let known = self.shared.known().modules.contains_key(&digest);
        known.then(|| self.shared.bytes(digest))
    }

    fn begin(&self, limit: u64) -> BoxFuture<'_, Result<Upload, Error>> {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let path = self.shared.directory.join(format!("upload-{number}.partial"));
        Box::pin(Upload::create(path, limit))
    }

    fn publish(&self, upload: Spooled, name: String) -> BoxFuture<'_, Result<Published, Error>> {
        let shared = self.shared.clone();
        Box::pin(blocking(move || shared.publish(&upload, name)))
    }

    fn remove(&self, digest: Digest) -> BoxFuture<'_, Result<bool, Error>> {
        let shared = self.shared.clone();
        Box::pin(blocking(move || shared.remove(digest)))
    }

    fn bindings(&self) -> BTreeMap<String, History> {
        self.shared.known().bindings.clone()
    }

    fn bind(&self, class: String, next: Binding) -> BoxFuture<'_, Result<(), Error>> {
        let shared = self.shared.clone();
        Box::pin(blocking(move || shared.bind(class, next)))
    }

    fn canaries(&self) -> BTreeMap<String, Canary> {
        self.shared.known().canaries.clone()
    }

    fn set_canary(&self, class: String, canary: Option<Canary>) -> BoxFuture<'_, Result<(), Error>> {
        let mut known = self.shared.known();
        match canary {
            Some(canary) => known.canaries.insert(class, canary),
            None => known.canaries.remove(&class),
        };
        Box::pin(std::future::ready(Ok(())))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::Unavailable("module store is shutting down".to_owned()))?
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(&self, digest: Digest) -> PathBuf {
        self.directory.join(format!("{digest}.wasm"))
    }

    /// The bytes first, the entry last: without an entry there is no module.
    fn publish(&self, upload: &Spooled, name: String) -> Result<Published, Error> {
        let mut known = self.known();
        if known.modules.contains_key(&upload.digest) {
            return Ok(Published::Known);
        }
        let bytes = self.bytes(upload.digest);
        fs::rename(upload.path(), &bytes).map_err(|source| file_error("write", &bytes, source))?;
        let module = StoredModule {
            digest: upload.digest,
            name,
            size: upload.size,
            uploaded: super::now(),
        };
        self.replace(&entry_name(upload.digest), &json(&module)?)?;
        known.modules.insert(upload.digest, module);
        Ok(Published::New)
    }

    /// The entry first, for the same reason.
    fn remove(&self, digest: Digest) -> Result<bool, Error> {
        let mut known = self.known();
        if !known.modules.contains_key(&digest) {
            return Ok(false);
        }
        let entry = self.directory.join(entry_name(digest));
        fs::remove_file(&entry).map_err(|source| file_error("remove", &entry, source))?;
        known.modules.remove(&digest);
        discard(&self.bytes(digest));
        Ok(true)
    }

    fn bind(&self, class: String, next: Binding) -> Result<(), Error> {
        let mut known = self.known();
        let mut classes = known.bindings.clone();
        let history = classes.entry(class).or_default();
        if next.generation != history.generation() + 1 {
            return Err(Error::Superseded {
                generation: history.generation(),
            });
        }
        history.push(next);
        let file = BindingsFile {
            format: FORMAT,
            classes,
        };
        self.replace(BINDINGS, &json(&file)?)?;
        known.bindings = file.classes;
        Ok(())
    }

    /// Gives a file new content, all of it or none.
    fn replace(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.directory.join(name);
        let unfinished = self.directory.join(format!("{name}.partial"));
        let write = || -> io::Result<()> {
            let mut file = File::create(&unfinished)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            // The new name has to reach the disk too.
            File::open(&self.directory)?.sync_all()
        };
        write().map_err(|source| {
            discard(&unfinished);
            file_error("write", &path, source)
        })
    }
}

/// What a file of the directory is, by its name; none for what is somebody else's.
enum Kind {
    Bytes(Digest),
    Entry(Digest),
    Partial,
}

fn kind_of(path: &Path) -> Option<Kind> {
    let digest = || path.file_stem()?.to_str()?.parse().ok();
    match path.extension()?.to_str()? {
        "wasm" => digest().map(Kind::Bytes),
        "json" => digest().map(Kind::Entry),
        "partial" => Some(Kind::Partial),
        _ => None,
    }
}

fn entry_name(digest: Digest) -> String {
    format!("{digest}.json")
}

fn discard(path: &Path) {
    // What cannot be removed now is removed by another start.
    let _ = fs::remove_file(path);
}

/// Keeps a second worker out, which would take this one's uploads for left ones.
fn locked(directory: &Path) -> Result<File, Error> {
    let path = directory.join("lock");
    let lock = File::create(&path).map_err(|source| file_error("open", &path, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(Error::ModulesLocked {
            directory: directory.to_owned(),
        }),
        Err(fs::TryLockError::Error(source)) => Err(file_error("lock", &path, source)),
    }
}

fn read_entry(path: &Path, digest: Digest) -> Result<StoredModule, String> {
    let module: StoredModule = serde_json::from_slice(&read(path)?).map_err(|error| error.to_string())?;
    let bytes = fs::metadata(path.with_extension("wasm")).map_err(|error| format!("its bytes: {error}"))?;
    if module.digest != digest || bytes.len() != module.size {
        return Err("it does not fit the module's bytes".to_owned());
    }
    Ok(module)
}

fn read_bindings(directory: &Path) -> Result<BTreeMap<String, History>, Error> {
    let path = directory.join(BINDINGS);
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let corrupt = |problem: String| Error::BindingsCorrupt {
        file: path.clone(),
        problem,
    };
    let bytes = read(&path).map_err(corrupt)?;
    let file: BindingsFile = serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
    if file.format != FORMAT {
        return Err(corrupt(format!("its format is {}, not {FORMAT}", file.format)));
    }
    Ok(file.classes)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_JSON {
        return Err(format!("{size} bytes are more than {MAX_JSON}"));
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec_pretty(value).map_err(|error| Error::Unavailable(error.to_string()))
}

pub(super) fn file_error(attempt: &'static str, path: &Path, source: io::Error) -> Error {
    Error::ModuleFile {
        attempt,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
