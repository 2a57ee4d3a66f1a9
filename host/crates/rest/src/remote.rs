//! A worker as the command line sees it: by its REST API, which may be Kafka Connect's own.

mod address;

use std::time::Duration;

use hyper::Method;
use hyper::header::HeaderValue;
use serde_json::Value;
use tokio_rustls::TlsConnector;

use crate::client::{Answer, Ask, JSON, exchange};
use crate::{auth, trust};

/// Compiling what is pushed takes its time.
const PATIENCE: Duration = Duration::from_secs(300);
/// Of a text that is no error body: what a proxy in between says, for instance.
const LONGEST_TEXT: usize = 300;

/// Why a worker did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error("the worker's address cannot be used: {0}")]
    Address(&'static str),
    #[error("TLS cannot be used: {0}")]
    Trust(String),
    #[error("no answer from {url}: {problem}")]
    Unreachable { url: String, problem: String },
    /// It answered, and this is why not.
    #[error("{message} ({status})")]
    Refused {
        status: u16,
        message: String,
        /// What else it said.
        body: Value,
    },
    #[error("what {url} answers is no JSON: it is no worker of Kafka Connect's kind")]
    NoWorker { url: String },
}

/// Which worker, and who asks.
#[derive(Clone, Copy, Default)]
pub struct RemoteOptions<'a> {
    /// `http://host:port` or `https://host:port`, perhaps with `name:password@` before the host and a path behind it.
    pub url: &'a str,
    /// `name:password`; counts before what the address has.
    pub user: Option<&'a str>,
    /// Certificates, as PEM, of those who may vouch for the worker; none: whom the operating system trusts.
    pub authorities: Option<&'a [u8]>,
}

/// A worker somewhere.
pub struct Remote {
    /// `http://host:port`.
    url: String,
    authorization: Option<HeaderValue>,
    /// For an address that begins with `https`.
    tls: Option<TlsConnector>,
}

impl Remote {
    pub fn new(options: &RemoteOptions<'_>) -> Result<Remote, RemoteError> {
        let address = address::parse(options.url).map_err(RemoteError::Address)?;
        let tls = match address.url.starts_with("https:") {
            true => Some(trust::connector(options.authorities).map_err(RemoteError::Trust)?),
            false => None,
        };
        let user = options.user.or(address.user.as_deref());
        Ok(Remote {
            authorization: user.and_then(auth::basic),
            url: address.url,
            tls,
        })
    }

    /// Where the worker is, without credentials.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn get(&self, path: &str) -> Result<Value, RemoteError> {
        self.json(Method::GET, path, JSON, &[]).await
    }

    /// What is no JSON.
    pub async fn text(&self, path: &str) -> Result<String, RemoteError> {
        let answer = self.ask(Method::GET, path, JSON, &[]).await?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    pub async fn delete(&self, path: &str) -> Result<Value, RemoteError> {
        self.json(Method::DELETE, path, JSON, &[]).await
    }

    /// Where the path says it all.
    pub async fn put_nothing(&self, path: &str) -> Result<Value, RemoteError> {
        self.json(Method::PUT, path, JSON, &[]).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, RemoteError> {
        self.json(Method::PUT, path, JSON, body.to_string().as_bytes()).await
    }

    /// Sends JSON as it was written.
    pub async fn patch(&self, path: &str, body: &[u8]) -> Result<Value, RemoteError> {
        self.json(Method::PATCH, path, JSON, body).await
    }

    /// Posts bytes of a type; none of them where there is nothing to say.
    pub async fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Value, RemoteError> {
        self.json(Method::POST, path, content_type, body).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Result<Value, RemoteError> {
        self.post(path, JSON, body.to_string().as_bytes()).await
    }

    /// A name as one segment of a path.
    pub fn segment(name: &str) -> String {
        address::segment(name)
    }

    /// Null where the worker has nothing to say.
    async fn json(&self, method: Method, path: &str, content_type: &str, body: &[u8]) -> Result<Value, RemoteError> {
        let answer = self.ask(method, path, content_type, body).await?;
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        let url = self.url.clone();
        serde_json::from_slice(&answer.body).map_err(|_| RemoteError::NoWorker { url })
    }

    async fn ask(&self, method: Method, path: &str, content_type: &str, body: &[u8]) -> Result<Answer, RemoteError> {
        let ask = Ask {
            method,
            url: format!("{}{path}", self.url),
            body,
            content_type,
            authorization: self.authorization.clone(),
            signer: None,
            tls: self.tls.as_ref(),
        };
        let unreachable = |problem: String| RemoteError::Unreachable {
            url: self.url.clone(),
            problem,
        };
        let answer = tokio::time::timeout(PATIENCE, exchange(ask)).await;
        let answer = answer.map_err(|_| unreachable(format!("nothing within {PATIENCE:?}")))?;
        let answer = answer.map_err(unreachable)?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        Err(RemoteError::Refused {
            status: answer.status.as_u16(),
            message: reason(&answer, &body),
            body,
        })
    }
}

/// Kafka Connect's message, or a short text, or what the status says.
fn reason(answer: &Answer, body: &Value) -> String {
    if let Some(message) = body["message"].as_str() {
        return message.to_owned();
    }
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim();
    if !text.is_empty() && text.len() <= LONGEST_TEXT && !text.contains(['<', '{', '\n']) {
        return text.to_owned();
    }
    format!(
        "the worker answers {}",
        answer.status.canonical_reason().unwrap_or("with an error")
    )
}
