//! The server over real connections, with a worker in which nothing runs.
#![allow(clippy::unwrap_used)]

mod client;
mod limits;
mod listeners;
mod remote;
mod requests;
mod secured;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use caisson_config::listener::Listener;
use caisson_config::worker::RestConfig;
use caisson_herder::fake::FakeWorker;
use caisson_herder::loggers::{Level, Loggers, NoSink};
use caisson_herder::standalone::{Options, Parts, StandaloneHerder};
use caisson_rest::{Handle, Limits, Server};
use caisson_store::{MemoryConfigStore, MemoryStatusStore};

use client::Answer;

/// A server with its herder and worker.
struct Bench {
    worker: Arc<FakeWorker>,
    handle: Handle,
}

fn settings() -> RestConfig {
    RestConfig {
        listeners: vec![any_port()],
        admin_listeners: None,
        advertised_host: None,
        advertised_port: None,
        advertised_listener: None,
        allowed_origin: String::new(),
        allowed_methods: String::new(),
        response_headers: String::new(),
        tls: None,
        admin_tls: None,
        peer_tls: None,
        extensions: Vec::new(),
        login_config: None,
    }
}

fn any_port() -> Listener {
    Listener::parse("http://127.0.0.1:0").unwrap()
}

async fn serve(settings: RestConfig, limits: Limits) -> Bench {
    let server = Server::bind(&settings).await.unwrap();
    let (worker, events) = FakeWorker::new();
    let parts = Parts {
        worker: worker.clone(),
        events,
        configs: Arc::new(MemoryConfigStore::new()),
        statuses: Arc::new(MemoryStatusStore::new()),
        loggers: Loggers::new(Arc::new(NoSink), Level::Info, BTreeMap::new()),
        modules: None,
    };
    let options = Options {
        worker_id: server.worker_id().to_owned(),
        version: "4.3.1".to_owned(),
        commit: "unknown".to_owned(),
        topic_tracking: true,
        topic_tracking_reset: true,
    };
    let herder = StandaloneHerder::new(parts, options);
    Bench {
        worker,
        handle: server.serve(Arc::new(herder), limits),
    }
}

async fn bench() -> Bench {
    serve(settings(), Limits::default()).await
}

impl Bench {
    fn address(&self) -> SocketAddr {
        self.handle.addresses()[0]
    }

    /// One request on a connection of its own.
    async fn request(&self, method: &str, path: &str, body: &str) -> Answer {
        client::request(self.address(), method, path, body).await
    }

    async fn create(&self, name: &str) {
        let body = format!(r#"{{"name":"{name}","config":{{"connector.class":"FileStreamSource","topic":"t"}}}}"#);
        assert_eq!(self.request("POST", "/connectors", &body).await.status, 201);
    }
}
