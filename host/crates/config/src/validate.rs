//! Validation of a connector's configuration, entry by entry, as `PUT /connector-plugins/{plugin}/config/validate` answers
//! it and as every creation asks for first.

mod chain;
mod clients;
mod converters;
mod entry;
mod infos;
mod sink;
mod source;

use caisson_api::manifest::PluginKind;

use crate::definition::Definition;
use crate::given::Given;
use crate::plugins::{self, Missing, PluginInfo, Plugins, Role};
use crate::providers::{Resolved, Secrets};
use crate::tables;
use crate::worker::WorkerConfig;

use entry::{Entries, Entry};

pub use chain::check_links;
pub use infos::{ConfigInfo, ConfigInfos, KeyInfo, ValueInfo};

/// What is validated, and against what.
pub struct Request<'a> {
    /// As it was given; this is what the answer shows.
    pub given: &'a Given,
    /// With variables looked up; this is what is checked.
    pub resolved: &'a Resolved,
    pub worker: &'a WorkerConfig,
    pub plugins: &'a dyn Plugins,
    pub own: &'a OwnAnswers,
}

/// What the connector's plugin says about the configuration itself. A plugin that was not asked has nothing to say.
#[derive(Clone, Debug, Default)]
pub struct OwnAnswers {
    /// Keys with something to tell beyond the declared checks.
    pub values: Vec<OwnValue>,
    /// `None`: it does not know, or does not know the question. Asked of sources that require exactly-once support.
    pub exactly_once: Option<Support>,
    /// `None`: as for `exactly_once`. Asked of sources that are to define transactions.
    pub transaction_boundaries: Option<Support>,
}

/// What a plugin says about one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnValue {
    pub name: String,
    pub recommended_values: Vec<String>,
    /// Instead of those that the declared checks found, if there are any.
    pub errors: Vec<String>,
    pub visible: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Supported,
    Unsupported,
}

/// A configuration that cannot be validated entry by entry; texts are Kafka Connect's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Connector config {{{0}}} contains no connector type")]
    NoClass(String),
    #[error("{0}")]
    UnknownClass(String),
    /// `connector.plugin.version` is no version and no range.
    #[error("{0}")]
    Version(String),
    /// A client setting that is no value of its type.
    #[error("{0}")]
    ClientSetting(String),
}

/// The plugin that a configuration names. `Ok(Err(..))`: there is one, but in no version that is wanted.
fn connector(plugins: &dyn Plugins, given: &Given, shown: &Given) -> Result<Result<PluginInfo, Missing>, Refusal> {
    let Some(class) = given.get("connector.class") else {
        let pairs: Vec<String> = shown
            .iter()
            .map(|(name, value)| format!("{name}={}", value.unwrap_or("null")))
            .collect();
        return Err(Refusal::NoClass(pairs.join(", ")));
    };
    let version = given.get("connector.plugin.version");
    match plugins::find(plugins, Role::Connector, class.trim(), version) {
        Ok(plugin) => Ok(Ok(plugin)),
        Err(Missing::Requirement(text)) => Err(Refusal::Version(text)),
        Err(error @ Missing::Version { .. }) => Ok(Err(error)),
        Err(Missing::Class(_) | Missing::Interface { .. } | Missing::Abstract { .. }) => {
            Err(Refusal::UnknownClass(unknown_class(plugins, class)))
        }
    }
}

/// The plugin that a configuration with variables looked up names, so that it can be asked for its own answers.
pub fn find_connector(plugins: &dyn Plugins, given: &Given) -> Result<PluginInfo, Refusal> {
    match connector(plugins, given, &Given::default())? {
        Ok(plugin) => Ok(plugin),
        Err(missing) => Err(Refusal::UnknownClass(missing.to_string())),
    }
}

