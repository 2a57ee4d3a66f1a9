//! TLS towards a worker: who may vouch for it, and who this side is.

use std::sync::Arc;

use caisson_config::worker::{ServerNames, TlsConfig};
use caisson_keystore::{CertificateDer, Kind};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use crate::tls::{self, Problem};

/// Trusts the authorities whose certificates these are, as PEM, or else those that the operating system trusts.
pub fn connector(authorities: Option<&[u8]>) -> Result<TlsConnector, Problem> {
    let authorities = match authorities {
        Some(pem) => Some(caisson_keystore::certificates(Kind::Pem, pem, None).map_err(|error| error.to_string())?),
        None => None,
    };
    let builder =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let config = builder.with_root_certificates(roots(authorities)?);
    Ok(speaking_http(config.with_no_client_auth()))
}

/// As Kafka Connect's workers reach each other: by the stores of their own `https` listeners. The key store shows who asks,
/// the trust store says who may answer.
pub fn peers(settings: &TlsConfig) -> Result<TlsConnector, Problem> {
    let provider = Arc::new(tls::provider(&settings.cipher_suites)?);
    let authorities = settings.trust.as_ref().map(tls::read_trust).transpose()?;
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(authorities)?), provider.clone());
    let verifier = Verifier {
        inner: inner
            .build()
            .map_err(|error| format!("the trust store cannot be used: {error}"))?,
        names: settings.names,
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&tls::versions(&settings.protocols)?)
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match &settings.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let identity = tls::read_identity(identity)?;
            let config = builder.with_client_auth_cert(identity.chain, identity.key);
            config.map_err(|error| format!("the key store's key and certificate cannot be used: {error}"))?
        }
    };
    Ok(speaking_http(config))
}

fn speaking_http(mut config: ClientConfig) -> TlsConnector {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

fn roots(authorities: Option<Vec<CertificateDer<'static>>>) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(authorities) => {
            for certificate in authorities {
                roots.add(certificate).map_err(|error| error.to_string())?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

/// Checks certificates, and names where they are to be checked.
#[derive(Debug)]
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    names: ServerNames,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self
            .inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp, now);
        match verified {
            // The chain is checked before the name.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.names == ServerNames::Ignored => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
