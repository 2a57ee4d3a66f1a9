//! Connections of the worker.

use std::time::Duration;

use caisson_api::Error;

use super::error;
use crate::glue::bindings::connect::{http, net};
use crate::net::{Received, Tls, Verification};

pub(crate) struct Connection(net::Connection);

fn terms(tls: &Tls) -> net::Tls {
    net::Tls {
        verification: match tls.verification {
            Verification::Full => net::Verification::Full,
            Verification::Chain => net::Verification::Chain,
            Verification::None => net::Verification::None,
        },
        server_name: tls.server_name.clone(),
        trusted: tls.trusted.clone(),
        identity: tls.identity.clone(),
    }
}

/// TLS of outgoing requests.
pub(crate) fn use_tls(tls: &Tls) -> Result<(), Error> {
    http::use_tls(&terms(tls)).map_err(error)
}

pub(crate) fn keep_idle(time: Duration) {
    http::keep_idle(u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
}

impl Connection {
    pub fn connect(host: &str, port: u16, tls: Option<&Tls>) -> Result<Self, Error> {
        let terms = tls.map(terms);
        net::Connection::connect(host, port, terms.as_ref())
            .map(Connection)
            .map_err(error)
    }

    pub fn start_tls(&mut self, tls: &Tls) -> Result<(), Error> {
        self.0.start_tls(&terms(tls)).map_err(error)
    }

    pub fn receive(&mut self, max: usize, wait: Duration) -> Result<Received, Error> {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        let wait = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        match self.0.read(max, wait) {
            Ok(None) => Ok(Received::Closed),
            Ok(Some(bytes)) if bytes.is_empty() => Ok(Received::Nothing),
            Ok(Some(bytes)) => Ok(Received::Bytes(bytes)),
            Err(failed) if failed.retry_after_ms == Some(0) => Ok(Received::Interrupted),
            Err(failed) => Err(error(failed)),
        }
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write(bytes).map_err(error)
    }
}
