//! Whatever happens on the way, at the end the documents are what was produced.

use caisson_e2e::{Flavor, Search, System, Worker, measured, until};
use serde_json::json;

use crate::proxy::{Proxy, Say};
use crate::{Changes, config, index_of, mortal};

/// Produces while `disturb` does what it does, and compares at the end.
fn check_under_load(test: &str, settings: &[(&str, &str)], disturb: impl FnOnce(&mut Worker, &Search, &str)) {
    let Some(system) = System::with_search() else { return };
    let search = Search::start(&system, Flavor::Elasticsearch);
    let topic = system.topic(test, 2, &[]);
    let index = index_of(&search, &topic);
    let mut config = config(&topic, &search.url());
    config["name"] = json!(test);
    // Small requests, so that there are many.
    config["batch.size"] = json!("250");
    for (key, value) in settings {
        config[*key] = json!(value);
    }
    let worker = mortal(system.worker(test));
    let mut worker = worker.connector("sink.json", &config.to_string()).start();
    let changes = Changes::many(5_000, 6);
    std::thread::scope(|scope| {
        let load = scope.spawn(|| changes.produce(&system, &topic));
        until("documents arrive", || {
            (!search.documents(&index).is_empty()).then_some(())
        });
        disturb(&mut worker, &search, &index);
        load.join().unwrap();
    });
    search.await_documents(&index, &changes.documents);
    assert_eq!(worker.rest.status(test)["tasks"][0]["state"], "RUNNING");
}

#[test]
fn a_restart_of_the_server_under_load_loses_nothing() {
    check_under_load("restart", &[], |_, search, _| {
        for _ in 0..2 {
            search.stop();
            search.begin();
        }
    });
}

#[test]
fn kill_minus_nine_of_the_worker_under_load_loses_nothing() {
    check_under_load("killed", &[], |worker, search, index| {
        for _ in 0..3 {
            let before = search.documents(index).len();
            worker.kill();
            worker.start_again();
            until("documents arrive again", || {
                let found = search.documents(index).len();
                (found > before || found == 5_000).then_some(())
            });
        }
    });
}

#[test]
fn a_server_that_is_overloaded_now_and_then_gets_everything() {
    let Some(system) = System::with_search() else { return };
    let search = Search::shared(&system, Flavor::Elasticsearch);
    let topic = system.topic("busy", 2, &[]);
    let index = index_of(&search, &topic);
    // Every third request fails in one of several ways.
    let says = [
        Say::Status(429),
        Say::Pass,
        Say::Pass,
        Say::Status(503),
        Say::Pass,
        Say::Pass,
        Say::HangUp,
        Say::Pass,
    ];
    let proxy = Proxy::start(&search.url(), move |number| says[number % says.len()]);
    let mut config = config(&topic, &proxy.url);
    config["batch.size"] = json!("100");
    config["max.retries"] = json!("10");
    let worker = system.worker("busy").start();
    worker.rest.create_running(&topic, &config);
    let changes = Changes::many(2_000, 5);
    changes.produce(&system, &topic);
    search.await_documents(&index, &changes.documents);
    assert_eq!(worker.rest.status(&topic)["tasks"][0]["state"], "RUNNING");
    measured(&format!(
        "{} bulk requests, a third of them refused: nothing lost",
        proxy.requests()
    ));
}
