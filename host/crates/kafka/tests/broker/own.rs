//! A broker of a test's own, with listeners as the test wants them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// As the end-to-end tests choose them.
#[path = "../../../../../tests/e2e/src/ports.rs"]
mod ports;

pub struct OwnBroker {
    scripts: PathBuf,
    directory: tempfile::TempDir,
    /// A plain listener, the controller's, and three to be used as the test likes.
    pub ports: [u16; 5],
}

impl OwnBroker {
    /// Where one could be started; none if there are no start scripts.
    pub fn reserve() -> Option<OwnBroker> {
        Some(OwnBroker {
            scripts: PathBuf::from(std::env::var_os("CAISSON_TEST_SYSTEMS")?),
            directory: tempfile::tempdir().unwrap(),
            ports: free_ports(),
        })
    }

    /// A file in the broker's directory, which goes away with it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts it with further properties; a later one of the same name wins.
    pub fn start(&self, properties: &str) {
        std::fs::write(self.file("extra.properties"), properties).unwrap();
        self.perform(&["start"]);
    }

    /// An action of the start script.
    pub fn perform(&self, arguments: &[&str]) {
        assert!(
            self.command(arguments).status().unwrap().success(),
            "start-kafka.sh {arguments:?}"
        );
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.scripts.join("start-kafka.sh"));
        command.args(arguments);
        for setting in ["N", "HOST"] {
            command.env_remove(setting);
        }
        command
            .env("DATA", self.file("kafka"))
            .env("PORT", self.ports[0].to_string())
            .env("EXTRA", self.file("extra.properties"))
            .env("HEAP", "256M")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        let _ = self.command(&["clean"]).stderr(Stdio::null()).status();
    }
}

fn free_ports() -> [u16; 5] {
    let first = ports::free(&[1, 2, 3, 4]);
    std::array::from_fn(|more| first + more as u16)
}
