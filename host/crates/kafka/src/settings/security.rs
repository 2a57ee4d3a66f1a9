//! TLS and SASL: where Java has key stores and login modules, librdkafka has PEM texts and names. All stores become such
//! texts, so that every client reads them alike.

mod bearer;
mod stores;

use caisson_keystore::Kind;

use super::{ClientSettings, Properties};
use crate::error::Error;

/// Translates what must be looked at together.
pub(super) fn translate(settings: &mut ClientSettings, given: &Properties) -> Result<(), Error> {
    if let Some(jaas) = given.get("sasl.jaas.config") {
        login(settings, given, jaas)?;
    }
    trust(settings, given)?;
    keys(settings, given)
}

/// `sasl.jaas.config`: `class required name="value" ... ;`
fn login(settings: &mut ClientSettings, given: &Properties, jaas: &str) -> Result<(), Error> {
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
            if option("tokenauth").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
                return Err(invalid("tokenauth: delegation tokens cannot be used"));
            }
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
        "OAuthBearerLoginModule" => {
            settings.token = Some(bearer::source(&options, given)?);
            // What tells clients apart that must not share.
            settings.put("sasl.oauthbearer.config", jaas.to_owned(), NAME);
            Ok(())
        }
        _ => Err(invalid(
            "only PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and Krb5LoginModule can be used",
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

/// Which authorities are trusted.
fn trust(settings: &mut ClientSettings, given: &Properties) -> Result<(), Error> {
    if let Some(certificates) = filled(given, "ssl.truststore.certificates") {
        let name = "ssl.truststore.certificates";
        let text = stores::lines_of(certificates);
        let read = caisson_keystore::certificates(Kind::Pem, text.as_bytes(), None);
        let read = read.map_err(|error| stores::unusable(name, "the text", &error))?;
        settings.put("ssl.ca.pem", stores::certificates_pem(&read), name);
        return Ok(());
    }
    let Some(location) = filled(given, "ssl.truststore.location") else {
        return Ok(());
    };
    let name = "ssl.truststore.location";
    let kind = stores::kind(given, "ssl.truststore.type", location)?;
    let password = given.get("ssl.truststore.password").map(String::as_str);
    let bytes = stores::read(name, location)?;
    let read = caisson_keystore::certificates(kind, &bytes, password);
    let read = read.map_err(|error| stores::unusable(name, location, &error))?;
    settings.put("ssl.ca.pem", stores::certificates_pem(&read), name);
    Ok(())
}

/// The client's own certificate and key.
fn keys(settings: &mut ClientSettings, given: &Properties) -> Result<(), Error> {
    let key_password = given.get("ssl.key.password").map(String::as_str);
    let (name, identity) = match (
        filled(given, "ssl.keystore.key"),
        filled(given, "ssl.keystore.location"),
    ) {
        (Some(key), _) => {
            let name = "ssl.keystore.key";
            let chain = filled(given, "ssl.keystore.certificate.chain").unwrap_or_default();
            let (key, chain) = (stores::lines_of(key), stores::lines_of(chain));
            let read = caisson_keystore::identity_from_pem(key.as_bytes(), chain.as_bytes(), key_password);
            (name, read.map_err(|error| stores::unusable(name, "the text", &error))?)
        }
        (None, Some(location)) => {
            let name = "ssl.keystore.location";
            let kind = stores::kind(given, "ssl.keystore.type", location)?;
            let password = given.get("ssl.keystore.password").map(String::as_str);
            let bytes = stores::read(name, location)?;
            let read = caisson_keystore::identity(kind, &bytes, password, key_password);
            (name, read.map_err(|error| stores::unusable(name, location, &error))?)
        }
        (None, None) => return Ok(()),
    };
    settings.put("ssl.certificate.pem", stores::certificates_pem(&identity.chain), name);
    settings.put("ssl.key.pem", stores::key_pem(&identity.key), name);
    Ok(())
}

/// A setting that says something.
fn filled<'a>(given: &'a Properties, name: &str) -> Option<&'a str> {
    given
        .get(name)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}
