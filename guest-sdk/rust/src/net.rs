//! Connections by way of the worker: to the hosts that the configuration names, with the worker's TLS.
//!
//! For plugins that speak a protocol of their own. The manifest says where to ([`Plugin::network`](crate::plugin::Plugin::network)),
//! the worker checks each connection against the configuration, resolves the name and verifies the certificate. A call
//! that waits while the task is to stop returns at once.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use caisson_sdk::net::{Connection, Received, Tls};
//! # fn run() -> Result<(), caisson_sdk::api::Error> {
//! let mut connection = Connection::connect("db.example.org", 5432)?;
//! connection.send(b"may we use TLS?")?;
//! connection.start_tls(&Tls::default())?;
//! match connection.receive(64 << 10, Duration::from_millis(250))? {
//!     Received::Bytes(bytes) => println!("{} bytes", bytes.len()),
//!     Received::Nothing => println!("nothing yet"),
//!     Received::Closed => println!("the server is gone"),
//!     Received::Interrupted => println!("enough for now"),
//! }
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::io;
use std::time::Duration;

use caisson_api::Error;

use crate::host;

/// What is checked of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Verification {
    /// That a trusted certificate vouches for it, and that it is the host's.
    #[default]
    Full,
    /// That a trusted certificate vouches for it; any name will do.
    Chain,
    /// Nothing: nobody can listen, but who answers is not known.
    None,
}

/// How a connection is protected. The default verifies everything against what the worker trusts.
#[derive(Clone, Default)]
pub struct Tls {
    pub verification: Verification,
    /// The name to verify, if it is not the host.
    pub server_name: Option<String>,
    /// Trusted certificates in PEM instead of those of the worker.
    pub trusted: Option<String>,
    /// A certificate chain and its key in PEM, to be known by.
    pub identity: Option<(String, String)>,
}

/// The key stays unseen.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("verification", &self.verification)
            .field("server_name", &self.server_name)
            .field("trusted", &self.trusted.is_some())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

/// What [`Connection::receive`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    Bytes(Vec<u8>),
    /// Nothing came in time.
    Nothing,
    /// The peer has closed.
    Closed,
    /// The task is to stop, to pause or to be replaced: return soon.
    Interrupted,
}

/// An open connection; dropped, it is closed.
pub struct Connection {
    inner: host::Connection,
    /// What [`io::Read`] has not handed out yet.
    rest: Vec<u8>,
    at: usize,
}

/// Bytes that [`io::Read`] asks the worker for at a time.
const CHUNK: usize = 64 << 10;
/// How long one wait of [`io::Read`] takes before it waits again.
const WAIT: Duration = Duration::from_secs(1);

impl Connection {
    pub fn connect(host: &str, port: u16) -> Result<Self, Error> {
        Self::open(host, port, None)
    }

    /// Connects to a server that expects TLS from the first byte.
    pub fn connect_tls(host: &str, port: u16, tls: &Tls) -> Result<Self, Error> {
        Self::open(host, port, Some(tls))
    }

    fn open(host: &str, port: u16, tls: Option<&Tls>) -> Result<Self, Error> {
        Ok(Connection {
            inner: host::Connection::connect(host, port, tls)?,
            rest: Vec::new(),
            at: 0,
        })
    }

    /// Continues under TLS, for protocols that begin without.
    pub fn start_tls(&mut self, tls: &Tls) -> Result<(), Error> {
        if self.at < self.rest.len() {
            // Whoever sits in between could have sent it before the handshake, to have it taken for the server's.
            return Err(Error::fatal("the peer sent data ahead of the TLS handshake"));
        }
        self.inner.start_tls(tls)
    }

    /// What has come, at most `max` bytes, waiting for the first of them if need be. Not to be mixed with [`io::Read`].
    pub fn receive(&mut self, max: usize, wait: Duration) -> Result<Received, Error> {
        self.inner.receive(max, wait)
    }

    /// Sends all of it.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.inner.send(bytes)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

/// Waits until something comes.
impl io::Read for Connection {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        while self.at == self.rest.len() {
            match self.inner.receive(CHUNK, WAIT).map_err(io::Error::other)? {
                Received::Bytes(bytes) => (self.rest, self.at) = (bytes, 0),
                Received::Nothing => {}
                Received::Closed => return Ok(0),
                Received::Interrupted => return Err(io::Error::other("the task is to stop")),
            }
        }
        let count = to.len().min(self.rest.len() - self.at);
        to[..count].copy_from_slice(&self.rest[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Every write is a call: write through a [`io::BufWriter`].
impl io::Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.send(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
