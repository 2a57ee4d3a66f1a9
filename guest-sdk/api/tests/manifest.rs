//! Manifests and their text.

#![allow(clippy::unwrap_used)]

use caisson_api::config::{Default, Importance, Key, Type, Validator, Width};
use caisson_api::frame::{Encoding, Encodings};
use caisson_api::manifest::{Grants, Manifest, ModuleInfo, Plugin, PluginKind, ability};

fn manifest() -> Manifest {
    let validator = Validator::All(vec![
        Validator::NonNull,
        Validator::at_least(1),
        Validator::between(0.5, 1e300),
        Validator::OneOf(vec!["a".into()]),
        Validator::OneOfIgnoringCase(vec!["A".into()]),
        Validator::EachOneOf(vec![]),
        Validator::Distinct {
            empty_allowed: false,
            null_allowed: true,
            values: vec!["x".into()],
        },
        Validator::MaxSize(3),
        Validator::Pattern("[a-z]+".into()),
        Validator::NonEmpty,
        Validator::NonEmptyWithoutControl,
    ]);
    let source = Plugin {
        aliases: vec!["org.example.Old".into()],
        documentation: "Reads lines.".into(),
        keys: vec![
            Key::new("file", Type::String)
                .importance(Importance::High)
                .documentation("A file."),
            Key::new("size", Type::Int).default("5").validator(validator),
            Key::new("note", Type::Password)
                .optional()
                .group("g", 3)
                .width(Width::Long)
                .display("A note"),
        ],
        encoding: Encodings {
            value: Encoding::Connect,
            ..Encodings::default()
        },
        abilities: vec![ability::EXACTLY_ONCE.into()],
        grants: Grants {
            read: vec!["${file}".into()],
            ..Grants::default()
        },
        limits: [("memory".to_owned(), "256MiB".to_owned())].into(),
        ..Plugin::new("org.example.Source", PluginKind::Source, "1.0")
    };
    Manifest {
        module: ModuleInfo {
            name: "m".into(),
            version: "1.0".into(),
            ..ModuleInfo::default()
        },
        plugins: vec![
            source,
            Plugin::new("org.example.Headers", PluginKind::HeaderConverter, "2"),
        ],
        ..Manifest::default()
    }
}

#[test]
fn a_manifest_survives_its_text() {
    let manifest = manifest();
    assert_eq!(Manifest::from_json(&manifest.to_json()).unwrap(), manifest);
}

#[test]
fn absent_members_have_defaults_and_unknown_ones_are_ignored() {
    let text = r#"{"later": 1, "plugins": [{"class": "a.B", "kind": "header-converter", "later": {},
        "keys": [{"name": "k", "type": "int"}, {"name": "r", "type": "LIST", "required": true, "importance": "low"},
                 {"name": "d", "type": "LIST", "default": ["a", "b"]}, {"name": "n", "type": "INT", "default": 5}],
        "limits": {"memory": 5}}]}"#;
    let manifest = Manifest::from_json(text).unwrap();
    assert_eq!((manifest.format, manifest.module), (1, ModuleInfo::default()));
    let plugin = &manifest.plugins[0];
    assert_eq!(
        (plugin.kind, plugin.encoding),
        (PluginKind::HeaderConverter, Encodings::default())
    );
    assert_eq!(plugin.keys[0], Key::new("k", Type::Int).optional());
    assert_eq!(plugin.keys[1], Key::new("r", Type::List).importance(Importance::Low));
    assert_eq!(plugin.keys[2].default, Default::Text("a,b".into()));
    assert_eq!(plugin.keys[3].default, Default::Text("5".into()));
    assert_eq!(plugin.limits["memory"], "5");
}

#[test]
fn a_validator_of_a_later_time_is_reported_and_lets_pass() {
    let text = r#"{"plugins": [{"class": "a.B", "kind": "sink", "keys": [
        {"name": "k", "type": "INT", "validator": {"prime": true}},
        {"name": "l", "type": "INT", "validator": {"all": [{"range": "wide"}, {"non-null": true}]}}]}]}"#;
    let manifest = Manifest::from_json(text).unwrap();
    assert_eq!(
        manifest.unknown_validators(),
        [("a.B", "k", "prime"), ("a.B", "l", "range")]
    );
}

#[test]
fn what_is_no_manifest_is_refused() {
    for (text, error) in [
        (r#"{"format": 2, "plugins": 7}"#, "format 2"),
        (r#"{"plugins": [{"class": "", "kind": "sink"}]}"#, "no name"),
        (
            r#"{"plugins": [{"class": "A", "kind": "sink"}, {"class": "A", "kind": "sink"}]}"#,
            "twice",
        ),
        (r#"{"plugins": [{"class": "A", "kind": "tap"}]}"#, "unknown variant"),
        (
            r#"{"plugins": [{"class": "A", "kind": "sink", "keys": [{"name": "k", "type": "WORD"}]}]}"#,
            "unknown type WORD",
        ),
        ("nothing", "not valid"),
    ] {
        let found = Manifest::from_json(text).unwrap_err().to_string();
        assert!(found.contains(error), "{found}");
    }
}

#[test]
fn a_class_is_found_by_its_aliases() {
    let manifest = manifest();
    assert_eq!(manifest.plugin("org.example.Old").unwrap().class, "org.example.Source");
    assert!(manifest.plugin("org.example.None").is_none());
}
