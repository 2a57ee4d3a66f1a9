//! A broker of a test's own, with listeners as the test wants them.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

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

/// A port, its successor for the controller, and others.
fn free_ports() -> [u16; 5] {
    let listen = |port: u16| TcpListener::bind(("127.0.0.1", port)).ok();
    for _ in 0..50 {
        let listeners: Vec<TcpListener> = (0..4).filter_map(|_| listen(0)).collect();
        let ports: Vec<u16> = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap().port())
            .collect();
        if let [first, rest @ ..] = &ports[..]
            && let Some(next) = first.checked_add(1)
            && listen(next).is_some()
            && let [sasl, mutual, misnamed] = rest
        {
            return [*first, next, *sasl, *mutual, *misnamed];
        }
    }
    panic!("no free ports");
}
