//! The reference of all configuration keys as Markdown.

use std::fmt::Write as _;

use caisson_api::config::{Default, Key, Type, Validator};

use crate::builtin;
use crate::definition::Definition;
use crate::tables;
use crate::tables::client::Client;

/// Renders the page; `sandbox` are the keys of the sandbox.
pub fn render(sandbox: &[Key]) -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         Written by `caisson docs`. Names, types and defaults are those of Kafka Connect 4.3, unless a heading says otherwise.\n\
         A value of the form `${provider:path:key}` is looked up by a configuration provider when it is used.\n",
    );
    let worker = tables::worker();
    section(
        &mut page,
        "Worker",
        "Keys of every worker, in its properties file. Settings of Kafka clients stand below `producer.`, `consumer.` and \
         `admin.`. The TLS of listeners is set by `ssl.*`, or, if there is one of them, by the same keys below \
         `listeners.https.` alone, and that of admin listeners likewise below `admin.listeners.https.`.",
        &tables::keys(&worker),
    );
    section(
        &mut page,
        "Standalone worker",
        "",
        &without(tables::standalone(), &worker),
    );
    section(
        &mut page,
        "Distributed worker",
        "",
        &without(tables::distributed(), &worker),
    );
    section(
        &mut page,
        "Caisson's own worker keys",
        "Kafka Connect does not have these, or has them elsewhere.",
        &tables::keys(&tables::extras()),
    );
    section(
        &mut page,
        "Sandbox",
        "What modules may use and reach; in the worker's properties file.",
        sandbox,
    );
    connectors(&mut page);
    plugins(&mut page);
    clients(&mut page);
    page
}

fn connectors(page: &mut String) {
    let common = tables::connector();
    section(page, "Connector", "Keys of every connector.", &tables::keys(&common));
    section(page, "Source connector", "", &without(tables::source(), &common));
    section(
        page,
        "Topic creation",
        "Below `topic.creation.NAME.` for each name of `topic.creation.groups`, and below `topic.creation.default.`. \
         Other keys there are settings of the topics.",
        &tables::keys(&tables::topic_creation::default_group()),
    );
    section(page, "Sink connector", "", &without(tables::sink(), &common));
    section(
        page,
        "Caisson's own connector keys",
        "Kafka Connect does not have these.",
        &tables::keys(&tables::connector_extras()),
    );
    section(
        page,
        "Caisson's own keys of transforms and predicates",
        "Below `transforms.NAME.` and `predicates.NAME.`.",
        &tables::keys(&tables::link_extras()),
    );
}

fn plugins(page: &mut String) {
    page.push_str(
        "\n## Standard converters, transforms and predicates\n\n\
         Keys stand below `key.converter.`, `value.converter.`, `header.converter.`, `transforms.NAME.` or `predicates.NAME.`.\n",
    );
    let all = builtin::plugins("");
    let mut written: Vec<&str> = Vec::new();
    for plugin in &all {
        // `Cast$Key` and `Cast$Value` have the same keys, as have converters of values and of headers.
        let class = plugin.class.split('$').next().unwrap_or_default();
        if written.contains(&class) {
            continue;
        }
        written.push(class);
        let forms: Vec<&str> = all
            .iter()
            .filter(|other| other.class.split('$').next() == Some(class))
            .filter_map(|other| other.class.split_once('$').map(|(_, form)| form))
            .collect();
        let _ = write!(page, "\n### {}\n\n`{class}`", class.rsplit('.').next().unwrap_or(class));
        if !forms.is_empty() {
            let _ = write!(page, ", as `${}`", forms.join("` and `$"));
        }
        page.push_str(".\n");
        if !plugin.keys.is_empty() {
            table(page, &tables::keys(&plugin.keys));
        }
    }
}

fn clients(page: &mut String) {
    for (client, title) in [
        (Client::Producer, "Producers of sources"),
        (Client::Consumer, "Consumers of sinks"),
        (Client::Admin, "Admin clients"),
    ] {
        let introduction = format!(
            "In the worker's configuration with the prefix `{}`, in a connector's with `{}`. Defaults are Kafka's own; \
             the worker has better ones for some.",
            client.prefix(),
            client.override_prefix()
        );
        section(page, title, &introduction, &tables::keys(&client.definitions()));
    }
}

fn without(all: Vec<Definition>, others: &[Definition]) -> Vec<Key> {
    all.into_iter()
        .map(|definition| definition.key)
        .filter(|key| !others.iter().any(|other| other.name() == key.name))
        .collect()
}

fn section(page: &mut String, title: &str, introduction: &str, keys: &[Key]) {
    let _ = write!(page, "\n## {title}\n");
    if !introduction.is_empty() {
        let _ = write!(page, "\n{introduction}\n");
    }
    table(page, keys);
}

fn table(page: &mut String, keys: &[Key]) {
    page.push_str("\n| key | type | default | meaning |\n|---|---|---|---|\n");
    for key in keys {
        let valid = key.validator.as_ref().map(Validator::to_text).unwrap_or_default();
        let valid = if valid.is_empty() || valid.starts_with("A concrete subclass") {
            String::new()
        } else {
            format!(" Valid: {}.", valid.trim_end_matches('.'))
        };
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {}{} |",
            key.name,
            key.kind.as_str().to_ascii_lowercase(),
            default(key),
            cell(&key.documentation),
            cell(&valid),
        );
    }
}

fn default(key: &Key) -> String {
    match &key.default {
        Default::Required => "required".to_owned(),
        Default::None => String::new(),
        Default::Text(text) if text.is_empty() && key.kind == Type::List => "none".to_owned(),
        Default::Text(text) if text.is_empty() => "empty".to_owned(),
        Default::Text(text) => format!("`{}`", cell(text)),
    }
}

/// Text that does not end the cell it stands in, and is no markup.
fn cell(text: &str) -> String {
    text.replace("<code>", "")
        .replace("</code>", "")
        .replace('|', "\\|")
        .replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_on_the_page_and_says_what_it_means() {
        let sandbox = [Key::new("sandbox.memory", Type::Long).documentation("Bytes of memory.")];
        let page = render(&sandbox);
        let sections = [
            tables::standalone(),
            tables::distributed(),
            tables::source(),
            tables::sink(),
            tables::extras(),
            tables::connector_extras(),
            tables::link_extras(),
        ];
        for definition in sections.iter().flatten() {
            let row = format!("| `{}` |", definition.name());
            assert!(page.contains(&row), "{row}");
            assert!(!definition.key.documentation.is_empty(), "{row}");
        }
        for definition in builtin::plugins("").iter().flat_map(|plugin| plugin.keys.iter()) {
            assert!(!definition.key.documentation.is_empty(), "{}", definition.name());
        }
        assert!(page.contains("| `sandbox.memory` | long | required | Bytes of memory. |"));
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        for row in rows {
            let bars = row.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 5, "{row}");
        }
    }
}
