//! TLS of listeners, and of requests to those of other workers: `ssl.*`, or in their place all of `listeners.https.ssl.*` or `admin.listeners.https.ssl.*`.

use std::path::PathBuf;

use caisson_api::config::{ConfigError, Password};

use crate::given::Given;
use crate::tables;
use crate::typed::Typed;

/// How a listener proves who it is, and what it asks of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// `ssl.keystore.*`; without one no client can be served.
    pub identity: Option<IdentityStore>,
    /// `ssl.truststore.*`.
    pub trust: Option<TrustStore>,
    /// `ssl.client.auth`.
    pub client_auth: ClientAuth,
    /// `ssl.enabled.protocols`.
    pub protocols: Vec<String>,
    /// `ssl.cipher.suites`; empty: what the library takes for good.
    pub cipher_suites: Vec<String>,
    /// `ssl.endpoint.identification.algorithm`, of requests to other workers.
    pub names: ServerNames,
}

/// What the certificate of a server has to say of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerNames {
    Checked,
    Ignored,
}

/// A private key and its certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityStore {
    /// `ssl.keystore.key` and `ssl.keystore.certificate.chain`.
    Pem {
        key: Password,
        chain: Password,
        key_password: Option<Password>,
    },
    File {
        file: StoreFile,
        key_password: Option<Password>,
    },
}

/// Certificates to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustStore {
    /// `ssl.truststore.certificates`.
    Pem(Password),
    File(StoreFile),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFile {
    pub path: PathBuf,
    /// `JKS`, `PKCS12` or `PEM`.
    pub kind: String,
    pub password: Option<Password>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    None,
    /// A client may show a certificate; one that it shows has to be good.
    Requested,
    Required,
}

impl TlsConfig {
    /// Reads the keys with a prefix if there is one of them, else those without.
    pub(super) fn read(all: &Given, prefix: &str) -> Result<TlsConfig, ConfigError> {
        let below: Given = all
            .below(prefix)
            .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
            .collect();
        let (own, prefix) = if below.is_empty() { (all, "") } else { (&below, prefix) };
        let typed = Typed::parse(&tables::listener_tls(), own)?;
        let filled = |name: &str| typed.filled(name);
        let secret = |name: &str| typed.password(name);
        let keys = Keys { prefix };
        Ok(TlsConfig {
            identity: keys.identity(&filled, &secret)?,
            trust: keys.trust(&filled, &secret)?,
            client_auth: match typed.text("ssl.client.auth").as_str() {
                "required" => ClientAuth::Required,
                "requested" => ClientAuth::Requested,
                // The table has let nothing else pass.
                _ => ClientAuth::None,
            },
            protocols: typed.list("ssl.enabled.protocols"),
            cipher_suites: typed.list("ssl.cipher.suites"),
            names: match typed.text("ssl.endpoint.identification.algorithm").trim() {
                "" => ServerNames::Ignored,
                _ => ServerNames::Checked,
            },
        })
    }
}

type Filled<'a> = dyn Fn(&str) -> Option<String> + 'a;
type Secret<'a> = dyn Fn(&str) -> Option<Password> + 'a;

/// The keys of stores; refusals are in Kafka's words.
struct Keys<'a> {
    prefix: &'a str,
}

impl Keys<'_> {
    fn refuse<T>(&self, problem: &str) -> Result<T, ConfigError> {
        let of = if self.prefix.is_empty() {
            String::new()
        } else {
            format!(" ({}ssl.*)", self.prefix)
        };
        Err(ConfigError(format!("{problem}{of}")))
    }

    fn identity(&self, filled: &Filled<'_>, secret: &Secret<'_>) -> Result<Option<IdentityStore>, ConfigError> {
        let (kind, path) = (
            filled("ssl.keystore.type").unwrap_or_default(),
            filled("ssl.keystore.location"),
        );
        let password = secret("ssl.keystore.password");
        let key_password = secret("ssl.key.password");
        let (key, chain) = (secret("ssl.keystore.key"), secret("ssl.keystore.certificate.chain"));
        match (key, chain, path) {
            (Some(_), _, _) if !is_pem(&kind) => self.refuse(&format!(
                "SSL private key can be specified only for PEM, but key store type is {kind}."
            )),
            (Some(_), None, _) => self.refuse("SSL private key is specified, but certificate chain is not specified."),
            (None, Some(_), _) => self.refuse("SSL certificate chain is specified, but private key is not specified"),
            (Some(key), Some(chain), _) => Ok(Some(IdentityStore::Pem {
                key,
                chain,
                key_password,
            })),
            (None, None, Some(_)) if is_pem(&kind) && password.is_some() => self.refuse(
                "SSL key store password cannot be specified with PEM format, only key password may be specified",
            ),
            (None, None, Some(path)) => Ok(Some(IdentityStore::File {
                file: self.file(path, kind, password, "ssl.keystore.type")?,
                key_password,
            })),
            (None, None, None) if password.is_some() => {
                self.refuse("SSL key store is not specified, but key store password is specified.")
            }
            (None, None, None) => Ok(None),
        }
    }

    fn trust(&self, filled: &Filled<'_>, secret: &Secret<'_>) -> Result<Option<TrustStore>, ConfigError> {
        let kind = filled("ssl.truststore.type").unwrap_or_default();
        let path = filled("ssl.truststore.location");
        let password = secret("ssl.truststore.password");
        match (secret("ssl.truststore.certificates"), path) {
            (Some(_), _) if !is_pem(&kind) => self.refuse(&format!(
                "SSL trust store certs can be specified only for PEM, but trust store type is {kind}."
            )),
            (Some(_), Some(_)) => {
                self.refuse("Both SSL trust store location and separate trust certificates are specified.")
            }
            (Some(_), None) if password.is_some() => {
                self.refuse("SSL trust store password cannot be specified for PEM format.")
            }
            (Some(certificates), None) => Ok(Some(TrustStore::Pem(certificates))),
            (None, Some(_)) if is_pem(&kind) && password.is_some() => {
                self.refuse("SSL trust store password cannot be specified for PEM format.")
            }
            (None, Some(path)) => Ok(Some(TrustStore::File(self.file(
                path,
                kind,
                password,
                "ssl.truststore.type",
            )?))),
            (None, None) if password.is_some() => {
                self.refuse("SSL trust store is not specified, but trust store password is specified.")
            }
            (None, None) => Ok(None),
        }
    }

    fn file(
        &self,
        path: String,
        kind: String,
        password: Option<Password>,
        key: &str,
    ) -> Result<StoreFile, ConfigError> {
        if !["JKS", "PKCS12", "PEM"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&kind))
        {
            let name = format!("{}{key}", self.prefix);
            return Err(ConfigError::invalid(
                &name,
                kind,
                "String must be one of (case insensitive): JKS, PKCS12, PEM",
            ));
        }
        Ok(StoreFile {
            path: PathBuf::from(path),
            kind,
            password,
        })
    }
}

fn is_pem(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("PEM")
}
