//! Stores of the harness: PEM is taken as it is, and nothing else is read.

use caisson_api::Error;

use crate::keystore::Format;

fn text(format: Format, store: &[u8]) -> Result<String, Error> {
    match format {
        Format::Pem => String::from_utf8(store.to_vec()).map_err(|_| Error::config("it is not PEM")),
        Format::Jks | Format::Pkcs12 => Err(Error::unsupported("the worker reads such stores; the harness does not")),
    }
}

pub(crate) fn certificates(format: Format, store: &[u8], _: Option<&str>) -> Result<String, Error> {
    text(format, store)
}

pub(crate) fn identity(
    format: Format,
    store: &[u8],
    _: Option<&str>,
    _: Option<&str>,
) -> Result<(String, String), Error> {
    text(format, store).map(|text| (text.clone(), text))
}
