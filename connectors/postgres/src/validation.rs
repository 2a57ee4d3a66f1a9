//! What there is to say about a configuration before anything is made of it: each key on its own, all of them together,
//! and whether the server is as it has to be.

use std::collections::BTreeMap;

use caisson_sdk::api::config::{Config, ConfigDef};
use caisson_sdk::settings::{ConfigValue, Settings};

use crate::catalog;
use crate::config::{Options, keys, out_of_range, refused};
use crate::error::{Error, Result};
use crate::server;

/// Keys without which nothing goes.
const REQUIRED: [&str; 4] = ["topic.prefix", "database.hostname", "database.user", "database.dbname"];

/// One answer for each key of the connector.
pub fn validate(config: &Config) -> Vec<ConfigValue> {
    let mut errors: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let known = |name: &str| keys::rows().map(|(_, _, row)| row.name).find(|known| *known == name);
    for key in REQUIRED {
        if config.get(key).is_none_or(|value| value.trim().is_empty()) {
            let text = format!("The '{key}' value is invalid: A value is required");
            errors.entry(key).or_default().push(text);
        }
    }
    for (key, reason) in refused(config).into_iter().chain(out_of_range(config)) {
        errors.entry(key).or_default().push(reason);
    }
    for (key, text) in faults(config, errors.keys().copied()) {
        errors
            .entry(known(&key).unwrap_or("database.hostname"))
            .or_default()
            .push(text);
    }
    keys::rows()
        .map(|(_, _, row)| ConfigValue {
            name: row.name.to_owned(),
            recommended_values: row.choices.iter().map(|choice| (*choice).to_owned()).collect(),
            errors: errors.remove(row.name).unwrap_or_default(),
            visible: row.name != "schema.exclude.list",
        })
        .collect()
}

/// The faults beside those that were found before, each with the key that it belongs to. The server is asked only if there are
/// none.
fn faults<'k>(config: &Config, found: impl Iterator<Item = &'k str>) -> Vec<(String, String)> {
    const MOST: usize = 30;
    let mut config = config.clone();
    let mut is_good = true;
    for key in found {
        is_good = false;
        set_aside(&mut config, key);
    }
    let mut faults = Vec::new();
    while faults.len() < MOST {
        match read(&config) {
            Ok(options) => {
                if is_good && let Err(error) = check_server(&options) {
                    faults.push((key_of_server_error(&error).to_owned(), text(error)));
                }
                break;
            }
            Err((key, text)) => {
                is_good = false;
                let is_set_aside = set_aside(&mut config, &key);
                faults.push((key, text));
                if !is_set_aside {
                    break;
                }
            }
        }
    }
    faults
}

/// Takes a key's fault away, so that those of others can be seen. False: it is there for another reason.
fn set_aside(config: &mut Config, key: &str) -> bool {
    let before = config.entries.len();
    config.entries.retain(|(name, _)| name != key);
    let is_required = REQUIRED.contains(&key);
    if is_required {
        config.entries.push((key.to_owned(), "x".to_owned()));
    }
    is_required || config.entries.len() < before
}

/// The options, or the first fault and its key.
fn read(config: &Config) -> std::result::Result<Options, (String, String)> {
    let definitions: ConfigDef = keys::definitions().collect();
    let settings = Settings::parse(&definitions, config.clone()).map_err(|error| {
        let key = key_in(&error.message, "configuration ").or_else(|| key_in(&error.message, "for configuration "));
        (key.unwrap_or_default(), error.message)
    })?;
    Options::read(&settings).map_err(|error| {
        let message = error.to_string();
        (key_of(&message).unwrap_or_default(), message)
    })
}

/// The word that follows `mark`.
fn key_in(message: &str, mark: &str) -> Option<String> {
    let rest = message.split_once(mark)?.1;
    Some(rest.split([':', ' ', '"']).find(|word| !word.is_empty())?.to_owned())
}

/// The key that one of our own messages begins with or quotes.
fn key_of(message: &str) -> Option<String> {
    match message.strip_prefix("The '") {
        Some(rest) => rest.split_once('\'').map(|(key, _)| key.to_owned()),
        None => {
            let word = message.trim_start_matches('"').split([':', ' ', '"']).next()?;
            let key = keys::rows()
                .map(|(_, _, row)| row.name)
                .filter(|name| word.starts_with(name))
                .max_by_key(|name| name.len());
            Some(key.unwrap_or(word).to_owned())
        }
    }
}

fn text(error: Error) -> String {
    format!(
        "Error while validating connector config: {}",
        caisson_sdk::api::Error::from(error).message
    )
}

/// Connects once and looks whether what the connector will need is there.
fn check_server(options: &Options) -> Result<()> {
    let mut session = server::connect(options)?;
    server::check(&mut session, options)?;
    let mut captured = catalog::list_tables(&mut session)?;
    captured.retain(|table| options.tables.takes(&table.name.schema, &table.name.table));
    options.guardrail.check(captured.len())?;
    if options.snapshot.mode.streams() {
        server::slot_state(&mut session, options)?;
        server::check_publication(&mut session, options, &captured)?;
    }
    for table in catalog::describe(&mut session, &captured)? {
        if table.key.is_empty() && table.identity != catalog::Identity::Full {
            let name = table.name.to_string();
            caisson_sdk::warn!(
                "a captured table has no primary key: its records have no key, and once it is published, PostgreSQL \
                 refuses to update or delete its rows unless it has one or REPLICA IDENTITY FULL";
                table = name
            );
        }
    }
    session.close();
    Ok(())
}

/// Which key people have to look at.
fn key_of_server_error(error: &Error) -> &'static str {
    match error {
        Error::Server(server) => match server.code.as_str() {
            "28P01" => "database.password",
            "28000" => "database.user",
            "3D000" => "database.dbname",
            _ => "database.hostname",
        },
        Error::Net(net) if net.message.contains("certificate") => "database.sslmode",
        Error::Config(message) => {
            let keys = [
                ("publication ", "publication.name"),
                ("replication slot", "slot.name"),
                ("may not replicate", "database.user"),
                ("database.sslmode", "database.sslmode"),
                ("database.sslrootcert", "database.sslrootcert"),
                ("database.sslcert", "database.sslcert"),
                ("database.sslkey", "database.sslkey"),
                ("database.password", "database.password"),
            ];
            keys.iter()
                .find(|(mark, _)| message.contains(mark))
                .map_or("database.hostname", |(_, key)| key)
        }
        _ => "database.hostname",
    }
}
