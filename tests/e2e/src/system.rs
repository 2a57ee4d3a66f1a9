//! Where things are, as `cargo x test` says it, and Kafka's own tools.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::worker::WorkerSetup;

/// The environment of one test run.
#[derive(Clone)]
pub struct System {
    /// `bootstrap.servers` of the broker that tests share.
    pub bootstrap: String,
    /// The worker's program.
    pub worker: PathBuf,
    /// The bundled components.
    pub components: PathBuf,
    /// Modules made for tests.
    pub guests: PathBuf,
    /// Start scripts of real servers.
    pub scripts: PathBuf,
    scratch: PathBuf,
}

/// Distinguishes what tests of one run create.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl System {
    /// The environment, or `None` and a line that says so when this is no end-to-end run.
    pub fn get() -> Option<Self> {
        let Ok(bootstrap) = std::env::var("CAISSON_TEST_BOOTSTRAP") else {
            say("skipped: needs a real Kafka; run `cargo x test --only e2e`");
            return None;
        };
        let path = |name: &str| {
            let value = std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set"));
            PathBuf::from(value)
        };
        Some(Self {
            bootstrap,
            worker: path("CAISSON_TEST_WORKER"),
            components: path("CAISSON_TEST_COMPONENTS"),
            guests: path("CAISSON_TEST_GUESTS"),
            scripts: path("CAISSON_TEST_SYSTEMS"),
            scratch: path("CAISSON_TEST_SCRATCH").join("e2e"),
        })
    }

    /// The environment for tests that start search servers, which is a stage of its own.
    pub fn with_search() -> Option<Self> {
        if std::env::var_os("CAISSON_TEST_SEARCH").is_none() {
            say("skipped: needs search servers; run `cargo x test --only search`");
            return None;
        }
        Self::get()
    }

    /// The same tools on another broker.
    pub fn on(&self, bootstrap: &str) -> Self {
        Self {
            bootstrap: bootstrap.to_owned(),
            ..self.clone()
        }
    }

    /// A name that nobody else in this run has, for topics and directories.
    pub fn name(&self, what: &str) -> String {
        format!("{what}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// An empty directory.
    pub fn directory(&self, name: &str) -> PathBuf {
        let directory = self.scratch.join(name);
        std::fs::create_dir_all(&directory)
            .unwrap_or_else(|error| panic!("cannot create {}: {error}", directory.display()));
        directory
    }

    /// A worker that is to be started in a directory of its own.
    pub fn worker(&self, test: &str) -> WorkerSetup {
        WorkerSetup::new(self, test)
    }

    /// Creates a topic and returns its name.
    pub fn topic(&self, what: &str, partitions: u32, settings: &[(&str, &str)]) -> String {
        let name = self.name(what);
        let partitions = partitions.to_string();
        let mut arguments = vec!["--create", "--topic", &name, "--partitions", &partitions];
        let settings: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        for setting in &settings {
            arguments.extend(["--config", setting]);
        }
        self.tool("org.apache.kafka.tools.TopicCommand", &arguments, "");
        name
    }

    /// Writes records with Kafka's console producer, one per line; with `separator` a line is key, separator, value.
    pub fn produce(&self, topic: &str, separator: Option<&str>, lines: &str) {
        let separator = separator.map(|text| format!("key.separator={text}"));
        let mut arguments = vec!["--topic", topic];
        if let Some(separator) = &separator {
            arguments.extend(["--reader-property", "parse.key=true", "--reader-property", separator]);
        }
        self.tool("org.apache.kafka.tools.ConsoleProducer", &arguments, lines);
    }

    /// Reads so many records with Kafka's console consumer: key, tab, value (`null` where there is none).
    pub fn consume(&self, topic: &str, records: usize) -> Vec<String> {
        let count = records.to_string();
        let arguments = [
            "--topic",
            topic,
            "--from-beginning",
            "--max-messages",
            &count,
            "--timeout-ms",
            "60000",
            "--formatter-property",
            "print.key=true",
            "--formatter-property",
            "key.separator=\t",
        ];
        let output = self.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", &arguments, "");
        let lines: Vec<String> = output.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), records, "records in {topic}: {output}");
        lines
    }

    /// The end offsets of a topic's partitions, added up.
    pub fn end_offset(&self, topic: &str) -> u64 {
        let output = self.tool("org.apache.kafka.tools.GetOffsetShell", &["--topic", topic], "");
        output
            .lines()
            .filter_map(|line| line.rsplit(':').next()?.trim().parse::<u64>().ok())
            .sum()
    }

    /// What a consumer group has committed: topic, partition and offset.
    pub fn committed(&self, group: &str) -> Vec<(String, i32, u64)> {
        let output = self.tool(
            "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
            &["--describe", "--group", group],
            "",
        );
        let rows = output.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (topic, partition, offset) = (*words.get(1)?, words.get(2)?.parse().ok()?, words.get(3)?.parse().ok()?);
            Some((topic.to_owned(), partition, offset))
        });
        rows.collect()
    }

    /// Runs one of Kafka's tools on this broker and returns what it prints.
    pub fn tool(&self, class: &str, arguments: &[&str], input: &str) -> String {
        let mut command = script(&self.scripts);
        command
            .arg("run")
            .arg(class)
            .arg("--bootstrap-server")
            .arg(&self.bootstrap)
            .args(arguments);
        command.env("DATA", self.directory("tools"));
        let output = run(&mut command, input);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{class} {arguments:?}: {complaint}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// The broker's start script, without settings of the caller.
pub fn script(scripts: &Path) -> Command {
    let mut command = Command::new(scripts.join("start-kafka.sh"));
    for setting in ["N", "PORT", "HEAP", "EXTRA", "HOST", "DATA"] {
        command.env_remove(setting);
    }
    command
}

/// Runs a program with `input` and collects what it says.
fn run(command: &mut Command, input: &str) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("standard input is piped");
    std::thread::scope(|scope| {
        // On a thread of its own: a tool may print before it has read everything.
        scope.spawn(move || stdin.write_all(input.as_bytes()));
        child
            .wait_with_output()
            .unwrap_or_else(|error| panic!("cannot wait for {command:?}: {error}"))
    })
}

/// Prints a figure that a test has seen, without asserting anything about it.
pub fn measured(text: &str) {
    say(&format!("measured: {text}"));
}

/// Prints a line even from a test that passes, whose ordinary output nobody sees.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
