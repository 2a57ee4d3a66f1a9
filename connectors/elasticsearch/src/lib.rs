//! Records of topics into Elasticsearch or OpenSearch: the keys and semantics of Confluent's Elasticsearch sink.
//!
//! Records become operations of bulk requests ([`document`]), which are under way while the next ones are prepared
//! ([`flow`]). An offset is committed when the server has acknowledged every operation before it.

mod bulk;
mod client;
mod connector;
mod document;
mod flow;
mod keys;
mod mapping;
mod options;
mod task;
mod tls;
mod validation;

pub use connector::ElasticsearchSink;
pub use task::ElasticsearchSinkTask;

caisson_sdk::plugins! {
    module: { description: "Records of topics into Elasticsearch or OpenSearch." },
    sinks: [ElasticsearchSink],
}
