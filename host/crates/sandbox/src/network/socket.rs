//! A TCP socket that the event loop watches only while somebody waits for it.
//!
//! Watched all the time, it has a thread of the worker wake up for every packet, also while the guest is busy or rests so
//! that more may come. With a peer that sends many small packets that costs more than all that is done with the bytes.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// An open socket.
pub(super) struct Socket {
    state: State,
    /// Whether a read that finds nothing has the socket watched. Otherwise nobody is woken up for it.
    waits: bool,
}

enum State {
    Watched(TcpStream),
    /// Does not block either.
    Unwatched(std::net::TcpStream),
    /// It could not be handed over.
    Gone,
}

impl Socket {
    /// One whose reads wait.
    pub(super) fn new(stream: TcpStream) -> Self {
        Socket {
            state: State::Watched(stream),
            waits: true,
        }
    }

    /// Has the reads from here on wait.
    pub(super) fn watch(&mut self) {
        self.waits = true;
    }

    /// Nobody waits any more: reads from here on give what is there.
    pub(super) fn rest(&mut self) -> io::Result<()> {
        self.waits = false;
        self.state = match std::mem::replace(&mut self.state, State::Gone) {
            State::Watched(stream) => State::Unwatched(stream.into_std()?),
            state @ (State::Unwatched(_) | State::Gone) => state,
        };
        Ok(())
    }

    fn watched(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.state = match std::mem::replace(&mut self.state, State::Gone) {
            State::Unwatched(stream) => State::Watched(TcpStream::from_std(stream)?),
            state @ (State::Watched(_) | State::Gone) => state,
        };
        match &mut self.state {
            State::Watched(stream) => Ok(Pin::new(stream)),
            State::Unwatched(_) | State::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        if let State::Unwatched(stream) = &mut socket.state {
            match stream.read(to.initialize_unfilled()) {
                Ok(read) => {
                    to.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if !would_block(&error) => return Poll::Ready(Err(error)),
                Err(_) if !socket.waits => return Poll::Pending,
                Err(_) => {}
            }
        }
        socket.watched()?.poll_read(context, to)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        if let State::Unwatched(stream) = &mut socket.state {
            match stream.write(bytes) {
                Err(error) if would_block(&error) => {}
                written => return Poll::Ready(written),
            }
        }
        socket.watched()?.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().state {
            State::Watched(stream) => Pin::new(stream).poll_shutdown(context),
            State::Unwatched(stream) => Poll::Ready(stream.shutdown(Shutdown::Write)),
            State::Gone => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::task::Waker;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Socket::new(socket), listener.accept().await.unwrap().0)
    }

    fn look(socket: &mut Socket) -> Poll<io::Result<usize>> {
        let mut bytes = [0; 16];
        let mut buffer = ReadBuf::new(&mut bytes);
        let looked = Pin::new(socket).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer);
        looked.map_ok(|()| buffer.filled().len())
    }

    #[tokio::test]
    async fn it_is_watched_while_somebody_waits_and_not_otherwise() {
        let (mut socket, mut peer) = pair().await;
        socket.rest().unwrap();
        assert!(look(&mut socket).is_pending());
        assert!(matches!(socket.state, State::Unwatched(_)));
        for text in [b"one", b"two"] {
            socket.watch();
            let mut bytes = [0; 3];
            // Nothing is there when the wait begins: it is written afterwards.
            let (read, written) = tokio::join!(socket.read_exact(&mut bytes), peer.write_all(text));
            read.unwrap();
            written.unwrap();
            assert_eq!(&bytes, text);
            assert!(matches!(socket.state, State::Watched(_)));
            socket.rest().unwrap();
            assert!(matches!(socket.state, State::Unwatched(_)));
        }
    }

    #[tokio::test]
    async fn it_can_be_written_to_and_closed_at_rest() {
        let (mut socket, mut peer) = pair().await;
        socket.rest().unwrap();
        // More than fits into the kernel's buffers, so that a write has to wait.
        let much = vec![7; 16 << 20];
        let mut read = vec![0; much.len()];
        let (written, read_all) = tokio::join!(socket.write_all(&much), peer.read_exact(&mut read));
        written.unwrap();
        read_all.unwrap();
        assert!(read == much);
        socket.rest().unwrap();
        socket.shutdown().await.unwrap();
        assert_eq!(peer.read(&mut [0; 1]).await.unwrap(), 0);
        drop(peer);
        socket.watch();
        assert_eq!(socket.read(&mut [0; 1]).await.unwrap(), 0);
    }
}
