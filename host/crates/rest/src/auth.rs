//! Basic authentication, as Kafka Connect's REST extension for it does: every request carries a name and a password of
//! a properties file, but for those that workers sign for each other.

mod jaas;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use caisson_config::properties;
use caisson_config::worker::RestConfig;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use crate::Error;

/// The extension's class, and the names by which Kafka Connect finds it as well.
const EXTENSION: [&str; 3] = [
    "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension",
    "BasicAuthSecurityRestExtension",
    "BasicAuthSecurity",
];
/// The one login module that there is.
const MODULE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
/// The entry of the JAAS file.
const ENTRY: &str = "KafkaConnect";
/// How a JVM is told of the file.
const SYSTEM_PROPERTY: &str = "-Djava.security.auth.login.config=";

/// Who may send requests.
#[derive(Default)]
pub struct Gate {
    /// Passwords by name, a map for each login module; none: everybody may.
    users: Option<Vec<BTreeMap<String, String>>>,
}

impl Gate {
    /// What the extensions of a configuration make of it. `options` is the text of `KAFKA_OPTS`, which names the JAAS
    /// file where the worker's properties do not.
    pub fn read(config: &RestConfig, options: &str) -> Result<Gate, Error> {
        let mut gate = Gate::default();
        for extension in &config.extensions {
            if !EXTENSION.contains(&extension.as_str()) {
                return Err(Error::Extension {
                    class: extension.clone(),
                });
            }
            let file = config.login_config.clone().or_else(|| from_options(options));
            gate.users = Some(read_users(&file.ok_or(Error::NoLogin)?)?);
        }
        Ok(gate)
    }

    /// Who sends a request that was admitted; none where everybody may.
    pub fn user(&self, headers: &HeaderMap) -> Option<String> {
        self.users.as_ref()?;
        credentials(headers).map(|(name, _)| name)
    }

    /// Whether a request with these headers may pass.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(modules) = &self.users else { return true };
        let Some((name, password)) = credentials(headers) else {
            return false;
        };
        // All are asked, and all of each password is compared, so that the time taken says nothing.
        modules.iter().fold(false, |admitted, users| {
            let known = users.get(&name);
            let same = same(known.map_or("", String::as_str), &password);
            admitted | (same && known.is_some())
        })
    }
}

/// The JAAS file that the options of a JVM name.
fn from_options(options: &str) -> Option<PathBuf> {
    let path = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix(SYSTEM_PROPERTY))?;
    Some(PathBuf::from(path.trim_matches(['"', '\''])))
}

fn read_users(login: &Path) -> Result<Vec<BTreeMap<String, String>>, Error> {
    let problem = |file: &Path, problem: String| Error::Login {
        file: file.to_owned(),
        problem,
    };
    let read = |file: &Path| std::fs::read(file).map_err(|error| problem(file, error.to_string()));
    let text = String::from_utf8_lossy(&read(login)?).into_owned();
    let modules = jaas::entry(&text, ENTRY).map_err(|reason| problem(login, reason.to_owned()))?;
    let mut all = Vec::new();
    for module in modules {
        if module.class != MODULE {
            let reason = format!("login module {} is not supported, only {MODULE}", module.class);
            return Err(problem(login, reason));
        }
        let missing = || problem(login, "the login module has no option file".to_owned());
        let file = PathBuf::from(module.options.get("file").ok_or_else(missing)?);
        let name = file.display().to_string();
        let given = properties::parse(&read(&file)?, &name).map_err(|error| problem(&file, error.to_string()))?;
        let users: BTreeMap<String, String> = given
            .iter()
            .map(|(user, password)| (user.to_owned(), password.unwrap_or_default().to_owned()))
            .collect();
        if users.is_empty() {
            // Kafka Connect would let everybody in, with a line in the log at TRACE.
            return Err(problem(&file, "it has no users".to_owned()));
        }
        all.push(users);
    }
    Ok(all)
}

/// The header that carries `name:password`.
pub fn basic(user: &str) -> Option<HeaderValue> {
    let encoded = caisson_api::value::base64::encode(user.as_bytes());
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Name and password of a request.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        // Two of them could be read differently by a proxy in between.
        return None;
    };
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = caisson_api::value::base64::decode(encoded.trim())?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// Whether two texts are the same, in a time that depends on the length of the second alone.
fn same(known: &str, given: &str) -> bool {
    let (known, given) = (known.as_bytes(), given.as_bytes());
    let difference = given.iter().enumerate().fold(0, |difference, (at, byte)| {
        let other = known.get(at).copied().unwrap_or_default();
        std::hint::black_box(difference | (byte ^ other))
    });
    difference == 0 && known.len() == given.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn gate() -> Gate {
        let users = [("ann", "secret"), ("bob", "")];
        let users = users.map(|(name, password)| (name.to_owned(), password.to_owned()));
        Gate {
            users: Some(vec![users.into_iter().collect()]),
        }
    }

    fn admits(header: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
        gate().admits(&headers)
    }

    #[test]
    fn only_known_names_with_their_passwords_pass() {
        let basic = |text: &str| format!("Basic {}", caisson_api::value::base64::encode(text.as_bytes()));
        assert!(admits(&basic("ann:secret")) && admits(&basic("bob:")));
        assert!(admits(&basic("ann:secret").replace("Basic", "bASIC")));
        for wrong in [
            "ann:Secret",
            "ann:secret2",
            "ann:",
            "ann",
            "eve:secret",
            "eve:",
            ":",
            "bob:x",
        ] {
            assert!(!admits(&basic(wrong)), "{wrong}");
        }
        for wrong in ["", "Basic", "Basic !", "Bearer YW5uOnNlY3JldA==", "Basic /w=="] {
            assert!(!admits(wrong), "{wrong}");
        }
        assert!(!gate().admits(&HeaderMap::new()) && Gate::default().admits(&HeaderMap::new()));
    }

    #[test]
    fn two_identities_are_none() {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_static("Basic YW5uOnNlY3JldA==");
        headers.append(AUTHORIZATION, value.clone());
        assert!(gate().admits(&headers));
        headers.append(AUTHORIZATION, value);
        assert!(!gate().admits(&headers));
    }

    #[test]
    fn the_file_is_found_among_a_jvms_options() {
        let options = "-Xmx1G -Djava.security.auth.login.config=/etc/jaas.conf -Dx=y";
        assert_eq!(from_options(options), Some(PathBuf::from("/etc/jaas.conf")));
        assert_eq!(from_options("-Xmx1G"), None);
    }
}
