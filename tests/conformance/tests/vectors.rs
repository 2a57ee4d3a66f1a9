//! Everything that the worker shares with Kafka Connect, against what Kafka Connect did.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use caisson_api::config::{Default, Key};
use caisson_conformance::{VectorFile, own_vectors, replay_all};
use caisson_convert::registry::Bundled;
use serde_json::Value as Json;

#[test]
fn the_vectors_of_the_kinds_at_hand_pass() {
    let report = replay_all(&own_vectors()).unwrap();
    println!("{report}");
    assert_eq!(report.failed(), 0, "{report}");
}

#[test]
fn the_bundled_converters_have_kafka_connects_keys() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/configdump.json");
    let mut checked = 0;
    for vector in VectorFile::read(&path).unwrap().vectors {
        let Some(bundled) = Bundled::all().find(|bundled| vector.input["of"] == bundled.class()) else {
            continue;
        };
        let keys: Vec<_> = bundled.config_def().keys.iter().map(described).collect();
        let expected: Vec<_> = vector.expect["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(without_validator)
            .collect();
        assert_eq!(keys, expected, "{}", vector.id);
        checked += 1;
    }
    assert!(checked > 0);
}

/// A key with the members of the REST answer, without the text of its validator.
fn described(key: &Key) -> Json {
    serde_json::json!({
        "name": key.name,
        "type": key.kind.as_str(),
        "required": key.default == Default::Required,
        "default_value": if let Default::Text(text) = &key.default { Some(text) } else { None },
        "importance": key.importance.as_str(),
        "group": key.group,
        "order_in_group": key.order,
        "width": key.width.as_str(),
        "display_name": key.display,
        "dependents": key.dependents,
    })
}

fn without_validator(key: &Json) -> Json {
    let mut key = key.clone();
    key.as_object_mut().unwrap().remove("validator");
    key
}
