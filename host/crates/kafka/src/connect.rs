//! The bytes that workers exchange through their group: Kafka Connect's own, of all three versions.
//!
//! A member joins with its [`WorkerState`] once per protocol that it speaks; the leader answers each with an
//! [`Assignment`]. Version 0 is the eager protocol, 1 the incremental cooperative one, 2 the same with another number,
//! by which members say that they sign internal requests. Readers are as lenient as Kafka Connect's: bytes after the
//! last field are ignored, and newer fields may be missing at the end.

mod reader;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use caisson_model::{Assignment, AssignmentError, GroupProtocol, TaskId, Work, WorkerState};

use reader::Reader;
use writer::Writer;

/// The type under which workers form groups.
pub const PROTOCOL_TYPE: &str = "connect";
/// In the place of a task's number: the connector itself.
const CONNECTOR: i32 = -1;
const CONFIG_MISMATCH: i16 = 1;

/// Bytes that are no metadata or no assignment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the group's bytes: {problem} in field {field}")]
pub struct Malformed {
    field: &'static str,
    problem: &'static str,
}

/// The name under which a protocol is offered to the group.
pub fn name(protocol: GroupProtocol) -> &'static str {
    match protocol {
        GroupProtocol::Eager => "default",
        GroupProtocol::Compatible => "compatible",
        GroupProtocol::Sessioned => "sessioned",
    }
}

/// The protocol that the group has chosen; none if it is not one of ours.
pub fn from_name(text: &str) -> Option<GroupProtocol> {
    let all = [
        GroupProtocol::Eager,
        GroupProtocol::Compatible,
        GroupProtocol::Sessioned,
    ];
    all.into_iter().find(|protocol| name(*protocol) == text)
}

fn version(protocol: GroupProtocol) -> i16 {
    match protocol {
        GroupProtocol::Eager => 0,
        GroupProtocol::Compatible => 1,
        GroupProtocol::Sessioned => 2,
    }
}

/// What to join with: all protocols up to the best one that this worker speaks, in order of preference.
pub fn subscription(best: GroupProtocol, state: &WorkerState) -> Vec<(&'static str, Vec<u8>)> {
    let all = [
        GroupProtocol::Sessioned,
        GroupProtocol::Compatible,
        GroupProtocol::Eager,
    ];
    all.into_iter()
        .filter(|protocol| *protocol <= best)
        .map(|protocol| (name(protocol), metadata(protocol, state)))
        .collect()
}

/// A member's metadata.
pub fn metadata(protocol: GroupProtocol, state: &WorkerState) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.i16(version(protocol)).string(&state.url).i64(state.offset);
    if protocol != GroupProtocol::Eager {
        let allocation = state.assignment.as_ref().map(|own| assignment(protocol, own));
        writer.nullable_bytes(allocation.as_deref());
    }
    writer.done()
}

/// Reads a member's metadata, as the leader of a group that speaks `protocol` does.
pub fn read_metadata(protocol: GroupProtocol, bytes: &[u8]) -> Result<WorkerState, Malformed> {
    let mut reader = Reader::new(bytes);
    checked_version(&mut reader)?;
    let url = reader.string("url")?;
    let offset = reader.i64("config-offset")?;
    let assignment = match protocol {
        GroupProtocol::Eager => None,
        GroupProtocol::Compatible | GroupProtocol::Sessioned => {
            let allocation = if reader.at_end() {
                None
            } else {
                reader.nullable_bytes("allocation")?
            };
            Some(match allocation {
                Some(bytes) => read_cooperative(bytes)?,
                None => nothing(),
            })
        }
    };
    Ok(WorkerState {
        url,
        offset,
        assignment,
    })
}

/// What a member runs that does not say so.
fn nothing() -> Assignment {
    Assignment {
        offset: -1,
        ..Assignment::default()
    }
}

/// An assignment for one member.
pub fn assignment(protocol: GroupProtocol, assignment: &Assignment) -> Vec<u8> {
    let mut writer = Writer::default();
    writer
        .i16(version(protocol))
        .i16(match assignment.error {
            AssignmentError::None => 0,
            AssignmentError::ConfigMismatch => CONFIG_MISMATCH,
            AssignmentError::Other(code) => code,
        })
        .string(assignment.leader.as_deref().unwrap_or_default())
        .string(assignment.leader_url.as_deref().unwrap_or_default())
        .i64(assignment.offset);
    write_work(&mut writer, &assignment.assigned);
    if protocol != GroupProtocol::Eager {
        write_work(&mut writer, &assignment.revoked);
        writer.i32(i32::try_from(assignment.delay.as_millis()).unwrap_or(i32::MAX));
    }
    writer.done()
}

