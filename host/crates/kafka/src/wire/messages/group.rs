//! Groups: who coordinates one, and what its members say to the coordinator.

use super::{Coded, Read, Reader, Request, Writer};
use crate::group::{MemberAssignment, MemberMetadata, Subprotocol};

/// What a coordinator is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyType {
    Group,
    Transaction,
}

/// Which broker coordinates a group, or the transactions of an id.
pub(crate) struct FindCoordinator<'a> {
    pub key: &'a str,
    pub kind: KeyType,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CoordinatorAnswer {
    pub code: i16,
    pub message: Option<String>,
    pub host: String,
    pub port: i32,
}

impl Request for FindCoordinator<'_> {
    const NAME: &'static str = "FindCoordinator";
    const KEY: i16 = 10;
    const VERSIONS: (i16, i16) = (1, 2);
    const FLEXIBLE: i16 = 3;
    type Answer = CoordinatorAnswer;

    fn write(&self, _version: i16, writer: &mut Writer) {
        writer.string(self.key);
        writer.i8(match self.kind {
            KeyType::Group => 0,
            KeyType::Transaction => 1,
        });
    }

    fn read(_version: i16, reader: &mut Reader<'_>) -> Read<CoordinatorAnswer> {
        let _throttle = reader.i32()?;
        let code = reader.i16()?;
        let message = reader.nullable_string()?;
        let _node = reader.i32()?;
        Ok(CoordinatorAnswer {
            code,
            message,
            host: reader.string()?,
            port: reader.i32()?,
        })
    }
}

/// Joins or rejoins a group; the answer comes when all members have joined.
pub(crate) struct JoinGroup<'a> {
    pub group: &'a str,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    /// Empty for a new member.
    pub member_id: &'a str,
    /// Of a static member (KIP-345).
    pub instance: Option<&'a str>,
    pub protocol_type: &'a str,
    pub subprotocols: &'a [Subprotocol],
    pub reason: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JoinAnswer {
    pub code: i16,
    pub generation: i32,
    pub protocol: String,
    pub leader: String,
    /// The leader of a static member's name has come back, and the assignments stay as they are (KIP-814).
    pub skips_assignment: bool,
    pub member_id: String,
    /// Empty but for the leader.
    pub members: Vec<MemberMetadata>,
}

impl Request for JoinGroup<'_> {
    const NAME: &'static str = "JoinGroup";
    const KEY: i16 = 11;
    const VERSIONS: (i16, i16) = (2, 9);
    const FLEXIBLE: i16 = 6;
    type Answer = JoinAnswer;

    fn write(&self, version: i16, writer: &mut Writer) {
        writer.string(self.group);
        writer.i32(self.session_timeout_ms);
        writer.i32(self.rebalance_timeout_ms);
        writer.string(self.member_id);
        if version >= 5 {
            writer.nullable_string(self.instance);
        }
        writer.string(self.protocol_type);
        writer.array(self.subprotocols, |writer, subprotocol| {
            writer.string(&subprotocol.name);
            writer.bytes(&subprotocol.metadata);
            writer.end();
        });
        if version >= 8 {
            writer.string(self.reason);
        }
        writer.end();
    }

    fn read(version: i16, reader: &mut Reader<'_>) -> Read<JoinAnswer> {
        let _throttle = reader.i32()?;
        let code = reader.i16()?;
        let generation = reader.i32()?;
        if version >= 7 {
            let _protocol_type = reader.nullable_string()?;
        }
        let protocol = reader.nullable_string()?.unwrap_or_default();
        let leader = reader.string()?;
        let skips_assignment = version >= 9 && reader.bool()?;
        Ok(JoinAnswer {
            code,
            generation,
            protocol,
            leader,
            skips_assignment,
            member_id: reader.string()?,
            members: reader.array(|reader| joined_member(version, reader))?,
        })
    }
}

fn joined_member(version: i16, reader: &mut Reader<'_>) -> Read<MemberMetadata> {
    let member_id = reader.string()?;
    let instance = if version >= 5 { reader.nullable_string()? } else { None };
    let metadata = reader.bytes()?;
    reader.end()?;
    Ok(MemberMetadata {
        member_id,
        instance,
        metadata,
    })
}

