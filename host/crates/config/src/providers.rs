//! Configuration providers: values like `${file:/path:key}` are looked up when a configuration is used, and only then.
//! What is stored, shown by REST or logged keeps the text with the variable.

mod secrets;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use caisson_api::config::{Setting, Type};

use crate::error::Error;
use crate::given::{Entries, Given};
use crate::pattern::Pattern;
use crate::properties;

pub use secrets::Secrets;

/// What the providers of a worker read from.
pub trait Outside: Send + Sync {
    /// The bytes of a file, or why they cannot be had.
    fn read(&self, path: &Path) -> Result<Vec<u8>, String>;

    fn variable(&self, name: &str) -> Option<String>;
}

/// The machine itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl Outside for Machine {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
        if !metadata.is_file() {
            return Err("it is no file".to_owned());
        }
        if metadata.len() > properties::MAX_BYTES as u64 {
            return Err(format!("it has more than {} bytes", properties::MAX_BYTES));
        }
        std::fs::read(path).map_err(|error| error.to_string())
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// The providers of a worker, by name.
pub struct Providers {
    providers: BTreeMap<String, Provider>,
    outside: Box<dyn Outside>,
}

#[derive(Debug)]
enum Provider {
    /// A key of a properties file.
    File { allowed: Allowed },
    /// The content of a file, named within its directory.
    Directory { allowed: Allowed },
    /// A variable of the environment.
    Environment { allowed: Option<Pattern> },
}

/// Paths below which may be read; none given: all.
#[derive(Debug)]
struct Allowed(Vec<PathBuf>);

impl fmt::Debug for Providers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.providers.keys()).finish()
    }
}

/// Values that a value turned into; a variable that cannot be looked up stays as it was written.
pub struct Resolved {
    pub given: Given,
    /// Names of keys whose value held a variable that was looked up: their values are secrets.
    pub secret: Vec<String>,
    /// What was looked up, each with the variable that stands for it.
    pub looked_up: Vec<(String, String)>,
    /// What could not be looked up, and why; without the values.
    pub warnings: Vec<String>,
}

impl Providers {
    /// The providers that `config.providers` of a worker's configuration names.
    pub fn new(worker: &Given, outside: Box<dyn Outside>) -> Result<Providers, Error> {
        let names = list(worker.get("config.providers").unwrap_or_default());
        let mut providers = BTreeMap::new();
        for name in names {
            let class = worker
                .get(&format!("config.providers.{name}.class"))
                .ok_or_else(|| Error::Provider {
                    provider: name.clone(),
                    reason: format!("config.providers.{name}.class is missing"),
                })?;
            let parameters = worker.entries_below(&format!("config.providers.{name}.param."));
            let provider = Provider::new(class, &parameters).map_err(|reason| Error::Provider {
                provider: name.clone(),
                reason,
            })?;
            providers.insert(name, provider);
        }
        Ok(Providers { providers, outside })
    }

    /// No providers: every text stays as it is.
    pub fn none() -> Providers {
        Providers {
            providers: BTreeMap::new(),
            outside: Box::new(Machine),
        }
    }

    /// Looks up all variables of a configuration.
    pub fn resolve(&self, given: &Given) -> Resolved {
        let mut resolved = Resolved {
            given: Given::default(),
            secret: Vec::new(),
            looked_up: Vec::new(),
            warnings: Vec::new(),
        };
        for (name, value) in given.iter() {
            let Some(value) = value else {
                resolved.given.set(name, None::<String>);
                continue;
            };
            let mut found = false;
            let text = replace(value, |variable| match self.look_up(variable) {
                Ok(Some(value)) => {
                    found = true;
                    resolved.looked_up.push((value.clone(), variable.to_string()));
                    Some(value)
                }
                Ok(None) => None,
                Err(reason) => {
                    resolved.warnings.push(format!("{name}: {reason}"));
                    None
                }
            });
            if found {
                resolved.secret.push(name.to_owned());
            }
            resolved.given.set(name, Some(text));
        }
        resolved
    }

