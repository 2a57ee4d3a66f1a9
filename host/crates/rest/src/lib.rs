//! The HTTP face: Kafka Connect's REST API to the letter.
//!
//! [`Server::bind`] takes the addresses, so that the worker's own address is known; [`Server::serve`] answers requests
//! by asking a [`caisson_herder::Herder`]. Routing is done here rather than by a framework, since Kafka Connect's is
//! its own: paths with ambiguous characters are refused before they reach a resource, what is unknown, not allowed,
//! not acceptable or of the wrong type answers with the error body, and a trailing slash or a path parameter is
//! nothing.
//!
//! No engine, no Kafka, no worker: shapes, texts, status codes and limits of HTTP.

mod auth;
mod client;
mod cors;
mod error;
mod exchange;
mod forward;
mod handlers;
mod input;
mod limits;
mod media;
mod path;
mod patience;
mod payload;
mod prometheus;
mod query;
mod remote;
mod reply;
mod response_headers;
mod route;
mod server;
mod shape;
mod stage;
mod tls;
mod trust;
mod upload;

pub use client::PeerClient;
pub use error::Error;
pub use limits::Limits;
pub use remote::{Remote, RemoteError, RemoteOptions};
pub use server::{Handle, Server};
