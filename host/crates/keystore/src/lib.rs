//! Who is trusted: key stores and trust stores as Java names them (JKS, PKCS12 and PEM), from bytes to keys and
//! certificates, and the one verifier of servers' certificates.
//!
//! It opens no connections, and no files but those of the operating system's authorities. It believes nothing that it
//! reads: sizes are limited, and whatever is not what it should be is an error.

mod error;
mod jks;
mod pem;
mod pkcs12;
mod servers;

pub use error::Error;
pub use rustls_pki_types::{CertificateDer, PrivateKeyDer};
pub use servers::{Authorities, ServerVerifier, Verification};

/// Bytes of a store; the certificates of all authorities there are take less than one.
pub const MAX_BYTES: usize = 8 << 20;

/// The format of a store, by the names of `ssl.keystore.type` and `ssl.truststore.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Jks,
    Pkcs12,
    Pem,
}

impl Kind {
    /// The format of this name, in any case.
    pub fn named(name: &str) -> Option<Kind> {
        [("JKS", Kind::Jks), ("PKCS12", Kind::Pkcs12), ("PEM", Kind::Pem)]
            .into_iter()
            .find_map(|(known, kind)| known.eq_ignore_ascii_case(name.trim()).then_some(kind))
    }

    /// Java reads a store of either binary format under the name of the other one.
    fn of(self, bytes: &[u8]) -> Kind {
        match self {
            Kind::Pem => Kind::Pem,
            Kind::Jks | Kind::Pkcs12 if jks::is_jks(bytes) => Kind::Jks,
            Kind::Jks | Kind::Pkcs12 => Kind::Pkcs12,
        }
    }
}

/// A private key, and the certificates that vouch for it, its own first.
#[derive(Debug)]
pub struct Identity {
    pub key: PrivateKeyDer<'static>,
    pub chain: Vec<CertificateDer<'static>>,
}

/// The identity in a key store. The password of the key is that of the store, unless it has one of its own.
pub fn identity(
    kind: Kind,
    bytes: &[u8],
    password: Option<&str>,
    key_password: Option<&str>,
) -> Result<Identity, Error> {
    check_size(bytes)?;
    match kind.of(bytes) {
        Kind::Jks => jks::identity(bytes, password, key_password),
        Kind::Pkcs12 => pkcs12::identity(bytes, key_password.or(password).unwrap_or_default()),
        Kind::Pem => pem::identity(bytes, bytes, key_password),
    }
}

/// The identity of a key and certificates that are PEM texts of their own.
pub fn identity_from_pem(key: &[u8], chain: &[u8], key_password: Option<&str>) -> Result<Identity, Error> {
    check_size(key)?;
    check_size(chain)?;
    pem::identity(key, chain, key_password)
}

/// The certificates in a trust store. Without a password a binary store is read unchecked.
pub fn certificates(kind: Kind, bytes: &[u8], password: Option<&str>) -> Result<Vec<CertificateDer<'static>>, Error> {
    check_size(bytes)?;
    let certificates = match kind.of(bytes) {
        Kind::Jks => jks::certificates(bytes, password)?,
        Kind::Pkcs12 => pkcs12::certificates(bytes, password.unwrap_or_default())?,
        Kind::Pem => pem::certificates(bytes)?,
    };
    if certificates.is_empty() {
        return Err(Error::NoCertificate);
    }
    Ok(certificates)
}

fn check_size(bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge { limit: MAX_BYTES });
    }
    Ok(())
}
