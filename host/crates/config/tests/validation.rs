//! What the recordings do not show: secrets, policies, versions, limits and garbage.

#![allow(clippy::unwrap_used)]

#[path = "recorded/worker.rs"]
#[allow(dead_code)]
mod worker;

use std::sync::LazyLock;

use caisson_config::Given;
use caisson_config::validate::{ConfigInfos, OwnValue, Refusal};
use proptest::prelude::*;

use worker::Worker;

static WORKER: LazyLock<Worker> = LazyLock::new(Worker::new);

fn sink(pairs: &[(&str, &str)]) -> Given {
    let base = [("name", "c"), ("connector.class", "FileStreamSink"), ("topics", "t")];
    base.iter()
        .chain(pairs)
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

fn errors(infos: &ConfigInfos, name: &str) -> Vec<String> {
    let all = infos.configs.iter().filter(|config| config.value.name == name);
    all.flat_map(|config| config.value.errors.clone()).collect()
}

fn value(infos: &ConfigInfos, name: &str) -> Option<String> {
    infos
        .configs
        .iter()
        .find(|config| config.value.name == name)
        .and_then(|config| config.value.value.clone())
}

#[test]
fn what_a_provider_gave_is_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secrets.properties");
    std::fs::write(&file, "topic=S3CRET\n").unwrap();
    let worker = Worker::with("config.providers=f\nconfig.providers.f.class=FileConfigProvider\n");
    let variable = format!("${{f:{}:topic}}", file.display());
    let given = sink(&[
        ("tasks.max", &variable),
        ("file", &variable),
        ("topics", &variable),
        ("errors.deadletterqueue.topic.name", &variable),
    ]);
    let infos = worker.infos(&given).unwrap();
    assert!(!format!("{infos:?}").contains("S3CRET"), "{infos:?}");
    assert_eq!(value(&infos, "file").as_deref(), Some(variable.as_str()));
    assert!(
        errors(&infos, "tasks.max")[0].starts_with(&format!("Invalid value {variable} for configuration tasks.max"))
    );
    assert!(errors(&infos, "topics")[0].contains("DLQ topic"));
}

#[test]
fn the_policy_of_the_worker_decides_about_client_settings() {
    let worker = Worker::with("connector.client.config.override.policy=Principal\n");
    let given = sink(&[
        ("consumer.override.max.poll.records", "1"),
        ("consumer.override.sasl.mechanism", "PLAIN"),
    ]);
    let infos = worker.infos(&given).unwrap();
    assert_eq!(infos.error_count, 1);
    assert_eq!(
        errors(&infos, "consumer.override.max.poll.records"),
        ["The 'Principal' policy does not allow 'max.poll.records' to be overridden in the connector configuration."]
    );
}

#[test]
fn a_plugin_may_find_fault_with_a_key_that_is_every_connectors() {
    let fault = |name: &str| OwnValue {
        name: name.to_owned(),
        errors: vec![format!("{name} will not do")],
        visible: true,
        ..OwnValue::default()
    };
    let given = sink(&[("file", "f")]);
    let infos = WORKER.infos_with(&given, vec![fault("file"), fault("topics")]).unwrap();
    assert_eq!(infos.error_count, 2);
    for name in ["file", "topics"] {
        assert_eq!(errors(&infos, name), [format!("{name} will not do")]);
    }
}

#[test]
fn passwords_of_clients_are_hidden() {
    let infos = WORKER
        .infos(&sink(&[("consumer.override.sasl.jaas.config", "S3CRET")]))
        .unwrap();
    assert_eq!(
        value(&infos, "consumer.override.sasl.jaas.config").as_deref(),
        Some("[hidden]")
    );
}

#[test]
fn a_version_that_is_not_there_is_an_error_of_class_and_version() {
    let infos = WORKER.infos(&sink(&[("connector.plugin.version", "[9,)")])).unwrap();
    let text = "Plugin org.apache.kafka.connect.file.FileStreamSinkConnector not found that matches the version range [9,), available versions: [4.3.1]";
    assert_eq!(errors(&infos, "connector.class"), [text]);
    assert_eq!(errors(&infos, "connector.plugin.version"), [text]);
    let chain = [
        ("transforms", "a"),
        ("transforms.a.type", "Filter"),
        ("transforms.a.plugin.version", "("),
    ];
    let infos = WORKER.infos(&sink(&chain)).unwrap();
    assert_eq!(errors(&infos, "transforms.a.plugin.version"), ["Unbounded range: ("]);
}

