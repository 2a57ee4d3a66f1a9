//! Why the REST interface cannot be served.

use std::io;

/// What can go wrong before the first request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {listener} for REST requests: {source}; set listeners to a free address of this machine")]
    Bind { listener: String, source: io::Error },

    #[error("cannot serve {listener}: HTTPS is not supported yet; use an http listener")]
    Https { listener: String },

    #[error("invalid value {value} for configuration response.http.headers.config: {problem}")]
    ResponseHeaders { value: String, problem: String },

    #[error("no listener has the scheme of rest.advertised.listener={0}")]
    AdvertisedListener(String),
}
