//! A real PostgreSQL.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::ports;
use crate::system::System;

/// A server that runs until it is dropped. Its login is that of everybody's example configuration.
pub struct Postgres {
    scripts: PathBuf,
    data: PathBuf,
    pub port: u16,
}

/// User, password and database.
const LOGIN: [(&str, &str); 3] = [
    ("USER_NAME", "connect_user"),
    ("PASSWORD", "db_password"),
    ("DATABASE", "mydatabase"),
];

impl Postgres {
    /// Starts a server and waits until it answers.
    pub fn start(system: &System) -> Self {
        // Not below the tests' own directory, which the server's user may not reach.
        let data = std::env::temp_dir().join(format!("caisson-{}", system.name("postgres")));
        std::fs::create_dir_all(&data).unwrap_or_else(|error| panic!("cannot create {}: {error}", data.display()));
        let postgres = Self {
            scripts: system.scripts.clone(),
            data,
            port: ports::free(&[]),
        };
        postgres.begin();
        postgres
    }

    /// Starts it again, with its data, on its port.
    pub fn begin(&self) {
        self.perform("start");
    }

    /// Starts it again with other settings of its start script.
    pub fn begin_with(&self, settings: &[(&str, &str)]) {
        let mut command = self.command("start");
        command.envs(settings.iter().copied());
        self.finish("start", command);
    }

    /// Ends it as an operator would, who does not want to have to kill it; what it has stays.
    #[track_caller]
    pub fn stop(&self) {
        let output = self.command("stop").output().expect("bash runs the start script");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !complaint.contains("killed"), "{complaint}");
    }

    /// Runs statements and returns what comes back, a line per row.
    #[track_caller]
    pub fn sql(&self, statements: &str) -> String {
        let output = self
            .command("client")
            .args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statements])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .expect("bash runs the start script");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statements}: {complaint}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs statements that may fail, as they do while the server is down; whether they did not.
    pub fn try_sql(&self, statements: &str) -> bool {
        let mut command = self.command("client");
        command
            .args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statements])
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn perform(&self, action: &str) {
        self.finish(action, self.command(action));
    }

    fn finish(&self, action: &str, mut command: Command) {
        let status = command.status().expect("bash runs the start script");
        let data = self.data.display();
        assert!(status.success(), "start-postgres.sh {action}: {status}; data in {data}");
    }

    fn command(&self, action: &str) -> Command {
        let mut command = Command::new(self.scripts.join("start-postgres.sh"));
        for setting in ["HOST", "RUN_AS", "WAL_LEVEL"] {
            command.env_remove(setting);
        }
        command
            .arg(action)
            .env("PORT", self.port.to_string())
            .env("DATA", &self.data)
            .envs(LOGIN)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.command("clean").stderr(Stdio::null()).status();
    }
}
