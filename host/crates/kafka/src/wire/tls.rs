//! TLS by rustls, from the same settings that librdkafka gets: certificates and keys as PEM.

use std::sync::Arc;

use caisson_keystore::{Authorities, CertificateDer, PrivateKeyDer, ServerVerifier, Verification};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::{Error, ErrorCode, KafkaError};
use crate::settings::ClientSettings;

/// What is needed to speak TLS to brokers.
pub(super) struct Tls {
    connector: TlsConnector,
}

/// Settings of librdkafka's own that are about TLS and have no effect here.
const NO_EFFECT: &[&str] = &["ssl.cipher.suites", "ssl.curves.list", "ssl.sigalgs.list"];
/// Those without which a connection would be less safe than was asked for.
const REFUSED: &[&str] = &[
    "ssl.crl.location",
    "ssl.engine.location",
    "ssl.providers",
    "ssl.keystore.location",
];

impl Tls {
    pub(super) fn new(settings: &ClientSettings) -> Result<Tls, Error> {
        for name in REFUSED {
            if settings.native(name).is_some() {
                return Err(invalid(
                    name,
                    "it is not there for the membership of a cluster and for fencing",
                ));
            }
        }
        for name in NO_EFFECT.iter().filter(|name| settings.native(name).is_some()) {
            tracing::warn!(
                setting = name,
                "Kafka client setting has no effect on the membership of a cluster"
            );
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = verifier(settings, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid("security.protocol", error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match identity(settings)? {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| invalid("ssl.keystore.location", error))?,
        };
        Ok(Tls {
            connector: TlsConnector::from(Arc::new(config)),
        })
    }

    pub(super) async fn connect(&self, host: &str, tcp: TcpStream) -> Result<TlsStream<TcpStream>, KafkaError> {
        let failed = |text: String| KafkaError::with_message(ErrorCode::SSL, text);
        let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
        self.connector
            .connect(name, tcp)
            .await
            .map_err(|error| match error.kind() {
                // What rustls has to say; anything else is the network.
                std::io::ErrorKind::InvalidData => failed(format!("TLS handshake failed: {error}")),
                _ => KafkaError::with_message(ErrorCode::TRANSPORT, format!("TLS handshake failed: {error}")),
            })
    }
}

fn invalid(name: &str, reason: impl ToString) -> Error {
    Error::Setting {
        name: name.to_owned(),
        reason: reason.to_string(),
    }
}

/// The text of a setting that is PEM itself, or names a file of it.
fn pem(settings: &ClientSettings, text: &str, location: &str) -> Result<Option<String>, Error> {
    if let Some(text) = settings.native(text) {
        return Ok(Some(text.to_owned()));
    }
    let Some(path) = settings.native(location) else {
        return Ok(None);
    };
    std::fs::read_to_string(path)
        .map(Some)
        .map_err(|error| invalid(location, format!("cannot read {path}: {error}")))
}

fn certificates(name: &str, text: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let read = read.map_err(|error| invalid(name, error))?;
    if read.is_empty() {
        return Err(invalid(name, "it holds no certificate"));
    }
    Ok(read)
}

/// This side's certificates and key.
fn identity(
    settings: &ClientSettings,
) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, Error> {
    let Some(chain) = pem(settings, "ssl.certificate.pem", "ssl.certificate.location")? else {
        return Ok(None);
    };
    let key = pem(settings, "ssl.key.pem", "ssl.key.location")?;
    let key = key.ok_or_else(|| invalid("ssl.keystore.key", "a certificate needs its private key"))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|error| invalid("ssl.keystore.key", format!("the private key cannot be read: {error}")))?;
    Ok(Some((certificates("ssl.keystore.certificate.chain", &chain)?, key)))
}

/// Who is believed to be a broker.
fn verifier(settings: &ClientSettings, provider: &Arc<CryptoProvider>) -> Result<ServerVerifier, Error> {
    let says = |name: &str, value: &str| settings.native(name).is_some_and(|set| set.eq_ignore_ascii_case(value));
    let verification = if says("enable.ssl.certificate.verification", "false") {
        Verification::None
    } else if says("ssl.endpoint.identification.algorithm", "none") {
        Verification::Chain
    } else {
        Verification::Full
    };
    let authorities = match pem(settings, "ssl.ca.pem", "ssl.ca.location")? {
        Some(text) => Authorities::new(certificates("ssl.truststore.location", &text)?),
        // As Java and librdkafka, which then trust the authorities of the system.
        None => Authorities::of_system(),
    };
    ServerVerifier::new(&authorities, verification, provider.clone())
        .map_err(|error| invalid("ssl.truststore.location", error))
}
