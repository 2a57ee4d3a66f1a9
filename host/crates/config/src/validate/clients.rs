//! Settings of Kafka's clients that a connector changes (`producer.override.*` ...), as far as the worker makes such
//! clients for it.

use caisson_api::config::{ConfigError, Setting};
use caisson_api::manifest::PluginKind;
use caisson_api::value::java::sort_as_in_hash_map;

use super::Refusal;
use super::entry::{Entry, prefixed};
use super::infos::ConfigInfos;
use crate::given::Given;
use crate::tables::client::Client;
use crate::worker::{ExactlyOnce, Mode, OverridePolicy, WorkerConfig};

/// The clients that a connector with this configuration has, in the order in which their settings are shown.
pub(super) fn used(given: &Given, worker: &WorkerConfig, kind: PluginKind) -> Vec<Client> {
    let filled = |name: &str| given.get(name).is_some_and(|text| !text.trim().is_empty());
    let mut clients = Vec::new();
    if kind == PluginKind::Source {
        let exactly_once = match &worker.mode {
            Mode::Distributed(cluster) => cluster.exactly_once == ExactlyOnce::Enabled,
            Mode::Standalone { .. } => false,
        };
        let own_offsets = exactly_once || filled("offsets.storage.topic");
        clients.push(Client::Producer);
        if own_offsets {
            clients.push(Client::Consumer);
        }
        if own_offsets || given.below("topic.creation.").next().is_some() {
            clients.push(Client::Admin);
        }
    } else {
        let letters = filled("errors.deadletterqueue.topic.name");
        clients.extend(letters.then_some(Client::Producer));
        clients.push(Client::Consumer);
        clients.extend(letters.then_some(Client::Admin));
    }
    clients
}

/// One entry for each setting that is changed.
pub(super) fn validate(client: Client, given: &Given, policy: &OverridePolicy) -> Result<ConfigInfos, Refusal> {
    let prefix = client.override_prefix();
    // What shares a place in the map of the client's settings comes in the order of the map of all settings.
    let mut changed: Vec<(&str, Option<&str>)> = given.iter().collect();
    sort_as_in_hash_map(&mut changed, |(name, _)| name);
    let changed: Vec<(&str, Option<&str>)> = changed
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)))
        .collect();
    if changed.is_empty() {
        return Ok(ConfigInfos::default());
    }
    let table = client.definitions();
    let entry = |(name, text): (&str, Option<&str>)| -> Result<Entry, ConfigError> {
        let mut entry = Entry::undefined(name, text);
        if let Some(definition) = table.iter().find(|definition| definition.name() == name) {
            entry.value = match text {
                Some(text) => Setting::parse(name, text, definition.key.kind)?,
                None => Setting::Null,
            };
            entry.definition = Some(definition.clone());
        }
        entry.errors.extend(policy.refusal(name));
        Ok(entry)
    };
    let entries = changed.into_iter().map(entry).collect::<Result<Vec<_>, _>>();
    let mut entries = entries.map_err(|error| Refusal::ClientSetting(error.0))?;
    sort_as_in_hash_map(&mut entries, |entry| &entry.name);
    Ok(prefixed(entries, prefix))
}
