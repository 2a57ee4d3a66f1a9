//! TLS towards a worker: who may vouch for it, and who this side is.

use std::sync::Arc;

use caisson_config::worker::{ServerNames, TlsConfig};
use caisson_keystore::{Authorities, Kind, ServerVerifier, Verification};
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;
use tokio_rustls::TlsConnector;

use crate::tls::{self, Problem};

/// Trusts the authorities whose certificates these are, as PEM, or else those that the operating system trusts.
pub fn connector(authorities: Option<&[u8]>) -> Result<TlsConnector, Problem> {
    let read = |pem| caisson_keystore::certificates(Kind::Pem, pem, None).map(Authorities::new);
    let authorities = match authorities {
        Some(pem) => read(pem).map_err(|error| error.to_string())?,
        None => Authorities::of_system(),
    };
    let provider = Arc::new(default_provider());
    let verifier = ServerVerifier::new(&authorities, Verification::Full, provider.clone());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier.map_err(|error| error.to_string())?))
        .with_no_client_auth();
    Ok(speaking_http(config))
}

/// As Kafka Connect's workers reach each other: by the stores of their own `https` listeners. The key store shows who asks,
/// the trust store says who may answer.
pub fn peers(settings: &TlsConfig) -> Result<TlsConnector, Problem> {
    let provider = Arc::new(tls::provider(&settings.cipher_suites)?);
    let authorities = match &settings.trust {
        Some(trust) => Authorities::new(tls::read_trust(trust)?),
        None => Authorities::of_system(),
    };
    let verification = match settings.names {
        ServerNames::Checked => Verification::Full,
        ServerNames::Ignored => Verification::Chain,
    };
    let verifier = ServerVerifier::new(&authorities, verification, provider.clone())
        .map_err(|error| format!("the trust store cannot be used: {error}"))?;
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
