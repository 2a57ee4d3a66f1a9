//! The one way of an instance to the network.
//!
//! Whatever a guest uses (the contract's `net`, WASI's sockets, outgoing HTTP), the connection is decided here: the host
//! must be granted by the configuration, its name is resolved by the worker, each address must be allowed by the
//! operator, and the address that was looked at is the one that is connected to. A name that means another address the
//! next time gains nothing.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::grants::network::{NetworkGrants, NetworkRefusal, bare};
use crate::interrupt::Interrupt;
use crate::output::{GuestLog, Level};

mod connection;
mod host;
pub(crate) mod http;
mod keystores;
mod socket;
mod sockets;
pub(crate) mod tls;

pub use connection::Connection;
pub(crate) use sockets::{OpenLookups, add_to_linker, check_addresses};
pub(crate) use tls::Trust;

/// How long a name may take to resolve.
const RESOLVE: Duration = Duration::from_secs(10);
/// How long one address may take to answer.
const CONNECT: Duration = Duration::from_secs(10);
/// Addresses that are tried for one connection.
const ADDRESSES: usize = 8;
/// Addresses whose names are remembered for WASI's sockets.
const REMEMBERED: usize = 10_000;

/// Why there is no connection, or no more of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Refused(#[from] NetworkRefusal),
    #[error("{host} has no address: {source}")]
    Unknown { host: String, source: io::Error },
    #[error("{host}:{port} cannot be reached: {source}")]
    Unreachable { host: String, port: u16, source: io::Error },
    #[error("{0}")]
    Broken(io::Error),
    /// The certificate of the peer, or what it is checked with.
    #[error("{0}")]
    Untrusted(String),
    #[error("TLS with the peer failed: {0}")]
    Tls(String),
    #[error("the connection is closed")]
    Closed,
    #[error("the instance has {0} open connections, sandbox.connections allows no more")]
    TooMany(u32),
    #[error("interrupted, because the task is to stop, to pause or to be replaced")]
    Interrupted,
}

/// What one instance may reach.
pub(crate) struct Network {
    grants: NetworkGrants,
    trust: Arc<Trust>,
    interrupt: Interrupt,
    most: u32,
    open: Arc<AtomicU32>,
    /// The granted names that led to an address, for sockets that are opened by address. Held for one look-up.
    names: Mutex<HashMap<IpAddr, Vec<String>>>,
    /// Where refusals are told that the guest has no way of hearing.
    log: OnceLock<Arc<GuestLog>>,
}

/// One open connection, counted until it is dropped.
pub(crate) struct Slot(Arc<AtomicU32>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Network {
    /// What `grants` allow, no more than `most` connections at a time.
    pub(crate) fn new(grants: NetworkGrants, trust: Arc<Trust>, interrupt: Interrupt, most: u32) -> Arc<Self> {
        Arc::new(Network {
            grants,
            trust,
            interrupt,
            most,
            open: Arc::default(),
            names: Mutex::default(),
            log: OnceLock::new(),
        })
    }

    /// Nothing at all.
    pub(crate) fn none() -> Arc<Self> {
        Self::new(NetworkGrants::default(), Arc::default(), Interrupt::default(), 0)
    }

    /// Has refusals told in the log of the instance.
    pub(crate) fn tell(&self, log: Arc<GuestLog>) {
        let _ = self.log.set(log);
    }

    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Connects to a granted endpoint.
    pub(crate) async fn dial(&self, host: &str, port: u16) -> Result<(TcpStream, Slot), Failure> {
        let slot = self.slot()?;
        let addresses = self.resolve(host, port).await?;
        let mut last = None;
        for address in addresses.into_iter().take(ADDRESSES) {
            let connecting = tokio::time::timeout(CONNECT, TcpStream::connect(address));
            match self.interrupt.unless(connecting).await.ok_or(Failure::Interrupted)? {
                Ok(Ok(stream)) => {
                    // Requests and acknowledgements are small and waited for.
                    stream.set_nodelay(true).map_err(Failure::Broken)?;
                    return Ok((stream, slot));
                }
                Ok(Err(error)) => last = Some(error),
                Err(_) => last = Some(io::Error::new(io::ErrorKind::TimedOut, "it does not answer")),
            }
        }
        Err(Failure::Unreachable {
            host: host.to_owned(),
            port,
            source: last.unwrap_or_else(|| io::Error::other("it has no address")),
        })
    }

    /// The addresses of a granted endpoint that the operator allows; at least one.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        self.grants.host(host, port)?;
        let addresses = match bare(host).parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.look_up(host).await?,
        };
        let mut allowed = Vec::with_capacity(addresses.len());
        let mut refusal = None;
        for address in addresses {
            match self.grants.address(host, address, port) {
                Ok(()) => allowed.push(SocketAddr::new(address, port)),
                Err(refused) => refusal = Some(refused),
            }
        }
        match refusal {
            Some(refusal) if allowed.is_empty() => Err(refusal.into()),
            Some(_) | None => Ok(allowed),
        }
    }

    async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let unknown = |source: io::Error| Failure::Unknown {
            host: host.to_owned(),
            source,
        };
        let looking = tokio::time::timeout(RESOLVE, tokio::net::lookup_host((host, 0)));
        let found = match self.interrupt.unless(looking).await.ok_or(Failure::Interrupted)? {
            Ok(found) => found.map_err(unknown)?,
            Err(_) => {
                let slow = io::Error::new(io::ErrorKind::TimedOut, "the name service does not answer");
                return Err(unknown(slow));
            }
        };
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found.map(|found| found.ip().to_canonical()) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            return Err(unknown(io::Error::other("the name service knows none")));
        }
        Ok(addresses)
    }

    fn slot(&self) -> Result<Slot, Failure> {
        let open = self.open.fetch_add(1, Ordering::AcqRel);
        // Given back by the drop, also if it was one too many.
        let slot = Slot(self.open.clone());
        // A guest without any grant hears of that instead.
        if open >= self.most && self.most > 0 {
            return Err(Failure::TooMany(open));
        }
        Ok(slot)
    }

    /// Whether a name may be resolved at all, for sockets that are opened by address later.
    fn name(&self, name: &str) -> Result<(), NetworkRefusal> {
        self.grants.name(name)
    }

    /// Remembers that a granted name led to an address.
    fn remember(&self, address: IpAddr, name: &str) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= REMEMBERED {
            names.clear();
        }
        let known = names.entry(address.to_canonical()).or_default();
        if !known.iter().any(|known| known == name) && known.len() < ADDRESSES {
            known.push(name.to_owned());
        }
    }

    /// Whether a socket may be connected to an address: it has to be granted itself, or a granted name has led to it.
    fn address(&self, to: SocketAddr) -> Result<(), NetworkRefusal> {
        let address = to.ip().to_canonical();
        let names = {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.get(&address).cloned().unwrap_or_default()
        };
        let literal = address.to_string();
        let mut refusal = None;
        for host in names.iter().chain([&literal]) {
            let checked = self
                .grants
                .host(host, to.port())
                .and_then(|()| self.grants.address(host, address, to.port()));
            match checked {
                Ok(()) => return Ok(()),
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    /// Tells in the log what WASI's error codes have no words for.
    fn refused(&self, refusal: &NetworkRefusal) {
        if let Some(log) = self.log.get() {
            log.write(Level::Warn, &format!("refused to connect: {refusal}"), &[]);
        }
    }
}
