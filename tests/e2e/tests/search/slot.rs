//! The replication slot: who reads it, what is in it, and what its server is told of.

use caisson_e2e::{Postgres, System, until};
use serde_json::{Value, json};

use crate::database::{assert_has, database, source};

/// A column of the slot.
pub fn slot(postgres: &Postgres, column: &str) -> String {
    postgres.sql(&format!(
        "select {column} from pg_replication_slots where slot_name = 'debezium'"
    ))
}

/// Waits until somebody reads the slot.
#[track_caller]
pub fn await_reader(postgres: &Postgres) {
    until("the slot has a reader", || {
        (slot(postgres, "active") == "t").then_some(())
    });
}

#[track_caller]
fn await_no_reader(postgres: &Postgres) {
    until("nobody reads the slot", || {
        (slot(postgres, "active") == "f").then_some(())
    });
}

#[test]
fn a_slot_that_is_held_gone_or_lost_fails_the_task_with_advice() {
    let Some(system) = System::with_search() else { return };
    let postgres = database(&system);
    let worker = system.worker("slot").start();
    let rest = &worker.rest;
    rest.create_running("first", &source(&postgres, &[]));
    await_reader(&postgres);

    let second = [
        ("topic.prefix", "second"),
        ("slot.max.retries", "1"),
        ("slot.retry.delay.ms", "100"),
    ];
    rest.create("second", &source(&postgres, &second));
    let trace = rest.await_failed_task("second");
    assert_has(
        &trace,
        &[
            "is active for PID",
            "another reader holds the replication slot",
            "slot.name",
        ],
    );
    rest.delete("/connectors/second").expect(204);

    // One record, so that there is an offset.
    postgres.sql("insert into customers values (1, 'a')");
    until("its offset is stored", || {
        let offsets = rest.get("/connectors/first/offsets").body;
        (offsets["offsets"] != json!([])).then_some(())
    });
    rest.put("/connectors/first/stop").expect(204);
    await_no_reader(&postgres);
    postgres.sql("alter system set max_slot_wal_keep_size = '1MB'");
    postgres.sql("select pg_reload_conf()");
    until("the slot is lost", || {
        postgres.sql("insert into customers values (2, 'b') on conflict (id) do update set name = 'c'");
        postgres.sql("select pg_switch_wal()");
        postgres.sql("checkpoint");
        (slot(&postgres, "wal_status") == "lost").then_some(())
    });
    rest.put("/connectors/first/resume").expect(202);
    let advice = [
        "pg_drop_replication_slot",
        "delete the connector's offsets",
        "max_slot_wal_keep_size",
    ];
    let trace = rest.await_failed_task("first");
    assert_has(&trace, &["replication slot debezium has lost its WAL"]);
    assert_has(&trace, &advice);

    postgres.sql("select pg_drop_replication_slot('debezium')");
    rest.post("/connectors/first/tasks/0/restart", &Value::Null).expect(204);
    let trace = until("the task has failed again", || {
        let trace = rest.await_failed_task("first");
        trace.contains("is not there").then_some(trace)
    });
    assert_has(
        &trace,
        &["replication slot debezium is not there", "snapshot.mode=when_needed"],
    );
    assert_has(&trace, &advice[1..]);
}

#[test]
fn a_server_is_told_of_nothing_whose_offset_is_not_stored() {
    let Some(system) = System::with_search() else { return };
    let postgres = database(&system);
    let worker = system
        .worker("told")
        .property("offset.flush.interval.ms", "600000")
        .start();
    let prefix = system.name("told");
    let settings = [
        ("topic.prefix", prefix.as_str()),
        ("lsn.flush.mode", "connector_and_driver"),
        ("status.update.interval.ms", "100"),
    ];
    worker.rest.create_running("told", &source(&postgres, &settings));
    // Of what concerns nobody it is told at once, as this mode wants it.
    let await_confirmed = || {
        let end = postgres.sql("select pg_current_wal_lsn()");
        until("the server is told", || {
            (postgres.sql(&format!(
                "select bool_or(confirmed_flush_lsn >= '{end}') from pg_replication_slots"
            )) == "t")
                .then_some(())
        });
    };
    await_confirmed();
    postgres.sql("insert into customers values (1, 'a')");
    let after = postgres.sql("select pg_current_wal_lsn()");
    system.consume(&format!("{prefix}.public.customers"), 1);
    postgres.sql("create table other (n int); insert into other values (1)");
    let sent = postgres.sql("select pg_current_wal_lsn()");
    let told = "from pg_stat_replication where application_name like 'Caisson%'";
    until("the server has sent all of it", || {
        (postgres.sql(&format!("select sent_lsn >= '{sent}' {told}")) == "t").then_some(())
    });
    for _ in 0..2 {
        let last = postgres.sql(&format!("select reply_time {told}"));
        until("the reader has told where it is", || {
            (postgres.sql(&format!("select reply_time > '{last}' {told}")) == "t").then_some(())
        });
    }
    assert_eq!(postgres.sql(&format!("select flush_lsn < '{after}' {told}")), "t");
    // Whoever stops stores what there is, and after that nothing is outstanding.
    worker.rest.put("/connectors/told/stop").expect(204);
    await_no_reader(&postgres);
    worker.rest.put("/connectors/told/resume").expect(202);
    await_confirmed();
}

