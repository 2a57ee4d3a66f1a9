//! Compares the tables with the definitions that Kafka Connect 4.3.1 printed of itself
//! (`tests/conformance/vectors/configdump.json`): names, types, defaults, places and checks, in order.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use caisson_api::config::ConfigDef;
use caisson_config::tables::{self, links, topic_creation};
use caisson_config::validate::KeyInfo;
use caisson_config::{Definition, Given, builtin};
use serde_json::{Value, json};

fn definitions(of: &str, props: &Given) -> Vec<Definition> {
    let enriched = |mut all: Vec<Definition>, more: Vec<Definition>| {
        all.extend(more);
        all
    };
    match of {
        "connector" => tables::connector(),
        "source" => tables::source(),
        "sink" => tables::sink(),
        "worker" => tables::worker(),
        "standalone" => tables::standalone(),
        "distributed" => tables::distributed(),
        "topic-creation-default" => topic_creation::default_group(),
        // The recording gave these two numbers.
        "topic-creation-group" => topic_creation::group(props.get("group").unwrap(), 2, 4),
        "enriched-sink" => enriched(tables::sink(), links::framework(props)),
        "enriched-source" => enriched(tables::source(), links::framework(props)),
        "source-topic-creation" => enriched(tables::source(), topic_creation::embedded(props)),
        class => {
            let plugin = builtin::plugins("").into_iter().find(|plugin| plugin.class == class);
            plugin.unwrap_or_else(|| panic!("no plugin {class}")).keys.to_vec()
        }
    }
}

fn dump(definition: &Definition) -> Value {
    let key = KeyInfo::new(&definition.key, "");
    json!({
        "name": key.name,
        "type": key.kind.as_str(),
        "required": key.required,
        "default_value": key.default_value,
        "importance": key.importance.as_str(),
        "group": key.group,
        "order_in_group": key.order_in_group,
        "width": key.width.as_str(),
        "display_name": key.display_name,
        "dependents": key.dependents,
        "validator": definition.key.validator.as_ref().map(|validator| validator.to_text(key.kind)),
    })
}

#[test]
fn tables_are_as_kafka_connect_has_them() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/conformance/vectors/configdump.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut failed = Vec::new();
    for vector in vectors["vectors"].as_array().unwrap() {
        let input = &vector["input"];
        let props = input["props"].as_object().cloned().unwrap_or_default();
        let props: Given = props
            .into_iter()
            .map(|(name, value)| (name, value.as_str().map(str::to_owned)))
            .collect();
        let definitions = definitions(input["of"].as_str().unwrap(), &props);
        let got: Vec<Value> = definitions.iter().map(dump).collect();
        let wanted = vector["expect"]["keys"].as_array().unwrap();
        let id = &vector["id"];
        if got.len() != wanted.len() {
            failed.push(format!("{id}: {} keys, want {}", got.len(), wanted.len()));
        }
        for (want, got) in wanted.iter().zip(&got).filter(|(want, got)| want != got) {
            failed.push(format!("{id}:\n  want {want}\n  got  {got}"));
        }
        let definition: ConfigDef = definitions.into_iter().map(|definition| definition.key).collect();
        let groups = json!(definition.groups());
        if groups != vector["expect"]["groups"] {
            failed.push(format!("{id}: groups {groups}, want {}", vector["expect"]["groups"]));
        }
    }
    assert!(
        failed.is_empty(),
        "{} differences:\n{}",
        failed.len(),
        failed.join("\n")
    );
}
