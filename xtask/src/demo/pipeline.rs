//! `cargo x demo pipeline`: changes of a PostgreSQL table become documents of a search server, by the two configurations
//! that everybody knows, POSTed as they stand but for host, port and login.

mod documents;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::cli::DemoArguments;
use crate::demo::session::Session;
use crate::demo::{PATIENCE, grouped, wait};
use crate::interrupt::Interrupt;
use crate::systems::System;
use crate::tree::Tree;
use crate::{guests, kafka, machine, worker};

use documents::Documents;

/// Rows that are inserted at once.
const BURST: u64 = 20_000;
/// Where the records go, and so the documents.
const TOPIC: &str = "dbserver1.public.customers";

pub fn run(tree: &Tree, arguments: &DemoArguments) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    println!("1/4 the worker and its components");
    machine::prepare_broker()?;
    worker::build(tree)?;
    guests::bundled(tree)?;
    let mut session = Session::open(tree, arguments)?;
    let shown = show(tree, &mut session, arguments, &interrupt);
    if shown.is_err() && !interrupt.requested() {
        session.keep_for_inspection();
    }
    drop(session);
    match shown {
        Err(_) if interrupt.requested() => Ok(ExitCode::SUCCESS),
        shown => shown.map(|()| ExitCode::SUCCESS),
    }
}

fn show(tree: &Tree, session: &mut Session<'_>, arguments: &DemoArguments, interrupt: &Interrupt) -> Result<()> {
    println!("2/4 PostgreSQL, Kafka and Elasticsearch");
    let database = kafka::free_ports()?;
    let settings = [
        ("PORT", database.to_string()),
        ("USER_NAME", "connect_user".into()),
        ("PASSWORD", "db_password".into()),
        ("DATABASE", "mydatabase".into()),
    ];
    let postgres = System::start(tree, "start-postgres.sh", &session.file("postgres"), settings.to_vec())?;
    println!("    PostgreSQL at 127.0.0.1:{database}");
    interrupt.check()?;
    let search = kafka::free_ports()?;
    let settings = vec![("PORT", search.to_string()), ("FLAVOR", "elasticsearch".into())];
    let _elasticsearch = System::start(tree, "start-search.sh", &session.file("search"), settings)?;
    let documents = Documents::new(search, TOPIC);
    println!("    Elasticsearch at {}", documents.address);
    interrupt.check()?;
    let bootstrap = session.start_kafka()?;
    println!("    Kafka at {bootstrap}");
    println!("3/4 the worker and two connectors");
    let plain = "key.converter.schemas.enable=false\nvalue.converter.schemas.enable=false\n";
    session.start_worker_with(&bootstrap, plain)?;
    sql(
        &postgres,
        "create table customers (id serial primary key, name text not null, email text)",
    )?;
    for document in connectors(database, &documents.address)? {
        let name = document["name"].as_str().context("a connector without a name")?;
        session.rest.create(name, &document["config"])?;
        session.rest.await_running(name, PATIENCE)?;
        println!("    {name} is RUNNING");
    }
    println!("4/4 rows of the table customers become documents of {TOPIC}");
    let shown = Shown {
        postgres: &postgres,
        documents: &documents,
        interrupt,
    };
    shown.changes(session)?;
    shown.burst(session)?;
    if arguments.once {
        return Ok(());
    }
    suggestions(session, &documents, database);
    let end = arguments
        .seconds
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    shown.watch(session, end)
}

/// The two documents, with the host and port of this demo; the login is theirs.
fn connectors(database: u16, search: &str) -> Result<[Value; 2]> {
    let mut source: Value = serde_json::from_str(include_str!("../../../tests/pipeline/pg-source-connector.json"))?;
    source["config"]["database.hostname"] = json!("127.0.0.1");
    source["config"]["database.port"] = json!(database.to_string());
    let mut sink: Value = serde_json::from_str(include_str!("../../../tests/pipeline/es-sink-connector.json"))?;
    sink["config"]["connection.url"] = json!(search);
    Ok([source, sink])
}

