//! Whom the client trusts, and its own certificate: `schema.registry.ssl.*`, as PEM.

use std::path::Path;

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::error::Error;
use crate::settings::Read;

pub(super) fn config(read: &Read) -> Result<TlsConfig, Error> {
    const IDENTIFICATION: &str = "schema.registry.ssl.endpoint.identification.algorithm";
    if read.is_given(IDENTIFICATION) && read.text(IDENTIFICATION) != Some("https") {
        return Err(Error::config(
            IDENTIFICATION,
            "the name of a server is always compared with its certificate: leave it at https",
        ));
    }
    let mut builder = TlsConfig::builder();
    if let Some((key, pem)) = trusted(read)? {
        let certificates = certificates(key, &pem)?;
        builder = builder.root_certs(RootCerts::from(certificates));
    }
    if let Some(own) = own(read)? {
        builder = builder.client_cert(Some(own));
    }
    Ok(builder.build())
}

/// The authorities, and the key that names them.
fn trusted(read: &Read) -> Result<Option<(&'static str, String)>, Error> {
    const TEXT: &str = "schema.registry.ssl.truststore.certificates";
    const FILE: &str = "schema.registry.ssl.truststore.location";
    if let Some(text) = read.secret(TEXT) {
        return Ok(Some((TEXT, text.to_owned())));
    }
    match read.text(FILE) {
        Some(path) => Ok(Some((FILE, file(FILE, path)?))),
        None => Ok(None),
    }
}

fn own(read: &Read) -> Result<Option<ClientCert>, Error> {
    const CHAIN: &str = "schema.registry.ssl.keystore.certificate.chain";
    const KEY: &str = "schema.registry.ssl.keystore.key";
    const FILE: &str = "schema.registry.ssl.keystore.location";
    let (key, pem) = match (read.secret(CHAIN), read.secret(KEY), read.text(FILE)) {
        (Some(chain), Some(key), _) => (KEY, format!("{chain}\n{key}")),
        (None, None, Some(path)) => (FILE, file(FILE, path)?),
        (None, None, None) => return Ok(None),
        (Some(_), None, _) => return Err(Error::config(CHAIN, format!("{KEY} is missing"))),
        (None, Some(_), _) => return Err(Error::config(KEY, format!("{CHAIN} is missing"))),
    };
    let private = PrivateKey::from_pem(pem.as_bytes()).map_err(|_| {
        Error::config(
            key,
            "there is no private key in it, or one that is protected by a password, which cannot be used",
        )
    })?;
    Ok(Some(ClientCert::new_with_certs(&certificates(key, &pem)?, private)))
}

fn certificates(key: &str, pem: &str) -> Result<Vec<Certificate<'static>>, Error> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem.as_bytes()) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| Error::config(key, error))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(Error::config(key, "there is no certificate in it"));
    }
    Ok(certificates)
}

/// A PEM file. Java's own stores are not read.
fn file(key: &str, path: &str) -> Result<String, Error> {
    let bytes = std::fs::read(Path::new(path)).map_err(|error| Error::config(key, format!("{path}: {error}")))?;
    String::from_utf8(bytes)
        .ok()
        .filter(|text| text.contains("-----BEGIN"))
        .ok_or_else(|| {
            Error::config(
                key,
                format!(
                    "{path} must be a PEM file; a Java key store is turned into one by `keytool -list -rfc -keystore \
                     {path}` (certificates), or by `keytool -importkeystore` to PKCS12 and `openssl pkcs12 -nodes` (keys)"
                ),
            )
        })
}
