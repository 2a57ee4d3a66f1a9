//! Connections that wait for their next request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::client::conn::http1::SendRequest;
use tokio::task::AbortHandle;
use wasmtime_wasi_http::WasiBody;

use crate::network::Slot;

/// Connections to one endpoint that may wait at the same time.
const MOST_IDLE: usize = 16;
/// How long one waits unless the guest says otherwise.
const IDLE: Duration = Duration::from_secs(60);

/// Whom a connection leads to, and on which terms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// Counts the changes of the terms of TLS.
    pub(super) terms: u64,
}

/// A connection, as long as somebody has it. Dropped, it is closed.
pub(super) struct Connection {
    pub(super) sender: SendRequest<WasiBody>,
    pub(super) driver: AbortHandle,
    pub(super) _slot: Slot,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// The connections of one instance that wait.
pub(super) struct Pool {
    inner: Mutex<Inner>,
}

/// Held for a look-up.
struct Inner {
    idle: HashMap<Endpoint, Vec<Idle>>,
    keep: Duration,
}

impl Pool {
    pub(super) fn new() -> Self {
        Pool {
            inner: Mutex::new(Inner {
                idle: HashMap::new(),
                keep: IDLE,
            }),
        }
    }

    /// A connection that waited and is still open, the one that waited least.
    pub(super) fn take(&self, endpoint: &Endpoint) -> Option<Connection> {
        let mut inner = self.lock();
        let keep = inner.keep;
        let idle = inner.idle.get_mut(endpoint)?;
        idle.retain(|idle| idle.since.elapsed() < keep && !idle.connection.sender.is_closed());
        let at = idle.iter().rposition(|idle| idle.connection.sender.is_ready())?;
        Some(idle.remove(at).connection)
    }

    /// Has a connection wait whose answer has been read to its end.
    pub(super) fn give(&self, endpoint: Endpoint, connection: Connection) {
        if connection.sender.is_closed() {
            return;
        }
        let mut inner = self.lock();
        let idle = inner.idle.entry(endpoint).or_default();
        if idle.len() == MOST_IDLE {
            idle.remove(0);
        }
        idle.push(Idle {
            connection,
            since: Instant::now(),
        });
    }

    /// Closes all that wait.
    pub(super) fn clear(&self) {
        self.lock().idle.clear();
    }

    pub(super) fn keep(&self, keep: Duration) {
        self.lock().keep = keep;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
