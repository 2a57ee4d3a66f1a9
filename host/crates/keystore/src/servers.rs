//! Whether a server is who it says it is: one verifier for brokers, for other workers, and for whatever plugins reach.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::Error;

/// What is checked of a server's certificate. Its signatures always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Chain and name.
    Full,
    /// That a trusted certificate vouches for it.
    Chain,
    None,
}

/// Certificates that are trusted. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authorities {
    roots: Arc<RootCertStore>,
    /// The certificates themselves: one of them may be the server's own.
    certificates: Arc<[CertificateDer<'static>]>,
}

impl Authorities {
    /// Certificates that cannot vouch for others count only as a server's own.
    pub fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        Authorities {
            roots: Arc::new(roots),
            certificates: certificates.into(),
        }
    }

    /// Those that the operating system trusts.
    pub fn of_system() -> Self {
        Self::new(rustls_native_certs::load_native_certs().certs)
    }
}

/// As strict as Java's clients, and no stricter.
#[derive(Debug)]
pub struct ServerVerifier {
    /// None: any certificate will do.
    chain: Option<Chain>,
    checks_names: bool,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
struct Chain {
    verifier: Arc<WebPkiServerVerifier>,
    trusted: Arc<[CertificateDer<'static>]>,
}

impl ServerVerifier {
    /// A verifier that believes nobody; [`ServerVerifier::new`] is for everything else.
    pub fn of_signatures(provider: Arc<CryptoProvider>) -> Self {
        ServerVerifier {
            chain: None,
            checks_names: false,
            provider,
        }
    }

    /// Trusts servers for which these authorities vouch.
    ///
    /// # Errors
    /// [`Error::NoAuthority`]: nobody could ever be trusted.
    pub fn new(
        authorities: &Authorities,
        verification: Verification,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        if verification == Verification::None {
            return Ok(Self::of_signatures(provider));
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(authorities.roots.clone(), provider.clone()).build();
        Ok(ServerVerifier {
            chain: Some(Chain {
                verifier: verifier.map_err(|_| Error::NoAuthority)?,
                trusted: authorities.certificates.clone(),
            }),
            checks_names: verification == Verification::Full,
            provider,
        })
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(Chain { verifier, trusted }) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        // A server that vouches for itself: it is trusted because it is in the list, whatever it was made for, as in Java.
        if trusted.iter().any(|trusted| trusted == end_entity) {
            if self.checks_names {
                rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The chain is checked before the name.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_names => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
