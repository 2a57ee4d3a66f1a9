//! Requests that another worker has to answer are passed on to it, over two hops at most: to the leader, and from there
//! to the worker that runs what is meant.

use hyper::StatusCode;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use tokio_rustls::TlsConnector;

use crate::client::{self, Ask};
use crate::query::Query;
use crate::reply::{Body, Reply};

const FORWARD: &str = "forward";

/// How often a request has been passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// It comes from a client.
    First,
    /// It comes from a worker that took this one for the leader.
    Second,
    /// It comes from the leader.
    Last,
}

impl Hop {
    pub fn of(query: &Query) -> Hop {
        match query.first(FORWARD) {
            None => Hop::First,
            Some(value) if value.eq_ignore_ascii_case("true") => Hop::Second,
            Some(_) => Hop::Last,
        }
    }

    /// What the next worker is told; none if there is to be no next one.
    fn next(self) -> Option<&'static str> {
        match self {
            Hop::First => Some("true"),
            Hop::Second => Some("false"),
            Hop::Last => None,
        }
    }
}

/// Passes a request on; its answer becomes this worker's.
pub async fn forward(hop: Hop, url: Option<&str>, (head, body): (&Parts, &[u8]), tls: Option<&TlsConnector>) -> Reply {
    let Some(next) = hop.next() else {
        let text = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)";
        return Reply::error(StatusCode::CONFLICT, text);
    };
    let Some(url) = url else {
        let text =
            "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.";
        return Reply::error(StatusCode::CONFLICT, text);
    };
    let query = Query::parse(head.uri.query());
    let mut parameters = query.without(FORWARD);
    parameters.push(format!("{FORWARD}={next}"));
    let target = format!(
        "{}{}?{}",
        url.trim_end_matches('/'),
        head.uri.path(),
        parameters.join("&")
    );
    tracing::debug!(method = %head.method, target, "request is passed on");
    let answer = client::ask(Ask {
        method: head.method.clone(),
        url: target,
        body,
        content_type: client::JSON,
        authorization: head.headers.get(AUTHORIZATION).cloned(),
        signer: None,
        tls,
    });
    match answer.await {
        Ok(answer) => Reply {
            body: (!answer.body.is_empty()).then_some(Body::Json(answer.body)),
            ..Reply::empty(answer.status)
        },
        Err(error) => Reply::error(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_passed_on_twice_at_most() {
        let hop = |query: &str| Hop::of(&Query::parse(Some(query)));
        assert_eq!(hop("").next(), Some("true"));
        assert_eq!(hop("forward=true").next(), Some("false"));
        assert_eq!(hop("forward=false").next(), None);
    }

    #[test]
    fn other_parameters_are_kept() {
        let query = Query::parse(Some("includeTasks=true&forward=true&x=a%20b%26"));
        assert_eq!(query.without(FORWARD), ["includeTasks=true", "x=a%20b%26"]);
    }
}
