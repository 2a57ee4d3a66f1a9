//! OAUTHBEARER: the options of Java's `OAuthBearerLoginModule`.

use std::time::Duration;

use super::Properties;
use crate::error::Error;
use crate::token::{TokenSource, Unsecured};

const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
const STRING: &str = "unsecuredLoginStringClaim_";
const NUMBER: &str = "unsecuredLoginNumberClaim_";
const LIST: &str = "unsecuredLoginListClaim_";
const EXTENSION: &str = "unsecuredLoginExtension_";
/// Java's default of `unsecuredLoginLifetimeSeconds`.
const LIFETIME: f64 = 3600.0;

pub(super) fn source(options: &[(String, String)], given: &Properties) -> Result<TokenSource, Error> {
    if let Some(endpoint) = given.get(ENDPOINT) {
        return from_file(endpoint);
    }
    if !options.iter().any(|(name, _)| name.starts_with("unsecuredLogin")) {
        return Err(invalid(
            "sasl.jaas.config",
            "OAuthBearerLoginModule needs unsecuredLoginStringClaim_sub, or sasl.oauthbearer.token.endpoint.url",
        ));
    }
    unsecured(options).map(TokenSource::Unsecured)
}

/// Java's `OAuthBearerLoginCallbackHandler` reads a file where the URL says so.
fn from_file(endpoint: &str) -> Result<TokenSource, Error> {
    match endpoint.trim().strip_prefix("file://") {
        Some(path) if path.starts_with('/') => Ok(TokenSource::File(path.into())),
        Some(_) => Err(invalid(ENDPOINT, "a file:// URL names an absolute path")),
        None => Err(invalid(
            ENDPOINT,
            "tokens are read from a file:// URL; let what fetches them from the authorization server keep them there",
        )),
    }
}

fn unsecured(options: &[(String, String)]) -> Result<Unsecured, Error> {
    let option = |name: &str| {
        options
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let principal_claim = option("unsecuredLoginPrincipalClaimName").unwrap_or("sub");
    let mut claims = Vec::new();
    let mut principal = None;
    for (name, value) in options {
        if let Some(claim) = name.strip_prefix(STRING) {
            if claim == principal_claim {
                principal = Some(value.clone());
            }
            claims.push((claim.to_owned(), serde_json::Value::from(value.as_str()).to_string()));
        } else if let Some(claim) = name.strip_prefix(NUMBER) {
            let number: f64 = value
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .ok_or_else(|| invalid("sasl.jaas.config", format!("{name} is not a number")))?;
            claims.push((claim.to_owned(), serde_json::Value::from(number).to_string()));
        } else if let Some(claim) = name.strip_prefix(LIST) {
            claims.push((claim.to_owned(), serde_json::Value::from(list(value)).to_string()));
        }
    }
    let lifetime = match option("unsecuredLoginLifetimeSeconds") {
        None => LIFETIME,
        Some(text) => text
            .parse()
            .ok()
            .filter(|seconds| (1.0..=1e9).contains(seconds))
            .ok_or_else(|| invalid("sasl.jaas.config", "unsecuredLoginLifetimeSeconds is no time"))?,
    };
    let extensions = options
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(EXTENSION)?.to_owned(), value.clone())));
    Ok(Unsecured {
        principal: principal.ok_or_else(|| {
            invalid(
                "sasl.jaas.config",
                format!("OAuthBearerLoginModule needs {STRING}{principal_claim}"),
            )
        })?,
        claims,
        lifetime: Duration::from_secs_f64(lifetime),
        extensions: extensions.collect(),
    })
}

/// The first character separates: `|read|write` are two.
fn list(value: &str) -> Vec<&str> {
    match value.chars().next() {
        None => Vec::new(),
        Some(separator) => value[separator.len_utf8()..].split(separator).collect(),
    }
}

fn invalid(name: &str, reason: impl Into<String>) -> Error {
    Error::Setting {
        name: name.to_owned(),
        reason: reason.into(),
    }
}
