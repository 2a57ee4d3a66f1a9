//! Modules in a compacted topic of the cluster, from which every worker fills a directory of its own.
//!
//! A module is its chunks, `chunk/DIGEST/NUMBER`, and its entry, `module/DIGEST`, which is written last: without an entry
//! the chunks are garbage, which the next upload of the same bytes overwrites, or any worker removes after a while. Bindings are `binding/CLASS` with the whole
//! history of the class, and `canary/CLASS` is what one task tries. A worker takes a module from the topic only if its bytes have the digest that names it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use caisson_model::Digest;
use tokio::sync::watch;
use tokio::time::timeout;

use super::directory::DirectoryModuleStore;
use super::upload::Spooled;
use super::{Binding, Canary, History, ModuleStore, Published, StoredModule, Upload};
use crate::log::{Log, LogReader, LogRecord, Pair};
use crate::{BoxFuture, Error};

/// Bytes of a chunk: well below the largest message that a broker takes by default.
const CHUNK: usize = 256 << 10;
/// Chunks that are on their way at once.
const WINDOW: usize = 8;
/// Bytes of a module beyond which chunks are not believed.
const MOST_BYTES: u64 = 1 << 30;
/// For one change, reading it back included.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(60);
/// Chunks whose entry has not come for so long belong to an upload that has no end: none takes as long.
const GARBAGE: Duration = CHANGE_TIMEOUT.saturating_mul(10);
/// How often an upload is written again because chunks were removed meanwhile, which may have been its own.
const ATTEMPTS: usize = 3;

/// A module store behind a topic with one partition.
pub struct TopicModuleStore {
    reader: Arc<Reader>,
    log: Arc<dyn Log>,
}

/// Applies what is read.
struct Reader {
    directory: DirectoryModuleStore,
    /// Held while records are applied.
    state: Mutex<State>,
    /// Counts what was applied.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Whole modules, which are in the directory.
    modules: BTreeMap<Digest, StoredModule>,
    bindings: BTreeMap<String, History>,
    canaries: BTreeMap<String, Canary>,
    /// Modules of which there are only chunks yet.
    partial: HashMap<Digest, Partial>,
    /// Chunks that were removed, of whatever module.
    removed: u64,
}

/// A file that chunks are written to as they come. It goes with its last chunk's module, or at the next start.
struct Partial {
    file: File,
    path: PathBuf,
    chunks: BTreeSet<u64>,
    /// When the last of them came.
    since: Instant,
}

/// A record, by its key.
enum Key {
    Chunk(Digest, u64),
    Module(Digest),
    Binding(String),
    Canary(String),
}

impl Key {
    fn write(&self) -> Vec<u8> {
        match self {
            Key::Chunk(digest, number) => format!("chunk/{digest}/{number}"),
            Key::Module(digest) => format!("module/{digest}"),
            Key::Binding(class) => format!("binding/{class}"),
            Key::Canary(class) => format!("canary/{class}"),
        }
        .into_bytes()
    }

    fn read(key: &[u8]) -> Option<Key> {
        let (kind, rest) = std::str::from_utf8(key).ok()?.split_once('/')?;
        match kind {
            "chunk" => {
                let (digest, number) = rest.split_once('/')?;
                Some(Key::Chunk(digest.parse().ok()?, number.parse().ok()?))
            }
            "module" => Some(Key::Module(rest.parse().ok()?)),
            "binding" => Some(Key::Binding(rest.to_owned())),
            "canary" => Some(Key::Canary(rest.to_owned())),
            _ => None,
        }
    }
}

impl TopicModuleStore {
    /// The reader to open the topic with, and what makes the store once it was read to its end.
    pub fn prepare(
        directory: DirectoryModuleStore,
    ) -> (impl FnOnce(Arc<dyn Log>) -> TopicModuleStore, Arc<dyn LogReader>) {
        let reader = Arc::new(Reader {
            directory,
            state: Mutex::default(),
            changes: watch::Sender::new(0),
        });
        let hand: Arc<dyn LogReader> = reader.clone();
        (move |log| TopicModuleStore::opened(reader, log), hand)
    }

