//! Requests to the servers, one after the other in turn.

use std::io::Write;
use std::time::{Duration, Instant};

use caisson_sdk::http::{self, Cause, Exchange, Failure, Request};
use caisson_sdk::prelude::*;
use caisson_sdk::serde_json;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::bulk::answer;
use crate::options::Connection;

/// An answer to a request that is not about documents.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    /// Null where it is no JSON.
    pub body: Json,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What the server says is wrong.
    pub fn words(&self) -> String {
        match &self.body["error"] {
            Json::Null => format!("status {}", self.status),
            Json::String(text) => format!("status {}, {text}", self.status),
            error => format!("status {}, {}", self.status, answer::words(error)),
        }
    }
}

/// The servers of a task or connector.
#[derive(Debug)]
pub(crate) struct Client {
    connection: Connection,
    next: usize,
}

impl Client {
    pub fn new(connection: Connection) -> Self {
        Client { connection, next: 0 }
    }

    pub fn servers(&self) -> String {
        self.connection.urls.join(", ")
    }

    /// The server whose turn it is.
    fn turn(&mut self) -> String {
        let urls = &self.connection.urls;
        let url = urls[self.next % urls.len()].clone();
        self.next = (self.next + 1) % urls.len();
        url
    }

    fn request<'a>(&'a self, method: &'a str, url: &'a str) -> Request<'a> {
        let request = Request::new(method, url)
            .header("accept", "application/json")
            .connect_timeout(self.connection.connect_timeout)
            .read_timeout(self.connection.read_timeout);
        match &self.connection.authorization {
            Some(login) => request.header("authorization", login),
            None => request,
        }
    }

    /// Begins a bulk request.
    pub fn bulk(&mut self, target: &str, body: &[u8]) -> Result<Exchange, Failure> {
        let url = format!("{}/{}/_bulk?{}", self.turn(), segment(target), answer::FILTER);
        let request = self
            .request("POST", &url)
            .header("content-type", "application/x-ndjson");
        if self.connection.compression {
            let body = compressed(body);
            return http::send(&request.header("content-encoding", "gzip").body(&body));
        }
        http::send(&request.body(body))
    }

    /// A request whose answer is waited for; each server is tried once.
    pub fn call(&mut self, method: &str, path: &str, body: Option<&Json>) -> Result<Answer, Failure> {
        let mut tried = 1;
        loop {
            let url = self.turn();
            match self.call_one(method, &format!("{url}{path}"), body) {
                Err(failure) if failure.cause == Cause::Unreachable && tried < self.connection.urls.len() => tried += 1,
                outcome => return outcome,
            }
        }
    }

    fn call_one(&self, method: &str, url: &str, body: Option<&Json>) -> Result<Answer, Failure> {
        let text = body.map(Json::to_string).unwrap_or_default();
        let mut request = self.request(method, url);
        if body.is_some() {
            request = request.header("content-type", "application/json").body(text.as_bytes());
        }
        let mut exchange = http::send(&request)?;
        // The two limits are the request's own; this one only keeps a call from taking for ever.
        let patience = self.connection.connect_timeout + self.connection.read_timeout + Duration::from_secs(1);
        let end = Instant::now() + patience.min(Duration::from_secs(20));
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match exchange.wait(left)? {
                Some(response) => {
                    return Ok(Answer {
                        status: response.status,
                        body: serde_json::from_slice(&response.body).unwrap_or(Json::Null),
                    });
                }
                None if left.is_zero() => {
                    let message = format!("{url}: no answer within the time that the configuration allows");
                    return Err(Failure {
                        cause: Cause::Broken,
                        message,
                    });
                }
                None => {}
            }
        }
    }
}

fn compressed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// A name as one segment of a path.
pub(crate) fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_segments_of_paths() {
        assert_eq!(segment("dbserver1.public.x"), "dbserver1.public.x");
        assert_eq!(segment("a/b?é"), "a%2Fb%3F%C3%A9");
    }
}
