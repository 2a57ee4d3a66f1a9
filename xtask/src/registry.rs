//! A real schema registry for the tests, by the start script in `tests/systems`.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::tree::Tree;
use crate::{machine, process};

const HOST: &str = "127.0.0.1";

/// A registry that runs.
pub struct Registry {
    data: PathBuf,
    port: u16,
}

impl Registry {
    /// Starts a registry and waits until it answers.
    pub fn start(tree: &Tree) -> Result<Self> {
        machine::prepare_broker()?;
        let port = TcpListener::bind((HOST, 0))
            .and_then(|listener| listener.local_addr())
            .context("found no free port")?
            .port();
        let data = tree.scratch().join("test-registry");
        let registry = Self { data, port };
        process::visible(registry.script(tree).arg("start").stdout(Stdio::null()))?;
        Ok(registry)
    }

    /// The address, as `schema.registry.url` takes it.
    pub fn url(&self) -> String {
        format!("http://{HOST}:{}/apis/ccompat/v7", self.port)
    }

    /// Ends it and deletes its data.
    pub fn clean(self, tree: &Tree) -> Result<()> {
        process::visible(self.script(tree).arg("clean"))
    }

    fn script(&self, tree: &Tree) -> Command {
        let mut command = Command::new(tree.root.join("tests/systems/start-registry.sh"));
        command
            .env_remove("HOST")
            .env("DATA", &self.data)
            .env("PORT", self.port.to_string())
            .env("HEAP", "256M")
            .stdin(Stdio::null());
        command
    }
}