/// Reads an assignment. Empty bytes are none: the group gave this member nothing, not even an empty share.
pub fn read_assignment(protocol: GroupProtocol, bytes: &[u8]) -> Result<Option<Assignment>, Malformed> {
    match protocol {
        GroupProtocol::Eager => read_eager(bytes).map(Some),
        GroupProtocol::Compatible | GroupProtocol::Sessioned if bytes.is_empty() => Ok(None),
        GroupProtocol::Compatible | GroupProtocol::Sessioned => read_cooperative(bytes).map(Some),
    }
}

fn read_eager(bytes: &[u8]) -> Result<Assignment, Malformed> {
    let mut reader = Reader::new(bytes);
    let head = read_head(&mut reader)?;
    let assigned = read_work(&mut reader, "assignment")?;
    Ok(Assignment { assigned, ..head })
}

fn read_cooperative(bytes: &[u8]) -> Result<Assignment, Malformed> {
    let mut reader = Reader::new(bytes);
    let head = read_head(&mut reader)?;
    let mut part = |name| {
        if reader.at_end() {
            Ok(Work::default())
        } else {
            read_work(&mut reader, name)
        }
    };
    let assigned = part("assignment")?;
    let revoked = part("revoked")?;
    let delay = if reader.at_end() { 0 } else { reader.i32("delay")? };
    Ok(Assignment {
        assigned,
        revoked,
        delay: Duration::from_millis(u64::try_from(delay).unwrap_or(0)),
        ..head
    })
}

fn read_head(reader: &mut Reader<'_>) -> Result<Assignment, Malformed> {
    checked_version(reader)?;
    let error = match reader.i16("error")? {
        0 => AssignmentError::None,
        CONFIG_MISMATCH => AssignmentError::ConfigMismatch,
        code => AssignmentError::Other(code),
    };
    Ok(Assignment {
        error,
        leader: Some(reader.string("leader")?),
        leader_url: Some(reader.string("leader-url")?),
        offset: reader.i64("config-offset")?,
        ..Assignment::default()
    })
}

/// Later versions begin with the same fields; there are none before the first.
fn checked_version(reader: &mut Reader<'_>) -> Result<i16, Malformed> {
    let version = reader.i16("version")?;
    if version < 0 {
        return Err(Malformed {
            field: "version",
            problem: "a negative number",
        });
    }
    Ok(version)
}

/// Connectors in the order of their names, each with itself and then its tasks; then those of which there are tasks
/// alone. Java's order is that of a hash set, and no reader depends on it.
fn write_work(writer: &mut Writer, work: &Work) {
    let mut connectors: Vec<&Arc<str>> = work.connectors.iter().collect();
    connectors.sort_unstable();
    let mut by_connector: Vec<(&Arc<str>, Vec<i32>)> = Vec::new();
    let parts = connectors.into_iter().map(|connector| (connector, CONNECTOR)).chain(
        work.tasks
            .iter()
            .map(|task| (&task.connector, i32::try_from(task.task).unwrap_or(i32::MAX))),
    );
    // A cluster has some thousands of tasks at most, and those of one connector come one after the other.
    for (connector, number) in parts {
        match by_connector.iter_mut().rev().find(|(known, _)| *known == connector) {
            Some((_, numbers)) => numbers.push(number),
            None => by_connector.push((connector, vec![number])),
        }
    }
    writer.count(by_connector.len());
    for (connector, numbers) in by_connector {
        writer.string(connector).count(numbers.len());
        for number in numbers {
            writer.i32(number);
        }
    }
}

fn read_work(reader: &mut Reader<'_>, field: &'static str) -> Result<Work, Malformed> {
    let mut work = Work::default();
    for _ in 0..reader.count(field)? {
        let connector: Arc<str> = reader.string(field)?.into();
        for _ in 0..reader.count(field)? {
            match reader.i32(field)? {
                CONNECTOR => work.connectors.push(connector.clone()),
                number => {
                    let number = u32::try_from(number).map_err(|_| Malformed {
                        field,
                        problem: "a negative task number",
                    })?;
                    work.tasks.push(TaskId::new(connector.clone(), number));
                }
            }
        }
    }
    Ok(work)
}

#[cfg(test)]
mod tests;
