//! TLS of the worker, for guests that bring none.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Failure;
use crate::grants::network::bare;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// What is checked of the peer's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// Chain and name.
    Full,
    /// That a trusted certificate vouches for it.
    Chain,
    None,
}

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
    roots: OnceLock<Result<Arc<Roots>, String>>,
}

#[derive(Debug)]
struct Roots {
    store: Arc<RootCertStore>,
    /// The certificates themselves: one of them may be the server's own.
    certificates: Vec<CertificateDer<'static>>,
}

impl Trust {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Trust {
            file,
            roots: OnceLock::new(),
        }
    }

    fn roots(&self) -> Result<Arc<Roots>, Failure> {
        let roots = self.roots.get_or_init(|| match &self.file {
            Some(file) => {
                let failed = |error: &dyn fmt::Display| format!("sandbox.tls.trusted, {}: {error}", file.display());
                let text = std::fs::read(file).map_err(|error| failed(&error))?;
                Roots::parse(&text).map_err(|error| failed(&error))
            }
            None => Ok(Roots::of(rustls_native_certs::load_native_certs().certs)),
        });
        roots.clone().map_err(Failure::Untrusted)
    }
}

impl Roots {
    /// Certificates that cannot be anchors of trust are left out.
    fn of(certificates: Vec<CertificateDer<'static>>) -> Arc<Self> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.iter().cloned());
        Arc::new(Roots {
            store: Arc::new(store),
            certificates,
        })
    }

    fn parse(pem: &[u8]) -> Result<Arc<Self>, String> {
        let certificates = certificates(pem)?;
        if certificates.is_empty() {
            return Err("it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".into());
        }
        Ok(Self::of(certificates))
    }
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
pub(super) async fn handshake(
    stream: TcpStream,
    host: &str,
    terms: &Terms,
    trust: &Trust,
) -> Result<TlsStream<TcpStream>, Failure> {
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

fn verifier(terms: &Terms, trust: &Trust) -> Result<Verifier, Failure> {
    let provider = provider();
    let roots = match (&terms.trusted, terms.verification) {
        (_, Verification::None) => None,
        (Some(pem), _) => Some(
            Roots::parse(pem.as_bytes())
                .map_err(|error| Failure::Untrusted(format!("the trusted certificates cannot be used: {error}")))?,
        ),
        (None, _) => Some(trust.roots()?),
    };
    let chain = match roots {
        Some(roots) if roots.store.is_empty() => {
            let message = "there are no trusted certificates to verify the server with";
            return Err(Failure::Untrusted(message.into()));
        }
        Some(roots) => {
            let chain = WebPkiServerVerifier::builder_with_provider(roots.store.clone(), provider.clone())
                .build()
                .map_err(|error| Failure::Untrusted(error.to_string()))?;
            Some((chain, roots))
        }
        None => None,
    };
    Ok(Verifier {
        chain,
        name: terms.verification == Verification::Full,
        provider,
    })
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

/// Chain and name, the chain alone, or nothing; signatures always.
#[derive(Debug)]
struct Verifier {
    chain: Option<(Arc<WebPkiServerVerifier>, Arc<Roots>)>,
    name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some((chain, roots)) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        // A server that signs its own certificate: it is trusted because it is in the list, whatever it is made for.
        if roots.certificates.iter().any(|trusted| trusted == end_entity) {
            if self.name {
                rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
