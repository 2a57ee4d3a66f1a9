//! Workers that reach each other by HTTPS, and know each other by their certificates.

use std::collections::BTreeSet;
use std::path::Path;

use caisson_e2e::cluster::{Cluster, create, owners, worker_id};
use caisson_e2e::{System, WorkerSetup};
use serde_json::json;

/// With a listener that speaks HTTPS, under which the worker is known to others.
fn secured(setup: WorkerSetup) -> WorkerSetup {
    let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host/crates/keystore/tests/stores");
    let (own, trust) = (stores.join("own.p12"), stores.join("trust.p12"));
    let setup = setup
        .listener("https://127.0.0.1:0")
        .property("rest.advertised.listener", "https");
    let properties = [
        ("keystore.location", own.display().to_string()),
        ("truststore.location", trust.display().to_string()),
        ("keystore.type", "PKCS12".to_owned()),
        ("truststore.type", "PKCS12".to_owned()),
        ("keystore.password", "secret12".to_owned()),
        ("truststore.password", "secret12".to_owned()),
        ("client.auth", "required".to_owned()),
        // The certificate is of another name than the address of this machine.
        ("endpoint.identification.algorithm", String::new()),
    ];
    let set = |setup: WorkerSetup, (key, value): &(&str, String)| {
        setup.property(&format!("listeners.https.ssl.{key}"), value)
    };
    properties.iter().fold(setup, set)
}

#[test]
fn workers_that_are_known_by_https_pass_requests_on_and_give_their_leader_task_configurations() {
    let Some(system) = System::get() else { return };
    let name = system.name("https");
    let start = |index| secured(system.worker(&format!("https-{index}")).distributed(&name)).start();
    let cluster = Cluster {
        workers: (0..2).map(start).collect(),
    };
    let leader = cluster.leader(&[0, 1]);
    let (asked, other) = (&cluster.workers[1 - leader], &cluster.workers[leader]);
    let topic = system.topic("https", 1, &[]);
    let config = json!({"connector.class": "DatagenSource", "topic": topic, "rate": "0", "tasks.max": "2"});
    // Two connectors, so that one of them makes its tasks' configurations on the worker that does not lead.
    let known: BTreeSet<String> = [0, 1]
        .iter()
        .flat_map(|number| {
            let name = format!("secured-{number}");
            create(&asked.rest, &name, &config);
            owners(&asked.rest, &name, 2)
        })
        .collect();
    assert_eq!(known.len(), 2, "{known:?}");
    for worker in [asked, other] {
        assert!(
            !known.contains(&worker_id(&worker.rest)),
            "known by its address for HTTP: {known:?}"
        );
    }
    let status = other.rest.get("/connectors/secured-0/status").expect(200);
    let seen = asked.rest.get("/connectors/secured-0/status").expect(200);
    assert_eq!(status, seen);
}
