use super::*;

fn given(pairs: &[(&str, &str)]) -> Given {
    let base = [("name", "c"), ("connector.class", "FileStreamSource")];
    base.iter()
        .chain(pairs)
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

fn source(pairs: &[(&str, &str)]) -> Result<ConnectorConfig, String> {
    ConnectorConfig::new(&given(pairs), ConnectorKind::Source).map_err(|error| error.0)
}

fn sink(pairs: &[(&str, &str)]) -> Result<ConnectorConfig, String> {
    ConnectorConfig::new(&given(pairs), ConnectorKind::Sink).map_err(|error| error.0)
}

#[test]
fn defaults_are_kafka_connects() {
    let config = source(&[]).unwrap();
    assert_eq!((config.tasks_max, config.tasks_max_enforce), (1, true));
    assert_eq!(
        config.errors,
        ErrorHandling {
            tolerance: Tolerance::None,
            retry_timeout: Some(Duration::ZERO),
            retry_delay_max: Duration::from_secs(60),
            log: ErrorLog::Off,
            letter_class: false,
        }
    );
    let expected = SourceConfig {
        topic_creation: None,
        exactly_once: Requirement::Requested,
        boundary: Boundary::Poll,
        offsets_topic: None,
        dead_letters: None,
    };
    assert_eq!(config.flow, Flow::Source(expected));
}

#[test]
fn a_converter_has_its_own_keys_only() {
    let config = source(&[
        ("value.converter", "JsonConverter"),
        ("value.converter.schemas.enable", "false"),
        ("value.converter.plugin.version", "1.0"),
        ("key.converter.schemas.enable", "false"),
    ])
    .unwrap();
    let value = config.value_converter.unwrap();
    assert_eq!(
        (value.class.as_str(), value.version.as_deref()),
        ("JsonConverter", Some("1.0"))
    );
    assert_eq!(
        value.options.into_iter().collect::<Vec<_>>(),
        [("schemas.enable".to_owned(), "false".to_owned())]
    );
    assert_eq!(config.key_converter, None);
}

#[test]
fn a_chain_is_read_in_order() {
    let config = sink(&[
        ("topics", "t"),
        ("transforms", "b,a"),
        ("transforms.a.type", "Filter"),
        ("transforms.a.predicate", "p"),
        ("transforms.a.negate", "true"),
        ("transforms.b.type", "Cast$Value"),
        ("transforms.b.spec", "int8"),
        ("predicates", "p"),
        ("predicates.p.type", "TopicNameMatches"),
        ("predicates.p.pattern", "x"),
    ])
    .unwrap();
    let classes: Vec<_> = config
        .transforms
        .iter()
        .map(|transform| transform.class.as_str())
        .collect();
    assert_eq!(classes, ["Cast$Value", "Filter"]);
    assert_eq!(
        config.transforms[0].options.get("spec").map(String::as_str),
        Some("int8")
    );
    assert_eq!(
        config.transforms[1].condition,
        Some(Condition {
            predicate: "p".to_owned(),
            negate: true
        })
    );
    assert!(config.transforms[1].options.is_empty());
    assert_eq!(
        config.predicates[0].options.get("pattern").map(String::as_str),
        Some("x")
    );
}

#[test]
fn broken_chains_are_refused() {
    for (pairs, message) in [
        (
            &[("transforms", "a")][..],
            "Invalid value null for configuration transforms.a.type: Not a Transformation",
        ),
        (
            &[("transforms", "a,a"), ("transforms.a.type", "F")],
            "Invalid value [a, a] for configuration transforms: Duplicate alias provided.",
        ),
        (
            &[
                ("transforms", "a"),
                ("transforms.a.type", "F"),
                ("transforms.a.negate", "true"),
            ],
            "Config 'transforms.a.negate' was provided but there is no config 'transforms.a.predicate' defining a predicate to be negated.",
        ),
        (
            &[("predicates", "p")],
            "Invalid value null for configuration predicates.p.type: Not a Predicate",
        ),
    ] {
        assert_eq!(source(pairs).unwrap_err(), message);
    }
    let dangling = [
        ("transforms", "a"),
        ("transforms.a.type", "F"),
        ("transforms.a.predicate", "p"),
    ];
    let dangling = source(&dangling).unwrap();
    assert_eq!(
        dangling.predicate("p").unwrap_err().to_string(),
        "Unknown configuration 'predicates.p.plugin.version'"
    );
}

#[test]
fn a_sink_needs_topics_of_one_kind() {
    let topics = |pairs: &[(&str, &str)]| match sink(pairs).map(|config| config.flow) {
        Ok(Flow::Sink(sink)) => Ok(sink.topics),
        Ok(Flow::Source(_)) => unreachable!(),
        Err(message) => Err(message),
    };
    assert_eq!(
        topics(&[("topics", "a, b")]),
        Ok(Topics::Names(vec!["a".to_owned(), "b".to_owned()]))
    );
    assert!(topics(&[("topics.regex", "a.*")]).unwrap().contains("ab"));
    assert_eq!(topics(&[]), Err(sink::NEITHER.to_owned()));
    assert_eq!(
        topics(&[("topics", "a"), ("topics.regex", "b")]),
        Err(sink::BOTH.to_owned())
    );
    assert!(
        topics(&[("topics", "a"), ("errors.deadletterqueue.topic.name", "a")])
            .unwrap_err()
            .contains("DLQ topic 'a'")
    );
}

#[test]
fn topics_are_created_by_the_first_group_that_has_them() {
    let config = source(&[
        ("topic.creation.groups", "compact,big"),
        ("topic.creation.default.replication.factor", "-1"),
        ("topic.creation.default.partitions", "3"),
        ("topic.creation.compact.include", "c.*,d"),
        ("topic.creation.compact.exclude", "cx"),
        ("topic.creation.compact.cleanup.policy", "compact"),
        ("topic.creation.big.include", ".*x"),
        ("topic.creation.big.partitions", "10"),
    ])
    .unwrap();
    let Flow::Source(source) = config.flow else { panic!() };
    let creation = source.topic_creation.unwrap();
    let group = |topic| (creation.group(topic).name.as_str(), creation.group(topic).partitions);
    assert_eq!(group("ca"), ("compact", 3));
    assert_eq!(group("cx"), ("big", 10));
    assert_eq!(group("e"), ("default", 3));
    let settings: Vec<_> = creation.group("d").settings.iter().collect();
    assert_eq!(settings, [(&"cleanup.policy".to_owned(), &"compact".to_owned())]);
}

#[test]
fn topic_creation_needs_its_defaults() {
    let message = source(&[("topic.creation.groups", "g"), ("topic.creation.g.include", "x")]).unwrap_err();
    assert_eq!(
        message,
        "Missing required configuration \"topic.creation.default.replication.factor\" which has no default value."
    );
    let message = source(&[
        ("topic.creation.default.replication.factor", "1"),
        ("topic.creation.default.partitions", "0"),
    ])
    .unwrap_err();
    assert!(
        message.starts_with("Invalid value 0 for configuration topic.creation.default.partitions: "),
        "{message}"
    );
}

#[test]
fn secrets_are_not_printed() {
    let config = sink(&[
        ("topics", "t"),
        ("consumer.override.sasl.jaas.config", "S3CRET"),
        ("transforms", "a"),
        ("transforms.a.type", "F"),
        ("transforms.a.password", "S3CRET"),
    ])
    .unwrap();
    assert!(!format!("{config:?}").contains("S3CRET"));
}
