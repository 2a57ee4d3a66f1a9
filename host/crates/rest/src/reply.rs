//! What a handler answers, and how errors become answers: the one mapping from a herder's errors to status codes.

use std::path::PathBuf;

use caisson_herder::Error;
use hyper::StatusCode;
use serde_json::{Value, json};

/// An answer, before it is put into HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: StatusCode,
    pub body: Option<Body>,
    /// The path of what was created, encoded.
    pub location: Option<String>,
    pub allow: Option<String>,
    /// The connection shall end: the rest of the request was not read.
    pub close: bool,
    /// Another worker has to answer; where it is, if that is known.
    pub elsewhere: Option<Option<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Json(Vec<u8>),
    Text(String),
    /// For Prometheus.
    Metrics(String),
    /// A file with a module.
    Module(PathBuf),
}

impl Reply {
    fn new(status: StatusCode, body: Option<Body>) -> Reply {
        Reply {
            status,
            body,
            location: None,
            allow: None,
            close: false,
            elsewhere: None,
        }
    }

    pub fn json(status: StatusCode, body: &Value) -> Reply {
        Reply::new(status, Some(Body::Json(body.to_string().into_bytes())))
    }

    pub fn ok(body: &Value) -> Reply {
        Reply::json(StatusCode::OK, body)
    }

    /// 200 with JSON that is a text already.
    pub fn written(json: Vec<u8>) -> Reply {
        Reply::new(StatusCode::OK, Some(Body::Json(json)))
    }

    pub fn empty(status: StatusCode) -> Reply {
        Reply::new(status, None)
    }

    pub fn module(file: PathBuf) -> Reply {
        Reply::new(StatusCode::OK, Some(Body::Module(file)))
    }

    pub fn metrics(text: String) -> Reply {
        Reply::new(StatusCode::OK, Some(Body::Metrics(text)))
    }

    pub fn text(status: StatusCode, body: String) -> Reply {
        Reply::new(status, Some(Body::Text(body)))
    }

    /// What Kafka Connect's extension for basic authentication answers: no JSON, whatever it is said to be.
    pub fn unauthorized() -> Reply {
        let text = b"User cannot access the resource.";
        Reply::new(StatusCode::UNAUTHORIZED, Some(Body::Json(text.to_vec())))
    }

    /// The error body.
    pub fn error(status: StatusCode, message: &str) -> Reply {
        Reply::json(status, &json!({"error_code": status.as_u16(), "message": message}))
    }

    /// An error of HTTP itself, with the text that the Java servers give it.
    pub fn http_error(status: StatusCode) -> Reply {
        let reason = match status {
            StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
            _ => status.canonical_reason().unwrap_or_default(),
        };
        Reply::error(status, &format!("HTTP {} {reason}", status.as_u16()))
    }

    pub fn with_location(self, location: String) -> Reply {
        Reply {
            location: Some(location),
            ..self
        }
    }

    pub fn with_allow(self, allow: String) -> Reply {
        Reply {
            allow: Some(allow),
            ..self
        }
    }

    pub fn closing(self) -> Reply {
        Reply { close: true, ..self }
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::AlreadyExists(_) | Error::Conflict(_) | Error::Elsewhere { .. } | Error::Consent { .. } => {
                StatusCode::CONFLICT
            }
            Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Error::BadRequest(_) => StatusCode::BAD_REQUEST,
            Error::Forbidden(_) | Error::Untrusted(_) => StatusCode::FORBIDDEN,
            Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Error::Other(_) | Error::Config(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if let Error::Consent { added, .. } = &error {
            let added = serde_json::to_value(added).unwrap_or_default();
            let body = json!({"error_code": status.as_u16(), "message": error.to_string(), "capabilities": added});
            return Reply::json(status, &body);
        }
        Reply {
            elsewhere: match &error {
                Error::Elsewhere { url } => Some(url.clone()),
                _ => None,
            },
            ..Reply::error(status, &error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_body_has_code_and_message() {
        let reply = Reply::from(Error::connector_not_found("c"));
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        let body = br#"{"error_code":404,"message":"Connector c not found"}"#;
        assert_eq!(reply.body, Some(Body::Json(body.to_vec())));
    }

    #[test]
    fn errors_of_http_have_the_text_of_java_servers() {
        let Some(Body::Json(body)) = Reply::http_error(StatusCode::UNSUPPORTED_MEDIA_TYPE).body else {
            panic!()
        };
        assert_eq!(
            body,
            br#"{"error_code":415,"message":"HTTP 415 Unsupported Media Type"}"#
        );
    }
}
