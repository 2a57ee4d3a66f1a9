//! Stores read by the worker.

use caisson_api::Error;

use super::error;
use crate::glue::bindings::connect::keystores;
use crate::keystore::Format;

fn format(format: Format) -> keystores::Format {
    match format {
        Format::Jks => keystores::Format::Jks,
        Format::Pkcs12 => keystores::Format::Pkcs12,
        Format::Pem => keystores::Format::Pem,
    }
}

pub(crate) fn certificates(of: Format, store: &[u8], password: Option<&str>) -> Result<String, Error> {
    keystores::certificates(format(of), store, password).map_err(error)
}

pub(crate) fn identity(
    of: Format,
    store: &[u8],
    password: Option<&str>,
    key_password: Option<&str>,
) -> Result<(String, String), Error> {
    keystores::identity(format(of), store, password, key_password).map_err(error)
}