/// Asks for this member's assignment; the leader gives all of them.
pub(crate) struct SyncGroup<'a> {
    pub group: &'a str,
    pub generation: i32,
    pub member_id: &'a str,
    pub instance: Option<&'a str>,
    pub protocol_type: &'a str,
    pub protocol: &'a str,
    pub assignments: &'a [MemberAssignment],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyncAnswer {
    pub code: i16,
    pub assignment: Vec<u8>,
}

impl Request for SyncGroup<'_> {
    const NAME: &'static str = "SyncGroup";
    const KEY: i16 = 14;
    const VERSIONS: (i16, i16) = (1, 5);
    const FLEXIBLE: i16 = 4;
    type Answer = SyncAnswer;

    fn write(&self, version: i16, writer: &mut Writer) {
        writer.string(self.group);
        writer.i32(self.generation);
        writer.string(self.member_id);
        if version >= 3 {
            writer.nullable_string(self.instance);
        }
        if version >= 5 {
            writer.string(self.protocol_type);
            writer.string(self.protocol);
        }
        writer.array(self.assignments, |writer, assignment| {
            writer.string(&assignment.member_id);
            writer.bytes(&assignment.assignment);
            writer.end();
        });
        writer.end();
    }

    fn read(version: i16, reader: &mut Reader<'_>) -> Read<SyncAnswer> {
        let _throttle = reader.i32()?;
        let code = reader.i16()?;
        if version >= 5 {
            let _protocol_type = reader.nullable_string()?;
            let _protocol = reader.nullable_string()?;
        }
        Ok(SyncAnswer {
            code,
            assignment: reader.bytes()?,
        })
    }
}

/// Says that a member is alive.
pub(crate) struct Heartbeat<'a> {
    pub group: &'a str,
    pub generation: i32,
    pub member_id: &'a str,
    pub instance: Option<&'a str>,
}

impl Request for Heartbeat<'_> {
    const NAME: &'static str = "Heartbeat";
    const KEY: i16 = 12;
    const VERSIONS: (i16, i16) = (1, 4);
    const FLEXIBLE: i16 = 4;
    type Answer = Coded;

    fn write(&self, version: i16, writer: &mut Writer) {
        writer.string(self.group);
        writer.i32(self.generation);
        writer.string(self.member_id);
        if version >= 3 {
            writer.nullable_string(self.instance);
        }
        writer.end();
    }

    fn read(_version: i16, reader: &mut Reader<'_>) -> Read<Coded> {
        let _throttle = reader.i32()?;
        Ok(Coded(reader.i16()?))
    }
}

/// Leaves a group.
pub(crate) struct LeaveGroup<'a> {
    pub group: &'a str,
    pub member_id: &'a str,
    pub reason: &'a str,
}

impl Request for LeaveGroup<'_> {
    const NAME: &'static str = "LeaveGroup";
    const KEY: i16 = 13;
    const VERSIONS: (i16, i16) = (1, 5);
    const FLEXIBLE: i16 = 4;
    type Answer = Coded;

    fn write(&self, version: i16, writer: &mut Writer) {
        writer.string(self.group);
        if version < 3 {
            writer.string(self.member_id);
            return;
        }
        writer.array(&[self], |writer, leaving| {
            writer.string(leaving.member_id);
            writer.null_string();
            if version >= 5 {
                writer.string(leaving.reason);
            }
            writer.end();
        });
        writer.end();
    }

    fn read(version: i16, reader: &mut Reader<'_>) -> Read<Coded> {
        let _throttle = reader.i32()?;
        let code = reader.i16()?;
        if code != 0 || version < 3 {
            return Ok(Coded(code));
        }
        let members = reader.array(|reader| {
            reader.string()?;
            reader.nullable_string()?;
            let code = reader.i16()?;
            reader.end()?;
            Ok(code)
        })?;
        Ok(Coded(members.first().copied().unwrap_or(0)))
    }
}
