//! The worker as a process in a directory of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use crate::ports;
use crate::proxy::Proxy;
use crate::rest::Rest;
use crate::system::System;
use crate::wait::until;

/// A worker that does not run yet.
pub struct WorkerSetup {
    program: PathBuf,
    command: &'static str,
    directory: PathBuf,
    port: u16,
    properties: Vec<(String, String)>,
    connectors: Vec<String>,
    arguments: Vec<String>,
    text: Option<String>,
}

impl WorkerSetup {
    pub(crate) fn new(system: &System, test: &str) -> Self {
        let directory = system.directory(&system.name(test));
        let mut setup = Self {
            program: system.worker.clone(),
            command: "standalone",
            directory,
            port: ports::free(&[]),
            properties: Vec::new(),
            connectors: Vec::new(),
            arguments: Vec::new(),
            text: None,
        };
        let text = "org.apache.kafka.connect.storage.StringConverter";
        let listener = format!("http://127.0.0.1:{}", setup.port);
        let offsets = setup.path("connect.offsets").display().to_string();
        for (key, value) in [
            ("bootstrap.servers", system.bootstrap.as_str()),
            ("listeners", &listener),
            ("plugin.path", &system.components.display().to_string()),
            ("key.converter", text),
            ("value.converter", text),
            ("offset.storage.file.filename", &offsets),
            ("offset.flush.interval.ms", "500"),
        ] {
            setup = setup.property(key, value);
        }
        setup
    }

    /// A file in the worker's directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Sets a worker property; a later one replaces an earlier one.
    pub fn property(mut self, key: &str, value: &str) -> Self {
        self.properties.retain(|(known, _)| known != key);
        self.properties.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Has it listen at one address more.
    pub fn listener(mut self, address: &str) -> Self {
        let mut listeners = self.properties.iter_mut().filter(|(key, _)| key == "listeners");
        let (_, value) = listeners.next().expect("set for every worker");
        *value = format!("{value},{address}");
        self
    }

    /// Has other workers reach it through a proxy, whose address is its name.
    pub fn behind_proxy(self) -> (Self, Proxy) {
        let proxy = Proxy::start(self.port);
        let address = proxy.address();
        let port = address.rsplit(':').next().unwrap_or_default().to_owned();
        (self.property("rest.advertised.port", &port), proxy)
    }

    /// Makes it a worker of a cluster.
    pub fn command_distributed(mut self) -> Self {
        self.command = "distributed";
        self.properties
            .retain(|(known, _)| known != "offset.storage.file.filename");
        self
    }

    /// Makes it one of a cluster, which has its topics and a short patience with workers that are gone.
    pub fn distributed(mut self, cluster: &str) -> Self {
        self = self.command_distributed().property("group.id", cluster);
        for store in ["config", "offset", "status"] {
            self = self
                .property(&format!("{store}.storage.topic"), &format!("{cluster}-{store}"))
                .property(&format!("{store}.storage.replication.factor"), "1");
        }
        self.property("scheduled.rebalance.max.delay.ms", "0")
            .property("session.timeout.ms", "6000")
            .property("heartbeat.interval.ms", "1000")
    }

    /// A whole properties file in place of the properties, with `{port}` for REST's port.
    pub fn properties_text(mut self, text: &str) -> Self {
        self.text = Some(text.replace("{port}", &self.port.to_string()));
        self
    }

    /// A connector file for the command line.
    pub fn connector(mut self, file: &str, text: &str) -> Self {
        write(&self.path(file), text);
        self.connectors.push(file.to_owned());
        self
    }

    /// An option for the command line.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts it and waits until REST answers.
    #[track_caller]
    pub fn start(self) -> Worker {
        let mut worker = self.start_unawaited();
        worker.await_rest();
        worker
    }

    /// Starts it and does not wait.
    pub fn start_unawaited(self) -> Worker {
        let text = self.text.clone().unwrap_or_else(|| {
            let lines = self.properties.iter().map(|(key, value)| format!("{key}={value}\n"));
            lines.collect()
        });
        write(&self.path("worker.properties"), &text);
        let rest = Rest::new(self.port);
        let child = launch(&self);
        Worker {
            setup: self,
            rest,
            child,
            started: Instant::now(),
        }
    }
}

/// A worker that runs, or ran.
pub struct Worker {
    setup: WorkerSetup,
    pub rest: Rest,
    child: Child,
    started: Instant,
}

impl Worker {
    /// A file in the worker's directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.setup.path(name)
    }

