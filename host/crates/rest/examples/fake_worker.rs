//! Serves the REST API of a standalone worker in which nothing runs, to try requests by hand or by the recorded
//! scenarios: `cargo run -p caisson-rest --example fake_worker -- http://127.0.0.1:8083`.

use std::collections::BTreeMap;
use std::sync::Arc;

use caisson_config::listener::Listener;
use caisson_config::worker::RestConfig;
use caisson_herder::fake::FakeWorker;
use caisson_herder::loggers::{Level, Loggers, NoSink};
use caisson_herder::standalone::{Options, Parts, StandaloneHerder};
use caisson_rest::{Limits, Server};
use caisson_store::{MemoryConfigStore, MemoryStatusStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    let address = std::env::args().nth(1).unwrap_or_else(|| "http://:8083".to_owned());
    let rest = RestConfig {
        listeners: vec![Listener::parse(&address)?],
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
    };
    let server = Server::bind(&rest).await?;
    let (worker, events) = FakeWorker::new();
    let parts = Parts {
        worker,
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
    herder.started();
    let _handle = server.serve(Arc::new(herder), Limits::default());
    std::future::pending().await
}