    /// What the directory has of modules that the topic has no more goes.
    fn opened(reader: Arc<Reader>, log: Arc<dyn Log>) -> TopicModuleStore {
        for module in reader.directory.modules() {
            if !reader.state().modules.contains_key(&module.digest)
                && let Err(error) = reader.directory.remove_now(module.digest)
            {
                tracing::warn!(digest = %module.digest, %error, "a module that was removed stays on the disk");
            }
        }
        TopicModuleStore { reader, log }
    }

    async fn write(&self, pairs: Vec<Pair>) -> Result<(), Error> {
        self.log.append(pairs).await
    }

    async fn publish_all(&self, upload: Spooled, name: String) -> Result<Published, Error> {
        let digest = upload.digest;
        self.log.read_to_end().await?;
        if self.reader.state().modules.contains_key(&digest) {
            return Ok(Published::Known);
        }
        let module = StoredModule {
            digest,
            name: name.clone(),
            size: upload.size,
            uploaded: super::now(),
        };
        // Chunks of one's own need not be read back.
        self.reader.directory.publish(upload, name).await?;
        let path = self.reader.directory.file(digest).ok_or_else(|| gone(digest))?;
        for _ in 0..ATTEMPTS {
            let removed = self.reader.state().removed;
            self.write_module(&path, &module).await?;
            self.log.read_to_end().await?;
            if self.reader.state().removed == removed {
                break;
            }
        }
        Ok(Published::New)
    }

    /// The chunks, and the entry behind them.
    async fn write_module(&self, path: &Path, module: &StoredModule) -> Result<(), Error> {
        let digest = module.digest;
        for window in 0.. {
            let path = path.to_owned();
            let first = window * WINDOW as u64;
            let read = tokio::task::spawn_blocking(move || chunks(&path, first)).await;
            let pairs = read
                .map_err(|_| gone(digest))?
                .map_err(|error| Error::Unavailable(error.to_string()))?;
            if pairs.is_empty() {
                break;
            }
            let key = |(number, bytes)| (Key::Chunk(digest, number).write(), Some(bytes));
            self.write(pairs.into_iter().map(key).collect()).await?;
        }
        let entry = serde_json::to_vec(module).map_err(|error| Error::Unavailable(error.to_string()))?;
        self.write(vec![(Key::Module(digest).write(), Some(entry))]).await
    }

    /// Has compaction remove the chunks of uploads that ended without an entry, of crashed workers for example.
    async fn tidy_up(&self, age: Duration) -> Result<(), Error> {
        let garbage: Vec<Pair> = {
            let state = self.reader.state();
            let old = state
                .partial
                .iter()
                .filter(|(_, partial)| partial.since.elapsed() >= age);
            old.flat_map(|(digest, partial)| {
                let chunk = |number: &u64| (Key::Chunk(*digest, *number).write(), None);
                partial.chunks.iter().map(chunk)
            })
            .collect()
        };
        if garbage.is_empty() {
            return Ok(());
        }
        tracing::info!(chunks = garbage.len(), "removing what uploads without an end have left");
        self.write(garbage).await
    }

    /// The entry goes first, so that nobody takes a module whose chunks are going.
    async fn remove_all(&self, digest: Digest) -> Result<bool, Error> {
        self.log.read_to_end().await?;
        let Some(module) = self.reader.state().modules.get(&digest).cloned() else {
            return Ok(false);
        };
        self.write(vec![(Key::Module(digest).write(), None)]).await?;
        let chunks = module.size.div_ceil(CHUNK as u64);
        let tombstones = (0..chunks).map(|number| (Key::Chunk(digest, number).write(), None));
        self.write(tombstones.collect()).await?;
        self.log.read_to_end().await?;
        Ok(true)
    }

