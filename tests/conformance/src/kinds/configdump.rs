//! Definitions of keys, as the framework and its plugins print them: names, types, defaults, places and checks, in order.

use caisson_api::config::ConfigDef;
use caisson_config::tables::{self, links, topic_creation};
use caisson_config::validate::KeyInfo;
use caisson_config::{Definition, Given, builtin};
use serde_json::{Value as Json, json};

use crate::notation;
use crate::report::Outcome;

pub fn replay(input: &Json, expect: &Json) -> Outcome {
    let props: Given = notation::config(&input["props"]).into_iter().collect();
    let of = input["of"].as_str().unwrap_or_default();
    let Some(definitions) = definitions(of, &props) else {
        return Outcome::Failed(format!("there is no definition of {of}"));
    };
    let keys: Vec<Json> = definitions.iter().map(shown).collect();
    let wanted = expect["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (want, got) in wanted.iter().zip(&keys) {
        if want != got {
            return Outcome::Failed(format!("expected {want}, got {got}"));
        }
    }
    if keys.len() != wanted.len() {
        return Outcome::Failed(format!("{} keys, expected {}", keys.len(), wanted.len()));
    }
    let definition: ConfigDef = definitions.into_iter().map(|definition| definition.key).collect();
    let groups = json!(definition.groups());
    if groups != expect["groups"] {
        return Outcome::Failed(format!("groups {groups}, expected {}", expect["groups"]));
    }
    Outcome::Passed
}

fn definitions(of: &str, props: &Given) -> Option<Vec<Definition>> {
    let with = |mut all: Vec<Definition>, more: Vec<Definition>| {
        all.extend(more);
        all
    };
    Some(match of {
        "connector" => tables::connector(),
        "source" => tables::source(),
        "sink" => tables::sink(),
        "worker" => tables::worker(),
        "standalone" => tables::standalone(),
        "distributed" => tables::distributed(),
        "topic-creation-default" => topic_creation::default_group(),
        // The recordings gave the default group these two numbers.
        "topic-creation-group" => topic_creation::group(props.get("group")?, 2, 4),
        "enriched-sink" => with(tables::sink(), links::framework(props)),
        "enriched-source" => with(tables::source(), links::framework(props)),
        "source-topic-creation" => with(tables::source(), topic_creation::embedded(props)),
        class => {
            let plugins = builtin::plugins("");
            plugins.iter().find(|plugin| plugin.class == class)?.keys.to_vec()
        }
    })
}

/// A key with the members of REST's answer, the text of its check in the place of the documentation.
fn shown(definition: &Definition) -> Json {
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
        "validator": definition.key.validator.as_ref().map(|validator| validator.to_text()),
    })
}