    fn look_up(&self, variable: &Variable<'_>) -> Result<Option<String>, String> {
        let Some(provider) = self.providers.get(variable.provider) else {
            return Ok(None);
        };
        let fail = |what: &str, reason: String| format!("{} of provider {}: {reason}", what, variable.provider);
        match provider {
            Provider::Environment { allowed } => {
                if allowed.as_ref().is_some_and(|pattern| !pattern.matches(variable.key)) {
                    return Err(fail(variable.key, "not allowed by allowlist.pattern".to_owned()));
                }
                let value = self.outside.variable(variable.key);
                value
                    .map(Some)
                    .ok_or_else(|| fail(variable.key, "there is no such variable".to_owned()))
            }
            Provider::File { allowed } => {
                let path = allowed
                    .check(variable.path)
                    .map_err(|reason| fail(variable.path, reason))?;
                let bytes = self.outside.read(&path).map_err(|reason| fail(variable.path, reason))?;
                let file = properties::parse(&bytes, variable.path).map_err(|error| error.to_string())?;
                let value = file.get(variable.key).map(str::to_owned);
                value
                    .map(Some)
                    .ok_or_else(|| fail(variable.path, format!("there is no key {}", variable.key)))
            }
            Provider::Directory { allowed } => {
                // A key is the name of a file in the directory, so it can neither leave nor enter another.
                let mut parts = Path::new(variable.key).components();
                if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
                    return Err(fail(variable.key, "not the name of a file".to_owned()));
                }
                let path = allowed
                    .check(variable.path)
                    .map_err(|reason| fail(variable.path, reason))?;
                let bytes = self
                    .outside
                    .read(&path.join(variable.key))
                    .map_err(|reason| fail(&format!("{}/{}", variable.path, variable.key), reason))?;
                Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
            }
        }
    }
}

impl Provider {
    fn new(class: &str, parameters: &Entries) -> Result<Provider, String> {
        let simple = class.rsplit('.').next().unwrap_or(class);
        let simple = simple.strip_suffix("ConfigProvider").unwrap_or(simple);
        match simple {
            "File" => Ok(Provider::File {
                allowed: Allowed::new(parameters),
            }),
            "Directory" => Ok(Provider::Directory {
                allowed: Allowed::new(parameters),
            }),
            "EnvVar" => {
                let pattern = parameters
                    .get("allowlist.pattern")
                    .map(|text| Pattern::new(text))
                    .transpose();
                Ok(Provider::Environment {
                    allowed: pattern.map_err(|error| format!("allowlist.pattern: {error}"))?,
                })
            }
            _ => Err(format!(
                "class {class} is not known; there are FileConfigProvider, DirectoryConfigProvider and EnvVarConfigProvider"
            )),
        }
    }
}

impl Allowed {
    fn new(parameters: &Entries) -> Allowed {
        let paths = parameters.get("allowed.paths").map(String::as_str).unwrap_or_default();
        Allowed(list(paths).into_iter().map(PathBuf::from).collect())
    }

    /// The path, if it is absolute, without `..`, and below an allowed one.
    fn check(&self, path: &str) -> Result<PathBuf, String> {
        let path = PathBuf::from(path);
        if path.as_os_str().is_empty() {
            return Err("there is no path".to_owned());
        }
        if self.0.is_empty() {
            return Ok(path);
        }
        let climbs = path.components().any(|part| part == Component::ParentDir);
        if climbs || !self.0.iter().any(|allowed| path.starts_with(allowed)) {
            return Err("not allowed by allowed.paths".to_owned());
        }
        Ok(path)
    }
}

fn list(text: &str) -> Vec<String> {
    match Setting::parse("", text, Type::List) {
        Ok(Setting::List(entries)) => entries,
        Ok(_) | Err(_) => Vec::new(),
    }
}

/// `${provider:path:key}` or `${provider:key}`.
struct Variable<'a> {
    provider: &'a str,
    path: &'a str,
    key: &'a str,
}

impl fmt::Display for Variable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path {
            "" => write!(formatter, "${{{}:{}}}", self.provider, self.key),
            path => write!(formatter, "${{{}:{path}:{}}}", self.provider, self.key),
        }
    }
}

