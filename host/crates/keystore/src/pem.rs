//! PEM: certificates and a private key as text.

use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Error, Identity};

const FORMAT: &str = "PEM";
/// As OpenSSL and Java write an encrypted PKCS#8 key; the library knows no section of this name.
const ENCRYPTED_BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";

pub fn identity(key: &[u8], chain: &[u8], password: Option<&str>) -> Result<Identity, Error> {
    let chain = certificates(chain)?;
    if chain.is_empty() {
        return Err(Error::NoCertificate);
    }
    Ok(Identity {
        key: private_key(key, password)?,
        chain,
    })
}

pub fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let malformed = |_| Error::Format {
        format: FORMAT,
        problem: "a certificate is malformed",
    };
    CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(malformed)
}

fn private_key(text: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, Error> {
    if let Some(encrypted) = encrypted_section(text) {
        return decrypt(&encrypted?, password.ok_or(Error::NoPassword)?);
    }
    let mut found = <(SectionKind, Vec<u8>)>::pem_slice_iter(text);
    let key = found.find_map(|section| match section {
        Ok((kind, der)) => PrivateKeyDer::from_pem(kind, der).map(Ok),
        Err(_) => Some(Err(Error::Format {
            format: FORMAT,
            problem: "the private key is malformed",
        })),
    });
    key.unwrap_or(Err(Error::NoKey))
}

/// The DER of an encrypted key, if there is one.
fn encrypted_section(text: &[u8]) -> Option<Result<Vec<u8>, Error>> {
    let text = String::from_utf8_lossy(text);
    let (_, after) = text.split_once(ENCRYPTED_BEGIN)?;
    let decoded = after.split_once(ENCRYPTED_END).and_then(|(body, _)| {
        // Under a name that the library knows, it decodes the body for us.
        let plain = format!("-----BEGIN PRIVATE KEY-----{body}-----END PRIVATE KEY-----\n");
        PrivatePkcs8KeyDer::from_pem_slice(plain.as_bytes()).ok()
    });
    Some(match decoded {
        Some(der) => Ok(der.secret_pkcs8_der().to_vec()),
        None => Err(Error::Format {
            format: FORMAT,
            problem: "the encrypted private key is malformed",
        }),
    })
}

fn decrypt(der: &[u8], password: &str) -> Result<PrivateKeyDer<'static>, Error> {
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| Error::Format {
        format: FORMAT,
        problem: "the encrypted private key is none of PKCS#8, version 2",
    })?;
    let plain = encrypted.decrypt(password).map_err(|_| Error::Password)?;
    Ok(PrivatePkcs8KeyDer::from(plain.as_bytes().to_vec()).into())
}