    /// Of two workers that write the same generation, the later one in the topic has won.
    async fn bind_all(&self, class: String, next: Binding) -> Result<(), Error> {
        self.log.read_to_end().await?;
        let current = self.reader.state().bindings.get(&class).cloned();
        let mut history = current.unwrap_or_default();
        if next.generation != history.generation() + 1 {
            return Err(Error::Superseded {
                generation: history.generation(),
            });
        }
        history.push(next);
        let value = serde_json::to_vec(&history).map_err(|error| Error::Unavailable(error.to_string()))?;
        self.write(vec![(Key::Binding(class.clone()).write(), Some(value))])
            .await?;
        self.log.read_to_end().await?;
        let won = self.reader.state().bindings.get(&class).cloned().unwrap_or_default();
        if won.current() == history.current() {
            Ok(())
        } else {
            Err(Error::Superseded {
                generation: won.generation(),
            })
        }
    }

    async fn set_canary_of(&self, class: String, canary: Option<Canary>) -> Result<(), Error> {
        let value = canary.map(|canary| serde_json::to_vec(&canary)).transpose();
        let value = value.map_err(|error| Error::Unavailable(error.to_string()))?;
        self.write(vec![(Key::Canary(class).write(), value)]).await?;
        self.log.read_to_end().await
    }
}

async fn in_time<T>(what: &'static str, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match timeout(CHANGE_TIMEOUT, work).await {
        Ok(Err(error @ Error::Unavailable(_))) => {
            tracing::error!(%error, "failed to write {what} to Kafka");
            Err(Error::NotWritten(what))
        }
        Ok(outcome) => outcome,
        Err(_) => {
            tracing::error!(within = ?CHANGE_TIMEOUT, "failed to write {what} to Kafka in time");
            Err(Error::NotWritten(what))
        }
    }
}

fn gone(digest: Digest) -> Error {
    Error::Unavailable(format!("the bytes of module {digest} are gone"))
}

/// Some chunks of a file, with their numbers; none behind its end.
fn chunks(path: &Path, first: u64) -> std::io::Result<Vec<(u64, Vec<u8>)>> {
    let file = File::open(path)?;
    let mut chunks = Vec::new();
    for number in first..first + WINDOW as u64 {
        let mut bytes = vec![0; CHUNK];
        let mut length = 0;
        while length < CHUNK {
            match file.read_at(&mut bytes[length..], number * CHUNK as u64 + length as u64)? {
                0 => break,
                read => length += read,
            }
        }
        if length == 0 {
            break;
        }
        bytes.truncate(length);
        chunks.push((number, bytes));
    }
    Ok(chunks)
}

impl ModuleStore for TopicModuleStore {
    fn modules(&self) -> Vec<StoredModule> {
        self.reader.state().modules.values().cloned().collect()
    }

    fn file(&self, digest: Digest) -> Option<PathBuf> {
        let known = self.reader.state().modules.contains_key(&digest);
        known.then(|| self.reader.directory.file(digest)).flatten()
    }

    fn begin(&self, limit: u64) -> BoxFuture<'_, Result<Upload, Error>> {
        self.reader.directory.begin(limit)
    }

    fn publish(&self, upload: Spooled, name: String) -> BoxFuture<'_, Result<Published, Error>> {
        Box::pin(in_time("module", self.publish_all(upload, name)))
    }

    fn remove(&self, digest: Digest) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(in_time("module", self.remove_all(digest)))
    }

    fn bindings(&self) -> BTreeMap<String, History> {
        self.reader.state().bindings.clone()
    }

    fn bind(&self, class: String, next: Binding) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(in_time("binding", self.bind_all(class, next)))
    }

    fn canaries(&self) -> BTreeMap<String, Canary> {
        self.reader.state().canaries.clone()
    }

    fn set_canary(&self, class: String, canary: Option<Canary>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(in_time("canary", self.set_canary_of(class, canary)))
    }

    fn changes(&self) -> Option<watch::Receiver<u64>> {
        Some(self.reader.changes.subscribe())
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.log.read_to_end()
    }

    fn tidy(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(in_time("module", self.tidy_up(GARBAGE)))
    }
}

