//! Secured clusters, with the settings of Java's clients: a broker of this test's own with TLS, SASL and mutual TLS, and
//! certificates that `openssl` and `keytool` make.
#![allow(clippy::unwrap_used)]

#[path = "secured/broker.rs"]
mod broker;
#[path = "broker/harness.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod harness;
#[path = "broker/own.rs"]
mod own_broker;

use std::path::Path;
use std::time::Duration;

use caisson_kafka::{
    Admin, ClientSettings, ConsumerEvent, ConsumerOptions, GroupEvent, GroupMember, GroupOptions, Layer,
    MemberAssignment, NewTopic, Properties, SinkConsumer, SourceProducer, Subprotocol, Subscription,
    TransactionalLogWriter,
};

use broker::{PASSWORD, Secured};
use harness::*;

/// One test, as all of it is done with one broker.
#[test]
fn secured_clusters_take_the_settings_of_javas_clients() {
    let Some(broker) = Secured::start() else {
        println!("skipped: CAISSON_TEST_SYSTEMS is not set");
        return;
    };
    sasl_by_scram_and_plain_over_tls_with_a_trust_store_of_java(&broker);
    sasl_by_unsecured_bearer_tokens(&broker);
    mutual_tls_with_key_stores_of_every_format(&broker);
    a_broker_is_believed_by_its_name_and_its_authority(&broker);
}

/// Every kind of client does its work with these settings.
fn check(bootstrap: &str, settings: &[(&str, &str)]) {
    let base = properties(&[("bootstrap.servers", bootstrap)]);
    let own = properties(settings);
    let layers = |more: &Properties| {
        let mut all = own.clone();
        all.extend(more.clone());
        all
    };
    let topic = fresh("secured");
    let admin = Admin::start(&ClientSettings::admin(&[Layer::Client(&base), Layer::Client(&own)]).unwrap()).unwrap();
    let created = admin
        .create_topics(&[NewTopic::new(topic.as_str(), 1, 1)], LONG)
        .unwrap();
    created[0].1.as_ref().unwrap();
    let producer = layers(&properties(&[("linger.ms", "0")]));
    let producer = ClientSettings::producer(&[Layer::Client(&base), Layer::Client(&producer)]).unwrap();
    let producer = SourceProducer::start(&producer).unwrap();
    send_numbers(&producer, &topic, Some(0), 0..100);
    let group = layers(&properties(&[("group.id", &fresh("group"))]));
    let consumer = ClientSettings::consumer(&[Layer::Client(&base), Layer::Client(&group)]).unwrap();
    let topics = Subscription::Topics(vec![topic.clone()]);
    let (consumer, mut events) =
        SinkConsumer::start("secured", &consumer, &topics, ConsumerOptions::default()).unwrap();
    block_on(async {
        let mut seen = Seen::default();
        while seen.len() < 100 {
            if let ConsumerEvent::Records(batch) = next(&mut events).await {
                seen.take(&batch);
            }
        }
    });
    assert!(consumer.close(LONG));
    let coordination = ClientSettings::admin(&[Layer::Client(&base), Layer::Client(&own)]).unwrap();
    block_on(join(&coordination));
    let id = fresh("id");
    let fenced = admin.fence_producers(&[&id], LONG).unwrap();
    assert!(fenced[0].1.is_ok(), "{fenced:?}");
    let leader = layers(&properties(&[("transactional.id", &id)]));
    let leader = ClientSettings::producer(&[Layer::Client(&base), Layer::Client(&leader)]).unwrap();
    block_on(TransactionalLogWriter::new(&leader).unwrap().claim(LONG)).unwrap();
}

/// Becomes the only member of a group, and leaves it.
async fn join(settings: &ClientSettings) {
    let (member, mut events) = GroupMember::start(settings, GroupOptions::new(fresh("workers"), "connect")).unwrap();
    member.join("start");
    loop {
        match events.recv().await.unwrap() {
            GroupEvent::Preparing(preparing) => preparing.join(vec![Subprotocol::new("sessioned", "me")]),
            GroupEvent::Leading(leading) => {
                let member_id = leading.member_id.clone();
                leading.assign(vec![MemberAssignment {
                    member_id,
                    assignment: b"all".to_vec(),
                }]);
            }
            GroupEvent::Joined(joined) => {
                assert_eq!(joined.assignment, b"all");
                break;
            }
            event => panic!("unexpected {event:?}"),
        }
    }
    member.close("end").await;
}

