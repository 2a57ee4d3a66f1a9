//! The worker's own standard output, for a guest that was granted it.

use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Writes through, except that a terminal gets no control characters from a guest.
#[derive(Clone, Copy)]
pub(crate) struct WorkerStdout;

impl WorkerStdout {
    fn put(bytes: &[u8]) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
            out.write_all(bytes)?;
        } else {
            let harmless = |byte: u8| byte >= b' ' && byte != 0x7f || byte == b'\n' || byte == b'\t';
            let shown: Vec<u8> = bytes
                .iter()
                .map(|byte| if harmless(*byte) { *byte } else { b'?' })
                .collect();
            out.write_all(&shown)?;
        }
        out.flush()
    }
}

impl IsTerminal for WorkerStdout {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for WorkerStdout {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(*self)
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(*self)
    }
}

impl AsyncWrite for WorkerStdout {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Self::put(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for WorkerStdout {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for WorkerStdout {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        Self::put(&bytes).map_err(|error| StreamError::LastOperationFailed(error.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}
