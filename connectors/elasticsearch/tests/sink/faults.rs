//! What the sink does when the server does not do what it is asked for.

use caisson_sdk::prelude::*;
use caisson_sdk::testing;

use crate::server::{Fault, Server, until};
use crate::{Bench, TOPIC, harness, record, tombstone};

fn warned(part: &str) -> bool {
    testing::logged().iter().any(|line| line.message.contains(part))
}

#[test]
fn offsets_are_committed_up_to_the_first_record_that_is_not_acknowledged() {
    let mut bench = Bench::new(&[
        ("batch.size", "1"),
        ("max.buffered.records", "10"),
        ("read.timeout.ms", "60000"),
    ]);
    bench.server.fault(Fault::Hold);
    bench.put(vec![record("a", 1), record("b", 2), record("c", 3)]).unwrap();
    until("the others are written", || {
        bench.sink.put(&[]).unwrap();
        (bench.server.documents(TOPIC).len() == 2).then_some(())
    });
    let held = bench.committable();
    assert!(held < 3, "{held}");
    bench.server.state().held = false;
    bench.settle();
    assert_eq!(bench.server.documents(TOPIC).len(), 3);
}

#[test]
fn a_server_without_room_is_asked_again() {
    let mut bench = Bench::new(&[]);
    bench
        .server
        .fault(Fault::Items(vec![1], 429, "es_rejected_execution_exception"));
    bench.server.fault(Fault::Answer(
        503,
        json!({"error": {"type": "x", "reason": "y"}}).to_string(),
    ));
    bench.server.fault(Fault::Answer(429, String::new()));
    bench.server.fault(Fault::HangUp);
    bench.put(vec![record("a", 1), record("b", 2)]).unwrap();
    bench.settle();
    assert_eq!(bench.server.documents(TOPIC).len(), 2);
    // What was done is not done again.
    let counts: Vec<usize> = bench
        .server
        .bulks()
        .iter()
        .map(|body| body.lines().count() / 2)
        .collect();
    assert_eq!(counts, [2, 1, 1, 1, 1]);
}

#[test]
fn a_server_that_stays_without_room_fails_the_task_with_advice() {
    let mut bench = Bench::new(&[("max.retries", "2")]);
    for _ in 0..3 {
        bench
            .server
            .fault(Fault::Items(vec![0], 429, "es_rejected_execution_exception"));
    }
    bench.put(vec![record("a", 1)]).unwrap();
    let error = bench.failure();
    assert_eq!(error.kind, ErrorKind::Fatal);
    for part in [
        "Bulk request failed",
        "3 attempts",
        "overloaded",
        "max.in.flight.requests",
    ] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
    assert_eq!(bench.committable(), 0, "nothing behind it is committed");
}

#[test]
fn malformed_documents_fail_the_task_or_are_left_out() {
    let fault = || Fault::Items(vec![0], 400, "mapper_parsing_exception");
    let mut bench = Bench::new(&[("errors.deadletterqueue.topic.name", "dlq")]);
    bench.server.fault(fault());
    bench.put(vec![record("a", 1), record("b", 2)]).unwrap();
    let error = bench.failure();
    for part in [
        "Indexing record failed. Please check DLQ topic for errors.",
        "offset 0 of orders-0",
        "told to",
    ] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
    assert!(error.detail.unwrap().contains("behavior.on.malformed.documents"));
    assert!(
        bench.sink.reported()[0]
            .message
            .starts_with("Indexing failed: mapper_parsing_exception")
    );
    assert_eq!(bench.committable(), 0);
    for (behavior, warns) in [("ignore", false), ("WARN", true)] {
        let mut bench = Bench::new(&[("behavior.on.malformed.documents", behavior)]);
        bench.server.fault(fault());
        bench.put(vec![record("a", 1), record("b", 2)]).unwrap();
        bench.settle();
        assert_eq!(bench.server.documents(TOPIC).len(), 1);
        let warned = testing::logged()
            .iter()
            .any(|line| line.level == caisson_sdk::log::Level::Warn);
        assert_eq!(warned, warns, "{behavior}");
        assert_eq!(bench.sink.reported(), [], "there is nobody to report to");
    }
}

#[test]
fn a_read_only_index_fails_the_task_with_advice() {
    let mut bench = Bench::new(&[]);
    bench
        .server
        .fault(Fault::Items(vec![0], 403, "cluster_block_exception"));
    bench.put(vec![record("a", 1)]).unwrap();
    let error = bench.failure();
    assert!(
        error.message.contains("read-only") && error.message.contains("index.blocks"),
        "{error}"
    );
}

#[test]
fn a_record_that_was_written_already_is_no_failure() {
    let mut bench = Bench::new(&[]);
    bench.put(vec![record("a", 1), record("a", 2)]).unwrap();
    bench.settle();
    let records = [record("a", 1), record("a", 2), record("b", 3)];
    let numbered = (0..).zip(records).map(|(offset, mut record)| {
        record.offset = Some(offset);
        record
    });
    let again: Vec<_> = numbered.collect();
    bench.sink.put(&again).unwrap();
    bench.settle();
    assert_eq!(bench.server.documents(TOPIC)["a"], json!({"n": 2}));
    assert_eq!(bench.server.documents(TOPIC).len(), 2);
}

