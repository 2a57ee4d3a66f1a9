//! Trust stores and key stores as Java names them, read by the worker: what is in them is what [`Tls`](crate::net::Tls)
//! takes.
//!
//! Natively, under the harness, only PEM is read.

use caisson_api::Error;

/// The format of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Jks,
    Pkcs12,
    Pem,
}

impl Format {
    /// The format of this name, in any case, as `ssl.truststore.type` has it.
    pub fn named(name: &str) -> Option<Self> {
        [("JKS", Format::Jks), ("PKCS12", Format::Pkcs12), ("PEM", Format::Pem)]
            .into_iter()
            .find_map(|(known, format)| known.eq_ignore_ascii_case(name.trim()).then_some(format))
    }
}

/// The certificates of a trust store, as PEM. Without a password it is read unchecked.
pub fn certificates(format: Format, store: &[u8], password: Option<&str>) -> Result<String, Error> {
    crate::host::certificates(format, store, password)
}

/// The certificate chain and the key of a key store, as PEM. The password of the key is that of the store unless it has
/// one of its own.
pub fn identity(
    format: Format,
    store: &[u8],
    password: Option<&str>,
    key_password: Option<&str>,
) -> Result<(String, String), Error> {
    crate::host::identity(format, store, password, key_password)
}
