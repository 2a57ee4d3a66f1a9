//! Brokers of a test's own, which it may stop and start.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::ports;
use crate::proxy::Proxy;
use crate::system::{System, script};

/// A broker, or several as one cluster, until it is dropped. They are numbered from 1 on.
pub struct Broker {
    scripts: PathBuf,
    data: PathBuf,
    /// Of the first one; the next ones follow in tens.
    port: u16,
    nodes: u16,
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
            port: free_ports(1),
            nodes: 1,
            extra: None,
        }
    }

    /// Starts so many brokers, with these properties beyond the usual ones. Everything is on all of three.
    pub fn start_several(system: &System, test: &str, nodes: u16, properties: &str) -> Self {
        let mut brokers = Self::reserve(system, test);
        (brokers.port, brokers.nodes) = (free_ports(nodes), nodes);
        brokers.set_extra(properties);
        brokers.begin();
        brokers
    }

    fn set_extra(&mut self, properties: &str) {
        let extra = self.data.with_file_name("extra.properties");
        std::fs::write(&extra, properties).expect("the test's own directory");
        self.extra = Some(extra);
    }

    /// Starts a broker that has a second listener, which is reached through a proxy alone.
    pub fn start_with_proxy(system: &System, test: &str) -> (Self, Proxy) {
        let mut broker = Self::reserve(system, test);
        let (port, behind) = (broker.port, free_ports(1));
        let proxy = Proxy::start(behind);
        let properties = format!(
            "listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://{}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT\n",
            port + 1,
            proxy.address(),
        );
        broker.set_extra(&properties);
        broker.begin();
        (broker, proxy)
    }

    /// Starts a broker that was reserved and waits until it is ready.
    pub fn begin(&self) {
        self.perform(&["start"]);
    }

    pub fn bootstrap(&self) -> String {
        let address = |node| format!("127.0.0.1:{}", self.port + 10 * node);
        (0..self.nodes).map(address).collect::<Vec<_>>().join(",")
    }

    /// Ends the broker as an operator would; what it has stays.
    pub fn stop(&self) {
        self.stop_node(1);
    }

    pub fn stop_node(&self, node: u16) {
        self.perform(&["stop-node", &node.to_string()]);
    }

    /// Ends the broker as a crash would.
    pub fn kill(&self) {
        self.kill_node(1);
    }

    pub fn kill_node(&self, node: u16) {
        self.perform(&["kill-node", &node.to_string()]);
    }

    /// Starts it again, with its data, on its port.
    pub fn start_again(&self) {
        self.start_node_again(1);
    }

    pub fn start_node_again(&self, node: u16) {
        self.perform(&["start-node", &node.to_string()]);
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
            .env("N", self.nodes.to_string())
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

/// For a broker and its controller, and those ten further for each broker more.
fn free_ports(nodes: u16) -> u16 {
    let all: Vec<u16> = (0..nodes).flat_map(|node| [10 * node, 10 * node + 1]).collect();
    ports::free(&all)
}