#[test]
fn a_request_that_is_refused_as_a_whole_is_searched_for_the_culprit() {
    let mut bench = Bench::new(&[
        ("behavior.on.malformed.documents", "warn"),
        ("max.in.flight.requests", "1"),
    ]);
    let refusal = || {
        Fault::Answer(
            400,
            json!({"error": {"type": "action_request_validation_exception", "reason": "id"}}).to_string(),
        )
    };
    // All four, then the first two, then the first of them.
    for _ in 0..3 {
        bench.server.fault(refusal());
    }
    bench.put((0..4).map(|n| record(&n.to_string(), n)).collect()).unwrap();
    bench.settle();
    assert_eq!(bench.server.documents(TOPIC).len(), 3);
    assert!(warned("action_request_validation_exception"));
}

#[test]
fn what_is_refused_for_lack_of_rights_says_so() {
    let mut bench = Bench::new(&[]);
    bench.server.fault(Fault::Answer(
        401,
        json!({"error": {"type": "security_exception", "reason": "no"}}).to_string(),
    ));
    bench.put(vec![record("a", 1)]).unwrap();
    let error = bench.failure();
    assert!(error.message.contains("connection.username"), "{error}");
}

#[test]
fn no_more_records_are_taken_than_are_to_be_held() {
    let mut bench = Bench::new(&[
        ("batch.size", "1"),
        ("max.in.flight.requests", "1"),
        ("max.buffered.records", "2"),
        ("read.timeout.ms", "60000"),
    ]);
    bench.server.fault(Fault::Hold);
    bench.put(vec![record("a", 1), record("b", 2)]).unwrap();
    let error = bench.put(vec![record("c", 3)]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Retriable);
    assert!(error.message.contains("2 records wait"), "{error}");
    bench.server.state().held = false;
    until("there is room", || bench.put(vec![record("c", 3)]).ok());
    bench.settle();
    assert_eq!(bench.server.documents(TOPIC).len(), 3);
}

#[test]
fn a_server_that_is_not_there_is_waited_for() {
    let mut bench = Bench::new(&[("max.retries", "0")]);
    bench.put(vec![record("a", 1)]).unwrap();
    bench.settle();
    // A port that was just free; nobody listens there.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let both = format!("http://{gone},{}", bench.server.url);
    let mut sink = harness(&both, &[("max.retries", "0")]);
    sink.start().unwrap();
    sink.open(&[TopicPartition::new(TOPIC, 0)]).unwrap();
    let mut second = record("b", 2);
    second.offset = Some(7);
    sink.put(&[second]).unwrap();
    until("the other server has it", || {
        sink.put(&[]).unwrap();
        (bench.server.documents(TOPIC).len() == 2).then_some(())
    });
}

#[test]
fn a_server_that_has_just_begun_is_waited_for() {
    let mut bench = Bench::new(&[("max.retries", "0")]);
    let reason = "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];";
    let block = json!({"error": {"type": "cluster_block_exception", "reason": reason}});
    for _ in 0..2 {
        bench.server.fault(Fault::Answer(503, block.to_string()));
    }
    bench.put(vec![record("a", 1)]).unwrap();
    bench.settle();
    assert_eq!(bench.server.documents(TOPIC).len(), 1);
    assert!(warned("is not ready yet") && !warned("are sent again"));
}

#[test]
fn a_server_that_stays_away_fails_the_task() {
    let server = Server::start();
    let mut sink = harness(&server.url, &[("flush.timeout.ms", "1000")]);
    sink.start().unwrap();
    sink.put(&[record("a", 1)]).unwrap();
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut sink = harness(
        &format!("http://{gone}"),
        &[
            ("flush.timeout.ms", "1000"),
            ("external.resource.usage", "INDEX"),
            ("topic.to.external.resource.mapping", "orders:i"),
        ],
    );
    sink.start().unwrap();
    sink.put(&[record("a", 1)]).unwrap();
    let error = until("the task fails", || sink.put(&[]).err());
    assert_eq!(error.kind, ErrorKind::Fatal);
    assert!(
        error.message.contains("cannot be reached") && error.message.contains("flush.timeout.ms"),
        "{error}"
    );
    assert!(error.message.contains("connection.url"), "{error}");
}

#[test]
fn what_belongs_to_somebody_else_is_not_sent() {
    let mut bench = Bench::new(&[("linger.ms", "60000")]);
    bench.put(vec![record("a", 1), tombstone("b")]).unwrap();
    bench.sink.close(&[TopicPartition::new(TOPIC, 0)]).unwrap();
    bench.sink.put(&[]).unwrap();
    assert_eq!(bench.sink.pre_commit(&[]).unwrap(), Some(vec![]));
    assert_eq!(bench.server.bulks().len(), 0);
}

#[test]
fn records_whose_topic_was_renamed_are_committed_when_all_of_them_are_written() {
    let server = Server::start();
    let mut sink = harness(&server.url, &[("linger.ms", "60000")]);
    sink.start().unwrap();
    sink.open(&[TopicPartition::new("other", 0)]).unwrap();
    sink.put(&[record("a", 1)]).unwrap();
    let current = [PartitionOffset::new("other", 0, 1)];
    assert_eq!(sink.pre_commit(&current).unwrap(), None);
    assert_eq!(server.documents(TOPIC).len(), 1);
}

#[test]
fn a_slow_answer_is_an_answer_that_is_asked_for_again() {
    let mut bench = Bench::new(&[("read.timeout.ms", "200")]);
    bench.server.fault(Fault::Hold);
    bench.put(vec![record("a", 1)]).unwrap();
    until("the request was given up", || {
        bench.sink.put(&[]).unwrap();
        warned("are sent again").then_some(())
    });
    bench.server.state().held = false;
    bench.settle();
    assert_eq!(bench.server.documents(TOPIC).len(), 1);
}