/// Takes in the table `moves` and drops its records.
const DROPPING: &[(&str, &str)] = &[
    ("table.include.list", "public.customers,public.moves"),
    ("transforms", "filter"),
    ("transforms.filter.type", "org.apache.kafka.connect.transforms.Filter"),
    ("transforms.filter.predicate", "moves"),
    ("predicates", "moves"),
    (
        "predicates.moves.type",
        "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
    ),
    ("predicates.moves.pattern", r".*\.moves"),
];

#[test]
fn records_that_a_transform_drops_do_not_carry_the_slot_past_the_stored_offset() {
    let Some(system) = System::with_search() else { return };
    let postgres = database(&system);
    postgres.sql("create table moves (n int)");
    let (prefix, name) = (system.name("dropped"), system.name("drops"));
    let settings = [&[("name", name.as_str()), ("topic.prefix", &prefix)], DROPPING].concat();
    let mut worker = system
        .worker("dropped")
        .connector("source.json", &source(&postgres, &settings).to_string())
        .property("offset.flush.interval.ms", "3000")
        .start();
    await_reader(&postgres);
    let topic = format!("{prefix}.public.customers");
    postgres.sql("insert into customers values (0, 'a')");
    system.consume(&topic, 1);
    for id in 1..=2 {
        let told = slot(&postgres, "confirmed_flush_lsn");
        // With the checkpoint the server could do without what was before it, if it were told of what is dropped.
        for statement in [
            &format!("insert into customers values ({id}, 'b')"),
            "insert into moves values (1)",
            "checkpoint",
            "insert into moves values (2)",
            "insert into moves values (3)",
        ] {
            postgres.sql(statement);
        }
        until("the server is told", || {
            (slot(&postgres, "confirmed_flush_lsn") != told).then_some(())
        });
        let offsets = worker.rest.get(&format!("/connectors/{name}/offsets")).expect(200);
        let stored = &offsets["offsets"][0]["offset"]["lsn"];
        assert_eq!(
            slot(&postgres, &format!("confirmed_flush_lsn <= '0/0'::pg_lsn + {stored}")),
            "t",
            "{offsets}"
        );
        worker.kill();
        await_no_reader(&postgres);
        worker.start_again();
        await_reader(&postgres);
    }
    postgres.sql("insert into customers values (3, 'c')");
    // The stored offset was that of row 2: nothing comes twice.
    until("row 3 has arrived", || (system.end_offset(&topic) >= 4).then_some(()));
    let records = system.consume(&topic, 4);
    let ids = records.iter().map(|record| {
        let value: Value = serde_json::from_str(record.split_once('\t').unwrap().1).unwrap();
        value["payload"]["after"]["id"].as_u64().unwrap()
    });
    assert!(ids.eq(0..4), "{records:?}");
}

#[test]
fn heartbeats_carry_the_slot_past_records_that_a_transform_drops() {
    let Some(system) = System::with_search() else { return };
    let postgres = database(&system);
    postgres.sql("create table moves (n int)");
    let prefix = system.name("beating");
    let settings = [("topic.prefix", prefix.as_str()), ("heartbeat.interval.ms", "500")];
    let worker = system
        .worker("beating")
        .property("offset.flush.interval.ms", "500")
        .start();
    let settings = [&settings, DROPPING].concat();
    worker.rest.create_running("beating", &source(&postgres, &settings));
    await_reader(&postgres);
    for n in 0..3 {
        postgres.sql(&format!("insert into moves values ({n})"));
        let end = postgres.sql("select pg_current_wal_lsn()");
        until("the server may do without it", || {
            (slot(&postgres, &format!("confirmed_flush_lsn >= '{end}'")) == "t").then_some(())
        });
    }
}
