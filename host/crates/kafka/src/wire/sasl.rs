//! Authentication by SASL: PLAIN, SCRAM and OAUTHBEARER.

mod scram;

use std::time::Duration;

use super::connection::Connection;
use super::messages::{SaslAuthenticate, SaslHandshake};
use crate::clock::Moment;
use crate::error::{Error, ErrorCode, KafkaError};
use crate::secret::Secret;
use crate::settings::ClientSettings;
use crate::token::TokenSource;
use scram::{Exchange, Hash};

/// A connection is made anew when this part of what the broker allows is over, as Java's client does at the latest.
const RENEW_NUMERATOR: u32 = 85;
const RENEW_DENOMINATOR: u32 = 100;

/// How a client proves who it is.
pub(super) enum Login {
    Plain { user: String, password: Secret },
    Scram { hash: Hash, user: String, password: Secret },
    Bearer(TokenSource),
}

impl Login {
    pub(super) fn new(settings: &ClientSettings) -> Result<Login, Error> {
        let mechanism = settings.native("sasl.mechanism").unwrap_or("GSSAPI");
        let invalid = |reason: String| Error::Setting {
            name: "sasl.mechanism".to_owned(),
            reason,
        };
        let credentials = || {
            let user = settings.native("sasl.username");
            let password = settings.native("sasl.password");
            user.zip(password)
                .map(|(user, password)| (user.to_owned(), Secret::new(password)))
                .ok_or_else(|| invalid(format!("{mechanism} needs a user and a password in sasl.jaas.config")))
        };
        match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => credentials().map(|(user, password)| Login::Plain { user, password }),
            name @ ("SCRAM-SHA-256" | "SCRAM-SHA-512") => {
                let hash = if name == "SCRAM-SHA-256" {
                    Hash::Sha256
                } else {
                    Hash::Sha512
                };
                credentials().map(|(user, password)| Login::Scram { hash, user, password })
            }
            "OAUTHBEARER" => {
                let source = settings.token_source().cloned();
                source.map(Login::Bearer).ok_or_else(|| {
                    invalid("OAUTHBEARER needs an OAuthBearerLoginModule in sasl.jaas.config".to_owned())
                })
            }
            "GSSAPI" => Err(invalid(
                "GSSAPI (Kerberos) is not there for the membership of a cluster and for fencing; \
                 PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER are"
                    .to_owned(),
            )),
            other => Err(invalid(format!("{other} is not known"))),
        }
    }

    fn mechanism(&self) -> &'static str {
        match self {
            Login::Plain { .. } => "PLAIN",
            Login::Scram { hash: Hash::Sha256, .. } => "SCRAM-SHA-256",
            Login::Scram { hash: Hash::Sha512, .. } => "SCRAM-SHA-512",
            Login::Bearer(_) => "OAUTHBEARER",
        }
    }

    /// Authenticates a connection, and notes how long that holds.
    pub(super) async fn authenticate(&self, connection: &mut Connection, timeout: Duration) -> Result<(), KafkaError> {
        let mechanism = self.mechanism();
        let answer = connection.call(&SaslHandshake { mechanism }, timeout).await?;
        if answer.code != 0 {
            let offered = answer.mechanisms.join(", ");
            return Err(refused(format!("the broker does not offer {mechanism}, but {offered}")));
        }
        let began = Moment::now();
        let lifetime = match self {
            Login::Plain { user, password } => {
                let token = Secret::new(format!("\0{user}\0{}", password.reveal()));
                exchange(connection, token.reveal().as_bytes(), timeout).await?.1
            }
            Login::Scram { hash, user, password } => scram(connection, *hash, user, password, timeout).await?,
            Login::Bearer(source) => bearer(connection, source, timeout).await?,
        };
        if lifetime > 0 {
            let lifetime = Duration::from_millis(lifetime.unsigned_abs());
            connection.expires = Some(began + lifetime / RENEW_DENOMINATOR * RENEW_NUMERATOR);
        }
        Ok(())
    }
}

/// Sends a token; the broker's, and how long the authentication holds in milliseconds.
async fn exchange(connection: &mut Connection, token: &[u8], timeout: Duration) -> Result<(Vec<u8>, i64), KafkaError> {
    let answer = connection.call(&SaslAuthenticate { token }, timeout).await?;
    if answer.code != 0 {
        let code = ErrorCode(i32::from(answer.code));
        return Err(refused(answer.message.unwrap_or_else(|| code.description())));
    }
    Ok((answer.token, answer.lifetime))
}

fn refused(reason: impl Into<String>) -> KafkaError {
    KafkaError::with_message(ErrorCode::AUTHENTICATION, reason)
}

async fn scram(
    connection: &mut Connection,
    hash: Hash,
    user: &str,
    password: &Secret,
    timeout: Duration,
) -> Result<i64, KafkaError> {
    let first = Exchange::begin(hash, user).map_err(refused)?;
    let (challenge, _) = exchange(connection, first.message(), timeout).await?;
    let last = first.answer(&challenge, password).map_err(refused)?;
    let (proof, lifetime) = exchange(connection, last.message(), timeout).await?;
    last.verify(&proof).map_err(refused)?;
    Ok(lifetime)
}

async fn bearer(connection: &mut Connection, source: &TokenSource, timeout: Duration) -> Result<i64, KafkaError> {
    let source = source.clone();
    let token = tokio::task::spawn_blocking(move || source.token())
        .await
        .map_err(|error| refused(error.to_string()))?
        .map_err(refused)?;
    let mut message = format!("n,,\u{1}auth=Bearer {}", token.value.reveal());
    for (name, value) in &token.extensions {
        message.push_str(&format!("\u{1}{name}={value}"));
    }
    message.push_str("\u{1}\u{1}");
    let message = Secret::new(message);
    let answer = connection
        .call(
            &SaslAuthenticate {
                token: message.reveal().as_bytes(),
            },
            timeout,
        )
        .await?;
    if answer.code == 0 && answer.token.is_empty() {
        return Ok(answer.lifetime);
    }
    // A refused token is explained in JSON.
    let said = String::from_utf8_lossy(&answer.token).into_owned();
    Err(refused(answer.message.unwrap_or(said)))
}
