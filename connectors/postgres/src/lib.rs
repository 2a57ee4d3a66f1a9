//! Changes of PostgreSQL tables, as Debezium's connector for PostgreSQL writes them: same class, keys, records, offsets.
//!
//! [`protocol`] speaks to the server by way of the worker, [`pgoutput`] reads the stream's messages, [`types`] turns
//! texts into values, [`emit`] writes records; [`task`] puts them together.

mod catalog;
mod clock;
mod config;
mod connector;
mod deliveries;
mod emit;
mod error;
mod heartbeat;
mod incremental;
mod logical;
mod lsn;
mod mask;
mod naming;
mod notifications;
mod offsets;
mod pgoutput;
mod protocol;
mod random;
mod reselect;
mod row;
mod server;
mod signal;
mod snapshot;
mod source_info;
mod stream;
mod table;
mod task;
mod transactions;
mod types;
mod validation;
mod visibility;

pub use connector::PostgresConnector;
pub use task::PostgresTask;

caisson_sdk::plugins! {
    module: { description: "Changes of PostgreSQL tables, in Debezium's format." },
    sources: [PostgresConnector],
}
