//! Requests of a native build: a thread and a connection for each, no TLS. For tests against real servers.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::{Cause, Failure, Request, Response, Url, reply};

type Outcome = Result<Response, Failure>;

/// Counts answers, so that whoever waits for one of several learns of it.
static ANSWERS: (Mutex<u64>, Condvar) = (Mutex::new(0), Condvar::new());

#[derive(Debug)]
pub(super) struct Exchange {
    answer: Receiver<Outcome>,
    /// An answer that [`wait`] has found.
    found: std::cell::RefCell<Option<Outcome>>,
}

pub(super) fn send(request: &Request<'_>, url: &Url<'_>) -> Result<Exchange, Failure> {
    if url.secure {
        let message = format!("https://{} needs TLS, which only the worker has", url.authority);
        return Err(Failure::new(Cause::Refused, message));
    }
    let server = format!("http://{}", url.authority);
    let address = match url.authority.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => url.authority.to_owned(),
        Some(_) | None => format!("{}:80", url.authority),
    };
    let bytes = written(request, url);
    let (connect, read, most) = (request.connect_timeout, request.read_timeout, request.max_response);
    let head = request.method == "HEAD";
    let (sender, answer) = channel();
    std::thread::spawn(move || {
        let outcome = exchange(&server, &address, &bytes, (connect, read, most), head);
        // Nobody may be there any more to take it.
        let _ = sender.send(outcome);
        *ANSWERS.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        ANSWERS.1.notify_all();
    });
    Ok(Exchange {
        answer,
        found: None.into(),
    })
}

fn written(request: &Request<'_>, url: &Url<'_>) -> Vec<u8> {
    let slash = if url.path.starts_with('/') { "" } else { "/" };
    let mut bytes = format!(
        "{} {slash}{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
        request.method,
        url.path,
        url.authority,
        request.body.len()
    )
    .into_bytes();
    for (name, value) in &request.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(request.body);
    bytes
}

fn exchange(
    server: &str,
    address: &str,
    bytes: &[u8],
    (connect, read, most): (Duration, Duration, usize),
    head: bool,
) -> Outcome {
    let unreachable = |error: &dyn std::fmt::Display| {
        Failure::new(Cause::Unreachable, format!("{server} cannot be reached: {error}"))
    };
    let broken = |error: &dyn std::fmt::Display| Failure::new(Cause::Broken, format!("{server}: {error}"));
    let mut addresses = address.to_socket_addrs().map_err(|error| unreachable(&error))?;
    let address = addresses
        .next()
        .ok_or_else(|| unreachable(&"its name has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, connect.max(Duration::from_millis(1)))
        .map_err(|error| unreachable(&error))?;
    stream
        .set_read_timeout((!read.is_zero()).then_some(read))
        .and_then(|()| stream.set_nodelay(true))
        .map_err(|error| broken(&error))?;
    // A server that answers before it has read everything may close its side.
    let sent = stream.write_all(bytes);
    let mut answer = Vec::new();
    let limit = u64::try_from(most)
        .unwrap_or(u64::MAX)
        .saturating_add(reply::MAX_HEAD as u64);
    let received = (&stream).take(limit).read_to_end(&mut answer);
    let _ = stream.shutdown(Shutdown::Both);
    match reply::parse(&answer, head) {
        Some(response) => Ok(response),
        None => {
            sent.map_err(|error| broken(&error))?;
            received.map_err(|error| broken(&error))?;
            Err(broken(&"the connection ended before the answer was complete"))
        }
    }
}

impl Exchange {
    pub(super) fn poll(&mut self) -> Result<Option<Response>, Failure> {
        self.look();
        self.found.take().transpose()
    }

    /// Whether there is an answer.
    fn look(&self) -> bool {
        let mut found = self.found.borrow_mut();
        if found.is_none() {
            *found = match self.answer.try_recv() {
                Ok(outcome) => Some(outcome),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => {
                    Some(Err(Failure::new(Cause::Refused, "the answer was taken already")))
                }
            };
        }
        found.is_some()
    }
}

pub(super) fn wait<'a>(exchanges: impl Iterator<Item = &'a Exchange>, timeout: Duration) {
    let exchanges: Vec<_> = exchanges.collect();
    let answers = ANSWERS.0.lock().unwrap_or_else(PoisonError::into_inner);
    // Answers are counted after they were sent: with the lock held none can come unseen between look and wait.
    let _ = ANSWERS
        .1
        .wait_timeout_while(answers, timeout, |_| !exchanges.iter().any(|exchange| exchange.look()));
}
