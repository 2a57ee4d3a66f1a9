//! `cargo x conformance rest`: plays requests that were recorded with their answers against a worker on a real Kafka.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::cli::{GuestsArguments, Mode, RestArguments};
use crate::interrupt::Interrupt;
use crate::kafka::{self, Broker};
use crate::process::{self, Ending};
use crate::tree::Tree;
use crate::worker::{self, Worker};
use crate::{guests, machine};

/// No play takes longer unless it hangs.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(30 * 60);

pub fn run(tree: &Tree, arguments: &RestArguments) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    machine::prepare_broker()?;
    machine::prepare_player()?;
    worker::build(tree)?;
    guests::run(tree, &GuestsArguments::default())?;
    let directory = tree.scratch().join(format!("conformance-{}", std::process::id()));
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let played = play(tree, arguments, &directory, &interrupt)?;
    if played.is_success() {
        std::fs::remove_dir_all(&directory)?;
        return Ok(ExitCode::SUCCESS);
    }
    println!("the worker's log: {}", directory.join("worker.log").display());
    Ok(ExitCode::FAILURE)
}

/// With a broker and a worker that are gone afterwards.
fn play(tree: &Tree, arguments: &RestArguments, directory: &Path, interrupt: &Interrupt) -> Result<Ending> {
    let broker = Broker::start(tree, directory.join("kafka"), kafka::free_ports()?)?;
    let played = with_worker(tree, arguments, directory, &broker.bootstrap(), interrupt);
    broker.clean(tree)?;
    played
}

fn with_worker(
    tree: &Tree,
    arguments: &RestArguments,
    directory: &Path,
    bootstrap: &str,
    interrupt: &Interrupt,
) -> Result<Ending> {
    let port = kafka::free_ports()?;
    let properties = properties(tree, arguments.mode, directory, bootstrap, port);
    let answers = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    let (worker, _) = Worker::start(tree, directory, arguments.mode, &properties, answers)?;
    let played = process::logged(
        &mut player(tree, arguments, directory, bootstrap, port)?,
        &tree.log(&format!("conformance-rest-{}", arguments.mode.verb())),
        interrupt,
        LIMIT,
        &mut shown,
    );
    worker.stop()?;
    played
}

/// Everything but what passes.
fn shown(line: &str) -> Option<String> {
    (!line.starts_with("ok ")).then(|| line.to_owned())
}

fn player(tree: &Tree, arguments: &RestArguments, directory: &Path, bootstrap: &str, port: u16) -> Result<Command> {
    let here = tree.root.join("tests/conformance/rest");
    let mut command = Command::new("python3");
    command
        .arg(here.join("run.py"))
        .current_dir(&tree.root)
        .stdin(Stdio::null());
    command.args(["--url", &format!("http://127.0.0.1:{port}"), "--bootstrap", bootstrap]);
    command.arg("--dir").arg(directory.join("files"));
    if let Some(scenarios) = &arguments.scenarios {
        command.arg("--scenarios").arg(std::path::absolute(scenarios)?);
    }
    if let Some(only) = &arguments.only {
        command.args(["--only", only]);
    }
    let excuses: Option<PathBuf> = match arguments.mode {
        Mode::Standalone => Some(here.join("standalone.json")),
        Mode::Distributed => None,
    };
    if let Some(excuses) = excuses {
        command.arg("--excuses").arg(excuses);
    }
    Ok(command)
}

/// The worker that the recordings were made with.
fn properties(tree: &Tree, mode: Mode, directory: &Path, bootstrap: &str, port: u16) -> String {
    let components = tree.components();
    let common = format!(
        "bootstrap.servers={bootstrap}\n\
         listeners=http://127.0.0.1:{port}\n\
         plugin.path={components}\n\
         key.converter=org.apache.kafka.connect.json.JsonConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\n\
         offset.flush.interval.ms=10000\n",
        components = components.display(),
    );
    let own = match mode {
        Mode::Standalone => {
            let file = directory.join("connect.offsets");
            format!("offset.storage.file.filename={}\n", file.display())
        }
        Mode::Distributed => {
            let topic =
                |name: &str| format!("{name}.storage.topic=connect-{name}s\n{name}.storage.replication.factor=1\n");
            let topics: String = ["offset", "config", "status"].map(topic).concat();
            format!("group.id=connect-cluster\n{topics}")
        }
    };
    common + &own
}
