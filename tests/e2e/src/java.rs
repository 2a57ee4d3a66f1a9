//! Kafka Connect's own worker.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::ports;
use crate::rest::Rest;
use crate::system::System;

/// A worker of Kafka Connect that is stopped when it is dropped.
pub struct JavaWorker {
    scripts: PathBuf,
    data: PathBuf,
    bootstrap: String,
    group: String,
    port: u16,
    /// Whether it has Debezium's connector, of the script's own version.
    debezium: bool,
    pub rest: Rest,
}

impl JavaWorker {
    /// A worker of a group whose name ends in `-cluster`, and whose topics are named after what comes before that.
    /// `properties` are further ones.
    pub fn prepare(system: &System, group: &str, properties: &str) -> Self {
        let data = system.directory(&system.name("java"));
        std::fs::write(data.join("extra.properties"), properties).expect("a directory of the test's own");
        let port = ports::free(&[]);
        Self {
            scripts: system.scripts.clone(),
            data,
            bootstrap: system.bootstrap.clone(),
            group: group.to_owned(),
            port,
            debezium: false,
            rest: Rest::new(port),
        }
    }

    /// The same with Debezium's connector for PostgreSQL.
    pub fn with_debezium(mut self) -> Self {
        self.debezium = true;
        self
    }

    /// Starts it, for the first time or again, and waits until REST answers.
    pub fn begin(&self) {
        let status = self.command("start").status().expect("bash runs the start script");
        let data = self.data.display();
        assert!(status.success(), "start-kafka-connect.sh: {status}; data in {data}");
    }

    /// Ends it as an operator would, and waits until it is gone.
    pub fn stop(&self) {
        self.end("stop");
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&self) {
        self.end("kill");
    }

    fn end(&self, how: &str) {
        let status = self.command(how).status().expect("bash runs the start script");
        assert!(status.success(), "start-kafka-connect.sh {how}: {status}");
    }

    fn command(&self, action: &str) -> Command {
        let mut command = Command::new(self.scripts.join("start-kafka-connect.sh"));
        command
            .arg(action)
            .env("PORT", self.port.to_string())
            .env("BOOTSTRAP", &self.bootstrap)
            .env("GROUP", &self.group)
            .env("REPLICATION", "1")
            .env("HEAP", "320M")
            .env("EXTRA", self.data.join("extra.properties"))
            .env("DATA", self.data.join("connect"));
        if !self.debezium {
            command.env("DEBEZIUM", "");
        }
        command.env_remove("HOST").stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl Drop for JavaWorker {
    fn drop(&mut self) {
        let _ = self.command("clean").stderr(Stdio::null()).status();
    }
}
