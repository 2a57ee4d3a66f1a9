//! Where to listen, and under which address others find this worker.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

use caisson_config::listener::{Listener, Scheme};
use caisson_config::worker::RestConfig;
use tokio::net::TcpListener;

use crate::Error;

/// Takes a listener's address. Without a host that is every address of the machine, of both kinds where it has both.
pub async fn listen(listener: &Listener) -> io::Result<TcpListener> {
    if !listener.host.is_empty() {
        return TcpListener::bind((listener.host.as_str(), listener.port)).await;
    }
    match TcpListener::bind(("::", listener.port)).await {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => TcpListener::bind(("0.0.0.0", listener.port)).await,
        bound => bound,
    }
}

/// The address that is told to others.
#[derive(Debug, PartialEq, Eq)]
pub struct Advertised {
    scheme: Scheme,
    host: String,
    port: u16,
}

impl Advertised {
    pub fn worker_id(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub fn url(&self) -> String {
        format!("{}://{}:{}/", self.scheme.as_str(), self.host, self.port)
    }
}

/// What the settings say, else what the listener says, else what the machine is called. `bound` are the addresses that
/// the regular listeners got, in their order.
pub fn advertised(config: &RestConfig, bound: &[SocketAddr]) -> Result<Advertised, Error> {
    let with = |scheme: Scheme| config.listeners.iter().position(|listener| listener.scheme == scheme);
    let place = match config.advertised_listener.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => {
            let scheme = [Scheme::Http, Scheme::Https]
                .into_iter()
                .find(|scheme| scheme.as_str().eq_ignore_ascii_case(name));
            scheme
                .and_then(with)
                .ok_or_else(|| Error::AdvertisedListener(name.to_owned()))?
        }
        None => with(Scheme::Http).or_else(|| with(Scheme::Https)).unwrap_or(0),
    };
    let listener = &config.listeners[place];
    let host = config.advertised_host.clone().filter(|host| !host.is_empty());
    let host = host.unwrap_or_else(|| {
        if listener.host.is_empty() {
            machine()
        } else {
            listener.host.clone()
        }
    });
    let host = if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host
    };
    let port = config.advertised_port.unwrap_or_else(|| bound[place].port());
    Ok(Advertised {
        scheme: listener.scheme,
        host,
        port,
    })
}

/// The address that the machine's own name stands for, as Java's `InetAddress.getLocalHost` finds it.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let addresses: Vec<IpAddr> = (name.trim(), 0)
        .to_socket_addrs()
        .map(|addresses| addresses.map(|address| address.ip()).collect())
        .unwrap_or_default();
    let usual = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    usual.copied().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listener: &str, host: Option<&str>, port: Option<u16>, expected: &str) {
        let config = RestConfig {
            listeners: vec![Listener::parse(listener).unwrap()],
            admin_listeners: None,
            advertised_host: host.map(str::to_owned),
            advertised_port: port,
            advertised_listener: None,
            allowed_origin: String::new(),
            allowed_methods: String::new(),
            response_headers: String::new(),
            tls: None,
            admin_tls: None,
            peer_tls: None,
            extensions: Vec::new(),
            login_config: None,
        };
        let bound = ["0.0.0.0:4711".parse().unwrap()];
        assert_eq!(advertised(&config, &bound).unwrap().url(), expected);
    }

    #[test]
    fn settings_win_over_the_listener() {
        check("http://localhost:0", None, None, "http://localhost:4711/");
        check("http://localhost:0", Some("there"), Some(80), "http://there:80/");
        check("http://[::1]:0", None, None, "http://[::1]:4711/");
        check("http://:0", None, None, &format!("http://{}:4711/", machine()));
    }
}
