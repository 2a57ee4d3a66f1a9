//! Bodies on their way, with what bounds them.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use super::Open;
use super::client::Client;
use super::pool::{Connection, Endpoint};

type Polled = Poll<Option<Result<Frame<Bytes>, Error>>>;

fn length(frame: &Frame<Bytes>) -> u64 {
    frame.data_ref().map_or(0, |data| data.len() as u64)
}

/// A body that counts as open until it is gone.
pub(super) struct Counted {
    inner: WasiBody,
    _open: Open,
}

impl Counted {
    pub(super) fn new(inner: WasiBody, open: Open) -> Self {
        Counted { inner, _open: open }
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// How far the sending of a request has come: the server is not silent as long as it takes what is sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub(super) fn sent(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A request's body as the guest gives it. It outlives the connection it was to go over, so that it can go over another
/// as long as nothing of it was taken.
#[derive(Clone)]
pub(super) struct Given(Arc<Mutex<Source>>);

/// Held for a poll.
struct Source {
    body: WasiBody,
    /// Bytes that may still come.
    left: u64,
    taken: bool,
    ended: bool,
}

impl Given {
    pub(super) fn new(body: WasiBody, most: u64) -> Self {
        Given(Arc::new(Mutex::new(Source {
            body,
            left: most,
            taken: false,
            ended: false,
        })))
    }

    /// Whether no byte of it went anywhere.
    pub(super) fn is_whole(&self) -> bool {
        !self.lock().taken
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's body on its way to the server.
pub(super) struct Outgoing {
    pub(super) given: Given,
    pub(super) progress: Progress,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        let mut source = self.given.lock();
        if source.ended {
            return Poll::Ready(None);
        }
        let polled = ready!(Pin::new(&mut source.body).poll_frame(context));
        match &polled {
            Some(Ok(frame)) => {
                source.taken = true;
                let sent = length(frame);
                let Some(left) = source.left.checked_sub(sent) else {
                    return Poll::Ready(Some(Err(Error::HttpRequestBodySize(None))));
                };
                source.left = left;
                // At least one, so that an end without bytes is seen, too.
                self.progress.0.fetch_add(sent.max(1), Ordering::AcqRel);
            }
            Some(Err(_)) => source.taken = true,
            None => source.ended = true,
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        let source = self.given.lock();
        source.ended || source.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.given.lock().body.size_hint()
    }
}

/// A response's body on its way to the guest. Read to its end, it gives its connection back.
pub(super) struct Incoming {
    inner: hyper::body::Incoming,
    client: Arc<Client>,
    connection: Option<(Endpoint, Connection)>,
    left: u64,
    silence: Duration,
    silent: Pin<Box<Sleep>>,
    interrupted: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Incoming {
    pub(super) fn new(
        inner: hyper::body::Incoming,
        client: Arc<Client>,
        connection: (Endpoint, Connection),
        left: u64,
        silence: Duration,
    ) -> Self {
        let waiter = client.clone();
        let mut body = Incoming {
            inner,
            connection: Some(connection),
            left,
            silence,
            silent: Box::pin(tokio::time::sleep(silence)),
            interrupted: Box::pin(async move { waiter.interrupted().await }),
            client,
        };
        body.give_back_if_ended();
        body
    }

    fn give_back_if_ended(&mut self) {
        if self.inner.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some((endpoint, connection)) = self.connection.take() {
            self.client.pool().give(endpoint, connection);
        }
    }

    /// Nothing has come: is there a point in waiting on?
    fn wait(&mut self, context: &mut Context<'_>) -> Polled {
        if self.interrupted.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(Error::ConnectionTerminated)));
        }
        ready!(self.silent.as_mut().poll(context));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Pending => self.wait(context),
            Poll::Ready(None) => {
                self.give_back();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(Some(Ok(frame))) => {
                let Some(left) = self.left.checked_sub(length(&frame)) else {
                    return Poll::Ready(Some(Err(Error::HttpResponseBodySize(None))));
                };
                self.left = left;
                let silence = Instant::now() + self.silence;
                self.silent.as_mut().reset(silence);
                self.give_back_if_ended();
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
