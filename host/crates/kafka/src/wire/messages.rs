//! The requests that are spoken, each with the versions that it may take. Where a field exists in some versions only, the
//! schema of Apache Kafka (`clients/src/main/resources/common/message`) says which.

mod fetch;
mod group;
mod offsets;
mod produce;
mod session;
mod transaction;

pub(crate) use fetch::{Fetch, FetchAnswer, FetchFrom, FetchedPartition, ListOffsets, ListedOffset};
pub(crate) use group::{FindCoordinator, Heartbeat, JoinAnswer, JoinGroup, KeyType, LeaveGroup, SyncAnswer, SyncGroup};
pub(crate) use offsets::{OffsetCommit, OffsetFetch};
pub(crate) use produce::{ClusterMetadata, Produce, Produced, TopicId, TopicLeaders, TopicMetadata};
pub(crate) use session::{ApiVersions, Metadata, SaslAuthenticate, SaslHandshake};
pub(crate) use transaction::{AddPartitionsToTxn, EndTxn, InitProducerId};

use super::codec::{Read, Reader, Writer};

/// A request and how its answer is read.
pub(crate) trait Request {
    const NAME: &'static str;
    const KEY: i16;
    /// The first and the last version that this side knows.
    const VERSIONS: (i16, i16);
    /// The first version in the flexible spelling.
    const FLEXIBLE: i16;
    type Answer;

    fn write(&self, version: i16, writer: &mut Writer);

    fn read(version: i16, reader: &mut Reader<'_>) -> Read<Self::Answer>;
}

/// An answer that says no more than an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coded(pub i16);
