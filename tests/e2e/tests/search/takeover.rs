//! A slot goes from the real Debezium, on a worker of Kafka Connect's own, to a Caisson worker of the same cluster, and
//! back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use caisson_e2e::cluster::{create, owners, worker_id};
use caisson_e2e::{JavaWorker, Postgres, Rest, System, Worker, measured, until};
use serde_json::{Value, json};

/// For workers of both kinds: nobody waits for a worker that has left.
const TIMES: [(&str, &str); 4] = [
    ("scheduled.rebalance.max.delay.ms", "0"),
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1000"),
    ("offset.flush.interval.ms", "500"),
];

const NAME: &str = "captured";

fn source(postgres: &Postgres, prefix: &str) -> Value {
    json!({
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
        "database.hostname": "127.0.0.1", "database.port": postgres.port.to_string(),
        "database.user": "connect_user", "database.password": "db_password", "database.dbname": "mydatabase",
        "table.include.list": "public.events", "topic.prefix": prefix, "plugin.name": "pgoutput",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
    })
}

fn caisson(system: &System, group: &str) -> Worker {
    let base = group.trim_end_matches("-cluster");
    let mut setup = system.worker("takeover").distributed(group);
    for (store, topic) in [("config", "configs"), ("offset", "offsets"), ("status", "status")] {
        setup = setup.property(&format!("{store}.storage.topic"), &format!("{base}-{topic}"));
    }
    let json = "org.apache.kafka.connect.json.JsonConverter";
    setup = setup.property("key.converter", json).property("value.converter", json);
    TIMES
        .into_iter()
        .fold(setup, |setup, (key, value)| setup.property(key, value))
        .start()
}

/// Waits until the task runs on this worker.
fn await_owner(asked: &Rest, of: &Rest) {
    let id = worker_id(of);
    until(&format!("the task runs on {id}"), || {
        owners(asked, NAME, 1).contains(&id).then_some(())
    });
}

/// Inserts rows one by one and in small transactions until it has ended; returns how many.
fn load(postgres: &Postgres, ended: &AtomicBool) -> u64 {
    let mut rows = 0;
    while !ended.load(Ordering::Relaxed) {
        let more = 1 + rows % 7;
        postgres.sql(&format!(
            "insert into events select n, 'row ' || n from generate_series({}, {}) n",
            rows + 1,
            rows + more
        ));
        rows += more;
    }
    rows
}

/// A table that the real Debezium captures.
struct Captured {
    system: System,
    postgres: Postgres,
    java: JavaWorker,
    group: String,
    topic: String,
}

impl Captured {
    fn begin(system: System, test: &str) -> Captured {
        let postgres = Postgres::start(&system);
        postgres.sql("create table events (id int primary key, text text)");
        let group = format!("{}-cluster", system.name(test));
        let properties: String = TIMES.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        let java = JavaWorker::prepare(&system, &group, &properties).with_debezium();
        java.begin();
        let prefix = system.name("taken");
        let topic = format!("{prefix}.public.events");
        let creation = ["--create", "--topic", &topic, "--partitions", "1"];
        system.tool("org.apache.kafka.tools.TopicCommand", &creation, "");
        create(&java.rest, NAME, &source(&postgres, &prefix));
        await_owner(&java.rest, &java.rest);
        Captured {
            system,
            postgres,
            java,
            group,
            topic,
        }
    }

    /// Inserts rows while this goes on; how many.
    fn under_load(&self, hand_over: impl FnOnce()) -> u64 {
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let load = scope.spawn(|| load(&self.postgres, &ended));
            hand_over();
            ended.store(true, Ordering::Relaxed);
            load.join().unwrap()
        })
    }

    /// Something of what comes after each change of hands has to arrive: otherwise it proves nothing.
    fn await_more(&self, what: &str) {
        let before = self.system.end_offset(&self.topic);
        until(&format!("rows arrive {what}"), || {
            (self.system.end_offset(&self.topic) > before + 100).then_some(())
        });
    }

    /// Waits until every row has arrived; how many have more than once.
    fn await_rows(&self, rows: u64) -> usize {
        let mut times: BTreeMap<u64, u64> = BTreeMap::new();
        until("every row has arrived", || {
            times.clear();
            let end = self.system.end_offset(&self.topic);
            for record in self.system.consume(&self.topic, end as usize) {
                let (_, value) = record.split_once('\t').unwrap();
                let event: Value = serde_json::from_str(value).unwrap();
                *times.entry(event["after"]["id"].as_u64().unwrap()).or_default() += 1;
            }
            (times.len() as u64 == rows).then_some(())
        });
        times.values().filter(|times| **times > 1).count()
    }
}

#[test]
fn a_slot_that_debezium_has_read_is_read_on_and_given_back() {
    let Some(system) = System::with_search() else { return };
    let captured = Captured::begin(system, "takeover");
    let java = &captured.java;
    let rows = captured.under_load(|| {
        captured.await_more("from Debezium");
        let mut worker = caisson(&captured.system, &captured.group);
        java.stop();
        await_owner(&worker.rest, &worker.rest);
        captured.await_more("from Caisson");
        java.begin();
        worker.terminate();
        assert!(worker.await_end().success());
        await_owner(&java.rest, &java.rest);
        captured.await_more("from Debezium again");
    });
    let repeated = captured.await_rows(rows);
    measured(&format!(
        "Debezium to Caisson and back under a load of inserts: {rows} rows, none lost, {repeated} of them twice"
    ));
    // Workers that end in order have stored the offsets of all that they have written.
    assert_eq!(repeated, 0);
}

#[test]
fn a_slot_whose_debezium_was_killed_is_read_on() {
    let Some(system) = System::with_search() else { return };
    let captured = Captured::begin(system, "crashed");
    let mut successor = None;
    let rows = captured.under_load(|| {
        captured.await_more("from Debezium");
        // Debezium tells the server of what came while offsets were being written, and so it mostly is further than they.
        captured.java.kill();
        let worker = successor.insert(caisson(&captured.system, &captured.group));
        await_owner(&worker.rest, &worker.rest);
        captured.await_more("from Caisson");
    });
    let repeated = captured.await_rows(rows);
    measured(&format!(
        "Debezium killed and its slot read on under a load of inserts: {rows} rows, none lost, {repeated} of them twice"
    ));
}
