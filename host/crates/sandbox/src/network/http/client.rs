//! One request after the other, on connections of one instance.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caisson_keystore::Verification;
use http::uri::{Scheme, Uri};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::Response;
use super::body::{Given, Incoming, Outgoing, Progress};
use super::pool::{Connection, Endpoint, Pool};
use crate::network::tls::{self, Terms};
use crate::network::{Failure, Network, Slot};

/// What a guest may ask for at most, and what it gets if it asks for nothing.
const LONGEST: Duration = Duration::from_secs(600);
/// How long a call that is interrupted may take to end before its requests are given up.
const GRACE: Duration = Duration::from_secs(2);
/// Bytes of an answer that are read ahead of the guest; also what its status line and headers may take.
const READ_AHEAD: usize = 128 << 10;
/// Headers of an answer.
const MOST_HEADERS: usize = 128;

type Result<T> = std::result::Result<T, Error>;
type Request = http::Request<WasiBody>;

/// The client of one instance.
pub(super) struct Client {
    network: Arc<Network>,
    pool: Pool,
    /// Held to read or change it.
    terms: Mutex<(u64, Arc<Terms>)>,
    most_body: u64,
}

impl Client {
    pub(super) fn new(network: Arc<Network>, most_body: u64) -> Self {
        let terms = Terms {
            verification: Verification::Full,
            server_name: None,
            trusted: None,
            identity: None,
        };
        Client {
            network,
            pool: Pool::new(),
            terms: Mutex::new((0, Arc::new(terms))),
            most_body,
        }
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn use_tls(&self, terms: Terms) {
        let mut held = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        *held = (held.0 + 1, Arc::new(terms));
        self.pool.clear();
    }

    pub(super) fn keep_idle(&self, keep: Duration) {
        self.pool.keep(keep);
    }

    fn terms(&self) -> (u64, Arc<Terms>) {
        self.terms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Until the call that runs was told to end, and had its time to do so. A request that is under way while calls come
    /// and go is not disturbed.
    pub(super) async fn interrupted(&self) {
        let interrupt = self.network.interrupt();
        loop {
            interrupt.raised().await;
            tokio::time::sleep(GRACE).await;
            if interrupt.is_raised() {
                return;
            }
        }
    }

    pub(super) async fn send(self: Arc<Self>, request: Request, options: RequestOptions) -> Result<Response> {
        let (endpoint, terms) = self.endpoint(request.uri())?;
        if request.method() == http::Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let progress = Progress::default();
        let (parts, body) = self.prepared(request)?;
        let outgoing = |body: &Given| Outgoing {
            given: body.clone(),
            progress: progress.clone(),
        };
        let mut request = Request::from_parts(parts.clone(), outgoing(&body).boxed_unsync());
        let limit = |asked: Option<Duration>| asked.unwrap_or(LONGEST).min(LONGEST);
        let (connect, silence) = (limit(options.connect_timeout), limit(options.first_byte_timeout));
        loop {
            let (mut connection, used) = match self.pool.take(&endpoint) {
                Some(connection) => (connection, true),
                None => (self.connect(&endpoint, &terms, connect).await?, false),
            };
            let sending = connection.sender.try_send_request(request);
            let answered = tokio::select! {
                answered = sending => answered,
                () = silent(&progress, silence) => return Err(Error::ConnectionReadTimeout),
                () = self.interrupted() => return Err(Error::ConnectionTerminated),
            };
            match answered {
                Ok(response) => {
                    let between = limit(options.between_bytes_timeout);
                    let connection = (endpoint, connection);
                    let client = self.clone();
                    return Ok(response
                        .map(|body| Incoming::new(body, client, connection, self.most_body, between).boxed_unsync()));
                }
                // The server has closed a connection that waited: nothing of the request was sent, or it may be sent again.
                Err(mut error) => {
                    // RFC 9110, 9.2.2: what does no harm twice may be sent again.
                    let again = parts.method.is_idempotent() && body.is_whole() && !error.error().is_parse();
                    request = match error.take_message() {
                        Some(unsent) if used => unsent,
                        None if used && again => Request::from_parts(parts.clone(), outgoing(&body).boxed_unsync()),
                        Some(_) | None => return Err(Error::Hyper(error.into_error())),
                    };
                }
            }
        }
    }

    fn endpoint(&self, uri: &Uri) -> Result<(Endpoint, Arc<Terms>)> {
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(_) | None => return Err(Error::HttpProtocolError),
        };
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        // A name or password there would end up in the header `host`.
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(Error::HttpRequestUriInvalid);
        }
        let (generation, terms) = self.terms();
        let endpoint = Endpoint {
            secure,
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            terms: generation,
        };
        Ok((endpoint, terms))
    }

