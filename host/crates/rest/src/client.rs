//! What this worker asks of other workers: requests that are passed on, and internal ones with a signature (KIP-507).

use std::time::Duration;

use bytes::Bytes;
use caisson_herder::distributed::{Peers, Signer};
use caisson_herder::{BoxFuture, Config, Error};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::exchange::{SIGNATURE, SIGNATURE_ALGORITHM};
use crate::path::encode;

/// For a whole request; the worker there takes as long for its own.
const PATIENCE: Duration = Duration::from_secs(90);
const CONNECTING: Duration = Duration::from_secs(10);
/// More than any worker answers.
const LARGEST_ANSWER: usize = 64 << 20;

pub const JSON: &str = "application/json";

/// The parameter of an internal request that says from which revision of a connector's configuration task configurations
/// were made.
pub const MADE_FROM: &str = "revision";

/// A request to another worker.
pub struct Ask<'a> {
    pub method: Method,
    pub url: String,
    pub body: &'a [u8],
    /// What the body is, if there is one.
    pub content_type: &'a str,
    /// The client's own credentials, passed on.
    pub authorization: Option<HeaderValue>,
    pub signer: Option<&'a Signer>,
    /// For `https`; none: it is not spoken.
    pub tls: Option<&'a TlsConnector>,
}

/// The answer of another worker.
pub struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

/// Asks another worker. The error is the text for the client.
pub async fn ask(ask: Ask<'_>) -> Result<Answer, Error> {
    let failed = |problem: String| Error::Other(format!("IO Error trying to forward REST request: {problem}"));
    match tokio::time::timeout(PATIENCE, exchange(ask)).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(failed(format!("no answer within {PATIENCE:?}"))),
    }
}

/// One request and its answer; the error says what went wrong on the way.
pub async fn exchange(ask: Ask<'_>) -> Result<Answer, String> {
    let uri: Uri = ask.url.parse().map_err(|error| format!("{}: {error}", ask.url))?;
    let tls = match (uri.scheme_str(), ask.tls) {
        (Some("http"), _) => None,
        (Some("https"), Some(tls)) => Some(tls.clone()),
        _ => return Err(format!("{}: this worker has no way to ask by https", ask.url)),
    };
    let authority = uri.authority().ok_or_else(|| format!("{} names no host", ask.url))?;
    let host = authority.host().trim_matches(['[', ']']);
    let port = authority.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let failed = |error: String| format!("{authority}: {error}");
    let request = request(&ask, &uri, authority).map_err(failed)?;
    let opened = async {
        let stream = TcpStream::connect((host, port))
            .await
            .map_err(|error| error.to_string())?;
        let Some(tls) = tls else {
            return open(stream).await;
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let stream = tls.connect(name, stream).await.map_err(|error| error.to_string())?;
        open(stream).await
    };
    let mut sender = match tokio::time::timeout(CONNECTING, opened).await {
        Ok(opened) => opened.map_err(failed)?,
        Err(_) => return Err(failed(format!("cannot connect within {CONNECTING:?}"))),
    };
    let response: Response<Incoming> = sender
        .send_request(request)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
    let body = body.map_err(|error| failed(error.to_string()))?;
    Ok(Answer {
        status,
        body: body.to_bytes().to_vec(),
    })
}

fn request(ask: &Ask<'_>, uri: &Uri, authority: &Authority) -> Result<Request<Full<Bytes>>, String> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(ask.method.clone())
        .uri(path)
        .header(HOST, authority.as_str())
        .header(USER_AGENT, "kafka-connect")
        .header(ACCEPT, "application/json");
    if !ask.body.is_empty() {
        request = request.header(CONTENT_TYPE, ask.content_type);
    }
    if let Some(credentials) = &ask.authorization {
        request = request.header(AUTHORIZATION, credentials);
    }
    if let Some(signature) = ask.signer.and_then(|signer| signer.sign(ask.body)) {
        request = request
            .header(SIGNATURE, signature.signature)
            .header(SIGNATURE_ALGORITHM, signature.algorithm);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(ask.body)));
    request.map_err(|error| error.to_string())
}

/// A connection that requests can be sent by.
async fn open<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = handshake.map_err(|error| error.to_string())?;
    // Ends with the exchange, as its sender does.
    tokio::spawn(connection);
    Ok(sender)
}

/// The other workers of a cluster, by their REST API.
pub struct PeerClient {
    tls: Option<TlsConnector>,
}

impl PeerClient {
    /// `tls`: for those that are reached by `https`.
    pub(crate) fn new(tls: Option<TlsConnector>) -> Self {
        PeerClient { tls }
    }

    async fn internal(&self, method: Method, url: String, body: &[u8], signer: &Signer) -> Result<(), Error> {
        let answer = ask(Ask {
            method,
            url,
            body,
            content_type: JSON,
            authorization: None,
            signer: Some(signer),
            tls: self.tls.as_ref(),
        });
        let answer = answer.await?;
        if answer.status.is_success() {
            return Ok(());
        }
        let message = message_of(&answer.body).unwrap_or_else(|| format!("answered {}", answer.status));
        Err(match answer.status {
            StatusCode::NOT_FOUND => Error::NotFound(message),
            StatusCode::CONFLICT => Error::Conflict(message),
            StatusCode::BAD_REQUEST => Error::BadRequest(message),
            StatusCode::FORBIDDEN => Error::Untrusted(message),
            StatusCode::SERVICE_UNAVAILABLE => Error::Unavailable(message),
            _ => Error::Other(message),
        })
    }
}

fn message_of(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body["message"].as_str().map(str::to_owned)
}

impl Peers for PeerClient {
    fn put_task_configs<'a>(
        &'a self,
        leader_url: &'a str,
        name: &'a str,
        configs: &'a [Config],
        made_from: u64,
        signer: &'a Signer,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let body = serde_json::to_vec(configs).map_err(|error| Error::Other(error.to_string()))?;
            // Kafka Connect's leaders ignore parameters that they do not know.
            let url = format!("{leader_url}connectors/{}/tasks?{MADE_FROM}={made_from}", encode(name));
            self.internal(Method::POST, url, &body, signer).await
        })
    }

    fn fence_zombies<'a>(
        &'a self,
        leader_url: &'a str,
        name: &'a str,
        signer: &'a Signer,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let url = format!("{leader_url}connectors/{}/fence", encode(name));
        Box::pin(async move { self.internal(Method::PUT, url, &[], signer).await })
    }
}
