//! Kafka's client settings in librdkafka's terms. librdkafka itself says whether a name and a value exist: every set of
//! settings that is built makes a real configuration.
#![allow(clippy::unwrap_used)]

use caisson_kafka::settings::{Rule, table};
use caisson_kafka::{ClientKind, ClientSettings, Error, Layer, Properties};

fn properties(pairs: &[(&str, &str)]) -> Properties {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn build(kind: ClientKind, pairs: &[(&str, &str)]) -> Result<ClientSettings, Error> {
    let base = properties(&[("bootstrap.servers", "localhost:9092")]);
    let given = properties(pairs);
    let layers = [Layer::Client(&base), Layer::Client(&given)];
    match kind {
        ClientKind::Consumer => ClientSettings::consumer(&layers),
        ClientKind::Reader => ClientSettings::reader(&layers),
        ClientKind::Producer => ClientSettings::producer(&layers),
        ClientKind::Admin => ClientSettings::admin(&layers),
    }
}

/// A value that Java's clients accept: their default where that is a plain one.
fn sample(name: &str) -> &'static str {
    match name {
        "bootstrap.servers" => "PLAINTEXT://one:9092,two:9092",
        "client.dns.lookup" => "use_all_dns_ips",
        "metadata.recovery.strategy" => "rebootstrap",
        "enable.metrics.push" | "check.crcs" | "allow.auto.create.topics" | "enable.idempotence" => "true",
        "partitioner.ignore.keys" => "false",
        "partitioner.class" => "org.apache.kafka.clients.producer.RoundRobinPartitioner",
        "partition.assignment.strategy" => {
            "class org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.RoundRobinAssignor"
        }
        "auto.offset.reset" => "latest",
        "isolation.level" => "read_committed",
        "group.protocol" => "classic",
        "group.id" | "group.instance.id" | "client.id" | "client.rack" | "transactional.id" => "a-name",
        "group.remote.assignor" => "uniform",
        "acks" => "all",
        "compression.type" => "zstd",
        "compression.gzip.level" | "compression.lz4.level" | "max.in.flight.requests.per.connection" => "3",
        "security.protocol" => "PLAINTEXT",
        "sasl.mechanism" => "SCRAM-SHA-512",
        "sasl.kerberos.service.name" => "kafka",
        "sasl.kerberos.kinit.cmd" => "/usr/bin/kinit",
        "ssl.endpoint.identification.algorithm" => "HTTPS",
        "ssl.key.password" => "secret",
        "send.buffer.bytes" | "receive.buffer.bytes" | "connections.max.idle.ms" => "-1",
        "heartbeat.interval.ms" => "3000",
        "session.timeout.ms" => "45000",
        "linger.ms" | "fetch.max.wait.ms" | "fetch.min.bytes" | "batch.size" => "0",
        _ => "60000",
    }
}

#[test]
fn every_setting_of_the_table_is_accepted() {
    for kind in [ClientKind::Consumer, ClientKind::Producer, ClientKind::Admin] {
        for entry in table().iter().filter(|entry| entry.applies_to(kind)) {
            match entry.rule {
                Rule::Security => continue,
                // This build has no Kerberos, and says so by the name that was given.
                _ if entry.name.starts_with("sasl.kerberos") => continue,
                Rule::Same
                | Rule::Renamed(_)
                | Rule::Converted(_)
                | Rule::Own
                | Rule::Fixed
                | Rule::Ignored
                | Rule::NoEqual => {}
            }
            let built = build(kind, &[(entry.name, sample(entry.name))]);
            assert!(built.is_ok(), "{kind:?} {}: {}", entry.name, built.unwrap_err());
        }
    }
}

