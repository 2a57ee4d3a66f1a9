//! The HTTP client of a schema registry: several addresses of which one has to answer, repetitions, a bound on time and
//! on the size of answers.
//!
//! It blocks. A look-up happens once per schema, on the task's own thread, which has nothing to do without its answer.

mod auth;
mod gate;
mod tls;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ureq::http::{Response, StatusCode};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Proxy};

use crate::error::Error;
use crate::settings::Read;
use auth::Auth;
pub use gate::Gate;
use gate::GatedResolver;

/// Longer than any schema; an answer that goes on is cut off.
const MAX_ANSWER: u64 = 16 << 20;
/// A request and its repetitions take no longer than this, whatever the timeouts of the configuration add up to: the
/// task that waits is to be stopped in reasonable time.
const DEADLINE: Duration = Duration::from_secs(60);
const CONTENT: &str = "application/vnd.schemaregistry.v1+json";

/// How often and after which time a failed request is repeated.
#[derive(Clone, Copy, Debug)]
struct Retry {
    times: usize,
    first: Duration,
    most: Duration,
}

/// One address of the registry.
struct Base {
    /// Without user and password, and without a slash at the end.
    url: String,
    /// Of the address itself.
    basic: Option<String>,
}

/// A client of one registry.
pub struct Client {
    agent: Agent,
    bases: Vec<Base>,
    /// Index of the address that answered last; a hint that needs no order.
    current: AtomicUsize,
    auth: Auth,
    headers: Vec<(String, String)>,
    retry: Retry,
}

/// An error as the registry words it.
#[derive(Deserialize)]
struct Refusal {
    error_code: i64,
    #[serde(default)]
    message: String,
}

enum Attempt {
    /// The next address may do better.
    Unreachable(Error),
    /// It answered, and that is what counts.
    Refused(Error),
}

impl Client {
    pub fn new(read: &Read, gate: Option<Gate>) -> Result<Self, Error> {
        const URL: &str = "schema.registry.url";
        let urls = read.values.list(URL).unwrap_or_default();
        let bases: Vec<Base> = urls.iter().map(|url| base(URL, url)).collect::<Result<_, _>>()?;
        if bases.is_empty() {
            return Err(Error::config(URL, "no address is given"));
        }
        let some = |time: Duration| (!time.is_zero()).then_some(time);
        let read_timeout = some(read.milliseconds("http.read.timeout.ms"));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(3)
            .user_agent("caisson")
            .tls_config(tls::config(read)?)
            .proxy(proxy(read)?)
            .timeout_connect(some(read.milliseconds("http.connect.timeout.ms")))
            .timeout_recv_response(read_timeout)
            .timeout_recv_body(read_timeout)
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), GatedResolver::new(gate));
        Ok(Client {
            agent,
            bases,
            current: AtomicUsize::new(0),
            auth: Auth::new(read)?,
            headers: read
                .headers()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            retry: Retry {
                times: read.count("max.retries"),
                first: read.milliseconds("retries.wait.ms"),
                most: read.milliseconds("retries.max.wait.ms"),
            },
        })
    }

    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.request(path, None)
    }

    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Config(error.to_string()))?;
        self.request(path, Some(&body))
    }

    /// Asks until there is an answer, a refusal that will not pass, or no time left.
    fn request<T: DeserializeOwned>(&self, path: &str, body: Option<&[u8]>) -> Result<T, Error> {
        let end = Instant::now() + DEADLINE;
        let mut repeated = 0;
        loop {
            let error = match self.ask_each(path, body, end) {
                Ok((url, answer)) => return parse(&url, &answer),
                Err(error) => error,
            };
            let pause = self.retry.pause(repeated);
            if repeated >= self.retry.times || !error.is_passing() || Instant::now() + pause >= end {
                return Err(error);
            }
            tracing::warn!(%error, "the schema registry is asked again");
            std::thread::sleep(pause);
            repeated += 1;
        }
    }

    /// Asks one address after the other, beginning with the one that answered last.
    fn ask_each(&self, path: &str, body: Option<&[u8]>, end: Instant) -> Result<(String, Vec<u8>), Error> {
        let first = self.current.load(Ordering::Relaxed);
        let mut last = None;
        for step in 0..self.bases.len() {
            let index = (first + step) % self.bases.len();
            let base = &self.bases[index];
            let url = format!("{}{path}", base.url);
            match self.ask(base, &url, body, end) {
                Ok(answer) => {
                    self.current.store(index, Ordering::Relaxed);
                    return Ok((url, answer));
                }
                Err(Attempt::Refused(error)) => return Err(error),
                Err(Attempt::Unreachable(error)) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::Config("no address of a schema registry is given".to_owned())))
    }

    fn ask(&self, base: &Base, url: &str, body: Option<&[u8]>, end: Instant) -> Result<Vec<u8>, Attempt> {
        let left = end.saturating_duration_since(Instant::now());
        let unreachable = |error: ureq::Error| Attempt::Unreachable(unreachable(&base.url, &error));
        let authorization = self.auth.header(&self.agent, base.basic.as_deref(), left)?;
        let own = authorization.iter().map(|value| ("authorization", value.as_str()));
        let own = own.chain(self.auth.more().iter().map(|(name, value)| (*name, value.as_str())));
        let own = own.chain(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let response = match body {
            None => {
                let request = self.agent.get(url).header("accept", CONTENT);
                let request = own.fold(request, |request, (name, value)| request.header(name, value));
                request.config().timeout_global(Some(left)).build().call()
            }
            Some(body) => {
                let request = self
                    .agent
                    .post(url)
                    .header("accept", CONTENT)
                    .header("content-type", CONTENT);
                let request = own.fold(request, |request, (name, value)| request.header(name, value));
                request.config().timeout_global(Some(left)).build().send(body)
            }
        }
        .map_err(unreachable)?;
        let status = response.status();
        let answer = read(response).map_err(unreachable)?;
        if status.is_success() {
            return Ok(answer);
        }
        let error = refusal(url, status, &answer);
        if error.is_passing() && self.bases.len() > 1 {
            Err(Attempt::Unreachable(error))
        } else {
            Err(Attempt::Refused(error))
        }
    }
}

