//! The tables of definitions: one each for workers, connectors, sources and sinks. They drive parsing, validation,
//! defaults, `GET /connector-plugins/{plugin}/config` and the reference page.

mod connector;
mod distributed;
mod extras;
mod kafka;
pub(crate) mod security;
mod sink;
mod source;
mod worker;

pub mod client;
pub mod links;
pub mod topic_creation;

use caisson_api::config::Key;

use crate::definition::{Definition, definitions};

/// Keys that both kinds of workers have.
pub fn worker() -> Vec<Definition> {
    [worker::FIRST, security::SSL, worker::LAST]
        .into_iter()
        .flat_map(definitions)
        .collect()
}

/// Keys of TLS that a listener understands.
pub fn listener_tls() -> Vec<Definition> {
    let mut all = definitions(security::SSL);
    all.extend(
        definitions(worker::LAST)
            .into_iter()
            .filter(|key| key.name() == "ssl.client.auth"),
    );
    all
}

/// Keys of a standalone worker.
pub fn standalone() -> Vec<Definition> {
    let mut all = worker();
    all.extend(definitions(worker::STANDALONE));
    all
}

/// Keys of a distributed worker.
pub fn distributed() -> Vec<Definition> {
    let mut all = worker();
    for table in [distributed::GROUP, security::SASL, distributed::STORAGE] {
        all.extend(definitions(table));
    }
    all
}

/// Keys that Caisson adds to a worker's, apart from the sandbox's.
pub fn extras() -> Vec<Definition> {
    definitions(extras::EXTRAS)
}

/// Keys that Caisson adds to a connector's, apart from the sandbox's.
pub fn connector_extras() -> Vec<Definition> {
    definitions(extras::CONNECTOR)
}

/// Keys that Caisson adds to those of a transform or predicate.
pub fn link_extras() -> Vec<Definition> {
    definitions(extras::LINK)
}

/// Keys of every connector.
pub fn connector() -> Vec<Definition> {
    definitions(connector::COMMON)
}

/// Keys of every source connector, with those of every connector.
pub fn source() -> Vec<Definition> {
    let mut all = connector();
    all.extend(definitions(source::SOURCE));
    all
}

/// Keys of every sink connector, with those of every connector.
pub fn sink() -> Vec<Definition> {
    let mut all = connector();
    all.extend(definitions(sink::SINK));
    all
}

/// The keys alone.
pub fn keys(definitions: &[Definition]) -> Vec<Key> {
    definitions.iter().map(|definition| definition.key.clone()).collect()
}
