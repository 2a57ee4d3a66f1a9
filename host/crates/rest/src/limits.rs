//! What one client may take of the worker.

use std::time::Duration;

/// Limits of the REST interface. Kafka Connect has only the times, and no setting for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one request's body. Beyond: 413. A configuration that Kafka can keep has 1 MB at most.
    pub body: usize,
    /// Bytes of a request's first line and headers; 2 KiB at least. Beyond: 414 if the first line alone has more, 431
    /// otherwise, and 431 for whatever has four times as many.
    pub head: usize,
    /// Time for a client to send the first line and headers, or to begin another request on the same connection.
    pub head_time: Duration,
    /// Time for a client to send the next piece of a body. Beyond: 408.
    pub body_time: Duration,
    /// Time for a client to send a whole body, however busily. Beyond: 408.
    pub whole_body_time: Duration,
    /// Connections at once, on all listeners together; more wait to be accepted.
    pub connections: usize,
    /// Time for the herder to do what a request asks for. Beyond: 500, while the herder goes on.
    pub request: Duration,
    /// Time for the herder to show that it is well.
    pub health: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body: 32 << 20,
            head: 8 << 10,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            whole_body_time: Duration::from_secs(120),
            connections: 1024,
            request: Duration::from_secs(90),
            health: Duration::from_secs(10),
        }
    }
}
