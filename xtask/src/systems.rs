//! Real systems beside Kafka, by their start scripts in `tests/systems`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::tree::Tree;
use crate::{machine, process};

/// One server that runs, until it is dropped.
pub struct System {
    script: PathBuf,
    data: PathBuf,
    settings: Vec<(&'static str, String)>,
}

impl System {
    /// Starts a server by its script and waits until it answers; it keeps its data in a directory of its own.
    pub fn start(tree: &Tree, script: &str, data: &Path, settings: Vec<(&'static str, String)>) -> Result<Self> {
        machine::prepare_broker()?;
        std::fs::create_dir_all(data)?;
        let system = Self {
            script: tree.root.join("tests/systems").join(script),
            data: data.to_owned(),
            settings,
        };
        process::visible(system.command(&["start"]).stdout(Stdio::null()))?;
        Ok(system)
    }

    /// What the system's own client prints.
    pub fn client(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.command(&["client"]);
        let output = command.args(arguments).output()?;
        if !output.status.success() {
            bail!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.script);
        command.args(arguments).env("DATA", &self.data).stdin(Stdio::null());
        for (name, value) in &self.settings {
            command.env(name, value);
        }
        command
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = self.command(&["clean"]).stdout(Stdio::null()).status();
    }
}
