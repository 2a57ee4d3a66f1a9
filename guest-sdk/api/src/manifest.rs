//! What a module says of itself (`wit/manifest.md`).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::config::{ConfigDef, Key};
use crate::frame::Encodings;

/// The custom section of a module that holds the text of the manifest.
pub const SECTION: &str = "caisson:manifest";
/// The highest `format` that is understood.
pub const FORMAT: u32 = 1;

/// The manifest of a module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    #[serde(default = "format")]
    pub format: u32,
    #[serde(default)]
    pub module: ModuleInfo,
    #[serde(default)]
    pub plugins: Vec<Plugin>,
}

/// Name and origin of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModuleInfo {
    pub name: String,
    pub version: String,
    pub description: String,
    pub homepage: String,
    pub license: String,
}

/// One plugin of a module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plugin {
    pub class: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    pub kind: PluginKind,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub documentation: String,
    #[serde(default)]
    pub keys: Vec<Key>,
    #[serde(default)]
    pub encoding: Encodings,
    #[serde(default)]
    pub abilities: Vec<String>,
    #[serde(default)]
    pub grants: Grants,
    /// Texts such as `256MiB` by the name of the limit.
    #[serde(default, deserialize_with = "texts")]
    pub limits: BTreeMap<String, String>,
}

/// What a plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginKind {
    Source,
    Sink,
    Transform,
    Predicate,
    Converter,
    HeaderConverter,
}

/// What a plugin wants to reach, as patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grants {
    pub network: Vec<String>,
    pub read: Vec<String>,
    pub write: Vec<String>,
    pub environment: Vec<String>,
}

/// Words of `abilities`; each that a plugin lacks saves calls.
pub mod ability {
    pub const VALIDATES: &str = "validates";
    pub const DELIVERY_REPORTS: &str = "delivery-reports";
    pub const TRANSACTION_BOUNDARIES: &str = "transaction-boundaries";
    pub const ALTERS_OFFSETS: &str = "alters-offsets";
    pub const EXACTLY_ONCE: &str = "exactly-once";
    pub const EXCLUSIVE: &str = "exclusive";
    pub const WARMS: &str = "warms";
    pub const JSON_WHEN_SCHEMALESS: &str = "json-when-schemaless";
}

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("manifest is not valid: {0}")]
    Json(#[from] serde_json::Error),
    #[error("manifest has format {0}, of which only {FORMAT} and below are understood")]
    Format(u32),
    #[error("manifest has no name for a plugin")]
    Unnamed,
    #[error("manifest has plugin {0} twice")]
    Twice(String),
}

impl PluginKind {
    /// As in the manifest and in `GET /connector-plugins`: `source`, `header-converter`.
    pub fn as_str(self) -> &'static str {
        match self {
            PluginKind::Source => "source",
            PluginKind::Sink => "sink",
            PluginKind::Transform => "transform",
            PluginKind::Predicate => "predicate",
            PluginKind::Converter => "converter",
            PluginKind::HeaderConverter => "header-converter",
        }
    }

    pub fn is_connector(self) -> bool {
        matches!(self, PluginKind::Source | PluginKind::Sink)
    }
}

impl std::fmt::Display for PluginKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Plugin {
    /// A plugin without keys, abilities, grants or limits.
    pub fn new(class: impl Into<String>, kind: PluginKind, version: impl Into<String>) -> Self {
        Plugin {
            class: class.into(),
            aliases: Vec::new(),
            kind,
            version: version.into(),
            documentation: String::new(),
            keys: Vec::new(),
            encoding: Encodings::default(),
            abilities: Vec::new(),
            grants: Grants::default(),
            limits: BTreeMap::new(),
        }
    }

    pub fn has(&self, ability: &str) -> bool {
        self.abilities.iter().any(|word| word == ability)
    }

    /// Whether a configuration that names `class` means this plugin.
    pub fn answers_to(&self, class: &str) -> bool {
        self.class == class || self.aliases.iter().any(|alias| alias == class)
    }

    pub fn config_def(&self) -> ConfigDef {
        ConfigDef {
            keys: self.keys.clone(),
        }
    }
}

impl Default for Manifest {
    fn default() -> Self {
        Manifest {
            format: FORMAT,
            module: ModuleInfo::default(),
            plugins: Vec::new(),
        }
    }
}

impl Manifest {
    pub fn from_json(text: &str) -> Result<Manifest, ManifestError> {
        /// `format` goes first: what it means to be of a later format is not known here.
        #[derive(Deserialize)]
        struct Format {
            #[serde(default = "format")]
            format: u32,
        }
        let Format { format } = serde_json::from_str(text)?;
        if format > FORMAT {
            return Err(ManifestError::Format(format));
        }
        let manifest: Manifest = serde_json::from_str(text)?;
        for (i, plugin) in manifest.plugins.iter().enumerate() {
            if plugin.class.is_empty() {
                return Err(ManifestError::Unnamed);
            }
            if manifest.plugins[..i]
                .iter()
                .any(|other| other.class == plugin.class && other.kind == plugin.kind)
            {
                return Err(ManifestError::Twice(plugin.class.clone()));
            }
        }
        Ok(manifest)
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a manifest has no maps but those with text for keys")
    }

    /// The plugin that a configuration means by `class`.
    pub fn plugin(&self, class: &str) -> Option<&Plugin> {
        let exact = self.plugins.iter().find(|plugin| plugin.class == class);
        exact.or_else(|| self.plugins.iter().find(|plugin| plugin.answers_to(class)))
    }

    /// Plugin, key and name of each validator that this version does not know.
    pub fn unknown_validators(&self) -> Vec<(&str, &str, &str)> {
        let mut unknown = Vec::new();
        for plugin in &self.plugins {
            for key in &plugin.keys {
                for name in key.validator.iter().flat_map(|validator| validator.unknown()) {
                    unknown.push((plugin.class.as_str(), key.name.as_str(), name));
                }
            }
        }
        unknown
    }
}

fn format() -> u32 {
    FORMAT
}

/// Numbers are as good as texts where limits are meant.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let members = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
    let text = |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    Ok(members.into_iter().map(|(name, value)| (name, text(value))).collect())
}
