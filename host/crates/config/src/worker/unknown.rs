//! Keys of a worker's configuration that nobody knows: mostly slips, and a slip that goes unnoticed is a default that
//! nobody wanted.

use std::collections::BTreeSet;

use caisson_api::config::Key;

use crate::definition::Definition;
use crate::given::Given;
use crate::suggest;
use crate::tables;
use crate::tables::client::Client;

/// Below these everything is allowed: plugins, clients and topics have their own keys.
const PREFIXES: [&str; 14] = [
    "producer.",
    "consumer.",
    "admin.",
    "key.converter.",
    "value.converter.",
    "header.converter.",
    "config.providers.",
    "listeners.https.",
    "admin.listeners.https.",
    "metrics.context.",
    "metrics.jmx.",
    "offset.storage.",
    "config.storage.",
    "status.storage.",
];

/// Keys that were there once; Kafka Connect says so and goes on.
const GONE: [&str; 2] = ["internal.key.converter", "internal.value.converter"];

/// One sentence for each unknown key, with the known one that is near.
pub fn warnings(given: &Given, table: &[Definition], more: &[Key]) -> Vec<String> {
    // Settings of one mode do no harm in the other, as do those of clients.
    let others = tables::distributed().into_iter().chain(tables::standalone());
    let clients = Client::ALL.into_iter().flat_map(Client::definitions);
    let mut known: BTreeSet<String> = others.chain(clients).map(|definition| definition.key.name).collect();
    known.extend(table.iter().map(|definition| definition.key.name.clone()));
    known.extend(more.iter().map(|key| key.name.clone()));
    given
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !known.contains(*name) && !PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
        .map(|name| describe(name, &known))
        .collect()
}

fn describe(name: &str, known: &BTreeSet<String>) -> String {
    if GONE
        .iter()
        .any(|gone| name == *gone || name.starts_with(&format!("{gone}.")))
    {
        return format!("key `{name}` has no effect: internal data is always JSON without schemas");
    }
    if let Some(near) = suggest::nearest(name, known.iter().map(String::as_str)) {
        return format!("unknown key `{name}`, did you mean `{near}`?");
    }
    // `producr.acks`: the prefix is the slip.
    let near = PREFIXES.into_iter().find_map(|prefix| {
        let dots = prefix.matches('.').count();
        let end = name.match_indices('.').nth(dots - 1)?.0 + 1;
        suggest::nearest(&name[..end], [prefix].into_iter()).map(|_| format!("{prefix}{}", &name[end..]))
    });
    match near {
        Some(near) => format!("unknown key `{name}`, did you mean `{near}`?"),
        None => format!("unknown key `{name}`: it has no effect"),
    }
}
