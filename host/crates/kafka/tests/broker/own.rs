//! A broker of a test's own, with listeners as the test wants them.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

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

/// Five in a row, below those that systems give to connections: a broker that was killed finds its own free when it is
/// started again.
fn free_ports() -> [u16; 5] {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Another process begins elsewhere.
    let begin = std::process::id().wrapping_mul(61);
    for _ in 0..500 {
        let given = GIVEN.fetch_add(5, Ordering::Relaxed);
        let first = (10_000 + begin.wrapping_add(given) % 22_000) as u16;
        let ports = std::array::from_fn(|more| first + more as u16);
        if ports.iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()) {
            return ports;
        }
    }
    panic!("no free ports");
}
