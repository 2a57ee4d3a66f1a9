//! A real Kafka for development and tests, by the start script in `tests/systems`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::cli::{KafkaAction, KafkaArguments};
use crate::tree::Tree;
use crate::{machine, process};

const HOST: &str = "127.0.0.1";

pub fn run(tree: &Tree, arguments: &KafkaArguments) -> Result<ExitCode> {
    let data = tree.scratch().join("kafka");
    match &arguments.action {
        KafkaAction::Start { port } => {
            let broker = Broker::start(tree, data, *port)?;
            println!("{} (log: {})", broker.bootstrap(), tree.shown(&broker.log()));
            println!("stop it with `cargo x kafka stop`");
        }
        KafkaAction::Stop { clean } => {
            process::visible(script(tree, &data).arg(if *clean { "clean" } else { "stop" }))?;
        }
        KafkaAction::Status => return status(tree, &data),
        KafkaAction::Run { command } => {
            machine::prepare_broker()?;
            process::visible(script(tree, &data).arg("run").args(command))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What runs and whether it answers.
fn status(tree: &Tree, data: &Path) -> Result<ExitCode> {
    let ran = script(tree, data)
        .arg("status")
        .status()
        .context("cannot run start-kafka.sh")?;
    if !ran.success() {
        return Ok(ExitCode::from(3));
    }
    let properties = std::fs::read_to_string(data.join("node-1.properties"))?;
    let address = properties
        .lines()
        .find_map(|line| line.strip_prefix("advertised.listeners=PLAINTEXT://"));
    match address {
        Some(address) if std::net::TcpStream::connect(address).is_ok() => {
            println!("{address} answers");
            Ok(ExitCode::SUCCESS)
        }
        Some(address) => {
            println!("{address} does not answer");
            Ok(ExitCode::from(3))
        }
        None => bail!("{} names no listener", data.join("node-1.properties").display()),
    }
}

/// One broker that runs.
pub struct Broker {
    data: PathBuf,
    port: u16,
}

impl Broker {
    /// Starts a broker and waits until it is ready.
    pub fn start(tree: &Tree, data: PathBuf, port: u16) -> Result<Self> {
        machine::prepare_broker()?;
        std::fs::create_dir_all(&data)?;
        let mut command = script(tree, &data);
        command.arg("start").env("PORT", port.to_string()).stdout(Stdio::null());
        process::visible(&mut command)?;
        Ok(Self { data, port })
    }

    /// `host:port`, as `bootstrap.servers` takes it.
    pub fn bootstrap(&self) -> String {
        format!("{HOST}:{}", self.port)
    }

    /// The broker's log.
    pub fn log(&self) -> PathBuf {
        self.data.join("broker-1.log")
    }

    /// A shell command that kills the broker and starts it again.
    pub fn restart_command(&self, tree: &Tree) -> String {
        let (data, port) = (self.data.display(), self.port);
        let script = tree.root.join("tests/systems/start-kafka.sh");
        let script = script.display();
        format!("export DATA='{data}' PORT={port}; '{script}' kill-node 1 && '{script}' start-node 1")
    }

    /// Ends the broker and deletes its data.
    pub fn clean(self, tree: &Tree) -> Result<()> {
        process::visible(script(tree, &self.data).arg("clean"))
    }
}

/// A port that is free, and the next one free as well: a broker and its controller.
pub fn free_ports() -> Result<u16> {
    for _ in 0..50 {
        let Ok(first) = TcpListener::bind((HOST, 0)) else {
            continue;
        };
        let port = first.local_addr()?.port();
        if port < u16::MAX && TcpListener::bind((HOST, port + 1)).is_ok() {
            return Ok(port);
        }
    }
    bail!("found no two adjacent free ports on {HOST}")
}

/// The start script with this clone's directories and nothing inherited from the caller's settings.
fn script(tree: &Tree, data: &Path) -> Command {
    let mut command = Command::new(tree.root.join("tests/systems/start-kafka.sh"));
    for setting in ["N", "PORT", "HEAP", "EXTRA", "HOST"] {
        command.env_remove(setting);
    }
    command.env("DATA", data).stdin(Stdio::null());
    command
}
