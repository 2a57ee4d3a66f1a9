//! The contract's interface `net`.

use std::time::Duration;

use caisson_keystore::Verification;
use wasmtime::Result;
use wasmtime::component::Resource;

use super::tls::Terms;
use super::{Connection, Failure};
use crate::bindings::{net, types};
use crate::instance::State;

impl From<Failure> for types::Error {
    fn from(failure: Failure) -> Self {
        let kind = match failure {
            // Only a person can help: by a grant, a certificate, a limit.
            Failure::Refused(_) | Failure::Untrusted(_) | Failure::TooMany(_) => types::ErrorKind::Config,
            Failure::Unknown { .. }
            | Failure::Unreachable { .. }
            | Failure::Broken(_)
            | Failure::Tls(_)
            | Failure::Closed
            | Failure::Interrupted => types::ErrorKind::Retriable,
        };
        types::Error {
            kind,
            // An interruption is nobody's fault: what waits next is to begin at once.
            retry_after_ms: matches!(failure, Failure::Interrupted).then_some(0),
            message: failure.to_string(),
            detail: None,
        }
    }
}

impl From<net::Tls> for Terms {
    fn from(tls: net::Tls) -> Self {
        Terms {
            verification: match tls.verification {
                net::Verification::Full => Verification::Full,
                net::Verification::Chain => Verification::Chain,
                net::Verification::None => Verification::None,
            },
            server_name: tls.server_name,
            trusted: tls.trusted,
            identity: tls.identity,
        }
    }
}

impl net::Host for State {}

impl net::HostConnection for State {
    async fn connect(
        &mut self,
        host: String,
        port: u16,
        tls: Option<net::Tls>,
    ) -> Result<Result<Resource<Connection>, types::Error>> {
        match Connection::open(self.network.clone(), host, port, tls.map(Terms::from)).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    async fn start_tls(&mut self, connection: Resource<Connection>, tls: net::Tls) -> Result<Result<(), types::Error>> {
        let connection = self.table.get_mut(&connection)?;
        Ok(connection.start_tls(tls.into()).await.map_err(types::Error::from))
    }

    async fn read(
        &mut self,
        connection: Resource<Connection>,
        max: u32,
        wait_ms: u32,
    ) -> Result<Result<Option<Vec<u8>>, types::Error>> {
        let connection = self.table.get_mut(&connection)?;
        let wait = Duration::from_millis(wait_ms.into());
        Ok(connection.read(max, wait).await.map_err(types::Error::from))
    }

    async fn write(&mut self, connection: Resource<Connection>, data: Vec<u8>) -> Result<Result<(), types::Error>> {
        let connection = self.table.get_mut(&connection)?;
        Ok(connection.write(&data).await.map_err(types::Error::from))
    }

    fn drop(&mut self, connection: Resource<Connection>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}
