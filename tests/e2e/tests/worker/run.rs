//! `caisson run`: connectors without Kafka and without a worker.

use std::path::Path;
use std::process::Stdio;

use caisson_e2e::{Caisson, System};
use serde_json::{Value, json};

fn command(system: &System, directory: &Path, arguments: &[&str]) -> Caisson {
    let plugins = system.components.display().to_string();
    let arguments = [&["run"], arguments, &["--plugin-path", &plugins]].concat();
    system.caisson(&arguments).within(directory)
}

/// Runs connectors in a directory; whether it went well, what was printed, and what was said.
fn run(system: &System, directory: &Path, arguments: &[&str], input: &str) -> (bool, String, String) {
    let ended = command(system, directory, arguments).run(input);
    (ended.is_well(), ended.out, ended.error)
}

#[test]
fn a_source_prints_what_would_go_to_kafka_and_a_sink_takes_what_was_printed() {
    let Some(system) = System::get() else { return };
    let directory = system.directory(&system.name("run"));
    let write = |name: &str, config: &Value| std::fs::write(directory.join(name), config.to_string()).unwrap();
    write(
        "source.json",
        &json!({
            "connector.class": "FileStreamSource", "file": "in.txt", "topic": "lines", "transforms": "mask",
            "transforms.mask.type": "caisson.example.MaskEmail",
        }),
    );
    write(
        "sink.json",
        &json!({"connector.class": "FileStreamSink", "file": "out.txt", "topics": "lines"}),
    );
    std::fs::write(directory.join("in.txt"), "by ada@example.org\nby nobody\nand more\n").unwrap();
    let (well, printed, error) = run(&system, &directory, &["source.json", "--records", "2"], "");
    assert!(well, "{error}");
    let records: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 2, "{printed}");
    // The converter for values is JSON's.
    assert_eq!(records[0]["value"], "\"by a***@example.org\"");
    assert_eq!(
        (&records[1]["topic"], &records[1]["offset"]),
        (&json!("lines"), &json!(1))
    );

    let (well, _, error) = run(&system, &directory, &["sink.json"], &printed);
    assert!(well, "{error}");
    let taken = std::fs::read_to_string(directory.join("out.txt")).unwrap();
    assert_eq!(taken, "by a***@example.org\nby nobody\n");
    let (well, _, error) = run(&system, &directory, &["sink.json", "--lines"], "\"plain\"\n");
    assert!(well, "{error}");
    let taken = std::fs::read_to_string(directory.join("out.txt")).unwrap();
    assert!(taken.ends_with("by nobody\nplain\n"), "{taken}");
}

#[test]
fn a_source_and_a_sink_are_joined_and_go_on_where_they_ended() {
    let Some(system) = System::get() else { return };
    let directory = system.directory(&system.name("joined"));
    let properties = |name: &str, text: &str| std::fs::write(directory.join(name), text).unwrap();
    properties(
        "source.properties",
        "connector.class=FileStreamSource\nfile=in.txt\ntopic=lines\n",
    );
    properties(
        "sink.properties",
        "connector.class=FileStreamSink\nfile=out.txt\ntopics=lines\ntransforms=mask\ntransforms.mask.type=caisson.example.MaskEmail\n",
    );
    std::fs::write(directory.join("in.txt"), "by ada@example.org\nby nobody\n").unwrap();
    let arguments = [
        "source.properties",
        "sink.properties",
        "--offsets",
        "offsets",
        "--records",
        "2",
    ];
    let (well, _, error) = run(&system, &directory, &arguments, "");
    assert!(well, "{error}");
    std::fs::write(directory.join("in.txt"), "by ada@example.org\nby nobody\nand one\n").unwrap();
    let (well, _, error) = run(&system, &directory, &[&arguments[..5], &["1"]].concat(), "");
    assert!(well, "{error}");
    let taken = std::fs::read_to_string(directory.join("out.txt")).unwrap();
    assert_eq!(taken, "by a***@example.org\nby nobody\nand one\n");
}

