//! What a plugin says of itself: the part of the manifest that is its own.

use std::collections::BTreeMap;

use caisson_api::config::{ConfigDef, Key};
use caisson_api::frame::{Encoding, Encodings};
use caisson_api::manifest::{self, Grants, Manifest, PluginKind, ability};

use crate::registry::Registry;

/// What a plugin can do beyond the least. Each that is missing saves calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ability {
    /// `validate` has more to say than the declared keys.
    Validates,
    /// A source wants to know what became of its records.
    DeliveryReports,
    /// A source says itself where transactions end.
    TransactionBoundaries,
    /// `alter_offsets` wants to see new offsets before they are stored.
    AltersOffsets,
    /// `exactly_once` may answer that it is supported.
    ExactlyOnce,
    /// Two instances of a task must never overlap.
    Exclusive,
    /// May be warmed with records and thrown away.
    Warms,
    /// A sink whose columns are `connect` takes one as JSON text where values are JSON and have no schemas anyway.
    JsonWhenSchemaless,
}

impl Ability {
    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Ability::Validates => ability::VALIDATES,
            Ability::DeliveryReports => ability::DELIVERY_REPORTS,
            Ability::TransactionBoundaries => ability::TRANSACTION_BOUNDARIES,
            Ability::AltersOffsets => ability::ALTERS_OFFSETS,
            Ability::ExactlyOnce => ability::EXACTLY_ONCE,
            Ability::Exclusive => ability::EXCLUSIVE,
            Ability::Warms => ability::WARMS,
            Ability::JsonWhenSchemaless => ability::JSON_WHEN_SCHEMALESS,
        }
    }
}

/// The description of one plugin.
///
/// ```
/// use caisson_sdk::prelude::*;
///
/// let plugin = Plugin::new("org.example.TailSource", "1.2.0")
///     .alias("TailSource")
///     .documentation("Lines of a file, as they come.")
///     .key(Key::new("file", Type::String).importance(Importance::High).documentation("What to read."))
///     .value_encoding(Encoding::Connect)
///     .read("${file}");
/// # let _ = plugin;
/// ```
#[derive(Clone, Debug)]
pub struct Plugin {
    class: String,
    aliases: Vec<String>,
    version: String,
    documentation: String,
    config: ConfigDef,
    encodings: Encodings,
    abilities: Vec<Ability>,
    grants: Grants,
    limits: BTreeMap<String, String>,
}

impl Plugin {
    /// `class` is what `connector.class` or `transforms.x.type` will name.
    pub fn new(class: impl Into<String>, version: impl Into<String>) -> Self {
        Plugin {
            class: class.into(),
            aliases: Vec::new(),
            version: version.into(),
            documentation: String::new(),
            config: ConfigDef::default(),
            encodings: Encodings::default(),
            abilities: Vec::new(),
            grants: Grants::default(),
            limits: BTreeMap::new(),
        }
    }

    /// Another name for the class.
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.aliases.push(alias.into());
        self
    }

    /// One or two sentences.
    pub fn documentation(mut self, text: impl Into<String>) -> Self {
        self.documentation = text.into();
        self
    }

    /// Adds a configuration key.
    pub fn key(mut self, key: Key) -> Self {
        self.config.keys.push(key);
        self
    }

    /// How keys of records reach or leave the plugin; `bytes` unless said.
    pub fn key_encoding(mut self, encoding: Encoding) -> Self {
        self.encodings.key = encoding;
        self
    }

    /// How values of records reach or leave the plugin; `bytes` unless said.
    pub fn value_encoding(mut self, encoding: Encoding) -> Self {
        self.encodings.value = encoding;
        self
    }

    /// How headers of records reach or leave the plugin; `bytes` unless said.
    pub fn header_encoding(mut self, encoding: Encoding) -> Self {
        self.encodings.headers = encoding;
        self
    }

    pub fn ability(mut self, ability: Ability) -> Self {
        self.abilities.push(ability);
        self
    }

    /// A file to read: a path, or `${key}` for the one that the configuration names; `-` is standard input, for when
    /// it names none.
    pub fn read(mut self, path: impl Into<String>) -> Self {
        self.grants.read.push(path.into());
        self
    }

    /// A file to write, as [`Plugin::read`]; `-` is standard output.
    pub fn write(mut self, path: impl Into<String>) -> Self {
        self.grants.write.push(path.into());
        self
    }

    /// A host to reach: `host:port`, `${host.key}:${port.key}`, or `${url.key}`.
    pub fn network(mut self, endpoint: impl Into<String>) -> Self {
        self.grants.network.push(endpoint.into());
        self
    }

    /// An environment variable to see.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.grants.environment.push(name.into());
        self
    }

    /// Memory to ask for beyond the default, such as `256MiB`.
    pub fn memory(mut self, size: impl Into<String>) -> Self {
        self.limits.insert("memory".to_string(), size.into());
        self
    }

    pub fn config(&self) -> &ConfigDef {
        &self.config
    }

    pub fn class(&self) -> &str {
        &self.class
    }

    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    pub fn encodings(&self) -> Encodings {
        self.encodings
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn answers_to(&self, class: &str) -> bool {
        self.class == class || self.aliases.iter().any(|alias| alias == class)
    }

    fn into_manifest(self, kind: PluginKind) -> manifest::Plugin {
        manifest::Plugin {
            class: self.class,
            aliases: self.aliases,
            kind,
            version: self.version,
            documentation: self.documentation,
            keys: self.config.keys,
            encoding: self.encodings,
            abilities: self
                .abilities
                .into_iter()
                .map(|ability| ability.as_str().to_string())
                .collect(),
            grants: self.grants,
            limits: self.limits,
        }
    }
}

/// The manifest of a module.
pub fn manifest<R: Registry>() -> Manifest {
    let sources = R::SOURCES.iter().map(|each| ((each.plugin)(), PluginKind::Source));
    let sinks = R::SINKS.iter().map(|each| ((each.plugin)(), PluginKind::Sink));
    let transforms = R::TRANSFORMS
        .iter()
        .map(|each| ((each.plugin)(), PluginKind::Transform));
    let predicates = R::PREDICATES
        .iter()
        .map(|each| ((each.plugin)(), PluginKind::Predicate));
    let converters = R::CONVERTERS
        .iter()
        .map(|each| ((each.plugin)(), PluginKind::Converter));
    let header_converters = R::HEADER_CONVERTERS
        .iter()
        .map(|each| ((each.plugin)(), PluginKind::HeaderConverter));
    let links = transforms.chain(predicates);
    let all = sources
        .chain(sinks)
        .chain(links)
        .chain(converters)
        .chain(header_converters);
    Manifest {
        format: manifest::FORMAT,
        module: R::module(),
        plugins: all.map(|(plugin, kind)| plugin.into_manifest(kind)).collect(),
    }
}
