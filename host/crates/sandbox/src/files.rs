//! The filesystem of an instance: the single files that its configuration names, and nothing beside them.
//!
//! The engine's own preopened directories would show a guest everything in the directory of the file it may read. Here
//! a preopened directory is a list of names with no directory behind it: a guest opens a name of the list or gets
//! "permission denied". It cannot list, link, rename, create or remove anything, so it cannot make a name mean
//! something else; symbolic links that others made are resolved by the host and must end where the operator allows.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::filesystem::{Dir, FsPerms, OpenMode, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem;

use crate::error::CallError;
use crate::grants::{FileGrant, FilePolicy, Grants};
use crate::instance::State;
use crate::output::{GuestLog, Level};

mod host;
mod open;
mod stream;

/// What an instance may open.
pub(crate) struct Files {
    dirs: Vec<GrantedDir>,
    policy: Arc<FilePolicy>,
    stdin: bool,
    stdout: bool,
    /// Where refusals are told, since a guest may not tell them.
    log: Option<Arc<GuestLog>>,
}

/// A directory as the guest sees it.
struct GrantedDir {
    /// As the configuration spells it, so that the guest finds the file under the name it was configured with.
    guest_path: String,
    /// What handles of this directory hold. It leads nowhere (`/dev/null`); only its identity is used.
    handle: Dir,
    files: BTreeMap<String, FileGrant>,
}

impl Files {
    /// A filesystem with nothing in it.
    pub(crate) fn none() -> Self {
        Files {
            dirs: Vec::new(),
            policy: Arc::default(),
            stdin: false,
            stdout: false,
            log: None,
        }
    }

    pub(crate) fn new(grants: &Grants, policy: Arc<FilePolicy>) -> Result<Self, CallError> {
        let mut files = Files {
            dirs: Vec::new(),
            policy,
            stdin: grants.stdin,
            stdout: grants.stdout,
            log: None,
        };
        for grant in &grants.files {
            let (Some(name), Some(parent)) = (grant.given.file_name(), grant.given.parent()) else {
                continue;
            };
            let (Some(name), Some(parent)) = (name.to_str(), parent.to_str()) else {
                continue;
            };
            let parent = if parent.is_empty() { "." } else { parent };
            let dir = match files.dirs.iter().position(|dir| dir.guest_path == parent) {
                Some(at) => &mut files.dirs[at],
                None => {
                    files.dirs.push(GrantedDir {
                        guest_path: parent.to_owned(),
                        handle: nowhere()?,
                        files: BTreeMap::new(),
                    });
                    let last = files.dirs.len() - 1;
                    &mut files.dirs[last]
                }
            };
            let kept = dir.files.entry(name.to_owned()).or_insert_with(|| grant.clone());
            kept.write |= grant.write;
        }
        Ok(files)
    }

    pub(crate) fn stdin(&self) -> bool {
        self.stdin
    }

    pub(crate) fn stdout(&self) -> bool {
        self.stdout
    }

    /// Has refusals told in the log of the instance.
    pub(crate) fn tell(&mut self, log: Arc<GuestLog>) {
        self.log = Some(log);
    }

    /// Tells what was refused, and what there is instead. The log is bounded, so a guest gains nothing by asking often.
    fn refused(&self, path: &str) {
        let Some(log) = &self.log else { return };
        let granted: Vec<&str> = self
            .dirs
            .iter()
            .flat_map(|dir| dir.files.values())
            .map(|grant| grant.key.as_str())
            .collect();
        let granted = if granted.is_empty() {
            "none".to_owned()
        } else {
            granted.join(", ")
        };
        let message =
            format!("refused to open {path}: the configuration does not name it (keys that name files: {granted})");
        log.write(Level::Warn, &message, &[]);
    }

    /// The directory that a handle stands for.
    fn of(&self, handle: &Dir) -> Option<&GrantedDir> {
        self.dirs.iter().find(|dir| Arc::ptr_eq(&dir.handle.dir, &handle.dir))
    }
}

fn nowhere() -> Result<Dir, CallError> {
    let file =
        File::open("/dev/null").map_err(|error| CallError::Host(format!("/dev/null cannot be opened: {error}")))?;
    Ok(Dir::new(file, FsPerms::ReadOnly, OpenMode::READ, true))
}

/// The key under which the linker finds an instance's files.
pub(crate) struct GrantedFiles;

/// An instance's files, and the engine's own view of files that are open.
pub(crate) struct FilesView<'a> {
    files: &'a mut Files,
    inner: WasiFilesystemCtxView<'a>,
}

impl HasData for GrantedFiles {
    type Data<'a> = FilesView<'a>;
}

fn view(state: &mut State) -> FilesView<'_> {
    FilesView {
        files: &mut state.files,
        inner: WasiFilesystemCtxView {
            ctx: state.wasi.filesystem(),
            table: &mut state.table,
        },
    }
}

/// Puts this filesystem in the place of the engine's.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    filesystem::types::add_to_linker::<State, GrantedFiles>(linker, view)?;
    filesystem::preopens::add_to_linker::<State, GrantedFiles>(linker, view)
}