/// What an admin client and a member say to settings that the broker refuses.
fn refused(bootstrap: &str, settings: &[(&str, &str)]) -> String {
    let base = properties(&[("bootstrap.servers", bootstrap)]);
    let settings = ClientSettings::admin(&[Layer::Client(&base), Layer::Client(&properties(settings))]).unwrap();
    let admin = Admin::start(&settings).unwrap();
    assert!(admin.list_topics(Duration::from_secs(2)).is_err());
    let (member, mut events) = GroupMember::start(&settings, GroupOptions::new(fresh("workers"), "connect")).unwrap();
    member.join("start");
    match block_on(events.recv()) {
        Some(GroupEvent::Failed(error)) => error.to_string(),
        event => panic!("unexpected {event:?}"),
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn sasl_by_scram_and_plain_over_tls_with_a_trust_store_of_java(broker: &Secured) {
    let jks = broker.file("trust.jks");
    for (mechanism, module) in [
        ("SCRAM-SHA-512", "scram.ScramLoginModule"),
        ("SCRAM-SHA-256", "scram.ScramLoginModule"),
        ("PLAIN", "plain.PlainLoginModule"),
    ] {
        let jaas =
            format!("org.apache.kafka.common.security.{module} required username=\"alice\" password=\"{PASSWORD}\";");
        check(
            &broker.sasl(),
            &[
                ("security.protocol", "SASL_SSL"),
                ("sasl.mechanism", mechanism),
                ("sasl.jaas.config", &jaas),
                ("ssl.truststore.location", path(&jks)),
                ("ssl.truststore.password", PASSWORD),
            ],
        );
        let wrong = jaas.replace(PASSWORD, "wrong");
        let error = refused(
            &broker.sasl(),
            &[
                ("security.protocol", "SASL_SSL"),
                ("sasl.mechanism", mechanism),
                ("sasl.jaas.config", &wrong),
                ("ssl.truststore.location", path(&jks)),
                ("ssl.truststore.password", PASSWORD),
            ],
        );
        assert!(error.contains("AUTHENTICATION") && !error.contains("wrong"), "{error}");
    }
}

fn sasl_by_unsecured_bearer_tokens(broker: &Secured) {
    let jaas = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
                unsecuredLoginStringClaim_sub=\"alice\";";
    check(
        &broker.sasl(),
        &[
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "OAUTHBEARER"),
            ("sasl.jaas.config", jaas),
            ("ssl.truststore.location", path(&broker.file("ca.pem"))),
            ("ssl.truststore.type", "PEM"),
        ],
    );
}

fn mutual_tls_with_key_stores_of_every_format(broker: &Secured) {
    let protocol = ("security.protocol", "SSL");
    let (trust, own) = (broker.file("trust.p12"), broker.file("client.p12"));
    let pkcs12 = [
        protocol,
        ("ssl.truststore.location", path(&trust)),
        ("ssl.truststore.type", "PKCS12"),
        ("ssl.truststore.password", PASSWORD),
        ("ssl.keystore.location", path(&own)),
        ("ssl.keystore.type", "PKCS12"),
        ("ssl.keystore.password", PASSWORD),
    ];
    check(&broker.mutual(), &pkcs12);
    let (trust, own) = (broker.file("trust.jks"), broker.file("client.jks"));
    let jks = [
        protocol,
        ("ssl.truststore.location", path(&trust)),
        ("ssl.truststore.password", PASSWORD),
        ("ssl.keystore.location", path(&own)),
        ("ssl.keystore.password", PASSWORD),
        ("ssl.key.password", PASSWORD),
    ];
    check(&broker.mutual(), &jks);
    let text = |name: &str| std::fs::read_to_string(broker.file(name)).unwrap();
    let (ca, chain, key) = (text("ca.pem"), text("client.pem"), text("client.key"));
    let pem = [
        protocol,
        ("ssl.truststore.type", "PEM"),
        ("ssl.truststore.certificates", &ca),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.certificate.chain", &chain),
        ("ssl.keystore.key", &key),
    ];
    check(&broker.mutual(), &pem);
}

fn a_broker_is_believed_by_its_name_and_its_authority(broker: &Secured) {
    let jaas = format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"{PASSWORD}\";"
    );
    let (ours, other) = (broker.file("ca.pem"), broker.file("other-ca.pem"));
    let with = |trust: &Path, algorithm: Option<&str>| {
        let mut settings = vec![
            ("security.protocol".to_owned(), "SASL_SSL".to_owned()),
            ("sasl.mechanism".to_owned(), "PLAIN".to_owned()),
            ("sasl.jaas.config".to_owned(), jaas.clone()),
            ("ssl.truststore.location".to_owned(), path(trust).to_owned()),
            ("ssl.truststore.type".to_owned(), "PEM".to_owned()),
        ];
        settings.extend(algorithm.map(|value| ("ssl.endpoint.identification.algorithm".to_owned(), value.to_owned())));
        settings
    };
    fn pairs(settings: &[(String, String)]) -> Vec<(&str, &str)> {
        settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
    let untrusted = refused(&broker.sasl(), &pairs(&with(&other, None)));
    assert!(untrusted.contains("TLS handshake failed"), "{untrusted}");
    // The certificate of this listener is for another host.
    let misnamed = refused(&broker.misnamed(), &pairs(&with(&ours, None)));
    assert!(misnamed.contains("TLS handshake failed"), "{misnamed}");
    check(&broker.misnamed(), &pairs(&with(&ours, Some(""))));
}