#[test]
fn the_table_names_each_setting_once() {
    for kind in [ClientKind::Consumer, ClientKind::Producer, ClientKind::Admin] {
        let mut names: Vec<_> = table()
            .iter()
            .filter(|entry| entry.applies_to(kind))
            .map(|entry| entry.name)
            .collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

/// Checks what settings become.
fn check(kind: ClientKind, given: &[(&str, &str)], expected: &[(&str, &str)]) {
    let settings = build(kind, given).unwrap();
    for (name, value) in expected {
        assert_eq!(settings.native(name), Some(*value), "{given:?} gives {name}");
    }
}

#[test]
fn values_are_converted() {
    use ClientKind::{Consumer, Producer};
    check(
        Producer,
        &[("delivery.timeout.ms", "2147483647")],
        &[("message.timeout.ms", "0")],
    );
    check(
        Producer,
        &[("delivery.timeout.ms", "120000")],
        &[("message.timeout.ms", "120000")],
    );
    check(
        Producer,
        &[("buffer.memory", "67108864")],
        &[("queue.buffering.max.kbytes", "49152")],
    );
    check(
        Producer,
        &[("partitioner.class", "")],
        &[("partitioner", "murmur2_random")],
    );
    check(
        Producer,
        &[("max.request.size", "5000000")],
        &[("message.max.bytes", "5000000")],
    );
    check(
        Producer,
        &[("request.timeout.ms", "7000")],
        &[("request.timeout.ms", "7000"), ("socket.timeout.ms", "7000")],
    );
    check(Consumer, &[("fetch.max.wait.ms", "50")], &[("fetch.wait.max.ms", "50")]);
    check(
        Consumer,
        &[("max.partition.fetch.bytes", "8388608")],
        &[("fetch.message.max.bytes", "8388608")],
    );
    check(
        Consumer,
        &[("auto.offset.reset", "none")],
        &[("auto.offset.reset", "error")],
    );
    check(
        Consumer,
        &[("receive.buffer.bytes", "1048576")],
        &[("socket.receive.buffer.bytes", "1048576")],
    );
    check(
        Consumer,
        &[("metadata.max.age.ms", "10000")],
        &[
            ("topic.metadata.refresh.interval.ms", "10000"),
            ("metadata.max.age.ms", "30000"),
        ],
    );
    let cooperative = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    let strategy = "partition.assignment.strategy";
    check(
        Consumer,
        &[(strategy, cooperative)],
        &[(strategy, "cooperative-sticky")],
    );
    let both = format!("org.apache.kafka.clients.consumer.RangeAssignor, {cooperative}");
    check(
        Consumer,
        &[(strategy, &both)],
        &[(strategy, "range,cooperative-sticky")],
    );
}

#[test]
fn defaults_are_those_of_kafka_connect() {
    let producer = [
        ("acks", "all"),
        ("max.in.flight.requests.per.connection", "5"),
        ("enable.idempotence", "true"),
        ("message.timeout.ms", "0"),
        ("partitioner", "murmur2_random"),
    ];
    check(ClientKind::Producer, &[], &producer);
    check(
        ClientKind::Consumer,
        &[],
        &[("auto.offset.reset", "earliest"), ("check.crcs", "true")],
    );
}

#[test]
fn idempotence_and_transactions_get_what_they_need() {
    let idempotent = [
        ("enable.idempotence", "true"),
        ("max.in.flight.requests.per.connection", "5"),
    ];
    check(ClientKind::Producer, &[("enable.idempotence", "true")], &idempotent);
    check(ClientKind::Producer, &[("transactional.id", "t")], &idempotent);
    check(
        ClientKind::Producer,
        &[("acks", "1")],
        &[("enable.idempotence", "false")],
    );
}

#[test]
fn what_the_worker_decides_stays_decided() {
    let given = [("enable.auto.commit", "true"), ("enable.auto.offset.store", "true")];
    check(
        ClientKind::Consumer,
        &given,
        &[("enable.auto.commit", "false"), ("enable.auto.offset.store", "false")],
    );
}

#[test]
fn later_layers_win_and_unknown_names_are_dropped() {
    let worker = properties(&[
        ("bootstrap.servers", "a:1"),
        ("linger.ms", "1"),
        ("key.converter", "x"),
        ("rest.port", "1"),
    ]);
    let connector = properties(&[
        ("linger.ms", "2"),
        ("no.such.setting", "1"),
        ("sticky.partitioning.linger.ms", "3"),
    ]);
    let settings = ClientSettings::producer(&[Layer::Mixed(&worker), Layer::Client(&connector)]).unwrap();
    assert_eq!(settings.native("linger.ms"), Some("2"));
    assert_eq!(
        settings.native("sticky.partitioning.linger.ms"),
        Some("3"),
        "librdkafka's own names work too"
    );
    assert!(
        settings
            .natives()
            .all(|(name, _)| !["key.converter", "rest.port", "no.such.setting"].contains(&name))
    );
}

#[test]
fn a_wrong_value_is_reported_under_the_name_that_was_given() {
    let error = build(ClientKind::Consumer, &[("fetch.max.wait.ms", "soon")])
        .unwrap_err()
        .to_string();
    assert!(error.contains("fetch.max.wait.ms"), "{error}");
    let error = build(ClientKind::Producer, &[("buffer.memory", "much")])
        .unwrap_err()
        .to_string();
    assert!(error.contains("buffer.memory") && error.contains("\"much\""), "{error}");
    let error = build(
        ClientKind::Consumer,
        &[("partition.assignment.strategy", "com.example.Mine")],
    )
    .unwrap_err();
    assert!(error.to_string().contains("com.example.Mine"), "{error}");
    let error = build(ClientKind::Consumer, &[("group.protocol", "consumer")]).unwrap_err();
    assert!(error.to_string().contains("there is classic"), "{error}");
}

#[test]
fn own_settings_are_kept_for_this_side() {
    let settings = build(
        ClientKind::Consumer,
        &[("max.poll.records", "123"), ("default.api.timeout.ms", "5000")],
    )
    .unwrap();
    assert_eq!(
        (settings.max_poll_records(), settings.api_timeout().as_secs()),
        (Some(123), 5)
    );
    let settings = build(ClientKind::Producer, &[("max.block.ms", "9223372036854775807")]).unwrap();
    assert_eq!(settings.max_block(), None);
}

#[test]
fn login_modules_become_names_and_passwords() {
    let scram = r#"org.apache.kafka.common.security.scram.ScramLoginModule required
        username="al\"ice" password='s = ec;ret';"#;
    let given = [
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "SCRAM-SHA-256"),
        ("sasl.jaas.config", scram),
    ];
    let expected = [
        ("security.protocol", "sasl_ssl"),
        ("sasl.username", "al\"ice"),
        ("sasl.password", "s = ec;ret"),
    ];
    check(ClientKind::Admin, &given, &expected);
    for wrong in [
        "",
        "com.example.Module required;",
        "x.PlainLoginModule required username=\"a\";",
        "x.PlainLoginModule required username=\"a",
    ] {
        let error = build(ClientKind::Admin, &[("sasl.jaas.config", wrong)])
            .unwrap_err()
            .to_string();
        assert!(error.contains("sasl.jaas.config"), "{error}");
    }
}

/// The stores with which the crate that reads them is tested: one key in all formats.
fn store(name: &str) -> String {
    format!("{}/../keystore/tests/stores/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn stores_of_every_format_become_the_same_texts() {
    let (password, key_password) = ("secret12", "key-pass");
    let pem = |settings: &[(&str, &str)]| {
        let built = build(ClientKind::Producer, settings).unwrap();
        let text = |name: &str| built.native(name).unwrap_or_default().to_owned();
        (text("ssl.certificate.pem"), text("ssl.key.pem"))
    };
    let expected = pem(&[
        ("ssl.keystore.location", &store("own.p12")),
        ("ssl.keystore.type", "PKCS12"),
        ("ssl.keystore.password", password),
    ]);
    assert!(
        expected.0.starts_with("-----BEGIN CERTIFICATE-----\n"),
        "{}",
        expected.0
    );
    assert!(expected.1.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let jks = pem(&[
        ("ssl.keystore.location", &store("own.jks")),
        ("ssl.keystore.password", password),
        ("ssl.key.password", key_password),
    ]);
    assert_eq!(jks, expected);
    // Texts may stand on one line.
    let read = |name: &str| std::fs::read_to_string(store(name)).unwrap().replace('\n', " ");
    let texts = pem(&[
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.key", &read("own.encrypted.key")),
        ("ssl.keystore.certificate.chain", &read("own.crt")),
        ("ssl.key.password", key_password),
    ]);
    assert_eq!(texts, expected);
}

#[test]
fn trust_stores_become_texts() {
    let pem = |settings: &[(&str, &str)]| {
        let built = build(ClientKind::Consumer, settings).unwrap();
        built.native("ssl.ca.pem").unwrap_or_default().to_owned()
    };
    let jks = pem(&[
        ("ssl.truststore.location", &store("trust.jks")),
        ("ssl.truststore.password", "secret12"),
    ]);
    assert!(jks.starts_with("-----BEGIN CERTIFICATE-----\n"), "{jks}");
    let pkcs12 = [
        ("ssl.truststore.location", &*store("trust.p12")),
        ("ssl.truststore.type", "PKCS12"),
        ("ssl.truststore.password", "secret12"),
    ];
    assert_eq!(pem(&pkcs12), jks);
    assert_eq!(pem(&[("ssl.truststore.certificates", &jks)]), jks);
}

#[test]
fn a_store_that_cannot_be_used_is_an_error_with_its_name() {
    let own = store("own.jks");
    for (settings, named) in [
        (
            vec![("ssl.truststore.location", "/nowhere/trust.jks")],
            "/nowhere/trust.jks",
        ),
        (
            vec![("ssl.keystore.location", &*own), ("ssl.keystore.password", "not-it-12")],
            "own.jks",
        ),
        (
            vec![("ssl.keystore.location", &*own), ("ssl.keystore.type", "BCFKS")],
            "BCFKS",
        ),
        (
            vec![("ssl.truststore.certificates", "no certificate")],
            "ssl.truststore.certificates",
        ),
    ] {
        let error = build(ClientKind::Producer, &settings).unwrap_err().to_string();
        assert!(error.contains(named) && !error.contains("not-it-12"), "{error}");
    }
}

#[test]
fn bearer_tokens_come_from_claims_or_a_file() {
    const MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";
    let with = |options: &str, more: &[(&str, &str)]| {
        let jaas = format!("{MODULE} {options};");
        let mut settings = vec![("sasl.mechanism", "OAUTHBEARER"), ("sasl.jaas.config", jaas.as_str())];
        settings.extend(more);
        build(ClientKind::Admin, &settings)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    with("unsecuredLoginStringClaim_sub=\"alice\"", &[]).unwrap();
    with("", &[("sasl.oauthbearer.token.endpoint.url", "file:///tmp/token")]).unwrap();
    let endpoint = with("", &[("sasl.oauthbearer.token.endpoint.url", "https://login/token")]).unwrap_err();
    assert!(endpoint.contains("sasl.oauthbearer.token.endpoint.url"), "{endpoint}");
    let nothing = with("", &[]).unwrap_err();
    assert!(nothing.contains("unsecuredLoginStringClaim_sub"), "{nothing}");
}

#[test]
fn secrets_are_not_shown() {
    let jaas = "x.PlainLoginModule required username=\"u\" password=\"hidden\";";
    let settings = build(
        ClientKind::Admin,
        &[("sasl.jaas.config", jaas), ("sasl.mechanism", "PLAIN")],
    )
    .unwrap();
    assert!(!format!("{settings:?}").contains("hidden"));
}