impl Reader {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, state: &mut State, key: Key, value: Option<&[u8]>) -> Result<(), String> {
        match (key, value) {
            (Key::Chunk(digest, number), Some(bytes)) => self.chunk(state, digest, number, bytes),
            (Key::Chunk(digest, _), None) => {
                state.removed += 1;
                if let Some(partial) = state.partial.remove(&digest) {
                    let _ = fs::remove_file(partial.path);
                }
                Ok(())
            }
            (Key::Module(digest), Some(entry)) => self.module(state, digest, entry),
            (Key::Module(digest), None) => {
                state.modules.remove(&digest);
                self.directory
                    .remove_now(digest)
                    .map(drop)
                    .map_err(|error| error.to_string())
            }
            (Key::Binding(class), Some(history)) => {
                let history = serde_json::from_slice(history).map_err(|error| error.to_string())?;
                state.bindings.insert(class, history);
                Ok(())
            }
            (Key::Binding(class), None) => {
                state.bindings.remove(&class);
                Ok(())
            }
            (Key::Canary(class), Some(canary)) => {
                let canary = serde_json::from_slice(canary).map_err(|error| error.to_string())?;
                state.canaries.insert(class, canary);
                Ok(())
            }
            (Key::Canary(class), None) => {
                state.canaries.remove(&class);
                Ok(())
            }
        }
    }

    fn chunk(&self, state: &mut State, digest: Digest, number: u64, bytes: &[u8]) -> Result<(), String> {
        if self.directory.file(digest).is_some() {
            return Ok(());
        }
        let at = number.checked_mul(CHUNK as u64).filter(|at| *at < MOST_BYTES);
        let at = at
            .filter(|_| bytes.len() <= CHUNK)
            .ok_or("it is no chunk of a module")?;
        let partial = match state.partial.entry(digest) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let path = self.directory.directory().join(format!("{digest}.partial"));
                let file = File::create(&path).map_err(|error| error.to_string())?;
                entry.insert(Partial {
                    file,
                    path,
                    chunks: BTreeSet::new(),
                    since: Instant::now(),
                })
            }
        };
        partial.chunks.insert(number);
        partial.since = Instant::now();
        partial.file.write_all_at(bytes, at).map_err(|error| error.to_string())
    }

    /// All chunks have come before the entry. If they make another module than it says, there is none.
    fn module(&self, state: &mut State, digest: Digest, entry: &[u8]) -> Result<(), String> {
        let module: StoredModule = serde_json::from_slice(entry).map_err(|error| error.to_string())?;
        if module.digest != digest {
            return Err("it is the entry of another module".to_owned());
        }
        let partial = state.partial.remove(&digest);
        if self.directory.file(digest).is_none() {
            let partial = partial.ok_or("its chunks are missing")?;
            let spooled = Spooled::found(partial.path, digest, module.size);
            let (found, size) = hash(&spooled).map_err(|error| error.to_string())?;
            if (found, size) != (digest, module.size) {
                return Err("its chunks do not make this module".to_owned());
            }
            partial.file.sync_all().map_err(|error| error.to_string())?;
            let published = self.directory.publish_now(&spooled, module.name.clone());
            published.map_err(|error| error.to_string())?;
        } else {
            if let Some(partial) = partial {
                let _ = fs::remove_file(partial.path);
            }
            let known = self
                .directory
                .modules()
                .into_iter()
                .find(|known| known.digest == digest);
            if known.is_none_or(|known| known.size != module.size) {
                return Err("it has another size than the module".to_owned());
            }
        }
        state.modules.insert(digest, module);
        Ok(())
    }
}

fn hash(spooled: &Spooled) -> std::io::Result<(Digest, u64)> {
    let mut bytes = Vec::new();
    File::open(spooled.path())?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok((Digest::of(&bytes), bytes.len() as u64))
}

impl LogReader for Reader {
    fn read(&self, records: Vec<LogRecord>) {
        if records.is_empty() {
            return;
        }
        let mut state = self.state();
        for record in records {
            let shown = || String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
            let Some(key) = record.key.as_deref().and_then(Key::read) else {
                tracing::error!(
                    offset = record.offset,
                    key = shown(),
                    "discarding a record of the module topic"
                );
                continue;
            };
            if let Err(problem) = self.apply(&mut state, key, record.value.as_deref()) {
                tracing::error!(
                    offset = record.offset,
                    key = shown(),
                    problem,
                    "discarding a record of the module topic"
                );
            }
        }
        drop(state);
        self.changes.send_modify(|changes| *changes += 1);
    }
}

#[cfg(test)]
mod tests;