fn unknown_class(plugins: &dyn Plugins, class: &str) -> String {
    let mut available = Vec::new();
    for known in plugins.classes(Role::Connector) {
        for plugin in plugins.versions(Role::Connector, &known) {
            let kind = match plugin.kind {
                PluginKind::Source => "source",
                PluginKind::Sink
                | PluginKind::Transform
                | PluginKind::Predicate
                | PluginKind::Converter
                | PluginKind::HeaderConverter => "sink",
            };
            let version = &plugin.version;
            available.push(format!(
                "PluginDesc{{klass=class {known}, name='{known}', version='{version}', encodedVersion={version}, type={kind}, typeName='{kind}'}}"
            ));
        }
    }
    let available = available.join(", ");
    format!(
        "Failed to find any class that implements Connector and which name matches {class}, available connectors are: {available}"
    )
}

/// Validates a connector's configuration.
pub fn validate(request: &Request<'_>) -> Result<ConfigInfos, Refusal> {
    let given = &request.resolved.given;
    let plugin = match connector(request.plugins, given, request.given)? {
        Ok(plugin) => plugin,
        Err(missing) => return Ok(wrong_version(request, &missing)),
    };
    let is_source = plugin.kind == PluginKind::Source;
    let mut table = if is_source { tables::source() } else { tables::sink() };
    worker_defaults(&mut table, &plugin, request);
    let mut entries = Entries::evaluate(table.iter(), given, request.plugins);
    chain::expand(&mut entries, given, request.plugins);
    converters::check_versions(&mut entries, given, request.plugins);
    if is_source {
        source::check(&mut entries, request);
    } else {
        sink::check(&mut entries, request);
    }
    entries.add_null_errors(given);
    let own = plugin.keys.iter().map(|definition| own_entry(definition, request));
    entries.take_over(own.collect());
    entries.take_over(own_extras(given, request.plugins));
    // A plugin may find fault with a key that is every connector's, such as the topics of a sink.
    for value in &request.own.values {
        if !plugin.keys.iter().any(|definition| definition.name() == value.name) {
            for error in &value.errors {
                entries.add_error(&value.name, error.clone());
            }
        }
    }
    // Kafka Connect counts messages here, and entries with messages in what follows.
    let mut infos = entries.into_infos(given.get("connector.class").unwrap_or_default());
    for client in clients::used(given, request.worker, plugin.kind) {
        infos.merge(clients::validate(client, given, &request.worker.override_policy)?);
    }
    for converter in converters::validate(given, request.plugins, &mut infos) {
        infos.merge(converter);
    }
    infos.hide(&Secrets::new(request.given, request.resolved));
    Ok(infos)
}

/// Where no version fits, only the keys of every connector are validated.
fn wrong_version(request: &Request<'_>, missing: &Missing) -> ConfigInfos {
    let given = &request.resolved.given;
    let mut table = tables::connector();
    let class = given.get("connector.class").unwrap_or_default();
    let newest = request.plugins.versions(Role::Connector, class.trim());
    let newest = newest.first().map(|plugin| plugin.version.clone());
    set_default(&mut table, "connector.plugin.version", newest);
    let mut entries = Entries::evaluate(table.iter(), given, request.plugins);
    for name in ["connector.class", "connector.plugin.version"] {
        entries.add_error(name, missing.to_string());
    }
    let versions = request.plugins.versions(Role::Connector, class);
    entries.recommend(
        "connector.plugin.version",
        versions.into_iter().map(|plugin| plugin.version).collect(),
    );
    // Nobody looks at converters then.
    for name in ["key.converter", "value.converter", "header.converter"] {
        entries.recommend(name, Vec::new());
        let given = entries.get(name).is_some_and(|entry| !entry.value.is_null());
        entries.show(&format!("{name}.plugin.version"), given);
    }
    entries.add_null_errors(given);
    let mut infos = entries.into_infos(class);
    infos.hide(&Secrets::new(request.given, request.resolved));
    infos
}

