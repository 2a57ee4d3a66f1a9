use super::*;
use crate::properties;
use crate::providers::Machine;

const STANDALONE: &str = "\
bootstrap.servers=localhost:9092
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true
offset.storage.file.filename=/tmp/connect.offsets
offset.flush.interval.ms=10000
#plugin.path=
";

const DISTRIBUTED: &str = "\
bootstrap.servers=a:1,b:2
group.id=connect-cluster
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
offset.storage.segment.bytes=1000000
config.storage.topic=connect-configs
status.storage.topic=connect-status
";

fn standalone(more: &str) -> Result<WorkerConfig, Error> {
    let given = properties::parse(format!("{STANDALONE}{more}").as_bytes(), "worker.properties")?;
    WorkerConfig::standalone(&given, "worker.properties", &[], Box::new(Machine))
}

fn distributed(more: &str) -> Result<WorkerConfig, Error> {
    let given = properties::parse(format!("{DISTRIBUTED}{more}").as_bytes(), "worker.properties")?;
    WorkerConfig::distributed(&given, "worker.properties", &[], Box::new(Machine))
}

#[test]
fn kafkas_own_file_is_read() {
    let config = standalone("").unwrap();
    assert_eq!(
        config.mode,
        Mode::Standalone {
            offset_file: PathBuf::from("/tmp/connect.offsets")
        }
    );
    assert_eq!(config.commit_interval, Duration::from_secs(10));
    assert_eq!(config.commit_timeout, Duration::from_secs(5));
    assert_eq!(config.rest.listeners[0].to_string(), "http://:8083");
    assert_eq!(
        config.value_converter.options.get("schemas.enable").map(String::as_str),
        Some("true")
    );
    assert_eq!(
        config.header_converter.class,
        "org.apache.kafka.connect.storage.SimpleHeaderConverter"
    );
    assert_eq!(config.topics, TopicTracking::WithReset);
    assert_eq!(config.warnings, [""; 0]);
    assert!(config.plugin_path.is_empty() && config.rest.admin_listeners.is_none());
}

#[test]
fn client_settings_lose_their_prefix() {
    let config = standalone("producer.acks=1\nconsumer.max.poll.records=5\nadmin.retries=3\n").unwrap();
    assert_eq!(config.producer.get("acks").map(String::as_str), Some("1"));
    assert_eq!(config.consumer.get("max.poll.records").map(String::as_str), Some("5"));
    assert_eq!(config.admin.get("retries").map(String::as_str), Some("3"));
}

#[test]
fn errors_name_file_and_key() {
    for (more, text) in [
        (
            "offset.flush.interval.ms=x",
            "Invalid value x for configuration offset.flush.interval.ms: Not a number of type LONG",
        ),
        (
            "listeners=ftp://a:1",
            "Invalid value ftp://a:1 for configuration listeners: Listener protocol must be either \"http\" or \"https\".",
        ),
        (
            "connector.client.config.override.policy=Some",
            "Invalid value Some for configuration connector.client.config.override.policy: String must be one of: All, None, Principal, Allowlist",
        ),
    ] {
        let error = standalone(more).unwrap_err().to_string();
        assert_eq!(error, format!("worker.properties: {text}"));
    }
    let given = properties::parse(b"bootstrap.servers=a:1\n", "w").unwrap();
    let error = WorkerConfig::standalone(&given, "w", &[], Box::new(Machine)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "w: Missing required configuration \"key.converter\" which has no default value."
    );
}

#[test]
fn a_slip_is_reported_with_what_was_meant() {
    let config =
        standalone("ofset.flush.interval.ms=1\nproducr.acks=1\ncolour=red\ninternal.key.converter=x\n").unwrap();
    assert_eq!(
        config.warnings,
        [
            "unknown key `ofset.flush.interval.ms`, did you mean `offset.flush.interval.ms`?",
            "unknown key `producr.acks`, did you mean `producer.acks`?",
            "unknown key `colour`: it has no effect",
            "key `internal.key.converter` has no effect: internal data is always JSON without schemas",
        ]
    );
}

#[test]
fn keys_of_other_parts_are_known() {
    let given = properties::parse(format!("{STANDALONE}sandbox.memory=1\n").as_bytes(), "w").unwrap();
    let more = [Key::new("sandbox.memory", caisson_api::config::Type::Long)];
    let config = WorkerConfig::standalone(&given, "w", &more, Box::new(Machine)).unwrap();
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn a_cluster_is_read() {
    let config = distributed("exactly.once.source.support=ENABLED\n").unwrap();
    let Mode::Distributed(cluster) = &config.mode else {
        panic!("{config:?}");
    };
    assert_eq!(cluster.group_id, "connect-cluster");
    assert_eq!(cluster.exactly_once, ExactlyOnce::Enabled);
    assert_eq!(cluster.protocol, Protocol::Sessioned);
    assert_eq!(
        (cluster.offsets.partitions, cluster.offsets.replication_factor),
        (25, 1)
    );
    assert_eq!(cluster.configs.partitions, 1);
    assert_eq!(cluster.offsets.settings.keys().collect::<Vec<_>>(), ["segment.bytes"]);
    assert_eq!(config.bootstrap_servers, "a:1,b:2");
}

#[test]
fn bad_clusters_are_refused() {
    for more in [
        "connect.protocol=modern",
        "offset.storage.partitions=0",
        "inter.worker.signature.algorithm=HmacMD5",
        "exactly.once.source.support=enabled\nconnect.protocol=eager",
    ] {
        assert!(distributed(more).is_err(), "{more}");
    }
}

#[test]
fn policies_allow_what_they_say() {
    let policy = |more| standalone(more).unwrap().override_policy;
    let principal = policy("connector.client.config.override.policy=Principal\n");
    assert!(principal.allows("sasl.mechanism") && !principal.allows("acks"));
    let list = policy(
        "connector.client.config.override.policy=Allowlist\nconnector.client.config.override.allowlist=acks, linger.ms\n",
    );
    assert!(list.allows("linger.ms") && !list.allows("retries"));
    assert_eq!(
        policy("connector.client.config.override.policy=None\n")
            .refusal("acks")
            .unwrap(),
        "The 'None' policy does not allow 'acks' to be overridden in the connector configuration."
    );
}
