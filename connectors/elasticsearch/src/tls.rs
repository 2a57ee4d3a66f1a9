//! What is trusted, and by what the connector is known, where the keys `elastic.https.*` say so.

use caisson_sdk::http;
use caisson_sdk::keystore::{self, Format};
use caisson_sdk::net::{Tls, Verification};
use caisson_sdk::prelude::*;

use crate::keys;

/// Has the requests to come protected as the configuration says. An error names the key.
pub(crate) fn apply(settings: &Settings) -> Result<(), Error> {
    if !is_on(settings) {
        return Ok(());
    }
    let verified = settings.optional_text(keys::IDENTIFICATION).unwrap_or_default().trim();
    http::use_tls(&Tls {
        verification: if verified.is_empty() {
            Verification::Chain
        } else {
            Verification::Full
        },
        server_name: None,
        trusted: trusted(settings)?,
        identity: identity(settings)?,
    })
}

/// Whether the keys count.
pub(crate) fn is_on(settings: &Settings) -> bool {
    settings
        .optional_text(keys::SECURITY)
        .is_some_and(|word| word.trim().eq_ignore_ascii_case("SSL"))
}

fn secret<'a>(settings: &'a Settings, key: &str) -> Option<&'a str> {
    settings
        .password(key)
        .map(|password| password.reveal())
        .filter(|password| !password.is_empty())
}

fn trusted(settings: &Settings) -> Result<Option<String>, Error> {
    if let Some(text) = secret(settings, keys::TRUSTED) {
        return Ok(Some(text.to_owned()));
    }
    let Some((format, store)) = file(settings, keys::TRUSTSTORE, keys::TRUSTSTORE_TYPE)? else {
        return Ok(None);
    };
    let found = keystore::certificates(format, &store, secret(settings, keys::TRUSTSTORE_PASSWORD));
    found
        .map(Some)
        .map_err(|error| of_key(keys::TRUSTSTORE, &error.message))
}

fn identity(settings: &Settings) -> Result<Option<(String, String)>, Error> {
    if let (Some(chain), Some(key)) = (secret(settings, keys::CHAIN), secret(settings, keys::KEY)) {
        let store = format!("{chain}\n{key}");
        let found = keystore::identity(
            Format::Pem,
            store.as_bytes(),
            None,
            secret(settings, keys::KEY_PASSWORD),
        );
        return found.map(Some).map_err(|error| of_key(keys::KEY, &error.message));
    }
    let Some((format, store)) = file(settings, keys::KEYSTORE, keys::KEYSTORE_TYPE)? else {
        return Ok(None);
    };
    let password = secret(settings, keys::KEYSTORE_PASSWORD);
    let found = keystore::identity(format, &store, password, secret(settings, keys::KEY_PASSWORD));
    found.map(Some).map_err(|error| of_key(keys::KEYSTORE, &error.message))
}

/// A store and its format, if the configuration names one.
fn file(settings: &Settings, location: &str, kind: &str) -> Result<Option<(Format, Vec<u8>)>, Error> {
    let Some(path) = settings
        .optional_text(location)
        .map(str::trim)
        .filter(|path| !path.is_empty())
    else {
        return Ok(None);
    };
    let name = settings.optional_text(kind).unwrap_or_default();
    let format = Format::named(name).ok_or_else(|| of_key(kind, "it is none of JKS, PKCS12 and PEM"))?;
    let store = std::fs::read(path).map_err(|error| of_key(location, &format!("{path} cannot be read: {error}")))?;
    Ok(Some((format, store)))
}

fn of_key(key: &str, problem: &str) -> Error {
    Error::config(format!("{key}: {problem}"))
}
