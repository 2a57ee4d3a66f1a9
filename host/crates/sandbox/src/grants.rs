//! "The configuration is the capability": what the manifest asks for, the configuration names, and the operator allows
//! is what an instance may reach, and nothing else.
//!
//! Entries of a manifest's `grants`:
//!
//! | list | entry | grants |
//! |---|---|---|
//! | `read`, `write` | `${key}` | the one file that the key names, relative to the worker's directory; it need not exist |
//! | | `/etc/hosts` | that file |
//! | | `-` | the worker's standard input (`read`) or output (`write`), if the configuration gives none of the keys of the same list |
//! | `environment` | `NAME` | that variable of the worker, if `sandbox.environment.allowed` names it |
//! | `network` | see [`network`] | |
//!
//! A file under `write` may be read, too.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use caisson_api::config::{self, Config, Key};
use caisson_api::manifest;

use crate::error::CallError;
use crate::options::GrantPolicy;

pub mod network;
use network::NetworkGrants;

/// What an instance has.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    pub files: Vec<FileGrant>,
    /// The worker's standard input.
    pub stdin: bool,
    /// The worker's standard output.
    pub stdout: bool,
    pub environment: Vec<(String, String)>,
    pub network: NetworkGrants,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileGrant {
    /// The key that named it, for messages; the path itself if the manifest named it.
    pub key: String,
    /// As it was given.
    pub given: PathBuf,
    /// Absolute, without `.` and `..`.
    pub path: PathBuf,
    pub write: bool,
}

impl Grants {
    /// What `plugin` asks for, with what `config` says. Fails, naming the property, where the operator refuses.
    pub fn of(plugin: &manifest::Plugin, config: &Config, policy: &GrantPolicy) -> Result<Self, CallError> {
        Ok(Grants {
            network: NetworkGrants::resolve(&plugin.grants.network, &completed(&plugin.keys, config), policy)?,
            ..Self::resolve(&plugin.grants, config, policy)?
        })
    }

    /// All but the network.
    fn resolve(asked: &manifest::Grants, config: &Config, policy: &GrantPolicy) -> Result<Self, CallError> {
        let files = FilePolicy::from(policy);
        let mut grants = Grants::default();
        for (list, write) in [(&asked.read, false), (&asked.write, true)] {
            let mut named = false;
            for entry in list.iter().filter(|entry| *entry != "-") {
                let Some((key, value)) = value_of(entry, config)? else {
                    continue;
                };
                named = true;
                grants.files.push(FileGrant::new(&key, &value, write, &files)?);
            }
            if !named && list.iter().any(|entry| entry == "-") {
                if !policy.stdio {
                    let message =
                        "the worker's standard streams are not given to plugins (sandbox.stdio.allowed); name a file";
                    return Err(CallError::Limit {
                        which: "stdio.allowed",
                        message: message.into(),
                    });
                }
                *(if write { &mut grants.stdout } else { &mut grants.stdin }) = true;
            }
        }
        for name in &asked.environment {
            if !policy.environment.contains(name) {
                tracing::debug!(
                    name,
                    "an environment variable is not granted (sandbox.environment.allowed)"
                );
            } else if let Ok(value) = std::env::var(name) {
                grants.environment.push((name.clone(), value));
            }
        }
        Ok(grants)
    }
}

/// The configuration with the defaults of the plugin's keys: a port that is not given is the usual one.
fn completed(keys: &[Key], given: &Config) -> Config {
    let mut all = given.clone();
    for key in keys {
        if let config::Default::Text(default) = &key.default
            && given.get(&key.name).is_none()
        {
            all.entries.push((key.name.clone(), default.clone()));
        }
    }
    all
}

/// The value that an entry stands for, with the key or literal that named it. `None`: the configuration has no such key.
fn value_of(entry: &str, config: &Config) -> Result<Option<(String, String)>, CallError> {
    let Some(key) = entry.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        if entry.contains("${") {
            return Err(CallError::Host(format!(
                "grant {entry} of the manifest: a path is one ${{key}} or a literal"
            )));
        }
        return Ok(Some((entry.to_owned(), entry.to_owned())));
    };
    let value = config.get(key).map(str::trim).filter(|value| !value.is_empty());
    Ok(value.map(|value| (key.to_owned(), value.to_owned())))
}

impl FileGrant {
    fn new(key: &str, value: &str, write: bool, policy: &FilePolicy) -> Result<Self, CallError> {
        let refused = |which: &'static str, message: String| Err(CallError::Limit { which, message });
        if value.contains('\0') {
            return refused("file.roots", format!("{key}: a path has no NUL character"));
        }
        let given = PathBuf::from(value);
        let path = std::path::absolute(&given)
            .map_err(|error| CallError::Host(format!("{key}: {value} has no absolute form: {error}")))?;
        let path = normal(&path);
        if let Err(refusal) = policy.permits(&path) {
            return refused(
                refusal.which,
                format!("{key}: {} is refused: {refusal}", path.display()),
            );
        }
        Ok(FileGrant {
            key: key.to_owned(),
            given,
            path,
            write,
        })
    }
}

/// `path` without `.` and `..`, by its text alone.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

/// Where granted files may lie.
#[derive(Clone, Debug, Default)]
pub struct FilePolicy {
    roots: Vec<PathBuf>,
    denied: Vec<PathBuf>,
}

/// The operator's no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// The property, without `sandbox.`.
    pub which: &'static str,
    pub reason: String,
}

impl From<&GrantPolicy> for FilePolicy {
    fn from(policy: &GrantPolicy) -> Self {
        // Roots may themselves be links; paths are compared after links are resolved, and before.
        let both = |paths: &[PathBuf]| {
            let resolved = paths.iter().filter_map(|path| std::fs::canonicalize(path).ok());
            let mut all: Vec<PathBuf> = paths.iter().map(|path| normal(path)).chain(resolved).collect();
            all.sort();
            all.dedup();
            all
        };
        FilePolicy {
            roots: both(&policy.file_roots),
            denied: both(&policy.file_denied),
        }
    }
}

impl FilePolicy {
    /// Whether `path` may be granted: the longest of the roots and denied directories above it decides.
    pub fn permits(&self, path: &Path) -> Result<(), Refused> {
        let deepest = |paths: &[PathBuf]| {
            paths
                .iter()
                .filter(|above| path.starts_with(above))
                .map(|above| above.components().count())
                .max()
        };
        match (deepest(&self.roots), deepest(&self.denied)) {
            (None, _) => Err(Refused {
                which: "file.roots",
                reason: "it lies below none of sandbox.file.roots; the operator can add its directory there".into(),
            }),
            (Some(root), Some(denied)) if denied >= root => Err(Refused {
                which: "file.denied",
                reason: "it lies below sandbox.file.denied; the operator can name its directory in sandbox.file.roots"
                    .into(),
            }),
            (Some(_), _) => Ok(()),
        }
    }

    pub(crate) fn shared(policy: &GrantPolicy) -> Arc<Self> {
        Arc::new(Self::from(policy))
    }
}

#[cfg(test)]
mod tests;
