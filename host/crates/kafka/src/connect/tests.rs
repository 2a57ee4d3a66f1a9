//! Against what Kafka Connect's own classes make of the same input.

use std::time::Duration;

use caisson_model::{Assignment, AssignmentError, GroupProtocol, TaskId, Work, WorkerState};
use serde_json::Value;

use super::*;

fn vectors() -> Vec<Value> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/conformance/vectors/protocol.json"
    );
    let text = std::fs::read_to_string(file).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// The vectors of one operation; there have to be some.
fn of(operation: &str) -> Vec<(String, Value, Value)> {
    let chosen: Vec<_> = vectors()
        .into_iter()
        .filter(|vector| vector["input"]["op"] == operation)
        .map(|vector| {
            let id = vector["id"].as_str().unwrap().to_owned();
            (id, vector["input"].clone(), vector["expect"].clone())
        })
        .collect();
    assert!(!chosen.is_empty(), "no vector of {operation}");
    chosen
}

fn protocol(version: &Value) -> GroupProtocol {
    match version.as_i64().unwrap() {
        0 => GroupProtocol::Eager,
        1 => GroupProtocol::Compatible,
        2 => GroupProtocol::Sessioned,
        other => panic!("no protocol of version {other}"),
    }
}

/// The reader of a version; both cooperative ones are the same.
fn reader(input: &Value) -> GroupProtocol {
    match input["as"].as_str().unwrap() {
        "eager" => GroupProtocol::Eager,
        _ => GroupProtocol::Sessioned,
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn task(value: &Value) -> TaskId {
    let (connector, number) = value.as_str().unwrap().rsplit_once('-').unwrap();
    TaskId::new(connector, number.parse().unwrap())
}

fn work(connectors: &Value, tasks: &Value) -> Work {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    Work {
        connectors: list(connectors)
            .iter()
            .map(|name| name.as_str().unwrap().into())
            .collect(),
        tasks: list(tasks).iter().map(task).collect(),
    }
}

fn an_assignment(value: &Value) -> Assignment {
    Assignment {
        error: match value["error"].as_i64().unwrap() {
            0 => AssignmentError::None,
            1 => AssignmentError::ConfigMismatch,
            other => AssignmentError::Other(other as i16),
        },
        leader: text(&value["leader"]),
        leader_url: text(&value["leaderUrl"]),
        offset: value["offset"].as_i64().unwrap(),
        assigned: work(&value["connectors"], &value["tasks"]),
        revoked: work(&value["revokedConnectors"], &value["revokedTasks"]),
        delay: Duration::from_millis(value["delay"].as_u64().unwrap_or(0)),
    }
}

fn state(input: &Value) -> WorkerState {
    let allocation = &input["allocation"];
    WorkerState {
        url: text(&input["url"]).unwrap(),
        offset: input["offset"].as_i64().unwrap(),
        assignment: (!allocation.is_null()).then(|| an_assignment(allocation)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap().as_bytes();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn assignments_are_written_as_recorded() {
    for (id, input, expect) in of("assignment") {
        let bytes = assignment(protocol(&input["version"]), &an_assignment(&input["assignment"]));
        assert_eq!(hex(&bytes), expect["hex"], "{id}");
    }
}

#[test]
fn metadata_is_written_as_recorded() {
    for (id, input, expect) in of("metadata") {
        let bytes = metadata(protocol(&input["version"]), &state(&input));
        assert_eq!(hex(&bytes), expect["hex"], "{id}");
    }
}

#[test]
fn protocols_are_offered_as_recorded() {
    for (id, input, expect) in of("subscription") {
        let best = match input["protocol"].as_str().unwrap() {
            "eager" => GroupProtocol::Eager,
            "compatible" => GroupProtocol::Compatible,
            _ => GroupProtocol::Sessioned,
        };
        let offered: Vec<Value> = subscription(best, &state(&input))
            .into_iter()
            .map(|(name, bytes)| serde_json::json!({"name": name, "hex": hex(&bytes)}))
            .collect();
        assert_eq!(Value::Array(offered), expect["protocols"], "{id}");
    }
}

#[test]
fn assignments_are_read_as_recorded() {
    for (id, input, expect) in of("decodeAssignment") {
        let read = read_assignment(reader(&input), &unhex(&input["hex"]));
        match expect.get("assignment") {
            Some(Value::Null) => assert_eq!(read, Ok(None), "{id}"),
            Some(expected) => assert_eq!(read, Ok(Some(an_assignment(expected))), "{id}"),
            None => assert!(read.is_err(), "{id}: {read:?}"),
        }
    }
}

#[test]
fn metadata_is_read_as_recorded() {
    for (id, input, expect) in of("decodeMetadata") {
        let read = read_metadata(reader(&input), &unhex(&input["hex"]));
        if expect.get("error").is_some() {
            assert!(read.is_err(), "{id}: {read:?}");
        } else {
            assert_eq!(read, Ok(state(&expect)), "{id}");
        }
    }
}

#[test]
fn every_prefix_and_every_changed_byte_is_read_or_refused() {
    let share = Work {
        connectors: vec!["a".into(), "b".into()],
        tasks: vec![TaskId::new("a", 0), TaskId::new("b", 7)],
    };
    let whole = assignment(
        GroupProtocol::Sessioned,
        &Assignment {
            assigned: share.clone(),
            revoked: share,
            ..Assignment::default()
        },
    );
    for length in 0..whole.len() {
        let _ = read_assignment(GroupProtocol::Sessioned, &whole[..length]);
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[length] = value;
            let _ = read_assignment(GroupProtocol::Sessioned, &changed);
            let _ = read_assignment(GroupProtocol::Eager, &changed);
            let _ = read_metadata(GroupProtocol::Sessioned, &changed);
        }
    }
}

#[test]
fn a_count_that_nothing_follows_costs_nothing() {
    let mut bytes = assignment(GroupProtocol::Eager, &Assignment::default());
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&i32::MAX.to_be_bytes());
    assert!(read_assignment(GroupProtocol::Eager, &bytes).is_err());
}
