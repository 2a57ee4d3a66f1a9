//! Kafka Connect's own bytes in Kafka: what members of a group tell each other, and its internal topics.

use caisson_kafka::connect;
use caisson_model::GroupProtocol;
use caisson_store::OffsetKey;
use caisson_store::config::ConfigRecord;
use caisson_store::status::StatusRecord;

use crate::split;

/// A byte that chooses the protocol, and what a member or the leader sent. What was read can be written, and is the same
/// from then on; before, what is not there and what is empty are two things.
pub fn group(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    let protocol = match choice % 3 {
        0 => GroupProtocol::Eager,
        1 => GroupProtocol::Compatible,
        _ => GroupProtocol::Sessioned,
    };
    if let Ok(state) = connect::read_metadata(protocol, bytes) {
        let again = |state| connect::read_metadata(protocol, &connect::metadata(protocol, state)).unwrap();
        let once = again(&state);
        assert_eq!(again(&once), once);
    }
    if let Ok(Some(assignment)) = connect::read_assignment(protocol, bytes) {
        let again = |assignment| connect::read_assignment(protocol, &connect::assignment(protocol, assignment));
        let once = again(&assignment).unwrap().unwrap();
        assert_eq!(again(&once).unwrap().unwrap(), once);
    }
}

/// Key and value with a zero byte between; without one there is no value.
fn record(input: &[u8]) -> (Option<&[u8]>, Option<&[u8]>) {
    let (key, value) = split(input);
    (Some(key), (key.len() < input.len()).then_some(value))
}

pub fn configs(input: &[u8]) {
    let (key, value) = record(input);
    match ConfigRecord::read(key, value) {
        // Of what says nothing no record is made.
        Ok(ConfigRecord::Nothing) | Err(_) => {}
        Ok(record) => {
            let (key, value) = record.write();
            assert_eq!(ConfigRecord::read(Some(&key), value.as_deref()).unwrap(), record);
        }
    }
}

pub fn statuses(input: &[u8]) {
    let (key, value) = record(input);
    if let Ok(record) = StatusRecord::read(key, value) {
        let (key, value) = record.write();
        let _ = StatusRecord::read(Some(&key), value.as_deref());
    }
}

pub fn offset_keys(input: &[u8]) {
    if let Some(key) = OffsetKey::from_bytes(input) {
        assert_eq!(OffsetKey::from_bytes(&key.to_bytes()), Some(key));
    }
}
