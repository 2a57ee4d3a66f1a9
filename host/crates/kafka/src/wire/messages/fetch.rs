//! What a consumer says: give me records, and where do partitions begin and end.

use std::ops::Range;

use super::{Read, Reader, Request, Writer};

/// Records of partitions, from given offsets on. Without a session: each request names all its partitions.
#[derive(Debug)]
pub(crate) struct Fetch {
    /// Milliseconds that the broker may wait for `min_bytes`.
    pub max_wait: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    /// Only what is committed, and not what is in an open transaction.
    pub committed_only: bool,
    pub rack: String,
    /// In the order in which they are served while there is room; a topic's may stand in several places.
    pub partitions: Vec<FetchFrom>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FetchFrom {
    pub topic: std::sync::Arc<str>,
    pub partition: i32,
    pub offset: i64,
    pub max_bytes: i32,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FetchAnswer {
    pub code: i16,
    /// Milliseconds that the next request should wait.
    pub throttled: i32,
    pub partitions: Vec<FetchedPartition>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FetchedPartition {
    pub topic: String,
    pub partition: i32,
    pub code: i16,
    /// Producer id and first offset of transactions that came to nothing.
    pub aborted: Vec<(i64, i64)>,
    /// The replica to ask instead, -1 for this one.
    pub preferred: i32,
    /// Where the record batches stand in the answer.
    pub records: Range<usize>,
}

impl Request for Fetch {
    const NAME: &'static str = "Fetch";
    const KEY: i16 = 1;
    /// 4 is the first one with batches of format 2; 12 begins the flexible spelling, 13 topics by their ids.
    const VERSIONS: (i16, i16) = (4, 11);
    const FLEXIBLE: i16 = 12;
    type Answer = FetchAnswer;

    fn write(&self, version: i16, writer: &mut Writer) {
        // No replica.
        writer.i32(-1);
        writer.i32(self.max_wait);
        writer.i32(self.min_bytes);
        writer.i32(self.max_bytes);
        writer.i8(i8::from(self.committed_only));
        if version >= 7 {
            // No session: its number, and the epoch that says so.
            writer.i32(0);
            writer.i32(-1);
        }
        let topics: Vec<&[FetchFrom]> = self
            .partitions
            .chunk_by(|one, other| one.topic == other.topic)
            .collect();
        writer.array(&topics, |writer, partitions| {
            writer.string(&partitions[0].topic);
            writer.array(partitions, |writer, from| {
                writer.i32(from.partition);
                if version >= 9 {
                    // The leader's epoch is not known.
                    writer.i32(-1);
                }
                writer.i64(from.offset);
                if version >= 5 {
                    writer.i64(-1);
                }
                writer.i32(from.max_bytes);
            });
        });
        if version >= 7 {
            writer.array(&[] as &[i32], |writer, forgotten| writer.i32(*forgotten));
        }
        if version >= 11 {
            writer.string(&self.rack);
        }
    }

    fn read(version: i16, reader: &mut Reader<'_>) -> Read<FetchAnswer> {
        let throttled = reader.i32()?;
        let mut code = 0;
        if version >= 7 {
            code = reader.i16()?;
            let _session = reader.i32()?;
        }
        let topics = reader.array(|reader| {
            let topic = reader.string()?;
            reader.array(|reader| read_partition(&topic, version, reader))
        })?;
        Ok(FetchAnswer {
            code,
            throttled,
            partitions: topics.into_iter().flatten().collect(),
        })
    }
}

fn read_partition(topic: &str, version: i16, reader: &mut Reader<'_>) -> Read<FetchedPartition> {
    let (partition, code) = (reader.i32()?, reader.i16()?);
    let (_high_watermark, _last_stable) = (reader.i64()?, reader.i64()?);
    if version >= 5 {
        let _log_start = reader.i64()?;
    }
    let aborted = reader.array(|reader| Ok((reader.i64()?, reader.i64()?)))?;
    let preferred = if version >= 11 { reader.i32()? } else { -1 };
    Ok(FetchedPartition {
        topic: topic.to_owned(),
        partition,
        code,
        aborted,
        preferred,
        records: reader.place()?,
    })
}

/// Where partitions begin or end.
#[derive(Debug)]
pub(crate) struct ListOffsets {
    pub committed_only: bool,
    /// Topic, partition, and -2 for the beginning or -1 for the end. Those of a topic stand together.
    pub partitions: Vec<(std::sync::Arc<str>, i32, i64)>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListedOffset {
    pub topic: String,
    pub partition: i32,
    pub code: i16,
    pub offset: i64,
}

impl Request for ListOffsets {
    const NAME: &'static str = "ListOffsets";
    const KEY: i16 = 2;
    const VERSIONS: (i16, i16) = (1, 5);
    const FLEXIBLE: i16 = 6;
    type Answer = Vec<ListedOffset>;

    fn write(&self, version: i16, writer: &mut Writer) {
        writer.i32(-1);
        if version >= 2 {
            writer.i8(i8::from(self.committed_only));
        }
        let topics: Vec<_> = self.partitions.chunk_by(|one, other| one.0 == other.0).collect();
        writer.array(&topics, |writer, partitions| {
            writer.string(&partitions[0].0);
            writer.array(partitions, |writer, (_, partition, time)| {
                writer.i32(*partition);
                if version >= 4 {
                    writer.i32(-1);
                }
                writer.i64(*time);
            });
        });
    }

    fn read(version: i16, reader: &mut Reader<'_>) -> Read<Vec<ListedOffset>> {
        if version >= 2 {
            let _throttled = reader.i32()?;
        }
        let topics = reader.array(|reader| {
            let topic = reader.string()?;
            reader.array(|reader| {
                let (partition, code) = (reader.i32()?, reader.i16()?);
                let (_time, offset) = (reader.i64()?, reader.i64()?);
                if version >= 4 {
                    let _epoch = reader.i32()?;
                }
                Ok(ListedOffset {
                    topic: topic.clone(),
                    partition,
                    code,
                    offset,
                })
            })
        })?;
        Ok(topics.into_iter().flatten().collect())
    }
}
