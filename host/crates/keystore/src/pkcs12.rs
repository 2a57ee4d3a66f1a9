//! PKCS#12, as Java's `keytool` and OpenSSL write it.

use p12_keystore::error::Error as Pkcs12Error;
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use crate::{Error, Identity};

pub fn identity(bytes: &[u8], password: &str) -> Result<Identity, Error> {
    let store = open(bytes, password)?;
    // Of several keys, the first by alias.
    let (_, chain) = store.private_key_chain().ok_or(Error::NoKey)?;
    if chain.certs().is_empty() {
        return Err(Error::NoCertificate);
    }
    Ok(Identity {
        key: PrivatePkcs8KeyDer::from(chain.key().as_der().to_vec()).into(),
        chain: chain
            .certs()
            .iter()
            .map(|certificate| CertificateDer::from(certificate.as_der().to_vec()))
            .collect(),
    })
}

/// All certificates that stand for themselves; those of a private key's chain are not trusted for that.
pub fn certificates(bytes: &[u8], password: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let store = open(bytes, password)?;
    let own = store.entries().filter_map(|(_, entry)| match entry {
        KeyStoreEntry::Certificate(certificate) => Some(CertificateDer::from(certificate.as_der().to_vec())),
        KeyStoreEntry::PrivateKeyChain(_) | KeyStoreEntry::Secret(_) => None,
    });
    Ok(own.collect())
}

fn open(bytes: &[u8], password: &str) -> Result<KeyStore, Error> {
    KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Strict).map_err(|error| match error {
        Pkcs12Error::MacError(_) => Error::Password,
        _ => Error::Format {
            format: "PKCS12",
            problem: "it is malformed, or encrypted in a way that is not supported",
        },
    })
}
