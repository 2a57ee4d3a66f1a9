//! Connections of the harness: sockets of this process. It grants everything and has no TLS.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use caisson_api::Error;

use crate::net::{Received, Tls};

pub(crate) struct Connection(TcpStream);

fn failed(error: &std::io::Error) -> Error {
    Error::retriable(error.to_string())
}

/// Requests under TLS are refused when they are made; the settings have no effect.
pub(crate) fn use_tls(_: &Tls) -> Result<(), Error> {
    Ok(())
}

/// No connection is used twice.
pub(crate) fn keep_idle(_: Duration) {}

impl Connection {
    pub fn connect(host: &str, port: u16, tls: Option<&Tls>) -> Result<Self, Error> {
        let stream = TcpStream::connect((host, port))
            .map_err(|error| Error::retriable(format!("{host}:{port} cannot be reached: {error}")))?;
        stream.set_nodelay(true).map_err(|error| failed(&error))?;
        let mut connection = Connection(stream);
        match tls {
            Some(tls) => connection.start_tls(tls).map(|()| connection),
            None => Ok(connection),
        }
    }

    pub fn start_tls(&mut self, _: &Tls) -> Result<(), Error> {
        Err(Error::unsupported("TLS is the worker's; the harness has none"))
    }

    pub fn receive(&mut self, max: usize, wait: Duration) -> Result<Received, Error> {
        // Zero would mean to wait for ever.
        let wait = wait.max(Duration::from_millis(1));
        self.0.set_read_timeout(Some(wait)).map_err(|error| failed(&error))?;
        let mut bytes = vec![0; max.clamp(1, 1 << 20)];
        match self.0.read(&mut bytes) {
            Ok(0) => Ok(Received::Closed),
            Ok(count) => {
                bytes.truncate(count);
                Ok(Received::Bytes(bytes))
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(Received::Nothing),
            Err(error) => Err(failed(&error)),
        }
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write_all(bytes).map_err(|error| failed(&error))
    }
}
