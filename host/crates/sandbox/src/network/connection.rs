//! One connection of the contract's `net`: bytes in the open or under TLS.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::tls::{self, Terms};
use super::{Failure, Network, Slot};

/// Bytes that one read gives at most.
const MOST: usize = 1 << 20;

/// An open connection of a guest.
pub struct Connection {
    transport: Transport,
    host: String,
    network: Arc<Network>,
    /// Where reads go first: many bring a few bytes only, and fresh room for the most they may bring would cost more than they.
    buffer: Vec<u8>,
    _slot: Slot,
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A handshake or a write was given up in the middle.
    Gone,
}

impl Connection {
    pub(super) async fn open(
        network: Arc<Network>,
        host: String,
        port: u16,
        terms: Option<Terms>,
    ) -> Result<Self, Failure> {
        let (stream, slot) = network.dial(&host, port).await?;
        let mut connection = Connection {
            transport: Transport::Plain(stream),
            host,
            network,
            buffer: Vec::new(),
            _slot: slot,
        };
        if let Some(terms) = terms {
            connection.start_tls(terms).await?;
        }
        Ok(connection)
    }

    pub(super) async fn start_tls(&mut self, terms: Terms) -> Result<(), Failure> {
        let Transport::Plain(stream) = std::mem::replace(&mut self.transport, Transport::Gone) else {
            return Err(Failure::Tls("the connection is under TLS already, or closed".into()));
        };
        let handshake = tls::handshake(stream, &self.host, &terms, self.network.trust());
        let done = self.network.interrupt().unless(handshake).await;
        self.transport = Transport::Tls(Box::new(done.ok_or(Failure::Interrupted)??));
        Ok(())
    }

    /// What has come, at most `max` bytes; nothing if nothing comes within `wait`, `None` if the peer has closed.
    pub(super) async fn read(&mut self, max: u32, wait: Duration) -> Result<Option<Vec<u8>>, Failure> {
        let most = (max as usize).clamp(1, MOST);
        if self.buffer.len() < most {
            self.buffer.resize(most, 0);
        }
        let bytes = &mut self.buffer[..most];
        let first = match &mut self.transport {
            Transport::Plain(stream) => first(stream, bytes, wait, &self.network).await?,
            Transport::Tls(stream) => first(&mut **stream, bytes, wait, &self.network).await?,
            Transport::Gone => return Err(Failure::Closed),
        };
        let mut filled = match first {
            None => 0,
            Some(0) => return Ok(None),
            Some(read) => read,
        };
        // What else is there already saves the guest a call. An error comes again with the next one.
        while filled > 0 && filled < bytes.len() {
            let more = match &mut self.transport {
                Transport::Plain(stream) => ready(stream, &mut bytes[filled..]),
                Transport::Tls(stream) => ready(&mut **stream, &mut bytes[filled..]),
                Transport::Gone => 0,
            };
            if more == 0 {
                break;
            }
            filled += more;
        }
        Ok(Some(bytes[..filled].to_vec()))
    }

    pub(super) async fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        let written = {
            let writing = async {
                match &mut self.transport {
                    Transport::Plain(stream) => stream.write_all(data).await,
                    Transport::Tls(stream) => {
                        stream.write_all(data).await?;
                        stream.flush().await
                    }
                    Transport::Gone => Err(std::io::ErrorKind::NotConnected.into()),
                }
            };
            self.network.interrupt().unless(writing).await
        };
        match written {
            Some(written) => written.map_err(Failure::Broken),
            None => {
                self.transport = Transport::Gone;
                Err(Failure::Interrupted)
            }
        }
    }
}

/// The first bytes; `None` if none came in time.
async fn first(
    stream: &mut (impl AsyncRead + Unpin),
    to: &mut [u8],
    wait: Duration,
    network: &Network,
) -> Result<Option<usize>, Failure> {
    let reading = tokio::time::timeout(wait, stream.read(to));
    match network.interrupt().unless(reading).await {
        None => Err(Failure::Interrupted),
        Some(Err(_)) => Ok(None),
        Some(Ok(read)) => match read {
            // Some servers close without the goodbye of TLS; what came before is whole all the same.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(Some(0)),
            read => read.map(Some).map_err(Failure::Broken),
        },
    }
}

/// What can be read without waiting.
fn ready(stream: &mut (impl AsyncRead + Unpin), to: &mut [u8]) -> usize {
    let mut buffer = ReadBuf::new(to);
    match Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer) {
        Poll::Ready(Ok(())) => buffer.filled().len(),
        Poll::Ready(Err(_)) | Poll::Pending => 0,
    }
}