#[test]
fn aliases_stand_for_classes() {
    let given = sink(&[
        ("value.converter", "Json"),
        ("value.converter.schemas.enable", "x"),
        ("transforms", "a"),
        ("transforms.a.type", "Filter"),
    ]);
    let infos = WORKER.infos(&given).unwrap();
    assert_eq!(
        value(&infos, "value.converter").as_deref(),
        Some("org.apache.kafka.connect.json.JsonConverter")
    );
    assert_eq!(
        value(&infos, "transforms.a.type").as_deref(),
        Some("org.apache.kafka.connect.transforms.Filter")
    );
    assert_eq!(infos.error_count, 1);
}

#[test]
fn the_answer_has_a_limit_even_if_the_request_has_none() {
    let aliases: Vec<String> = (0..50_000).map(|index| format!("a{index}")).collect();
    let infos = WORKER.infos(&sink(&[("transforms", &aliases.join(","))])).unwrap();
    assert!(infos.configs.len() < 3_000);
    assert_eq!(
        errors(&infos, "transforms"),
        ["Configuration 'transforms' has more than 1000 aliases."]
    );
    let topics: Vec<String> = (0..100_000).map(|index| index.to_string()).collect();
    let given = sink(&[
        ("topics", &topics.join(",")),
        ("errors.deadletterqueue.topic.name", "none"),
    ]);
    assert_eq!(WORKER.infos(&given).unwrap().error_count, 0);
}

#[test]
fn a_client_setting_of_the_wrong_type_refuses_all() {
    let refusal = WORKER
        .infos(&sink(&[("consumer.override.max.poll.records", "many")]))
        .unwrap_err();
    let text = "Invalid value many for configuration max.poll.records: Not a number of type INT";
    assert_eq!(refusal, Refusal::ClientSetting(text.to_owned()));
}

/// Names that mean something, and values that may.
fn pair() -> impl Strategy<Value = (String, Option<String>)> {
    let name = prop_oneof![
        "(name|topics|topics.regex|tasks.max|transforms|predicates|key.converter|topic.creation.groups)",
        "(transforms|predicates)\\.[ab]?\\.(type|plugin.version|negate|predicate|regex|spec|fields|renames|pattern)",
        "(key|value|header)\\.converter\\.?(schemas.enable|plugin.version|converter.type)?",
        "(producer|consumer|admin)\\.override\\.(acks|group.id|retries|x)",
        "errors\\.(tolerance|deadletterqueue.topic.name|retry.timeout)",
        ".{0,12}",
    ];
    let value = prop_oneof![
        "(a|b|a,b|,|t|Filter|Cast\\$Value|RegexRouter|TopicNameMatches|Json|true|-1|9999999999)",
        "[\\[\\](){}.*+?|\\\\^$a-c0-9:,]{0,12}",
        ".{0,12}",
    ];
    (name, proptest::option::weighted(0.9, value))
}

proptest! {
    #[test]
    fn no_configuration_panics(pairs in proptest::collection::vec(pair(), 0..12), is_source in any::<bool>()) {
        let class = if is_source { "FileStreamSource" } else { "FileStreamSink" };
        let mut given: Given = pairs.into_iter().collect();
        given.set("connector.class", Some(class.to_owned()));
        if let Ok(infos) = WORKER.infos(&given) {
            let errors = infos.errors().count();
            prop_assert!(infos.error_count <= errors);
            prop_assert_eq!(infos.refusal().is_some(), errors > 0);
        }
        let kind = if is_source { caisson_config::ConnectorKind::Source } else { caisson_config::ConnectorKind::Sink };
        let _ = caisson_config::ConnectorConfig::new(&given, kind);
    }
}

#[test]
fn keys_that_only_this_worker_knows_are_checked_and_shown_where_they_are_given() {
    let own = |infos: &ConfigInfos| {
        let names = infos.configs.iter().map(|config| config.value.name.as_str());
        names.filter(|name| name.starts_with("errors.restart.")).count()
    };
    assert_eq!(own(&WORKER.infos(&sink(&[])).unwrap()), 0);
    let infos = WORKER
        .infos(&sink(&[
            ("errors.restart.attempts", "-2"),
            ("errors.restart.backoff.ms", "soon"),
            ("errors.restart.reset.ms", "1"),
        ]))
        .unwrap();
    assert_eq!((own(&infos), infos.error_count), (3, 3));
    assert_eq!(
        errors(&infos, "errors.restart.attempts"),
        ["Invalid value -2 for configuration errors.restart.attempts: Value must be at least -1"]
    );
    assert_eq!(
        errors(&infos, "errors.restart.backoff.ms"),
        [
            "Invalid value soon for configuration errors.restart.backoff.ms: Not a number of type LONG",
            "Invalid value null for configuration errors.restart.backoff.ms: Value must be non-null",
        ]
    );
}