/// Defaults that depend on the worker and on what is installed.
fn worker_defaults(table: &mut [Definition], plugin: &PluginInfo, request: &Request<'_>) {
    let worker = request.worker;
    let given = &request.resolved.given;
    let mut set = |name: &str, text: Option<String>| set_default(table, name, text);
    set("connector.plugin.version", Some(plugin.version.clone()));
    for (name, converter, role) in [
        ("key.converter", &worker.key_converter, Role::Converter),
        ("value.converter", &worker.value_converter, Role::Converter),
        ("header.converter", &worker.header_converter, Role::HeaderConverter),
    ] {
        let default = plugins::find(request.plugins, role, &converter.class, converter.version.as_deref()).ok();
        let class = default.as_ref().map_or(&converter.class, |plugin| &plugin.class);
        set(name, Some(class.clone()));
        let version = match given.get(name) {
            Some(class) => request
                .plugins
                .versions(role, class)
                .first()
                .map(|plugin| plugin.version.clone()),
            None => default.map(|plugin| plugin.version),
        };
        set(&format!("{name}.plugin.version"), version);
    }
}

fn set_default(table: &mut [Definition], name: &str, text: Option<String>) {
    let definition = table.iter_mut().find(|definition| definition.name() == name);
    if let (Some(definition), Some(text)) = (definition, text) {
        definition.key = definition.key.clone().default(text);
    }
}

/// Keys that only this worker knows, as far as they are given: whoever knows Kafka Connect's alone finds nothing else.
fn own_extras(given: &Given, plugins: &dyn Plugins) -> Vec<Entry> {
    let extras = tables::connector_extras();
    let given_ones = extras
        .iter()
        .filter(|definition| given.get(definition.name()).is_some());
    given_ones
        .map(|definition| Entry::evaluate(definition, 0, given, plugins))
        .collect()
}

fn own_entry(definition: &Definition, request: &Request<'_>) -> Entry {
    let mut entry = Entry::evaluate(definition, 0, &request.resolved.given, request.plugins);
    if let Some(own) = request.own.values.iter().find(|own| own.name == definition.name()) {
        if !own.errors.is_empty() {
            entry.errors.clone_from(&own.errors);
        }
        entry.recommended.clone_from(&own.recommended_values);
        entry.visible = own.visible;
    }
    entry
}

/// Kafka Connect's words if a validation was asked of another plugin than the configuration names.
pub fn type_mismatch(requested: &str, class: &str) -> Option<String> {
    let stem = |name: &str| name.strip_suffix("Connector").unwrap_or(name).to_owned();
    (!stem(class).ends_with(&stem(requested)))
        .then(|| format!("Included connector type {class} does not match request type {requested}"))
}

/// The keys of a plugin as `GET /connector-plugins/{plugin}/config` lists them: its own, then for a connector those of
/// every connector. `None`: there is no such plugin.
pub fn plugin_keys(plugins: &dyn Plugins, name: &str, version: Option<&str>) -> Option<Result<Vec<KeyInfo>, Missing>> {
    let role = Role::ALL
        .into_iter()
        .find(|role| !plugins.versions(*role, name).is_empty())?;
    Some(plugins::find(plugins, role, name, version).map(|plugin| {
        let mut framework = match plugin.kind {
            PluginKind::Source => tables::source(),
            PluginKind::Sink => tables::sink(),
            PluginKind::Transform | PluginKind::Predicate | PluginKind::Converter | PluginKind::HeaderConverter => {
                Vec::new()
            }
        };
        for definition in &mut framework {
            if definition.name() == "connector.plugin.version" {
                definition.key = definition.key.clone().default(plugin.version.clone());
            }
        }
        let own = |name: &str| plugin.keys.iter().any(|definition| definition.name() == name);
        let rest = framework.iter().filter(|definition| !own(definition.name()));
        plugin
            .keys
            .iter()
            .chain(rest)
            .map(|definition| KeyInfo::new(&definition.key, ""))
            .collect()
    }))
}
