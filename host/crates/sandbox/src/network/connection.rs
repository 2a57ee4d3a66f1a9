//! One connection of the contract's `net`: bytes in the open or under TLS.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::socket::Socket;
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
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
    /// A handshake or a write was given up in the middle.
    Gone,
}

impl Transport {
    /// What is read from; reads wait only after [`Socket::watch`].
    fn stream(&mut self) -> Result<&mut (dyn AsyncRead + Send + Unpin), Failure> {
        match self {
            Transport::Plain(socket) => Ok(socket),
            Transport::Tls(stream) => Ok(&mut **stream),
            Transport::Gone => Err(Failure::Closed),
        }
    }

    fn socket(&mut self) -> Result<&mut Socket, Failure> {
        match self {
            Transport::Plain(socket) => Ok(socket),
            Transport::Tls(stream) => Ok(stream.get_mut().0),
            Transport::Gone => Err(Failure::Closed),
        }
    }
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
            transport: Transport::Plain(Socket::new(stream)),
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
        let Transport::Plain(mut stream) = std::mem::replace(&mut self.transport, Transport::Gone) else {
            return Err(Failure::Tls("the connection is under TLS already, or closed".into()));
        };
        stream.watch();
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
        self.transport.socket()?.rest().map_err(Failure::Broken)?;
        let mut first = look(self.transport.stream()?, bytes);
        if first.is_pending() && !wait.is_zero() {
            self.transport.socket()?.watch();
            first = came(self.transport.stream()?, bytes, wait, &self.network).await?;
            self.transport.socket()?.rest().map_err(Failure::Broken)?;
        }
        let mut filled = match first {
            Poll::Pending => return Ok(Some(Vec::new())),
            // Some servers close without the goodbye of TLS; what came before is whole all the same.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Poll::Ready(read) => match read.map_err(Failure::Broken)? {
                0 => return Ok(None),
                read => read,
            },
        };
        // What else is there already saves the guest a call. An error comes again with the next one.
        while filled < bytes.len()
            && let Poll::Ready(Ok(more @ 1..)) = look(self.transport.stream()?, &mut bytes[filled..])
        {
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
                    Transport::Gone => Err(io::ErrorKind::NotConnected.into()),
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

/// The first bytes that come within `wait`.
async fn came(
    stream: &mut (dyn AsyncRead + Send + Unpin),
    to: &mut [u8],
    wait: Duration,
    network: &Network,
) -> Result<Poll<io::Result<usize>>, Failure> {
    let reading = tokio::time::timeout(wait, stream.read(to));
    match network.interrupt().unless(reading).await {
        None => Err(Failure::Interrupted),
        Some(Err(_)) => Ok(Poll::Pending),
        Some(Ok(read)) => Ok(Poll::Ready(read)),
    }
}

/// What can be read without waiting.
fn look(stream: &mut (dyn AsyncRead + Send + Unpin), to: &mut [u8]) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(to);
    let looked = Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer);
    looked.map_ok(|()| buffer.filled().len())
}
