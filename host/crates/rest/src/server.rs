//! Listening, connections, and their end.

mod address;
mod connection;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use caisson_config::listener::{Listener, Scheme};
use caisson_config::worker::{RestConfig, TlsConfig};
use caisson_herder::Herder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tracing::Instrument;

use crate::Error;
use crate::auth::Gate;
use crate::client::PeerClient;
use crate::cors::Cors;
use crate::exchange::{Entrance, Service};
use crate::limits::Limits;
use crate::response_headers::ResponseHeaders;
use crate::route::Face;
use crate::server::connection::Connection;
use crate::{tls, trust};

/// A connection that cannot be accepted is mostly a lack of file descriptors; trying at once again would spin.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// Addresses that are taken and not served yet. Requests that come meanwhile wait in the kernel.
pub struct Server {
    doors: Vec<Door>,
    worker_id: String,
    advertised_url: String,
    cors: Cors,
    response_headers: ResponseHeaders,
    gate: Gate,
    /// Towards other workers that are reached by `https`.
    peers: Option<TlsConnector>,
}

struct Door {
    listener: TcpListener,
    address: SocketAddr,
    face: Face,
    /// None for plain HTTP.
    tls: Option<TlsAcceptor>,
}

/// A server at work. Dropping it leaves the server alone.
pub struct Handle {
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    doors: JoinSet<()>,
}

impl Server {
    /// Takes the addresses of all listeners, regular and admin. Keys, certificates and passwords are read now.
    pub async fn bind(config: &RestConfig) -> Result<Server, Error> {
        let response_headers = ResponseHeaders::parse(&config.response_headers)?;
        let regular = if config.admin_listeners.is_none() {
            Face::All
        } else {
            Face::Regular
        };
        let gate = Gate::read(config, &std::env::var("KAFKA_OPTS").unwrap_or_default())?;
        let mut doors = Vec::new();
        for listener in &config.listeners {
            doors.push(Door::open(listener, regular, config.tls.as_ref()).await?);
        }
        for listener in config.admin_listeners.iter().flatten() {
            doors.push(Door::open(listener, Face::Admin, config.admin_tls.as_ref()).await?);
        }
        let bound: Vec<SocketAddr> = doors.iter().map(|door| door.address).collect();
        let advertised = address::advertised(config, &bound)?;
        let peers = config.peer_tls.as_ref().and_then(|settings| {
            let connector = trust::peers(settings);
            connector
                .inspect_err(|problem| tracing::debug!(problem, "other workers cannot be asked by https"))
                .ok()
        });
        Ok(Server {
            doors,
            worker_id: advertised.worker_id(),
            advertised_url: advertised.url(),
            cors: Cors::new(&config.allowed_origin, &config.allowed_methods),
            response_headers,
            gate,
            peers,
        })
    }

    /// What asks other workers.
    pub fn peer_client(&self) -> PeerClient {
        PeerClient::new(self.peers.clone())
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
        let service = Arc::new(Service {
            herder,
            limits,
            cors: self.cors,
            response_headers: self.response_headers,
            gate: self.gate,
            peers: self.peers,
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
    async fn open(listener: &Listener, face: Face, tls: Option<&TlsConfig>) -> Result<Door, Error> {
        let https = |problem: String| Error::Https {
            listener: listener.to_string(),
            problem,
        };
        let tls = match (listener.scheme, tls) {
            (Scheme::Http, _) => None,
            (Scheme::Https, Some(settings)) => Some(tls::acceptor(settings).map_err(https)?),
            (Scheme::Https, None) => return Err(https("it has no TLS settings".to_owned())),
        };
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
            tls,
        })
    }

    async fn serve(self, service: Arc<Service>, connections: Arc<Semaphore>, mut stopped: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        let entrance = Entrance {
            face: self.face,
            scheme: if self.tls.is_some() {
                Scheme::Https
            } else {
                Scheme::Http
            },
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
                (Ok(permit), Ok((stream, _))) => {
                    let connection = Connection {
                        stream,
                        entrance: entrance.clone(),
                        tls: self.tls.clone(),
                        watcher: graceful.watcher(),
                        stopped: stopped.clone(),
                        permit,
                    };
                    tokio::spawn(connection.serve(service.clone()).in_current_span());
                }
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