#[test]
fn records_that_are_left_out_are_shown_as_their_dead_letters() {
    let Some(system) = System::get() else { return };
    let directory = system.directory(&system.name("letters"));
    let config = json!({
        "connector.class": "FileStreamSink", "file": "out.txt", "topics": "numbers", "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.context.headers.enable": "true",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
        "transforms": "cast", "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.cast.spec": "int32",
    });
    std::fs::write(directory.join("sink.json"), config.to_string()).unwrap();
    let (well, _, error) = run(&system, &directory, &["sink.json", "--lines"], "1\n\"two\"\n3\n");
    assert!(well, "{error}");
    assert_eq!(std::fs::read_to_string(directory.join("out.txt")).unwrap(), "1\n3\n");
    let letters: Vec<Value> = error
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("dead letter: ")?).ok())
        .collect();
    assert_eq!(letters.len(), 1, "{error}");
    assert_eq!(
        (&letters[0]["topic"], &letters[0]["value"]),
        (&json!("dead"), &json!("\"two\""))
    );
    let header = |name: &str| {
        let headers = letters[0]["headers"].as_array().unwrap();
        headers
            .iter()
            .find(|header| header["name"] == name)
            .map(|header| header["value"].clone())
    };
    assert_eq!(header("__connect.errors.offset"), Some(json!("1")));
    assert_eq!(
        header("__connect.errors.exception.class.name"),
        Some(json!("org.apache.kafka.connect.errors.DataException"))
    );
}

#[test]
fn what_a_source_says_of_its_transactions_holds_without_kafka_too() {
    let Some(system) = System::get() else { return };
    let directory = system.directory(&system.name("transactions"));
    let config = json!({
        "name": "numbers", "connector.class": "DatagenSource", "topic": "numbers", "format": "sequence",
        "max.records": "10", "transaction.boundary": "connector", "transaction.records": "3",
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
    });
    std::fs::write(directory.join("source.json"), config.to_string()).unwrap();
    // Ten are polled at once: two transactions are enough, and what is stored ends with the second.
    let numbers = |records: &str| -> Vec<Value> {
        let arguments = ["source.json", "--offsets", "offsets", "--records", records];
        let (well, printed, error) = run(&system, &directory, &arguments, "");
        assert!(well, "{error}");
        let value = |line: &str| {
            let record: Value = serde_json::from_str(line).unwrap();
            let value: Value = serde_json::from_str(record["value"].as_str().unwrap()).unwrap();
            value["sequence"].clone()
        };
        printed.lines().map(value).collect()
    };
    let first = numbers("6");
    let next = numbers("3");
    assert_eq!((first.len(), next.len()), (6, 3));
    let all: Vec<u64> = first
        .iter()
        .chain(&next)
        .map(|number| number.as_u64().unwrap())
        .collect();
    assert!(all.windows(2).all(|pair| pair[1] == pair[0] + 1), "{all:?}");
}

#[test]
fn what_is_wrong_is_said_as_a_worker_says_it() {
    let Some(system) = System::get() else { return };
    let directory = system.directory(&system.name("wrong"));
    let check = |config: Value, input: &str, words: &[&str]| {
        std::fs::write(directory.join("c.json"), config.to_string()).unwrap();
        let (well, printed, error) = run(&system, &directory, &["c.json"], input);
        assert!(
            !well && words.iter().all(|word| error.contains(word)),
            "{config}: {printed}{error}"
        );
    };
    check(json!({"connector.class": "no.such.Sink"}), "", &["no.such.Sink"]);
    check(
        json!({"connector.class": "FileStreamSink", "topics": "t", "tasks.max": "many"}),
        "",
        &["c.json", "tasks.max: Invalid value many"],
    );
    let sink = json!({"connector.class": "DiscardSink", "topics": "t", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false", "transforms": "cast", "transforms.cast.spec": "int32",
        "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value"});
    check(sink.clone(), "{\"value\": \"\\\"no number\\\"\"}\n", &["DataException"]);
    check(sink, "{\"vaule\": 1}\n", &["line 1", "vaule"]);
}

#[test]
fn a_source_that_never_ends_ends_with_whoever_reads_it() {
    let Some(system) = System::get() else { return };
    let directory = system.directory(&system.name("read"));
    let config = json!({"connector.class": "DatagenSource", "topic": "numbers"});
    std::fs::write(directory.join("source.json"), config.to_string()).unwrap();
    let mut child = command(&system, &directory, &["source.json"])
        .command()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    drop(output);
    let record: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&record["topic"], &record["offset"]), (&json!("numbers"), &json!(0)));
    let ended = caisson_e2e::until("it has ended", || child.try_wait().unwrap());
    assert!(ended.success(), "{ended}");
}