fn sql(postgres: &System, statement: &str) -> Result<String> {
    postgres.client(&["-qAt", "-v", "ON_ERROR_STOP=1", "-c", statement])
}

/// What the reader sees.
struct Shown<'a> {
    postgres: &'a System,
    documents: &'a Documents,
    interrupt: &'a Interrupt,
}

impl Shown<'_> {
    /// An insert, an update and a deletion, each with what became of the document.
    fn changes(&self, session: &mut Session<'_>) -> Result<()> {
        for statement in [
            "insert into customers (name, email) values ('Ada', 'ada@example.org')",
            "update customers set email = 'ada@example.com' where id = 1",
            "insert into customers (name) values ('Grace')",
            "delete from customers where id = 2",
        ] {
            println!("    {statement}");
            sql(self.postgres, statement)?;
            let began = Instant::now();
            self.await_equal(session)?;
            let (took, all) = (began.elapsed().as_millis(), self.documents.rows()?);
            println!(
                "      → {took} ms later, document 1: {}, documents: {}",
                shown(all.get(&1)),
                all.len()
            );
        }
        Ok(())
    }

    /// Many rows at once.
    fn burst(&self, session: &mut Session<'_>) -> Result<()> {
        let statement = format!(
            "insert into customers (name, email) select 'name ' || n, n || '@example.org' from generate_series(1, {BURST}) n"
        );
        println!("    {} rows at once", grouped(BURST));
        let began = Instant::now();
        sql(self.postgres, &statement)?;
        self.await_equal(session)?;
        let rate = BURST as f64 / began.elapsed().as_secs_f64();
        println!(
            "      → all of them are documents: {} rows/s from table to index, worker {} MiB",
            grouped(rate as u64),
            session.worker_memory()
        );
        Ok(())
    }

    /// A change each second, until the end.
    fn watch(&self, session: &mut Session<'_>, end: Option<Instant>) -> Result<()> {
        let mut number = 0;
        while end.is_none_or(|end| Instant::now() < end) {
            number += 1;
            sql(
                self.postgres,
                &format!("update customers set name = 'Ada {number}' where id = 1"),
            )?;
            self.await_equal(session)?;
            println!("    document 1: {}", shown(self.documents.rows()?.get(&1)));
            wait(Duration::from_secs(1), self.interrupt)?;
        }
        Ok(())
    }

    /// Waits until the documents are the rows.
    fn await_equal(&self, session: &mut Session<'_>) -> Result<()> {
        let rows = self.rows()?;
        let mut moved = (Instant::now(), 0);
        loop {
            let documents = self.documents.rows()?;
            if documents == rows {
                return Ok(());
            }
            if documents.len() != moved.1 {
                moved = (Instant::now(), documents.len());
            }
            session.check_worker()?;
            if moved.0.elapsed() > PATIENCE {
                let states = session.rest.states()?;
                bail!(
                    "the documents ({}) are not the rows ({}): {states}",
                    documents.len(),
                    rows.len()
                );
            }
            wait(Duration::from_millis(20), self.interrupt)?;
        }
    }

    fn rows(&self) -> Result<documents::Rows> {
        let text = sql(self.postgres, "select row_to_json(customers) from customers")?;
        let row = |line: &str| {
            let row: Value = serde_json::from_str(line)?;
            Ok((row["id"].as_i64().context("a row without id")?, row))
        };
        text.lines().map(row).collect()
    }
}

fn shown(document: Option<&Value>) -> String {
    document.map_or_else(|| "none".to_owned(), Value::to_string)
}

fn suggestions(session: &Session<'_>, documents: &Documents, database: u16) {
    let rest = &session.rest.address;
    println!();
    println!("Play with it from another terminal; Ctrl-C here ends everything:");
    println!("    curl -s {rest}/connectors/pg-source-connector/status");
    println!(
        "    curl -s '{}/{TOPIC}/_search?q=after.name:grace&pretty'",
        documents.address
    );
    println!("    PGPASSWORD=db_password psql -h 127.0.0.1 -p {database} -U connect_user mydatabase");
    println!();
}
