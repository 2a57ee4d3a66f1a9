//! One connection, from the handshake to its end.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_rustls::TlsAcceptor;

use crate::exchange::{Entrance, Service};

/// A client that was accepted.
pub struct Connection {
    pub stream: TcpStream,
    pub entrance: Entrance,
    /// None for plain HTTP.
    pub tls: Option<TlsAcceptor>,
    /// Ends the connection between two requests when the server shuts down.
    pub watcher: Watcher,
    /// Ends a handshake at once when it does.
    pub stopped: watch::Receiver<bool>,
    /// One of the connections that there may be at once.
    pub permit: OwnedSemaphorePermit,
}

impl Connection {
    pub async fn serve(self, service: Arc<Service>) {
        // Answers are small and written at once; waiting for more to send only delays them. Failing changes nothing.
        let _ = self.stream.set_nodelay(true);
        match self.tls {
            None => exchange(self.stream, service, self.entrance, self.watcher).await,
            Some(tls) => {
                let mut stopped = self.stopped;
                let handshake = tokio::time::timeout(service.limits.head_time, tls.accept(self.stream));
                let shaken = tokio::select! {
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                    shaken = handshake => shaken,
                };
                match shaken {
                    Ok(Ok(stream)) => exchange(stream, service, self.entrance, self.watcher).await,
                    Ok(Err(error)) => tracing::debug!(%error, "TLS handshake of a REST client failed"),
                    Err(_) => tracing::debug!("TLS handshake of a REST client took too long"),
                }
            }
        }
        drop(self.permit);
    }
}

/// Answers requests until the client or the server has enough.
async fn exchange<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    service: Arc<Service>,
    entrance: Entrance,
    watcher: Watcher,
) {
    let limits = service.limits;
    let handler = service_fn(move |request| {
        let (service, entrance) = (service.clone(), entrance.clone());
        async move { Ok::<_, Infallible>(service.exchange(&entrance, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        // More than is answered: a target beyond the limit is told from headers beyond it.
        .max_buf_size(limits.head.saturating_mul(4))
        .serve_connection(TokioIo::new(stream), handler);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "REST connection ended early");
    }
}
