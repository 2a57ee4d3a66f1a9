//! Cross-origin requests (`access.control.allow.origin`, `access.control.allow.methods`).

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, StatusCode};

/// How long a browser may keep the answer to a preflight request, in seconds.
const MAX_AGE: &str = "1800";

/// Which pages of other origins may use the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins, with `*` for any run of characters; none switches all of it off.
    origins: Vec<String>,
    methods: Vec<String>,
}

impl Cors {
    pub fn new(origins: &str, methods: &str) -> Cors {
        let list = |text: &str| -> Vec<String> {
            text.split(',')
                .map(|entry| entry.trim().to_owned())
                .filter(|entry| !entry.is_empty())
                .collect()
        };
        let mut methods = list(methods);
        if methods.is_empty() {
            methods = ["GET", "POST", "HEAD"].map(str::to_owned).to_vec();
        }
        Cors {
            origins: list(origins),
            methods,
        }
    }

    /// The headers for the answer to a request with these headers.
    pub fn headers(&self, method: &Method, request: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        if self.origins.is_empty() {
            return Vec::new();
        }
        let mut headers = vec![(VARY, HeaderValue::from_static("Origin"))];
        let Some(origin) = request.get(ORIGIN).filter(|origin| self.allows(origin)) else {
            return headers;
        };
        headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()));
        if self.is_preflight(method, request) {
            headers.extend(
                HeaderValue::from_str(&self.methods.join(",")).map(|value| (ACCESS_CONTROL_ALLOW_METHODS, value)),
            );
            let asked = request.get("access-control-request-headers").cloned();
            let usual = HeaderValue::from_static("X-Requested-With,Content-Type,Accept,Origin");
            headers.push((ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(usual)));
            headers.push((ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE)));
        }
        headers
    }

    /// The status with which a preflight request ends here; it goes no further.
    pub fn preflight(&self, method: &Method, request: &HeaderMap) -> Option<StatusCode> {
        let allowed = request.get(ORIGIN).is_some_and(|origin| self.allows(origin));
        (allowed && self.is_preflight(method, request)).then_some(StatusCode::OK)
    }

    fn is_preflight(&self, method: &Method, request: &HeaderMap) -> bool {
        let asked = request
            .get(ACCESS_CONTROL_REQUEST_METHOD)
            .and_then(|asked| asked.to_str().ok());
        method == Method::OPTIONS && asked.is_some_and(|asked| self.methods.iter().any(|method| method == asked))
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        let Ok(origins) = origin.to_str() else { return false };
        origins
            .split(' ')
            .any(|origin| self.origins.iter().any(|pattern| matches(pattern, origin)))
    }
}

/// Whether a text is of a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(before) else {
        return false;
    };
    rest.char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .any(|at| matches(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(origin: &str, asked: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, origin.parse().unwrap());
        if let Some(asked) = asked {
            headers.insert(ACCESS_CONTROL_REQUEST_METHOD, asked.parse().unwrap());
        }
        headers
    }

    fn names(headers: &[(HeaderName, HeaderValue)]) -> Vec<&str> {
        headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn nothing_is_sent_unless_switched_on() {
        assert!(
            Cors::new("", "")
                .headers(&Method::GET, &request("http://a", None))
                .is_empty()
        );
    }

    #[test]
    fn allowed_origin_is_echoed() {
        let cors = Cors::new("http://bar.com,http://*.example.com", "PUT");
        for (origin, allowed) in [
            ("http://bar.com", true),
            ("http://a.example.com", true),
            ("http://other", false),
        ] {
            let headers = cors.headers(&Method::GET, &request(origin, None));
            assert_eq!(
                headers
                    .iter()
                    .any(|(name, value)| name == ACCESS_CONTROL_ALLOW_ORIGIN && value == origin),
                allowed
            );
        }
    }

    #[test]
    fn preflight_names_the_methods() {
        let cors = Cors::new("*", "PUT, GET");
        let headers = request("http://a", Some("PUT"));
        let answer = cors.headers(&Method::OPTIONS, &headers);
        assert!(names(&answer).contains(&"access-control-allow-methods"));
        assert_eq!(cors.preflight(&Method::OPTIONS, &headers), Some(StatusCode::OK));
        assert_eq!(
            cors.preflight(&Method::OPTIONS, &request("http://a", Some("DELETE"))),
            None
        );
    }
}
