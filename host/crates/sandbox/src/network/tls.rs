//! TLS of the worker, for guests that bring none.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use caisson_keystore::{Authorities, ServerVerifier, Verification};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, Error};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Failure;
use crate::grants::network::bare;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// What a guest asks for.
pub(crate) struct Terms {
    pub(crate) verification: Verification,
    pub(crate) server_name: Option<String>,
    /// PEM; `None`: what the worker trusts.
    pub(crate) trusted: Option<String>,
    /// Chain and key in PEM.
    pub(crate) identity: Option<(String, String)>,
}

/// The certificates that the worker trusts, read when they are first needed.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    /// A bundle in PEM; `None`: those of the operating system.
    file: Option<PathBuf>,
    authorities: OnceLock<Result<Authorities, String>>,
}

impl Trust {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Trust {
            file,
            authorities: OnceLock::new(),
        }
    }

    fn authorities(&self) -> Result<Authorities, Failure> {
        let authorities = self.authorities.get_or_init(|| match &self.file {
            Some(file) => {
                let failed = |error: &dyn fmt::Display| format!("sandbox.tls.trusted, {}: {error}", file.display());
                let text = std::fs::read(file).map_err(|error| failed(&error))?;
                parse(&text).map_err(|error| failed(&error))
            }
            None => Ok(Authorities::of_system()),
        });
        authorities.clone().map_err(Failure::Untrusted)
    }
}

fn parse(pem: &[u8]) -> Result<Authorities, String> {
    let certificates = certificates(pem)?;
    if certificates.is_empty() {
        return Err("it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".into());
    }
    Ok(Authorities::new(certificates))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("it is not PEM: {error}"))
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER
        .get_or_init(|| Arc::new(rustls::crypto::ring::default_provider()))
        .clone()
}

/// Puts a connection to `host` under TLS.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    terms: &Terms,
    trust: &Trust,
) -> Result<TlsStream<S>, Failure> {
    let name = terms.server_name.as_deref().unwrap_or(host);
    let server = ServerName::try_from(bare(name).to_owned())
        .map_err(|_| Failure::Untrusted(format!("{name} is no name that a certificate could have")))?;
    let connector = TlsConnector::from(Arc::new(config(terms, trust)?));
    match tokio::time::timeout(HANDSHAKE, connector.connect(server, stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(failed(name, &error)),
        Err(_) => Err(Failure::Tls("the handshake takes too long".into())),
    }
}

pub(crate) fn config(terms: &Terms, trust: &Trust) -> Result<ClientConfig, Failure> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier(terms, trust)?));
    let Some((chain, key)) = &terms.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(chain.as_bytes())
        .map_err(|error| Failure::Untrusted(format!("the client's certificate cannot be used: {error}")))?;
    let wrong = |error: &dyn fmt::Display| {
        Failure::Untrusted(format!(
            "the client's key cannot be used, it has to be PEM without a password: {error}"
        ))
    };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| wrong(&error))?;
    builder.with_client_auth_cert(chain, key).map_err(|error| wrong(&error))
}

fn verifier(terms: &Terms, trust: &Trust) -> Result<ServerVerifier, Failure> {
    let authorities = match (&terms.trusted, terms.verification) {
        (_, Verification::None) => return Ok(ServerVerifier::of_signatures(provider())),
        (Some(pem), _) => parse(pem.as_bytes())
            .map_err(|error| Failure::Untrusted(format!("the trusted certificates cannot be used: {error}")))?,
        (None, _) => trust.authorities()?,
    };
    ServerVerifier::new(&authorities, terms.verification, provider())
        .map_err(|error| Failure::Untrusted(format!("the server cannot be verified: {error}")))
}

/// Names a certificate's fault apart from a failed handshake.
fn failed(name: &str, error: &std::io::Error) -> Failure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(fault)) => {
            let fault = match fault {
                // The signature is bad if a trusted certificate has the name of its issuer and another key.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    "no trusted certificate vouches for it".to_owned()
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    format!("it is not for {name}")
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
                other => format!("{other:?}"),
            };
            Failure::Untrusted(format!("the certificate of {name} is not trusted: {fault}"))
        }
        Some(other) => Failure::Tls(other.to_string()),
        None => Failure::Tls(error.to_string()),
    }
}