impl Retry {
    /// Up to twice as long as before, and by chance less: many tasks that failed together are not to come back together.
    fn pause(self, repeated: usize) -> Duration {
        let longest = self
            .first
            .saturating_mul(1_u32.checked_shl(repeated as u32).unwrap_or(u32::MAX))
            .min(self.most);
        let chance = RandomState::new().build_hasher().finish() % 1024;
        longest.mul_f64((chance + 1) as f64 / 1024.0)
    }
}

fn base(key: &str, url: &str) -> Result<Base, Error> {
    let url = url.trim().trim_end_matches('/');
    let (scheme, rest) = url
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
        .ok_or_else(|| Error::config(key, "an address has to begin with http:// or https://"))?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (basic, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(auth::basic(&decode(user))), host),
        None => (None, authority),
    };
    if host.is_empty() {
        return Err(Error::config(key, "an address names no host"));
    }
    Ok(Base {
        url: format!("{scheme}://{host}{path}"),
        basic,
    })
}

fn proxy(read: &Read) -> Result<Option<Proxy>, Error> {
    let Some(host) = read.text("proxy.host") else {
        return Ok(None);
    };
    let port = read.values.int("proxy.port").unwrap_or(-1);
    let address = format!("http://{host}:{port}");
    let proxy = Proxy::new(&address).map_err(|error| Error::config("proxy.host", error))?;
    Ok(Some(proxy))
}

fn read(response: Response<Body>) -> Result<Vec<u8>, ureq::Error> {
    response.into_body().with_config().limit(MAX_ANSWER).read_to_vec()
}

fn parse<T: DeserializeOwned>(url: &str, answer: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(answer).map_err(|error| Error::Answer {
        url: url.to_owned(),
        reason: error.to_string(),
    })
}

/// What Confluent's client makes of an error: the registry's own words, or the status.
fn refusal(url: &str, status: StatusCode, answer: &[u8]) -> Error {
    match serde_json::from_slice::<Refusal>(answer) {
        Ok(refusal) => Error::Refused {
            status: status.as_u16(),
            code: refusal.error_code,
            message: refusal.message,
        },
        Err(_) => Error::Refused {
            status: status.as_u16(),
            code: status.as_u16().into(),
            message: format!("{url} answered {status}"),
        },
    }
}

fn unreachable(url: &str, error: &ureq::Error) -> Error {
    let class = match error {
        ureq::Error::Timeout(_) => "java.net.SocketTimeoutException",
        ureq::Error::HostNotFound => "java.net.UnknownHostException",
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => "java.net.ConnectException",
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => "javax.net.ssl.SSLHandshakeException",
        _ => "java.io.IOException",
    };
    Error::Unreachable {
        url: url.to_owned(),
        reason: error.to_string(),
        class,
    }
}

/// A segment of a path: what could be taken for something else is written in hexadecimal.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match (*first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        out.push(code.unwrap_or(*first));
        rest = &after[if code.is_some() { 2 } else { 0 }..];
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_of_an_address_are_taken_out_of_it() {
        let base = base("k", "https://us%40er:p%3Aw@host:1/apis/").unwrap();
        assert_eq!(base.url, "https://host:1/apis");
        assert_eq!(base.basic.as_deref(), Some("Basic dXNAZXI6cDp3"));
    }

    #[test]
    fn other_schemes_are_refused_without_showing_the_address() {
        for url in ["mock://scope", "host:8081", "ftp://u:secret@h", "http://"] {
            let error = base("schema.registry.url", url).err().unwrap().to_string();
            assert!(
                error.contains("schema.registry.url") && !error.contains("secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn pauses_grow_to_their_limit() {
        let retry = Retry {
            times: 9,
            first: Duration::from_millis(100),
            most: Duration::from_millis(350),
        };
        for (repeated, most) in [(0, 100), (1, 200), (2, 350), (40, 350)] {
            let pause = retry.pause(repeated);
            assert!(!pause.is_zero() && pause <= Duration::from_millis(most), "{pause:?}");
        }
    }

    #[test]
    fn a_subject_is_one_segment() {
        assert_eq!(segment("a/b c:ü-value"), "a%2Fb%20c%3A%C3%BC-value");
    }
}