/// Replaces the variables of a text; those for which `look_up` has nothing stay.
fn replace(text: &str, mut look_up: impl FnMut(&Variable<'_>) -> Option<String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        result.push_str(before);
        let Some((variable, length)) = variable(from) else {
            result.push_str("${");
            rest = &from[2..];
            continue;
        };
        match look_up(&variable) {
            Some(value) => result.push_str(&value),
            None => result.push_str(&from[..length]),
        }
        rest = &from[length..];
    }
    result.push_str(rest);
    result
}

/// The variable at the beginning of `text`, and its length. The key may have colons, the path may not.
fn variable(text: &str) -> Option<(Variable<'_>, usize)> {
    let end = text.find('}')?;
    let (provider, rest) = text[2..end].split_once(':')?;
    let (path, key) = rest.split_once(':').unwrap_or(("", rest));
    Some((Variable { provider, path, key }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake;

    impl Outside for Fake {
        fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
            match path.to_str() {
                Some("/secrets/db.properties") => Ok(b"user=u\npassword=p\\u00e4ss\n".to_vec()),
                Some("/secrets/token") => Ok(b"t0ken".to_vec()),
                _ => Err("no such file".to_owned()),
            }
        }

        fn variable(&self, name: &str) -> Option<String> {
            (name == "CAISSON_HOME").then(|| "/home".to_owned())
        }
    }

    fn providers(more: &[(&str, &str)]) -> Providers {
        let mut worker: Given = [
            ("config.providers", "file, dir,env"),
            (
                "config.providers.file.class",
                "org.apache.kafka.common.config.provider.FileConfigProvider",
            ),
            ("config.providers.dir.class", "DirectoryConfigProvider"),
            ("config.providers.env.class", "EnvVarConfigProvider"),
        ]
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
        for (name, value) in more {
            worker.set(*name, (*value).to_owned());
        }
        Providers::new(&worker, Box::new(Fake)).unwrap()
    }

    fn check(providers: &Providers, text: &str, expected: &str) -> Resolved {
        let resolved = providers.resolve(&[("key", text.to_owned())].into_iter().collect());
        assert_eq!(resolved.given.get("key"), Some(expected));
        resolved
    }

    #[test]
    fn variables_are_looked_up() {
        let providers = providers(&[]);
        check(&providers, "${file:/secrets/db.properties:password}", "p\u{e4}ss");
        check(
            &providers,
            "a-${dir:/secrets:token}-${env:CAISSON_HOME}-z",
            "a-t0ken-/home-z",
        );
        let resolved = check(&providers, "${file:/secrets/db.properties:user}", "u");
        assert_eq!(resolved.secret, ["key"]);
    }

    #[test]
    fn what_cannot_be_looked_up_stays_and_is_said() {
        let providers = providers(&[]);
        for text in [
            "${file:/nowhere:x}",
            "${file:/secrets/db.properties:none}",
            "${env:NONE}",
            "${dir:/secrets:../x}",
        ] {
            assert_eq!(check(&providers, text, text).warnings.len(), 1, "{text}");
        }
        for text in ["${topic}", "${other:a:b}", "${", "${a", "$1", "${${env:X", "x${}y"] {
            assert!(check(&providers, text, text).warnings.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_is_not_allowed_stays() {
        let limits = [
            ("config.providers.file.param.allowed.paths", "/other"),
            ("config.providers.env.param.allowlist.pattern", "PUBLIC_.*"),
        ];
        let providers = providers(&limits);
        for text in [
            "${file:/secrets/db.properties:user}",
            "${file:/other/../secrets/db.properties:user}",
            "${env:CAISSON_HOME}",
        ] {
            assert!(
                check(&providers, text, text).warnings[0].contains("not allowed"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_provider_without_a_known_class_is_refused() {
        for (name, value) in [
            ("config.providers", "x"),
            ("config.providers.env.class", "com.example.Vault"),
        ] {
            let mut worker: Given = [("config.providers", "env".to_owned())].into_iter().collect();
            worker.set(name, value.to_owned());
            assert!(Providers::new(&worker, Box::new(Fake)).is_err());
        }
    }
}
