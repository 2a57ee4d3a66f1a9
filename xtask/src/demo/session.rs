//! What one demo starts, and stops again: a directory, a broker, a worker.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::cli::DemoArguments;
use crate::demo::rest::Rest;
use crate::kafka::{self, Broker};
use crate::process;
use crate::tree::Tree;

/// REST's port in Kafka Connect.
const USUAL_PORT: u16 = 8083;

pub struct Session<'a> {
    tree: &'a Tree,
    directory: PathBuf,
    port: u16,
    pub rest: Rest,
    broker: Option<Broker>,
    worker: Option<Child>,
    keep: bool,
}

impl<'a> Session<'a> {
    /// Makes an empty directory and settles on a port; nothing runs yet.
    pub fn open(tree: &'a Tree, arguments: &DemoArguments) -> Result<Self> {
        let directory = tree.scratch().join(format!("demo-{}", std::process::id()));
        std::fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
        let port = match arguments.port {
            Some(port) => port,
            None if TcpListener::bind(("127.0.0.1", USUAL_PORT)).is_ok() => USUAL_PORT,
            None => kafka::free_ports()?,
        };
        Ok(Self {
            tree,
            directory,
            port,
            rest: Rest::new(port),
            broker: None,
            worker: None,
            keep: arguments.keep,
        })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Leaves the directory for whoever wants to know what went wrong.
    pub fn keep_for_inspection(&mut self) {
        self.keep = true;
    }

    pub fn start_kafka(&mut self) -> Result<String> {
        let broker = Broker::start(self.tree, self.file("kafka"), kafka::free_ports()?)?;
        let bootstrap = broker.bootstrap();
        self.broker = Some(broker);
        Ok(bootstrap)
    }

    /// Starts the worker and returns how long it took until REST answered.
    pub fn start_worker(&mut self, bootstrap: &str) -> Result<Duration> {
        std::fs::write(self.file("worker.properties"), self.properties(bootstrap))?;
        let log = File::create(self.file("worker.log"))?;
        let began = Instant::now();
        // A process group of its own, so that Ctrl-C reaches only us and the worker is asked to stop once.
        let worker = Command::new(self.tree.worker())
            .arg("standalone")
            .arg(self.file("worker.properties"))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .context("cannot start the worker")?;
        self.worker = Some(worker);
        while !self.rest.answers() {
            self.check_worker()?;
            if began.elapsed() > Duration::from_secs(30) {
                bail!(
                    "the worker's REST does not answer; its log is {}",
                    self.file("worker.log").display()
                );
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(began.elapsed())
    }

    fn properties(&self, bootstrap: &str) -> String {
        format!(
            "bootstrap.servers={bootstrap}\n\
             listeners=http://127.0.0.1:{port}\n\
             plugin.path={components}\n\
             key.converter=org.apache.kafka.connect.json.JsonConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\n\
             offset.storage.file.filename={offsets}\n\
             offset.flush.interval.ms=1000\n",
            port = self.port,
            components = self.tree.components().display(),
            offsets = self.file("connect.offsets").display(),
        )
    }

    /// An error with the end of its log if the worker has ended.
    pub fn check_worker(&mut self) -> Result<()> {
        let Some(worker) = &mut self.worker else { return Ok(()) };
        let Some(status) = worker.try_wait()? else {
            return Ok(());
        };
        let log = std::fs::read_to_string(self.file("worker.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        bail!(
            "the worker ended ({status}):\n{}",
            lines[lines.len().saturating_sub(20)..].join("\n")
        );
    }

    /// The worker's resident memory in MiB.
    pub fn worker_memory(&self) -> u64 {
        let Some(worker) = &self.worker else { return 0 };
        let status = std::fs::read_to_string(format!("/proc/{}/status", worker.id())).unwrap_or_default();
        let kibibytes = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse::<u64>()
                .ok()
        });
        kibibytes.unwrap_or_default() / 1024
    }

    fn stop(&mut self) -> Result<()> {
        if let Some(mut worker) = self.worker.take() {
            println!("stopping the worker");
            process::signal(&worker, Signal::TERM);
            if process::ended_within(&mut worker, Duration::from_secs(15))?.is_none() {
                println!("    it did not stop within 15 s and is killed");
                worker.kill()?;
                worker.wait()?;
            }
        }
        if let Some(broker) = self.broker.take() {
            println!("stopping Kafka");
            broker.clean(self.tree)?;
        }
        if self.keep {
            println!("kept {}", self.directory.display());
        } else {
            std::fs::remove_dir_all(&self.directory)?;
        }
        Ok(())
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("while cleaning up {}: {error:#}", self.directory.display());
        }
    }
}
