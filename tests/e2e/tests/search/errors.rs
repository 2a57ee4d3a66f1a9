//! The errors that people meet say what to do.

use std::net::TcpListener;
use std::sync::Arc;

use caisson_e2e::{Flavor, Search, System, Worker, until};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};
use serde_json::{Value, json};

use crate::{Changes, config, index_of};

/// The errors that validation finds at a key.
fn errors(answer: &Value, key: &str) -> String {
    let configs = answer["configs"].as_array().unwrap();
    let value = configs
        .iter()
        .map(|config| &config["value"])
        .find(|value| value["name"] == key)
        .unwrap();
    value["errors"].to_string()
}

#[test]
fn a_document_that_does_not_fit_its_mapping_fails_the_task_or_is_left_out() {
    let Some(system) = System::with_search() else { return };
    let worker = system.worker("conflict").start();
    for flavor in Flavor::ALL {
        check_conflict(&system, &worker, &Search::shared(&system, flavor));
    }
}

fn check_conflict(system: &System, worker: &Worker, search: &Search) {
    let topic = system.topic("conflict", 1, &[]);
    let index = index_of(search, &topic);
    let mapping = json!({"mappings": {"properties": {"n": {"type": "long"}}}});
    search.call("PUT", &format!("/{index}"), Some(&mapping)).expect(200);
    let mut config = config(&topic, &search.url());
    worker.rest.create(&topic, &config);
    let mut changes = Changes::default();
    changes.put(1, json!({"n": 1}));
    changes.lines.push_str("{\"id\":2}\t{\"n\":\"no number\"}\n");
    changes.put(3, json!({"n": 3}));
    changes.produce(system, &topic);
    let trace = worker.rest.await_failed_task(&topic);
    for part in [
        "Indexing record failed. Please check DLQ topic for errors.",
        "offset 1 of conflict-",
        "failed to parse field [n] of type [long]",
        "behavior.on.malformed.documents",
    ] {
        assert!(trace.contains(part), "{part}: {trace}");
    }
    config["behavior.on.malformed.documents"] = json!("warn");
    worker
        .rest
        .call("PUT", &format!("/connectors/{topic}/config"), Some(&config))
        .expect(200);
    search.await_documents(&index, &changes.documents);
    worker.await_log(&["offset 1 of conflict-", "is left out, the server refuses it"]);
    let end = system.end_offset(&topic);
    until("all offsets are committed", || {
        system
            .committed(&format!("connect-{topic}"))
            .iter()
            .any(|(_, _, offset)| *offset == end)
            .then_some(())
    });
}

#[test]
fn a_read_only_index_is_named_at_validation_and_at_run_time() {
    let Some(system) = System::with_search() else { return };
    let worker = system.worker("read-only").start();
    for flavor in Flavor::ALL {
        let search = Search::shared(&system, flavor);
        check_read_only(
            &system,
            &worker,
            &search,
            "index.blocks.write",
            "the index is read-only",
        );
    }
}

#[test]
fn an_index_that_a_full_disk_has_closed_is_named_with_what_to_do() {
    let Some(system) = System::with_search() else { return };
    let worker = system.worker("full-disk").start();
    for flavor in Flavor::ALL {
        let search = Search::shared(&system, flavor);
        // The server lifts this block by itself where it finds the disk not full after all, but not before it looks.
        let seldom = json!({"transient": {"cluster.info.update.interval": "1h"}});
        search.call("PUT", "/_cluster/settings", Some(&seldom)).expect(200);
        let block = "index.blocks.read_only_allow_delete";
        check_read_only(&system, &worker, &search, block, "make room or add a node");
    }
}

/// `block` is what closes the index, and `remedy` words of what is said about it.
fn check_read_only(system: &System, worker: &Worker, search: &Search, block: &str, remedy: &str) {
    let topic = system.topic("read-only", 1, &[]);
    let index = index_of(search, &topic);
    worker.rest.create_running(&topic, &config(&topic, &search.url()));
    let mut changes = Changes::default();
    changes.put(1, json!({"n": 1}));
    changes.produce(system, &topic);
    search.await_documents(&index, &changes.documents);

    let close = |on: Value| {
        let settings = json!({block: on});
        search
            .call("PUT", &format!("/{index}/_settings"), Some(&settings))
            .expect(200);
    };
    close(json!(true));
    changes.lines.clear();
    changes.put(2, json!({"n": 2}));
    changes.produce(system, &topic);
    let trace = worker.rest.await_failed_task(&topic);
    for part in ["cluster_block_exception", remedy, block, "restart the task"] {
        assert!(trace.contains(part), "{part}: {trace}");
    }
    let class = "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector";
    let path = format!("/connector-plugins/{class}/config/validate");
    let mut named = config(&topic, &search.url());
    named["name"] = json!("other");
    let answer = worker.rest.call("PUT", &path, Some(&named)).expect(200);
    assert!(
        errors(&answer, "topics").contains(&format!("Index {index} is read-only")),
        "{answer}"
    );

    close(Value::Null);
    worker
        .rest
        .post(&format!("/connectors/{topic}/tasks/0/restart"), &Value::Null)
        .expect(204);
    search.await_documents(&index, &changes.documents);
}

#[test]
fn a_server_that_is_not_there_or_not_granted_is_named_when_the_connector_is_created() {
    let Some(system) = System::with_search() else { return };
    let topic = system.topic("nowhere", 1, &[]);
    let worker = system
        .worker("nowhere")
        .property("sandbox.network.denied", "127.0.0.2/32")
        .start();
    let create = |url: &str| {
        let body = json!({"name": "sink", "config": config(&topic, url)});
        let answer = worker.rest.post("/connectors", &body);
        assert_eq!(answer.status, 400, "{}", answer.body);
        answer.body["message"].as_str().unwrap().to_owned()
    };
    let message = create("http://127.0.0.1:1");
    for part in [
        "Could not connect to Elasticsearch.",
        "http://127.0.0.1:1 cannot be reached",
        "see that it runs",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let message = create("http://no-such-host.invalid:9200");
    assert!(
        message.contains("http://no-such-host.invalid:9200 cannot be reached"),
        "{message}"
    );
    let message = create(&untrusted());
    for part in [
        "the certificate of 127.0.0.1 is not trusted",
        "elastic.https.ssl.truststore.location",
        "sandbox.tls.trusted",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let message = create("http://127.0.0.2:9200");
    assert!(
        message.contains("the operator refuses 127.0.0.2 (sandbox.network.denied)"),
        "{message}"
    );
}

/// The URL of something that shows a certificate which nobody vouches for.
fn untrusted() -> String {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            // Until the client has seen enough.
            while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
        }
    });
    url
}
