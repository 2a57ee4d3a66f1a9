//! Requests over HTTP, for plugins in a component made by the worker (`wasi:http`): to the hosts that the configuration
//! names in keys which [`Plugin::network`](crate::plugin::Plugin::network) lists, and to no others.
//!
//! A request is under way from [`send`] on, while the plugin goes on with something else; several may be. The worker
//! keeps connections open from one request to the next.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use caisson_sdk::http::{Request, send};
//!
//! # fn run() -> Result<(), caisson_sdk::api::Error> {
//! let request = Request::new("POST", "http://search.example.org:9200/_bulk")
//!     .header("content-type", "application/x-ndjson")
//!     .body(b"{}\n");
//! let mut exchange = send(&request)?;
//! if let Some(response) = exchange.wait(Duration::from_secs(10))? {
//!     assert_eq!(response.status, 200);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Natively, under the harness, requests are made by threads, without TLS and without connections that stay open.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(not(target_arch = "wasm32"))]
mod reply;
mod url;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(not(target_arch = "wasm32"))]
use native as transport;
#[cfg(target_arch = "wasm32")]
use wasm as transport;

use std::fmt;
use std::time::Duration;

use caisson_api::Error;

pub use url::Url;

use crate::net::Tls;

/// How much of a response is taken, unless the request says otherwise.
const MAX_RESPONSE: usize = 64 << 20;

/// A request. Bodies are borrowed: whoever may have to send one again keeps it.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    method: &'a str,
    url: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
    connect_timeout: Duration,
    read_timeout: Duration,
    max_response: usize,
}

impl<'a> Request<'a> {
    /// A request without headers and body. The URL is absolute.
    pub fn new(method: &'a str, url: &'a str) -> Self {
        Request {
            method,
            url,
            headers: Vec::new(),
            body: &[],
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            max_response: MAX_RESPONSE,
        }
    }

    /// Adds a header. `host`, `content-length` and those that concern the connection are the worker's.
    pub fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn body(self, body: &'a [u8]) -> Self {
        Request { body, ..self }
    }

    /// How long a new connection may take; ten seconds unless said.
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Request {
            connect_timeout,
            ..self
        }
    }

    /// How long the server may be silent, before its answer and in the middle of it; a minute unless said.
    pub fn read_timeout(self, read_timeout: Duration) -> Self {
        Request { read_timeout, ..self }
    }

    /// Bytes of a response's body beyond which it is an error; 64 MiB unless said.
    pub fn max_response(self, max_response: usize) -> Self {
        Request { max_response, ..self }
    }
}

/// What a server answered, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Only a person can change it: a grant is missing, a certificate is not trusted, the request is none.
    Refused,
    /// There is no connection: the server has seen nothing of the request.
    Unreachable,
    /// The connection broke, or the server was silent for too long: it may have acted upon the request.
    Broken,
}

/// A request without an answer, with a sentence that names the server and what went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub cause: Cause,
    pub message: String,
}

impl Failure {
    fn new(cause: Cause, message: impl Into<String>) -> Self {
        Failure {
            cause,
            message: message.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// What a person has to change is a matter of configuration; everything else may be tried again.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure.cause {
            Cause::Refused => Error::config(failure.message),
            Cause::Unreachable | Cause::Broken => Error::retriable(failure.message),
        }
    }
}

/// How the requests of this plugin that are made from now on are protected, where their URL is `https`. Without it they
/// are verified in full, against the certificates that the worker trusts.
pub fn use_tls(tls: &Tls) -> Result<(), Error> {
    crate::host::use_tls(tls)
}

/// How long a connection stays open that no request uses; a minute unless said.
pub fn keep_idle(time: Duration) {
    crate::host::keep_idle(time);
}

/// A request that is under way. Dropped before its answer is there, it is given up.
#[derive(Debug)]
pub struct Exchange(transport::Exchange);

/// Begins a request.
pub fn send(request: &Request<'_>) -> Result<Exchange, Failure> {
    let url = Url::parse(request.url).ok_or_else(|| {
        Failure::new(
            Cause::Refused,
            format!("{} is no URL of the form http://host:port/path", request.url),
        )
    })?;
    transport::send(request, &url).map(Exchange)
}

impl Exchange {
    /// The answer, if it is there. Not to be called again after it was.
    pub fn poll(&mut self) -> Result<Option<Response>, Failure> {
        self.0.poll()
    }

    /// Waits for the answer, at most for so long.
    pub fn wait(&mut self, timeout: Duration) -> Result<Option<Response>, Failure> {
        let end = std::time::Instant::now() + timeout;
        loop {
            if let Some(response) = self.poll()? {
                return Ok(Some(response));
            }
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            wait_for_any([&*self], left);
        }
    }
}

/// Waits until [`Exchange::poll`] of one of them is worth a call, at most for so long. Without any, waits for so long.
pub fn wait_for_any<'a>(exchanges: impl IntoIterator<Item = &'a Exchange>, timeout: Duration) {
    transport::wait(exchanges.into_iter().map(|exchange| &exchange.0), timeout);
}
