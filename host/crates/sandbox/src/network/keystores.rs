//! The contract's interface `keystores`.

use std::fmt::Write;

use caisson_api::value::base64;
use caisson_keystore::{Kind, PrivateKeyDer};
use wasmtime::Result;

use crate::bindings::{keystores, types};
use crate::instance::State;

/// A store that cannot be read is a matter of the configuration that names it.
fn refused(error: &caisson_keystore::Error) -> types::Error {
    types::Error {
        kind: types::ErrorKind::Config,
        message: error.to_string(),
        detail: None,
        retry_after_ms: None,
    }
}

impl From<keystores::Format> for Kind {
    fn from(format: keystores::Format) -> Self {
        match format {
            keystores::Format::Jks => Kind::Jks,
            keystores::Format::Pkcs12 => Kind::Pkcs12,
            keystores::Format::Pem => Kind::Pem,
        }
    }
}

impl keystores::Host for State {
    fn certificates(
        &mut self,
        format: keystores::Format,
        store: Vec<u8>,
        password: Option<String>,
    ) -> Result<std::result::Result<String, types::Error>> {
        let found = caisson_keystore::certificates(format.into(), &store, password.as_deref());
        Ok(found
            .map(|certificates| certificates.iter().map(|one| pem("CERTIFICATE", one)).collect())
            .map_err(|error| refused(&error)))
    }

    fn identity(
        &mut self,
        format: keystores::Format,
        store: Vec<u8>,
        password: Option<String>,
        key_password: Option<String>,
    ) -> Result<std::result::Result<(String, String), types::Error>> {
        let found = caisson_keystore::identity(format.into(), &store, password.as_deref(), key_password.as_deref());
        Ok(found
            .map(|identity| {
                let chain = identity.chain.iter().map(|one| pem("CERTIFICATE", one)).collect();
                (chain, key(&identity.key))
            })
            .map_err(|error| refused(&error)))
    }
}

fn key(key: &PrivateKeyDer<'_>) -> String {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    pem(label, key.secret_der())
}

/// One section of PEM (RFC 7468).
fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    // Base64 is ASCII, so any cut is between characters.
    let encoded = base64::encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        let _ = writeln!(text, "{line}");
        rest = after;
    }
    let _ = writeln!(text, "-----END {label}-----");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_can_be_read_back() {
        let der: Vec<u8> = (0..100).collect();
        let text = pem("CERTIFICATE", &der);
        assert!(text.lines().all(|line| line.len() <= 64));
        let read = caisson_keystore::certificates(Kind::Pem, text.as_bytes(), None);
        assert_eq!(read.expect("PEM").first().map(|one| one.to_vec()), Some(der));
    }
}
