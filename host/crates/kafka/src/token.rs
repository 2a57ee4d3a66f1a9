//! Tokens for OAUTHBEARER, where Java's login module and its two login handlers take them from: made here and unsigned
//! (for development, as Kafka's own default handler does), or read from a file.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::Secret;

/// Bytes of a token's file; brokers take far less.
const MAX_TOKEN: u64 = 1 << 20;

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenSource {
    Unsecured(Unsecured),
    File(PathBuf),
}

/// `unsecuredLogin...` of the login module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsecured {
    /// Names and JSON values of claims.
    pub claims: Vec<(String, String)>,
    pub principal: String,
    pub lifetime: Duration,
    pub extensions: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub value: Secret,
    pub principal: String,
    /// Milliseconds since 1970.
    pub expires: i64,
    pub extensions: Vec<(String, String)>,
}

impl TokenSource {
    /// A token that is good now. May read a file.
    pub(crate) fn token(&self) -> Result<Token, String> {
        match self {
            TokenSource::Unsecured(unsecured) => Ok(unsecured.token(now())),
            TokenSource::File(path) => {
                let shown = path.display();
                let size =
                    std::fs::metadata(path).map_err(|error| format!("cannot read the token {shown}: {error}"))?;
                if size.len() > MAX_TOKEN {
                    return Err(format!("the token {shown} is larger than {MAX_TOKEN} bytes"));
                }
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|error| format!("cannot read the token {shown}: {error}"))?;
                signed(text.trim())
                    .ok_or_else(|| format!("{shown} holds no JSON Web Token with the claims sub and exp"))
            }
        }
    }
}

impl Unsecured {
    fn token(&self, now: Duration) -> Token {
        let expires = now + self.lifetime;
        let mut claims: Vec<String> = self
            .claims
            .iter()
            .map(|(name, value)| format!("{}:{value}", serde_json::Value::String(name.clone())))
            .collect();
        claims.push(format!("\"iat\":{}", now.as_secs()));
        claims.push(format!("\"exp\":{}", expires.as_secs()));
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let (header, claims) = (
            encode(r#"{"alg":"none"}"#),
            encode(&format!("{{{}}}", claims.join(","))),
        );
        Token {
            value: Secret::new(format!("{header}.{claims}.")),
            principal: self.principal.clone(),
            expires: i64::try_from(expires.as_millis()).unwrap_or(i64::MAX),
            extensions: self.extensions.clone(),
        }
    }
}

/// A token that somebody else has signed; the broker checks that, the client reads who it is for and how long.
fn signed(text: &str) -> Option<Token> {
    let claims = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    let expires = claims.get("exp")?.as_f64()?;
    Some(Token {
        value: Secret::new(text),
        principal: claims.get("sub")?.as_str()?.to_owned(),
        expires: (expires * 1000.0) as i64,
        extensions: Vec::new(),
    })
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_unsecured_token_says_who_and_how_long() {
        let unsecured = Unsecured {
            claims: vec![("sub".to_owned(), "\"alice\"".to_owned())],
            principal: "alice".to_owned(),
            lifetime: Duration::from_secs(60),
            extensions: Vec::new(),
        };
        let made = unsecured.token(Duration::from_secs(1000));
        let read = signed(made.value.reveal()).unwrap();
        assert_eq!(
            (read.principal.as_str(), read.expires, made.expires),
            ("alice", 1_060_000, 1_060_000)
        );
    }

    proptest! {
        #[test]
        fn garbage_is_no_token(text in ".{0,80}") {
            prop_assert!(signed(&text).is_none());
        }
    }
}
