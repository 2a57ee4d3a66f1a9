//! A worker as the command line sees it: by its REST API.

use std::time::Duration;

use hyper::Method;
use hyper::header::HeaderValue;
use serde_json::Value;

use crate::auth;
use crate::client::{Ask, JSON, exchange};
use crate::path::encode;

/// Compiling what is pushed takes its time.
const PATIENCE: Duration = Duration::from_secs(300);

/// Why a worker did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error("no answer from {url}: {problem}")]
    Unreachable { url: String, problem: String },
    /// It answered, and this is why not.
    #[error("{message}")]
    Refused {
        status: u16,
        message: String,
        /// What else it said.
        body: Value,
    },
}

/// A worker somewhere.
pub struct Remote {
    /// `http://host:port`.
    url: String,
    authorization: Option<HeaderValue>,
}

impl Remote {
    /// `user` is `name:password`, where the worker asks for it.
    pub fn new(url: &str, user: Option<&str>) -> Remote {
        Remote {
            url: url.trim_end_matches('/').to_owned(),
            authorization: user.and_then(auth::basic),
        }
    }

    pub async fn get(&self, path: &str) -> Result<Value, RemoteError> {
        self.ask(Method::GET, path, JSON, &[]).await
    }

    pub async fn delete(&self, path: &str) -> Result<Value, RemoteError> {
        self.ask(Method::DELETE, path, JSON, &[]).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, RemoteError> {
        self.ask(Method::PUT, path, JSON, body.to_string().as_bytes()).await
    }

    /// Posts bytes of a type; none of them where there is nothing to say.
    pub async fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Value, RemoteError> {
        self.ask(Method::POST, path, content_type, body).await
    }

    /// A name as one segment of a path.
    pub fn segment(name: &str) -> String {
        encode(name)
    }

    async fn ask(&self, method: Method, path: &str, content_type: &str, body: &[u8]) -> Result<Value, RemoteError> {
        let ask = Ask {
            method,
            url: format!("{}{path}", self.url),
            body,
            content_type,
            authorization: self.authorization.clone(),
            signer: None,
        };
        let unreachable = |problem: String| RemoteError::Unreachable {
            url: self.url.clone(),
            problem,
        };
        let answer = tokio::time::timeout(PATIENCE, exchange(ask)).await;
        let answer = answer.map_err(|_| unreachable(format!("nothing within {PATIENCE:?}")))?;
        let answer = answer.map_err(unreachable)?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status.is_success() {
            return Ok(body);
        }
        let message = body["message"].as_str();
        Err(RemoteError::Refused {
            status: answer.status.as_u16(),
            message: message.map_or_else(|| format!("the worker answers {}", answer.status), str::to_owned),
            body,
        })
    }
}
