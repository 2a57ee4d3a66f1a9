//! Why the REST interface cannot be served.

use std::io;
use std::path::PathBuf;

/// What can go wrong before the first request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {listener} for REST requests: {source}; set listeners to a free address of this machine")]
    Bind { listener: String, source: io::Error },

    #[error("cannot serve {listener}: {problem}")]
    Https { listener: String, problem: String },

    #[error("rest.extension.classes: there is no extension {class}")]
    Extension { class: String },

    #[error(
        "rest.extension.classes asks for basic authentication, and nothing names the JAAS file with the entry \
         KafkaConnect: set java.security.auth.login.config in the worker's properties or in KAFKA_OPTS"
    )]
    NoLogin,

    #[error("basic authentication: {}: {problem}", file.display())]
    Login { file: PathBuf, problem: String },

    #[error("invalid value {value} for configuration response.http.headers.config: {problem}")]
    ResponseHeaders { value: String, problem: String },

    #[error("no listener has the scheme of rest.advertised.listener={0}")]
    AdvertisedListener(String),
}
