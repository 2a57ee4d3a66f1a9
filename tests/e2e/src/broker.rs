//! A broker of a test's own, which it may stop and start.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::proxy::Proxy;
use crate::system::{System, script};

/// A broker that runs until it is dropped.
pub struct Broker {
    scripts: PathBuf,
    data: PathBuf,
    port: u16,
    /// A file of further properties.
    extra: Option<PathBuf>,
}

impl Broker {
    /// Starts a broker and waits until it is ready.
    pub fn start(system: &System, test: &str) -> Self {
        let broker = Self::reserve(system, test);
        broker.begin();
        broker
    }

    /// An address at which a broker can be started later.
    pub fn reserve(system: &System, test: &str) -> Self {
        let data = system.directory(&system.name(test)).join("kafka");
        Self {
            scripts: system.scripts.clone(),
            data,
            port: free_ports(),
            extra: None,
        }
    }

    /// Starts a broker that has a second listener, which is reached through a proxy alone.
    pub fn start_with_proxy(system: &System, test: &str) -> (Self, Proxy) {
        let mut broker = Self::reserve(system, test);
        let (port, behind) = (broker.port, free_ports());
        let proxy = Proxy::start(behind);
        let properties = format!(
            "listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://{}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT\n",
            port + 1,
            proxy.address(),
        );
        let extra = broker.data.with_file_name("extra.properties");
        std::fs::write(&extra, properties).expect("the test's own directory");
        broker.extra = Some(extra);
        broker.begin();
        (broker, proxy)
    }

    /// Starts a broker that was reserved and waits until it is ready.
    pub fn begin(&self) {
        self.perform(&["start"]);
    }

    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends the broker as an operator would; what it has stays.
    pub fn stop(&self) {
        self.perform(&["stop-node", "1"]);
    }

    /// Ends the broker as a crash would.
    pub fn kill(&self) {
        self.perform(&["kill-node", "1"]);
    }

    /// Starts it again, with its data, on its port.
    pub fn start_again(&self) {
        self.perform(&["start-node", "1"]);
    }

    fn perform(&self, action: &[&str]) {
        let status = self.command(action).status().expect("bash runs the start script");
        assert!(
            status.success(),
            "start-kafka.sh {action:?}: {status}; data in {}",
            self.data.display()
        );
    }

    fn command(&self, action: &[&str]) -> Command {
        let mut command = script(&self.scripts);
        command
            .args(action)
            .env("PORT", self.port.to_string())
            .env("DATA", &self.data)
            .env("HEAP", "256M");
        if let Some(extra) = &self.extra {
            command.env("EXTRA", extra);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.command(&["clean"]).stderr(Stdio::null()).status();
    }
}

/// A free port whose successor is free too: a broker and its controller.
fn free_ports() -> u16 {
    let found = (0..50).find_map(|_| {
        let first = TcpListener::bind(("127.0.0.1", 0)).ok()?;
        let port = first.local_addr().ok()?.port();
        TcpListener::bind(("127.0.0.1", port.checked_add(1)?))
            .ok()
            .map(|_| port)
    });
    found.expect("two adjacent free ports")
}
