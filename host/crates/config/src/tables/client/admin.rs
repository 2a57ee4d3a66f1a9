//! Kafka's admin client, as `admin.*` and `admin.override.*` set it up.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use super::connection::{self, Connection};
use crate::definition::Default::Text;
use crate::definition::{Check, Line, line};

/// Kafka's admin client.
pub static ADMIN: &[Line] = &[
    connection::bootstrap_servers(Text("")),
    line(
        "bootstrap.controllers",
        Type::List,
        Text(""),
        High,
        "Controllers to speak to instead of brokers.",
    )
    .check(Check::Entries {
        empty: true,
        null: false,
    }),
    connection::retries(Low),
    connection::DEFAULT_API_TIMEOUT,
];

/// What it shares with the other clients.
pub static CONNECTION: Connection = Connection {
    client_id: Medium,
    receive_buffer: "65536",
    max_idle: "300000",
};
