//! Listening, connections, and their end.

mod address;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use caisson_config::listener::{Listener, Scheme};
use caisson_config::worker::RestConfig;
use caisson_herder::Herder;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::Error;
use crate::cors::Cors;
use crate::exchange::{Entrance, Service};
use crate::limits::Limits;
use crate::response_headers::ResponseHeaders;
use crate::route::Face;

/// A connection that cannot be accepted is mostly a lack of file descriptors; trying at once again would spin.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// Addresses that are taken and not served yet. Requests that come meanwhile wait in the kernel.
pub struct Server {
    doors: Vec<Door>,
    worker_id: String,
    advertised_url: String,
    cors: Cors,
    response_headers: ResponseHeaders,
}

struct Door {
    listener: TcpListener,
    address: SocketAddr,
    face: Face,
}

/// A server at work. Dropping it leaves the server alone.
pub struct Handle {
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    doors: JoinSet<()>,
}

impl Server {
    /// Takes the addresses of all listeners, regular and admin.
    pub async fn bind(config: &RestConfig) -> Result<Server, Error> {
        let response_headers = ResponseHeaders::parse(&config.response_headers)?;
        let regular = if config.admin_listeners.is_none() {
            Face::All
        } else {
            Face::Regular
        };
        let mut doors = Vec::new();
        for listener in &config.listeners {
            doors.push(Door::open(listener, regular).await?);
        }
        for listener in config.admin_listeners.iter().flatten() {
            doors.push(Door::open(listener, Face::Admin).await?);
        }
        let bound: Vec<SocketAddr> = doors.iter().map(|door| door.address).collect();
        let advertised = address::advertised(config, &bound)?;
        Ok(Server {
            doors,
            worker_id: advertised.worker_id(),
            advertised_url: advertised.url(),
            cors: Cors::new(&config.allowed_origin, &config.allowed_methods),
            response_headers,
        })
    }

    /// `host:port` under which other workers and statuses know this one.
    pub fn worker_id(&self) -> &str {
        &self.worker_id
    }

    /// The URL that belongs to it.
    pub fn advertised_url(&self) -> &str {
        &self.advertised_url
    }

    /// Answers requests from now on.
    pub fn serve(self, herder: Arc<dyn Herder>, limits: Limits) -> Handle {
        let (cors, response_headers) = (self.cors, self.response_headers);
        let service = Arc::new(Service {
            herder,
            limits,
            cors,
            response_headers,
        });
        let connections = Arc::new(Semaphore::new(limits.connections));
        let (stop, stopped) = watch::channel(false);
        let addresses = self.doors.iter().map(|door| door.address).collect();
        let mut doors = JoinSet::new();
        for door in self.doors {
            tracing::info!(address = %door.address, "REST is listening");
            let span = tracing::info_span!("rest", port = door.address.port());
            doors.spawn(
                door.serve(service.clone(), connections.clone(), stopped.clone())
                    .instrument(span),
            );
        }
        Handle { addresses, stop, doors }
    }
}

impl Handle {
    /// Where it listens, ports resolved: the regular listeners first.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Takes no more requests, and waits for those at work as long as `grace` allows.
    pub async fn shut_down(mut self, grace: Duration) {
        self.stop.send_replace(true);
        let closed = async { while self.doors.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, closed).await.is_err() {
            tracing::warn!(?grace, "some REST requests were still at work and are cut off");
        }
    }
}

impl Door {
    async fn open(listener: &Listener, face: Face) -> Result<Door, Error> {
        match listener.scheme {
            Scheme::Http => {}
            Scheme::Https => {
                return Err(Error::Https {
                    listener: listener.to_string(),
                });
            }
        }
        let bind = |source| Error::Bind {
            listener: listener.to_string(),
            source,
        };
        let socket = address::listen(listener).await.map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        Ok(Door {
            listener: socket,
            address,
            face,
        })
    }

    async fn serve(self, service: Arc<Service>, connections: Arc<Semaphore>, mut stopped: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        let entrance = Entrance {
            face: self.face,
            address: self.address.to_string().into(),
        };
        loop {
            // Before accepting: beyond the limit clients wait in the kernel's queue.
            let permit = connections.clone().acquire_owned();
            let accepted = tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                accepted = async { (permit.await, self.listener.accept().await) } => accepted,
            };
            match accepted {
                (Ok(permit), Ok((stream, _))) => connect(stream, permit, &service, &entrance, &graceful),
                (Err(_), _) => break,
                (_, Err(error)) => {
                    tracing::warn!(%error, "cannot accept a REST connection");
                    tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
                }
            }
        }
        // Closed first, so that nobody waits in a queue that is never emptied.
        drop(self.listener);
        graceful.shutdown().await;
    }
}

/// Serves one connection in a task of its own.
fn connect(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    service: &Arc<Service>,
    entrance: &Entrance,
    graceful: &GracefulShutdown,
) {
    let limits = service.limits;
    let (service, entrance) = (service.clone(), entrance.clone());
    let handler = service_fn(move |request| {
        let (service, entrance) = (service.clone(), entrance.clone());
        async move { Ok::<_, std::convert::Infallible>(service.exchange(&entrance, request).await) }
    });
    // Answers are small and written at once; waiting for more to send only delays them. Failing changes nothing.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head)
        .serve_connection(TokioIo::new(stream), handler);
    let connection = graceful.watch(connection);
    tokio::spawn(
        async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "REST connection ended early");
            }
            drop(permit);
        }
        .in_current_span(),
    );
}
