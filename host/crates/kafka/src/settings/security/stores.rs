//! Key stores and trust stores, from files to PEM.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use caisson_keystore::{CertificateDer, Kind, MAX_BYTES, PrivateKeyDer};

use super::{Properties, filled};
use crate::error::Error;

/// The type as said, or as the name of a PEM file tells. Java's default is its own; the bytes tell that from PKCS#12.
pub(super) fn kind(given: &Properties, setting: &str, location: &str) -> Result<Kind, Error> {
    let Some(said) = filled(given, setting) else {
        let location = location.to_ascii_lowercase();
        let is_pem = [".pem", ".crt", ".cer"].iter().any(|end| location.ends_with(end));
        return Ok(if is_pem { Kind::Pem } else { Kind::Jks });
    };
    Kind::named(said).ok_or_else(|| Error::Setting {
        name: setting.to_owned(),
        reason: format!("{said} stores cannot be read; JKS, PKCS12 and PEM can"),
    })
}

pub(super) fn read(name: &str, location: &str) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| Error::Setting {
        name: name.to_owned(),
        reason: format!("cannot read {location}: {error}"),
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(location).map_err(failed)?;
    // One more than allowed, so that a store that is too large is told from one that is not.
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

pub(super) fn unusable(name: &str, what: &str, error: &caisson_keystore::Error) -> Error {
    Error::Setting {
        name: name.to_owned(),
        reason: format!("{what} cannot be used: {error}"),
    }
}

/// PEM texts as they stand in a configuration, where Java takes any white space for the ends of lines.
pub(super) fn lines_of(text: &str) -> String {
    const DASHES: &str = "-----";
    let mut lines = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("-----BEGIN ") {
        push_body(&mut lines, before);
        let Some((label, after)) = after.split_once(DASHES) else {
            rest = after;
            break;
        };
        lines.push_str(&format!("-----BEGIN {label}{DASHES}\n"));
        let Some((body, after)) = after.split_once("-----END ") else {
            rest = after;
            break;
        };
        push_body(&mut lines, body);
        let Some((label, after)) = after.split_once(DASHES) else {
            rest = after;
            break;
        };
        lines.push_str(&format!("-----END {label}{DASHES}\n"));
        rest = after;
    }
    push_body(&mut lines, rest);
    lines
}

fn push_body(lines: &mut String, body: &str) {
    for word in body.split_whitespace() {
        lines.push_str(word);
        lines.push('\n');
    }
}

pub(super) fn certificates_pem(certificates: &[CertificateDer<'_>]) -> String {
    certificates.iter().map(|der| section("CERTIFICATE", der)).collect()
}

pub(super) fn key_pem(key: &PrivateKeyDer<'_>) -> String {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        // PKCS#8, as everything newer.
        _ => "PRIVATE KEY",
    };
    section(label, key.secret_der())
}

fn section(label: &str, der: &[u8]) -> String {
    let encoded = BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_on_one_line_becomes_lines() {
        let one = "-----BEGIN CERTIFICATE----- AAAA BBBB -----END CERTIFICATE----- -----BEGIN X----- C -----END X-----";
        let lines = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n-----BEGIN X-----\nC\n-----END X-----\n";
        assert_eq!(lines_of(one), lines);
        assert_eq!(lines_of(lines), lines);
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "(-----BEGIN |-----END |-----|[A-Z ]|\n){0,20}") {
            let lines = lines_of(&text);
            prop_assert_eq!(lines_of(&lines), lines);
        }
    }
}
