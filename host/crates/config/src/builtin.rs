//! The standard converters, transforms and predicates, which the worker has without any module: what they are called
//! and which keys they have.

mod converters;
pub mod schema_registry;

use std::sync::Arc;

use caisson_api::manifest::PluginKind;
use caisson_sdk::plugin::Plugin;

use crate::definition::{Definition, Line, definitions};
use crate::plugins::PluginInfo;

pub use schema_registry::SchemaRegistryConverter;

/// All of these convert headers too.
const CONVERTERS: [(&str, &[Line]); 9] = [
    ("converters.BooleanConverter", converters::PRIMITIVE),
    ("converters.ByteArrayConverter", converters::PRIMITIVE),
    ("converters.DoubleConverter", converters::PRIMITIVE),
    ("converters.FloatConverter", converters::PRIMITIVE),
    ("converters.IntegerConverter", converters::PRIMITIVE),
    ("converters.LongConverter", converters::PRIMITIVE),
    ("converters.ShortConverter", converters::PRIMITIVE),
    ("json.JsonConverter", converters::JSON_CONVERTER),
    ("storage.StringConverter", converters::STRING_CONVERTER),
];

const PACKAGE: &str = "org.apache.kafka.connect";

/// All of them, as plugins of one version. What converts headers too is there twice, once of each kind.
pub fn plugins(version: &str) -> Vec<PluginInfo> {
    let mut all = Vec::new();
    let mut add = |kind, class: String, keys: &Arc<[Definition]>| {
        all.push(PluginInfo {
            class,
            kind,
            version: version.to_owned(),
            keys: keys.clone(),
        });
    };
    let keys = |plugin: &Plugin| plugin.config().keys.iter().cloned().map(Definition::from).collect();
    for transform in caisson_transforms::transforms() {
        let plugin = transform.plugin();
        add(PluginKind::Transform, plugin.class().to_owned(), &keys(&plugin));
    }
    for predicate in caisson_transforms::predicates() {
        let plugin = predicate.plugin();
        add(PluginKind::Predicate, plugin.class().to_owned(), &keys(&plugin));
    }
    for (name, lines) in CONVERTERS {
        let keys = shared(lines);
        for kind in [PluginKind::Converter, PluginKind::HeaderConverter] {
            add(kind, format!("{PACKAGE}.{name}"), &keys);
        }
    }
    for converter in SchemaRegistryConverter::ALL {
        let keys = converter.definitions().into();
        add(PluginKind::Converter, converter.class().to_owned(), &keys);
    }
    let simple = format!("{PACKAGE}.storage.SimpleHeaderConverter");
    add(PluginKind::HeaderConverter, simple, &shared(&[]));
    all
}

fn shared(lines: &[Line]) -> Arc<[Definition]> {
    definitions(lines).into()
}
