//! The program as a command that ends, and what it says.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::rest::Rest;
use crate::system::System;

/// A command that is not run yet.
pub struct Caisson {
    command: Command,
}

/// How a command ended.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub error: String,
}

impl System {
    /// The program with these arguments.
    pub fn caisson(&self, arguments: &[&str]) -> Caisson {
        let mut command = Command::new(&self.worker);
        command.args(arguments);
        Caisson { command }
    }
}

impl Caisson {
    /// For this worker, unless the arguments name one.
    pub fn on(mut self, rest: &Rest) -> Self {
        self.command.env("CAISSON_URL", &rest.address);
        self
    }

    pub fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// The command itself, for who wants to talk with it.
    pub fn command(self) -> Command {
        self.command
    }

    /// Runs it with this on its standard input.
    #[track_caller]
    pub fn run(mut self, input: &str) -> Ended {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the program can be started");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        let output = std::thread::scope(|scope| {
            // On a thread of its own: it may print before it has read everything. One that reads nothing may have ended.
            scope.spawn(move || stdin.write_all(input.as_bytes()));
            child.wait_with_output().expect("it is our child")
        });
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended {
            code: output.status.code().expect("no signal ends it"),
            out: text(&output.stdout),
            error: text(&output.stderr),
        }
    }
}

impl Ended {
    /// What it printed, if it ended so.
    #[track_caller]
    pub fn expect(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.error);
        self.out
    }

    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.expect(0);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub fn is_well(&self) -> bool {
        self.code == 0
    }
}
