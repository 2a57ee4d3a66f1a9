//! Where things are in this tree.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Which packages cargo is told to build when the worker is wanted. Cargo gives each crate the features that the chosen
/// packages ask for together: another choice builds the heavy ones once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The worker alone.
    Worker,
    /// Everything with its tests, which share one set of compiled crates with the worker.
    Everything,
}

/// The paths of one clone.
pub struct Tree {
    /// The directory of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target directory of the workspace.
    pub target: PathBuf,
    /// This program's own file. Asked for once, at the start: after a stage has built `xtask` anew the running file is a
    /// deleted one, while its path leads to the new one.
    pub program: PathBuf,
    pub selection: Selection,
}

impl Tree {
    /// The clone that this program was started from.
    pub fn find(selection: Selection) -> Result<Self> {
        // Cargo names the crate's directory when it runs us; a target directory shared by two clones would otherwise
        // lead to the clone that was built first.
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = own.parent().context("xtask is not inside a workspace")?.to_path_buf();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(directory) => root.join(directory),
            None => root.join("target"),
        };
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        Ok(Self {
            root,
            target,
            program,
            selection,
        })
    }

    /// The worker, as `cargo build` makes it.
    pub fn worker(&self) -> PathBuf {
        self.target.join("debug/caisson")
    }

    /// The bundled components, where the worker looks for them by itself.
    pub fn components(&self) -> PathBuf {
        self.target.join("components")
    }

    /// The modules that tests use.
    pub fn test_guests(&self) -> PathBuf {
        self.target.join("test-guests")
    }

    /// Logs and data of what `cargo x` runs.
    pub fn scratch(&self) -> PathBuf {
        self.target.join("x")
    }

    /// The log of one stage or program.
    pub fn log(&self, name: &str) -> PathBuf {
        self.scratch().join(format!("{name}.log"))
    }

    /// A path as a reader of this tree would write it.
    pub fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}
