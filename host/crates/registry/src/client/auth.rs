//! Who the client says it is.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use caisson_api::value::base64;
use serde::Deserialize;
use ureq::Agent;

use super::Attempt;
use crate::error::Error;
use crate::settings::Read;

/// A way to authenticate. It prints nothing of what it knows.
pub(super) enum Auth {
    /// What the address says, if it says something.
    Address,
    /// The header's value.
    Header {
        value: String,
        more: More,
    },
    Provider(Box<Provider>),
}

/// Headers that go with a token.
type More = Vec<(&'static str, String)>;

/// An identity provider that gives tokens for client credentials (RFC 6749, section 4.4).
pub(super) struct Provider {
    url: String,
    id: String,
    secret: String,
    scope: Option<String>,
    buffer: Duration,
    more: More,
    /// Guards the token in use and the time until which it is; held while a new one is fetched, so that it is fetched
    /// once.
    token: Mutex<Option<(String, Instant)>>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    #[serde(default)]
    expires_in: u64,
}

/// Longer than any token.
const MAX_TOKEN: u64 = 1 << 20;

impl Auth {
    pub fn new(read: &Read) -> Result<Self, Error> {
        const BASIC: &str = "basic.auth.credentials.source";
        const BEARER: &str = "bearer.auth.credentials.source";
        match (read.is_given(BASIC), read.is_given(BEARER)) {
            (true, true) => Err(Error::Config(format!(
                "Only one of '{BASIC}' and '{BEARER}' may be specified"
            ))),
            (_, true) => bearer(read, read.text(BEARER).unwrap_or_default()),
            (_, false) => match read.text(BASIC).unwrap_or("URL") {
                "URL" => Ok(Auth::Address),
                "USER_INFO" => {
                    let user = read.secret("basic.auth.user.info").ok_or_else(|| {
                        Error::config(BASIC, "USER_INFO needs basic.auth.user.info, as user:password")
                    })?;
                    Ok(Auth::header_only(basic(user)))
                }
                "SASL_INHERIT" => {
                    let user = read
                        .secret("sasl.jaas.config")
                        .and_then(|jaas| Some(format!("{}:{}", option(jaas, "username")?, option(jaas, "password")?)))
                        .ok_or_else(|| {
                            Error::config(
                                BASIC,
                                "SASL_INHERIT needs a username and a password in sasl.jaas.config",
                            )
                        })?;
                    Ok(Auth::header_only(basic(&user)))
                }
                other => Err(Error::config(
                    BASIC,
                    format!("{other} is none of URL, USER_INFO and SASL_INHERIT"),
                )),
            },
        }
    }

    fn header_only(value: String) -> Self {
        Auth::Header {
            value,
            more: Vec::new(),
        }
    }

    /// The value of the header `Authorization`.
    pub fn header(&self, agent: &Agent, address: Option<&str>, left: Duration) -> Result<Option<String>, Attempt> {
        match self {
            Auth::Address => Ok(address.map(str::to_owned)),
            Auth::Header { value, .. } => Ok(Some(value.clone())),
            Auth::Provider(provider) => provider.token(agent, left).map(Some).map_err(Attempt::Refused),
        }
    }

    /// Headers beside it.
    pub fn more(&self) -> &[(&'static str, String)] {
        match self {
            Auth::Address => &[],
            Auth::Header { more, .. } => more,
            Auth::Provider(provider) => &provider.more,
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth")
    }
}

fn bearer(read: &Read, source: &str) -> Result<Auth, Error> {
    let required = |key: &str| {
        read.text(key)
            .map(str::to_owned)
            .ok_or_else(|| Error::config("bearer.auth.credentials.source", format!("{source} needs {key}")))
    };
    let more = [
        ("target-sr-cluster", "bearer.auth.logical.cluster"),
        ("confluent-identity-pool-id", "bearer.auth.identity.pool.id"),
    ];
    let more = more
        .into_iter()
        .filter_map(|(header, key)| Some((header, read.text(key)?.to_owned())))
        .collect();
    match source {
        "STATIC_TOKEN" => Ok(Auth::Header {
            value: format!("Bearer {}", required("bearer.auth.token")?),
            more,
        }),
        "OAUTHBEARER" => Ok(Auth::Provider(Box::new(Provider {
            url: required("bearer.auth.issuer.endpoint.url")?,
            id: required("bearer.auth.client.id")?,
            secret: required("bearer.auth.client.secret")?,
            scope: read.text("bearer.auth.scope").map(str::to_owned),
            buffer: Duration::from_secs(read.count("bearer.auth.cache.expiry.buffer.seconds") as u64),
            more,
            token: Mutex::new(None),
        }))),
        other => Err(Error::config(
            "bearer.auth.credentials.source",
            format!("{other} is neither STATIC_TOKEN nor OAUTHBEARER"),
        )),
    }
}

impl Provider {
    fn token(&self, agent: &Agent, left: Duration) -> Result<String, Error> {
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, until)) = &*kept
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let token = self.fetch(agent, left)?;
        let life = Duration::from_secs(token.expires_in);
        // A token that lives no longer than the buffer is used to its end.
        let life = life
            .checked_sub(self.buffer)
            .filter(|life| !life.is_zero())
            .unwrap_or(life);
        let header = format!("Bearer {}", token.access_token);
        *kept = Some((header.clone(), Instant::now() + life));
        Ok(header)
    }

    fn fetch(&self, agent: &Agent, left: Duration) -> Result<Token, Error> {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.scope.iter().map(|scope| ("scope", scope.as_str())));
        let failed = |error: ureq::Error| super::unreachable(&self.url, &error);
        let response = agent
            .post(&self.url)
            .header("authorization", basic(&format!("{}:{}", self.id, self.secret)))
            .config()
            .timeout_global(Some(left))
            .build()
            .send_form(form)
            .map_err(failed)?;
        let status = response.status();
        let answer = response
            .into_body()
            .with_config()
            .limit(MAX_TOKEN)
            .read_to_vec()
            .map_err(failed)?;
        if !status.is_success() {
            // What it says may repeat what it was told.
            return Err(Error::Refused {
                status: status.as_u16(),
                code: status.as_u16().into(),
                message: format!("the identity provider {} gave no token: {status}", self.url),
            });
        }
        super::parse(&self.url, &answer)
    }
}

/// The header's value for `user:password`.
pub(super) fn basic(user: &str) -> String {
    format!("Basic {}", base64::encode(user.as_bytes()))
}

/// An option of a login module: `name="value"`.
fn option(jaas: &str, name: &str) -> Option<String> {
    let at = jaas
        .match_indices(name)
        .find(|(at, _)| {
            let before = jaas[..*at].chars().next_back();
            let after = jaas[at + name.len()..].trim_start();
            before.is_some_and(char::is_whitespace) && after.starts_with('=')
        })?
        .0;
    let value = jaas[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => Some(value[1..].split(quote).next()?.to_owned()),
        _ => value
            .split(|c: char| c.is_whitespace() || c == ';')
            .next()
            .map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_a_login_module_are_found() {
        let jaas =
            r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="al ice" password='x;y';"#;
        assert_eq!(option(jaas, "username").as_deref(), Some("al ice"));
        assert_eq!(option(jaas, "password").as_deref(), Some("x;y"));
        assert_eq!(option(jaas, "name"), None);
        assert_eq!(option("M required username=bob;", "username").as_deref(), Some("bob"));
    }
}