    /// The request as it goes over the connection: the path alone, and a body with its bounds.
    fn prepared(&self, request: Request) -> Result<(http::request::Parts, Given)> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        parts.uri = Uri::try_from(path).map_err(|_| Error::HttpRequestUriInvalid)?;
        Ok((parts, Given::new(body, self.most_body)))
    }

    async fn connect(&self, endpoint: &Endpoint, terms: &Terms, limit: Duration) -> Result<Connection> {
        let connecting = async {
            let (stream, slot) = match self.network.dial(&endpoint.host, endpoint.port).await {
                // Those that wait have to go first.
                Err(Failure::TooMany(_)) => {
                    self.pool.clear();
                    self.network.dial(&endpoint.host, endpoint.port).await
                }
                dialled => dialled,
            }
            .map_err(told)?;
            if endpoint.secure {
                let handshake = tls::handshake(stream, &endpoint.host, terms, self.network.trust());
                let stream = self.network.interrupt().unless(handshake).await;
                let stream = stream.ok_or(Failure::Interrupted).and_then(|done| done).map_err(told)?;
                opened(TokioIo::new(stream), slot).await
            } else {
                opened(TokioIo::new(stream), slot).await
            }
        };
        let connected = tokio::time::timeout(limit, connecting).await;
        connected.unwrap_or(Err(Error::ConnectionTimeout))
    }
}

async fn opened<I>(stream: I, slot: Slot) -> Result<Connection>
where
    I: Read + Write + Unpin + Send + 'static,
{
    let (sender, driver) = http1::Builder::new()
        .max_buf_size(READ_AHEAD)
        .max_headers(MOST_HEADERS)
        .handshake(stream)
        .await
        .map_err(Error::Hyper)?;
    // Ends by itself when the connection does; its errors reach whoever waits for an answer.
    let driver: AbortHandle = tokio::spawn(async move {
        let _ = driver.await;
    })
    .abort_handle();
    Ok(Connection {
        sender,
        driver,
        _slot: slot,
    })
}

/// Until the server has neither taken anything of the request nor answered for so long.
async fn silent(progress: &Progress, limit: Duration) {
    let (mut sent, mut since) = (progress.sent(), Instant::now());
    loop {
        tokio::time::sleep_until(since + limit).await;
        let now = progress.sent();
        if now == sent {
            return;
        }
        (sent, since) = (now, Instant::now());
    }
}

/// A failure as `wasi:http` can say it. Where only a person can help, the words go with it.
fn told(failure: Failure) -> Error {
    let words = failure.to_string();
    match failure {
        Failure::Refused(_) | Failure::Untrusted(_) => Error::InternalError(Some(words)),
        Failure::Tls(_) => Error::TlsAlertReceived {
            alert_id: None,
            alert_message: Some(words),
        },
        Failure::Unknown { source, .. } => Error::DnsError {
            rcode: Some(source.to_string()),
            info_code: None,
        },
        Failure::Unreachable { source, .. } => match source.kind() {
            std::io::ErrorKind::TimedOut => Error::ConnectionTimeout,
            std::io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
            _ => Error::DestinationUnavailable,
        },
        Failure::TooMany(_) => Error::ConnectionLimitReached,
        Failure::Broken(_) | Failure::Closed | Failure::Interrupted => Error::ConnectionTerminated,
    }
}
