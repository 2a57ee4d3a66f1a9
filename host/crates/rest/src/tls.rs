//! TLS of `https` listeners, from Kafka's settings. Files are read once, when the listener is opened.

use std::path::Path;
use std::sync::Arc;

use caisson_config::worker::{ClientAuth, IdentityStore, StoreFile, TlsConfig, TrustStore};
use caisson_keystore::{CertificateDer, Identity, Kind};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::TlsAcceptor;

/// What cannot be served, and by which setting.
pub type Problem = String;

/// Versions of TLS by the names that Java has for them. What is older than these is not to be had.
const VERSIONS: [(&str, &SupportedProtocolVersion); 2] = [
    ("TLSv1.2", &rustls::version::TLS12),
    ("TLSv1.3", &rustls::version::TLS13),
];

/// Makes what shakes hands with the clients of a listener.
pub fn acceptor(settings: &TlsConfig) -> Result<TlsAcceptor, Problem> {
    let identity = settings.identity.as_ref().ok_or(
        "it needs a key and a certificate: set ssl.keystore.location, or ssl.keystore.key and \
         ssl.keystore.certificate.chain with ssl.keystore.type=PEM",
    )?;
    let identity = read_identity(identity)?;
    let provider = Arc::new(provider(&settings.cipher_suites)?);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(&settings.protocols)?)
        .map_err(|error| format!("ssl.enabled.protocols and ssl.cipher.suites do not go together: {error}"))?;
    let builder = match verifier(settings, provider)? {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let mut config = builder
        .with_single_cert(identity.chain, identity.key)
        .map_err(|error| format!("the key store's key and certificate cannot be used: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub fn versions(enabled: &[String]) -> Result<Vec<&'static SupportedProtocolVersion>, Problem> {
    let known = |(name, version)| enabled.iter().any(|own| own == name).then_some(version);
    let versions: Vec<_> = VERSIONS.into_iter().filter_map(known).collect();
    if versions.is_empty() {
        let enabled = enabled.join(",");
        return Err(format!(
            "ssl.enabled.protocols={enabled} has neither TLSv1.2 nor TLSv1.3, and older ones are not safe"
        ));
    }
    Ok(versions)
}

/// The library's suites, or those of them that are named.
pub fn provider(names: &[String]) -> Result<CryptoProvider, Problem> {
    let mut provider = default_provider();
    if names.is_empty() {
        return Ok(provider);
    }
    let known: Vec<String> = provider
        .cipher_suites
        .iter()
        .map(|suite| standard_name(&format!("{:?}", suite.suite())))
        .collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        let known = known.join(", ");
        return Err(format!(
            "ssl.cipher.suites: {unknown} is not supported; there are {known}"
        ));
    }
    let named = |suite: &rustls::SupportedCipherSuite| names.contains(&standard_name(&format!("{:?}", suite.suite())));
    provider.cipher_suites.retain(named);
    Ok(provider)
}

/// The library puts the version into the names of TLS 1.3's suites; the standard and Java do not.
fn standard_name(name: &str) -> String {
    name.replace("TLS13_", "TLS_")
}

fn verifier(
    settings: &TlsConfig,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, Problem> {
    if settings.client_auth == ClientAuth::None {
        return Ok(None);
    }
    let trust = settings.trust.as_ref().ok_or(
        "ssl.client.auth asks clients for certificates, and nothing says which to trust: set ssl.truststore.location, \
         or ssl.truststore.certificates with ssl.truststore.type=PEM",
    )?;
    let mut roots = RootCertStore::empty();
    for certificate in read_trust(trust)? {
        roots
            .add(certificate)
            .map_err(|error| format!("a certificate of the trust store cannot be used: {error}"))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match settings.client_auth {
        ClientAuth::Requested => builder.allow_unauthenticated(),
        ClientAuth::Required | ClientAuth::None => builder,
    };
    let verifier = builder.build();
    verifier
        .map(Some)
        .map_err(|error| format!("the trust store cannot be used: {error}"))
}

pub fn read_identity(store: &IdentityStore) -> Result<Identity, Problem> {
    let reveal =
        |secret: &Option<caisson_api::config::Password>| secret.as_ref().map(|secret| secret.reveal().to_owned());
    match store {
        IdentityStore::Pem {
            key,
            chain,
            key_password,
        } => {
            let (key, chain) = (key.reveal().as_bytes(), chain.reveal().as_bytes());
            caisson_keystore::identity_from_pem(key, chain, reveal(key_password).as_deref())
                .map_err(|error| format!("ssl.keystore.key, ssl.keystore.certificate.chain: {error}"))
        }
        IdentityStore::File { file, key_password } => {
            let (bytes, kind) = read(file)?;
            let (password, key_password) = (reveal(&file.password), reveal(key_password));
            caisson_keystore::identity(kind, &bytes, password.as_deref(), key_password.as_deref())
                .map_err(|error| format!("key store {}: {error}", file.path.display()))
        }
    }
}

pub fn read_trust(store: &TrustStore) -> Result<Vec<CertificateDer<'static>>, Problem> {
    match store {
        TrustStore::Pem(certificates) => {
            caisson_keystore::certificates(Kind::Pem, certificates.reveal().as_bytes(), None)
                .map_err(|error| format!("ssl.truststore.certificates: {error}"))
        }
        TrustStore::File(file) => {
            let (bytes, kind) = read(file)?;
            let password = file.password.as_ref().map(|password| password.reveal());
            caisson_keystore::certificates(kind, &bytes, password)
                .map_err(|error| format!("trust store {}: {error}", file.path.display()))
        }
    }
}

fn read(file: &StoreFile) -> Result<(Vec<u8>, Kind), Problem> {
    let path: &Path = &file.path;
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let kind = Kind::named(&file.kind).ok_or_else(|| format!("{}: unknown type {}", path.display(), file.kind))?;
    Ok((bytes, kind))
}