    /// The text of a file in its directory; empty if there is none yet.
    pub fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    /// Waits until a file in its directory has so many lines.
    #[track_caller]
    pub fn await_lines(&self, name: &str, lines: usize) -> Vec<String> {
        until(&format!("{name} has {lines} lines"), || {
            let text = self.read(name);
            let found: Vec<String> = text.lines().map(str::to_owned).collect();
            (found.len() >= lines && text.ends_with('\n')).then_some(found)
        })
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        self.read("worker.log")
    }

    /// Waits for a log line that has all these parts.
    #[track_caller]
    pub fn await_log(&self, parts: &[&str]) -> String {
        until(&format!("a log line with {parts:?}"), || {
            self.log()
                .lines()
                .find(|line| parts.iter().all(|part| line.contains(part)))
                .map(str::to_owned)
        })
    }

    /// Waits until REST answers and returns how long after the start that was.
    #[track_caller]
    pub fn await_rest(&mut self) -> Duration {
        until("REST answers", || {
            let ended = self.child.try_wait().expect("the worker is our child");
            assert!(ended.is_none(), "the worker ended: {ended:?}");
            self.rest
                .try_call("GET", "/", None)
                .filter(|answer| answer.status == 200)
        });
        self.started.elapsed()
    }

    /// Resident memory now, and the most it has ever been, in MiB.
    pub fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let field = |name: &str| {
            let value = status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u64>().ok());
            value.unwrap_or_default() / 1024
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("the worker is our child");
        self.child.wait().expect("the worker is our child");
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGSTOP: it does nothing any more, and does not know it.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// No file of its may become larger than this, as if the disk were full; `u64::MAX`: any may.
    pub fn limit_files(&self, bytes: u64) {
        let current = (bytes < u64::MAX).then_some(bytes);
        let limit = Rlimit { current, maximum: None };
        prlimit(Some(self.pid()), Resource::Fsize, limit).expect("the worker is our child");
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id")).expect("a process id")
    }

    fn signal(&self, signal: Signal) {
        let pid = self.pid();
        // It may be gone already.
        let _ = rustix::process::kill_process(pid, signal);
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the worker is our child").is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn await_end(&mut self) -> ExitStatus {
        until("the worker ends", || {
            self.child.try_wait().expect("the worker is our child")
        })
    }

    /// Starts it once more with the same files; its log goes on. Returns how long REST took to answer.
    #[track_caller]
    pub fn start_again(&mut self) -> Duration {
        self.start_again_unawaited();
        self.await_rest()
    }

    /// The same, without waiting.
    #[track_caller]
    pub fn start_again_unawaited(&mut self) {
        assert!(!self.is_running(), "the worker still runs");
        self.child = launch(&self.setup);
        self.started = Instant::now();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            println!("---- the end of {}", self.path("worker.log").display());
            lines
                .iter()
                .skip(lines.len().saturating_sub(40))
                .for_each(|line| println!("{line}"));
        } else {
            let _ = std::fs::remove_dir_all(&self.setup.directory);
        }
    }
}

fn launch(setup: &WorkerSetup) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(setup.path("worker.log"))
        .expect("the directory exists");
    let output = log.try_clone().expect("an open file");
    let mut command = Command::new(&setup.program);
    command
        .arg(setup.command)
        .args(&setup.arguments)
        .arg("worker.properties")
        .args(&setup.connectors);
    command
        .current_dir(&setup.directory)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(log);
    command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", setup.program.display()))
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}
