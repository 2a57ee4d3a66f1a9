//! TLS and SASL: where Java has key stores and login modules, librdkafka has files and names.

use super::{ClientSettings, Properties};
use crate::error::Error;

/// Translates what must be looked at together.
pub(super) fn translate(settings: &mut ClientSettings, given: &Properties) -> Result<(), Error> {
    if let Some(jaas) = given.get("sasl.jaas.config") {
        login(settings, jaas)?;
    }
    trust(settings, given)?;
    keys(settings, given)
}

/// `sasl.jaas.config`: `class required name="value" ... ;`
fn login(settings: &mut ClientSettings, jaas: &str) -> Result<(), Error> {
    const NAME: &str = "sasl.jaas.config";
    let invalid = |reason: &str| Error::Setting {
        name: NAME.to_owned(),
        reason: reason.to_owned(),
    };
    let (class, options) =
        parse_jaas(jaas).ok_or_else(|| invalid("expected `<login module> required <option>=\"<value>\" ...;`"))?;
    let option = |name: &str| {
        options
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    match class.rsplit('.').next().unwrap_or(&class) {
        "PlainLoginModule" | "ScramLoginModule" => {
            let user = option("username").ok_or_else(|| invalid("the option username is missing"))?;
            let password = option("password").ok_or_else(|| invalid("the option password is missing"))?;
            settings.put("sasl.username", user, NAME);
            settings.put("sasl.password", password, NAME);
            Ok(())
        }
        "Krb5LoginModule" => {
            for (from, to) in [
                ("keyTab", "sasl.kerberos.keytab"),
                ("principal", "sasl.kerberos.principal"),
                ("serviceName", "sasl.kerberos.service.name"),
            ] {
                if let Some(value) = option(from) {
                    settings.put(to, value, NAME);
                }
            }
            Ok(())
        }
        _ => Err(invalid(
            "only PlainLoginModule, ScramLoginModule and Krb5LoginModule can be used",
        )),
    }
}

/// The class and the options of a login module.
fn parse_jaas(text: &str) -> Option<(String, Vec<(String, String)>)> {
    let text = text.trim().strip_suffix(';').unwrap_or(text.trim());
    let (class, rest) = text.trim_start().split_once(char::is_whitespace)?;
    let (_flag, mut rest) = match rest.trim_start().split_once(char::is_whitespace) {
        Some((flag, rest)) => (flag, rest.trim_start()),
        None => (rest, ""),
    };
    let mut options = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, after) = match after.chars().next()? {
            quote @ ('"' | '\'') => quoted(&after[1..], quote)?,
            _ => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
        };
        options.push((name.trim().to_owned(), value));
        rest = after.trim_start();
    }
    Some((class.to_owned(), options))
}

/// The text up to the closing quote, and what follows it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next()?.1),
            _ if character == quote => return Some((value, &text[index + character.len_utf8()..])),
            _ => value.push(character),
        }
    }
    None
}

/// Which authorities are trusted. librdkafka reads PEM only.
fn trust(settings: &mut ClientSettings, given: &Properties) -> Result<(), Error> {
    if let Some(certificates) = given.get("ssl.truststore.certificates") {
        settings.put("ssl.ca.pem", certificates.clone(), "ssl.truststore.certificates");
    }
    let Some(location) = given.get("ssl.truststore.location") else {
        return Ok(());
    };
    if store_type(given, "ssl.truststore.type", location) != Store::Pem {
        return Err(Error::Setting {
            name: "ssl.truststore.location".to_owned(),
            reason: format!(
                "{location} must be a PEM file (with ssl.truststore.type=PEM); a Java key store is turned into one by \
                 `keytool -list -rfc -keystore {location}`"
            ),
        });
    }
    settings.put("ssl.ca.location", location.clone(), "ssl.truststore.location");
    Ok(())
}

/// The client's own certificate and key: PEM, or PKCS#12.
fn keys(settings: &mut ClientSettings, given: &Properties) -> Result<(), Error> {
    if let Some(chain) = given.get("ssl.keystore.certificate.chain") {
        settings.put("ssl.certificate.pem", chain.clone(), "ssl.keystore.certificate.chain");
    }
    if let Some(key) = given.get("ssl.keystore.key") {
        settings.put("ssl.key.pem", key.clone(), "ssl.keystore.key");
    }
    let Some(location) = given.get("ssl.keystore.location") else {
        return Ok(());
    };
    const NAME: &str = "ssl.keystore.location";
    match store_type(given, "ssl.keystore.type", location) {
        Store::Pem => {
            settings.put("ssl.certificate.location", location.clone(), NAME);
            settings.put("ssl.key.location", location.clone(), NAME);
        }
        Store::Pkcs12 => {
            settings.put("ssl.keystore.location", location.clone(), NAME);
            if let Some(password) = given.get("ssl.keystore.password") {
                settings.put("ssl.keystore.password", password.clone(), "ssl.keystore.password");
            }
        }
        Store::Java => {
            return Err(Error::Setting {
                name: NAME.to_owned(),
                reason: format!(
                    "{location} must be PEM or PKCS#12 (with ssl.keystore.type=PEM or PKCS12); a Java key store is turned \
                     into one by `keytool -importkeystore -srckeystore {location} -deststoretype PKCS12`"
                ),
            });
        }
    }
    Ok(())
}

#[derive(PartialEq, Eq)]
enum Store {
    Pem,
    Pkcs12,
    Java,
}

/// The type as said, or as the name of the file tells. Java's default is its own.
fn store_type(given: &Properties, setting: &str, location: &str) -> Store {
    let location = location.to_ascii_lowercase();
    match given
        .get(setting)
        .map(|kind| kind.trim().to_ascii_uppercase())
        .as_deref()
    {
        Some("PEM") => Store::Pem,
        Some("PKCS12") => Store::Pkcs12,
        Some(_) => Store::Java,
        None if [".pem", ".crt", ".cer"].iter().any(|end| location.ends_with(end)) => Store::Pem,
        None if [".p12", ".pfx"].iter().any(|end| location.ends_with(end)) => Store::Pkcs12,
        None => Store::Java,
    }
}
