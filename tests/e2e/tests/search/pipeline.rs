//! From a table to an index, by the two configurations that everybody knows.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use caisson_e2e::{Broker, Flavor, Postgres, Search, System, Worker, WorkerSetup, measured, until};
use serde_json::Value;

use crate::{SINK, SOURCE, document, mortal};

/// Both connectors with their table and index.
struct Pipeline {
    postgres: Postgres,
    search: std::sync::Arc<Search>,
    /// The two documents, unchanged but for host, port and login.
    source: Value,
    sink: Value,
}

/// The connectors of the documents.
const NAMES: [&str; 2] = ["pg-source-connector", "es-sink-connector"];

impl Pipeline {
    fn new(system: &System, search: std::sync::Arc<Search>) -> Self {
        let postgres = Postgres::start(system);
        postgres.sql("create table customers (id serial primary key, name text not null, score numeric(6,2))");
        let port = postgres.port.to_string();
        Self {
            source: document(SOURCE, &[("database.hostname", "127.0.0.1"), ("database.port", &port)]),
            sink: document(SINK, &[("connection.url", &search.url())]),
            postgres,
            search,
        }
    }

    fn index(&self) -> &str {
        self.sink["config"]["topics"].as_str().unwrap()
    }

    /// Rows of the table by their ids.
    fn rows(&self) -> BTreeMap<String, Value> {
        let text = self.postgres.sql("select row_to_json(customers) from customers");
        let row = |line: &str| {
            let row: Value = serde_json::from_str(line).unwrap();
            (row["id"].to_string(), row["name"].clone())
        };
        text.lines().map(row).collect()
    }

    /// The rows that documents tell of: a document is the last event of its row.
    fn documents(&self) -> BTreeMap<String, Value> {
        let documents = self.search.documents(self.index());
        let row = |(id, event): (String, Value)| {
            let row = &event["after"];
            row.is_object().then(|| (id, row["name"].clone()))
        };
        documents.into_iter().filter_map(row).collect()
    }

    #[track_caller]
    fn await_equal(&self) {
        let rows = self.rows();
        let mut last = self.documents();
        while last != rows {
            // Patience begins anew with each change.
            last = until("the documents come nearer to the rows", || {
                Some(self.documents()).filter(|documents| *documents != last)
            });
            println!("{} of {} documents", last.len(), rows.len());
        }
    }
}

/// A worker whose default converters are those of the example.
fn worker(system: &System) -> WorkerSetup {
    let json = "org.apache.kafka.connect.json.JsonConverter";
    system
        .worker("pipeline")
        .property("key.converter", json)
        .property("value.converter", json)
        .property("key.converter.schemas.enable", "false")
        .property("value.converter.schemas.enable", "false")
}

#[test]
fn documents_follow_the_rows_of_a_table() {
    let Some(system) = System::with_search() else { return };
    let pipeline = Pipeline::new(&system, Search::shared(&system, Flavor::Elasticsearch));
    pipeline
        .postgres
        .sql("insert into customers (name, score) select 'n' || n, n from generate_series(1, 1000) n");
    let worker = worker(&system).start();
    for (name, document) in NAMES.into_iter().zip([&pipeline.source, &pipeline.sink]) {
        worker.rest.post("/connectors", document).expect(201);
        worker.rest.await_states(name, "RUNNING", "RUNNING");
    }
    pipeline.await_equal();
    for statement in [
        "insert into customers (name) values ('Ada')",
        "update customers set name = 'Grace' where id = 1",
        "delete from customers where id % 2 = 0",
        "update customers set id = 5001 where id = 3",
    ] {
        pipeline.postgres.sql(statement);
        pipeline.await_equal();
    }
    for name in NAMES {
        assert_eq!(worker.rest.status(name)["tasks"][0]["state"], "RUNNING");
    }
}

/// Between two statements of the load: what comes must not outrun what a small machine writes.
const PAUSE: Duration = Duration::from_millis(20);

#[test]
fn whatever_fails_under_a_load_of_updates_the_documents_are_the_rows_in_the_end() {
    let Some(system) = System::with_search() else { return };
    let broker = Broker::start(&system, "pipeline-kafka");
    let system = system.on(&broker.bootstrap());
    let pipeline = Pipeline::new(
        &system,
        std::sync::Arc::new(Search::start(&system, Flavor::Elasticsearch)),
    );
    pipeline
        .postgres
        .sql("insert into customers (name) select 'n' || n from generate_series(1, 2000) n");
    let mut worker = mortal(worker(&system))
        .connector("source.json", &pipeline.source.to_string())
        .connector("sink.json", &pipeline.sink.to_string())
        .start();
    let ended = AtomicBool::new(false);
    let statements = std::thread::scope(|scope| {
        let load = scope.spawn(|| load(&pipeline.postgres, &ended));
        let ending = Ending(&ended);
        disturb(&pipeline, &broker, &mut worker);
        drop(ending);
        load.join().unwrap()
    });
    pipeline.await_equal();
    measured(&format!(
        "{statements} statements of 10 rows while the worker, PostgreSQL, Kafka and Elasticsearch failed: documents equal rows"
    ));
    for name in NAMES {
        assert_eq!(worker.rest.status(name)["tasks"][0]["state"], "RUNNING");
    }
}

/// Ends the load even if what it was for has failed: the scope would wait for it for ever.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Updates, inserts and deletions until it has ended; returns how many statements the server has taken.
fn load(postgres: &Postgres, ended: &AtomicBool) -> u64 {
    let (mut number, mut taken) = (0_u64, 0);
    while !ended.load(Ordering::Relaxed) {
        number += 1;
        let from = number * 37 % 2000;
        let statement = match number % 4 {
            0 => "insert into customers (name) select 'new' from generate_series(1, 10)".to_owned(),
            // Not the marks, which somebody looks for.
            1 => "delete from customers where id in (select id from customers where id > 2000 and id < 100000 limit 5)"
                .to_owned(),
            _ => format!("update customers set name = 'v{number}' where id between {from} and {from} + 9"),
        };
        taken += u64::from(postgres.try_sql(&statement));
        std::thread::sleep(PAUSE);
    }
    taken
}

fn disturb(pipeline: &Pipeline, broker: &Broker, worker: &mut Worker) {
    // Something of what was told before has to arrive after each failure: otherwise it proves nothing.
    let mark = |number: u32| {
        let name = format!("mark{number}");
        until("the database takes a row", || {
            pipeline
                .postgres
                .try_sql(&format!("update customers set name = '{name}' where id = 2000"))
                .then_some(())
        });
        pipeline.postgres.try_sql(&format!(
            "insert into customers (id, name) values (100000 + {number}, '{name}')"
        ));
        let id = (100_000 + number).to_string();
        until("documents arrive", || {
            pipeline.documents().contains_key(&id).then_some(())
        });
    };
    mark(1);
    worker.kill();
    worker.start_again();
    mark(2);
    pipeline.postgres.stop();
    pipeline.postgres.begin();
    mark(3);
    pipeline.search.stop();
    pipeline.search.begin();
    mark(4);
    broker.kill();
    broker.start_again();
    mark(5);
    worker.kill();
    worker.start_again();
    mark(6);
}
