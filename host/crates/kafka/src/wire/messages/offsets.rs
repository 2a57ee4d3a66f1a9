//! The offsets that a group keeps for its members.

use caisson_model::{PartitionOffset, TopicPartition};

use super::{Read, Reader, Request, Writer};

/// Keeps offsets, in the name of a member of the present generation.
pub(crate) struct OffsetCommit<'a> {
    pub group: &'a str,
    pub generation: i32,
    pub member_id: &'a str,
    pub instance: Option<&'a str>,
    /// Those of a topic stand together.
    pub offsets: &'a [PartitionOffset],
}

impl Request for OffsetCommit<'_> {
    const NAME: &'static str = "OffsetCommit";
    const KEY: i16 = 8;
    const VERSIONS: (i16, i16) = (2, 8);
    const FLEXIBLE: i16 = 8;
    /// The error codes of the partitions.
    type Answer = Vec<i16>;

    fn write(&self, version: i16, writer: &mut Writer) {
        writer.string(self.group);
        writer.i32(self.generation);
        writer.string(self.member_id);
        if version >= 7 {
            writer.nullable_string(self.instance);
        }
        if version <= 4 {
            // Kept as long as the broker keeps offsets.
            writer.i64(-1);
        }
        let same_topic = |one: &PartitionOffset, other: &PartitionOffset| one.partition.topic == other.partition.topic;
        let topics: Vec<&[PartitionOffset]> = self.offsets.chunk_by(same_topic).collect();
        writer.array(&topics, |writer, offsets| {
            writer.string(&offsets[0].partition.topic);
            writer.array(offsets, |writer, offset| {
                writer.i32(offset.partition.partition);
                writer.i64(offset.offset);
                if version >= 6 {
                    // The leader's epoch is not known.
                    writer.i32(-1);
                }
                // What else a consumer might want to remember.
                writer.string("");
                writer.end();
            });
            writer.end();
        });
        writer.end();
    }

    fn read(version: i16, reader: &mut Reader<'_>) -> Read<Vec<i16>> {
        if version >= 3 {
            let _throttled = reader.i32()?;
        }
        let topics = reader.array(|reader| {
            let _topic = reader.string()?;
            let codes = reader.array(|reader| {
                let _partition = reader.i32()?;
                let code = reader.i16()?;
                reader.end()?;
                Ok(code)
            })?;
            reader.end()?;
            Ok(codes)
        })?;
        Ok(topics.into_iter().flatten().collect())
    }
}

/// The offsets that a group has kept.
pub(crate) struct OffsetFetch<'a> {
    pub group: &'a str,
    /// Those of a topic stand together.
    pub partitions: &'a [TopicPartition],
    /// None of which a transaction is not decided yet.
    pub stable: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeptOffsets {
    pub code: i16,
    pub offsets: Vec<KeptOffset>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeptOffset {
    pub partition: TopicPartition,
    pub code: i16,
    /// -1 for none.
    pub offset: i64,
}

impl Request for OffsetFetch<'_> {
    const NAME: &'static str = "OffsetFetch";
    const KEY: i16 = 9;
    const VERSIONS: (i16, i16) = (1, 7);
    const FLEXIBLE: i16 = 6;
    type Answer = KeptOffsets;

    fn write(&self, version: i16, writer: &mut Writer) {
        writer.string(self.group);
        let same_topic = |one: &TopicPartition, other: &TopicPartition| one.topic == other.topic;
        let topics: Vec<&[TopicPartition]> = self.partitions.chunk_by(same_topic).collect();
        writer.array(&topics, |writer, partitions| {
            writer.string(&partitions[0].topic);
            writer.array(partitions, |writer, partition| writer.i32(partition.partition));
            writer.end();
        });
        if version >= 7 {
            writer.bool(self.stable);
        }
        writer.end();
    }

    fn read(version: i16, reader: &mut Reader<'_>) -> Read<KeptOffsets> {
        if version >= 3 {
            let _throttled = reader.i32()?;
        }
        let topics = reader.array(|reader| {
            let topic = reader.string()?;
            let offsets = reader.array(|reader| kept_offset(&topic, version, reader))?;
            reader.end()?;
            Ok(offsets)
        })?;
        let code = if version >= 2 { reader.i16()? } else { 0 };
        Ok(KeptOffsets {
            code,
            offsets: topics.into_iter().flatten().collect(),
        })
    }
}

fn kept_offset(topic: &str, version: i16, reader: &mut Reader<'_>) -> Read<KeptOffset> {
    let (partition, offset) = (reader.i32()?, reader.i64()?);
    if version >= 5 {
        let _epoch = reader.i32()?;
    }
    let _metadata = reader.nullable_string()?;
    let code = reader.i16()?;
    reader.end()?;
    Ok(KeptOffset {
        partition: TopicPartition::new(topic, partition),
        code,
        offset,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_in_every_version_and_garbage_is_an_error() {
        for version in 1..=7 {
            let mut writer = Writer::new(Vec::new(), version >= OffsetFetch::FLEXIBLE);
            if version >= 3 {
                writer.i32(0);
            }
            writer.array(&["a", "b"], |writer, topic| {
                writer.string(topic);
                writer.array(
                    &[(0, 7_i64, 0_i16), (1, -1, 29)],
                    |writer, (partition, offset, code)| {
                        writer.i32(*partition);
                        writer.i64(*offset);
                        if version >= 5 {
                            writer.i32(3);
                        }
                        writer.null_string();
                        writer.i16(*code);
                        writer.end();
                    },
                );
                writer.end();
            });
            if version >= 2 {
                writer.i16(14);
            }
            let read = |bytes: &[u8]| {
                let mut reader = Reader::new(bytes, version >= OffsetFetch::FLEXIBLE);
                OffsetFetch::read(version, &mut reader)
            };
            let kept = read(&writer.bytes).unwrap();
            assert_eq!(kept.code, if version >= 2 { 14 } else { 0 });
            let flat: Vec<_> = kept
                .offsets
                .iter()
                .map(|kept| (kept.partition.to_string(), kept.offset, kept.code))
                .collect();
            let of = |name: &str, offset, code| (name.to_owned(), offset, code);
            assert_eq!(
                flat,
                [of("a-0", 7, 0), of("a-1", -1, 29), of("b-0", 7, 0), of("b-1", -1, 29)]
            );
            for length in 0..writer.bytes.len() {
                assert!(read(&writer.bytes[..length]).is_err(), "{version} {length}");
            }
        }
    }

    #[test]
    fn partitions_are_sent_by_topic() {
        let offset = |topic: &str, partition| PartitionOffset {
            partition: TopicPartition::new(topic, partition),
            offset: 5,
        };
        let offsets = [offset("a", 0), offset("a", 1), offset("b", 0)];
        let commit = OffsetCommit {
            group: "g",
            generation: 3,
            member_id: "m",
            instance: Some("i"),
            offsets: &offsets,
        };
        let mut writer = Writer::new(Vec::new(), false);
        commit.write(7, &mut writer);
        let mut reader = Reader::new(&writer.bytes, false);
        let head = (
            reader.string().unwrap(),
            reader.i32().unwrap(),
            reader.string().unwrap(),
        );
        assert_eq!(head, ("g".to_owned(), 3, "m".to_owned()));
        assert_eq!(reader.nullable_string().unwrap().as_deref(), Some("i"));
        let topics = reader
            .array(|reader| {
                let topic = reader.string()?;
                let partitions = reader.array(|reader| {
                    let read = (reader.i32()?, reader.i64()?, reader.i32()?);
                    reader.string()?;
                    Ok(read)
                })?;
                Ok((topic, partitions))
            })
            .unwrap();
        let expected = [("a", vec![(0, 5, -1), (1, 5, -1)]), ("b", vec![(0, 5, -1)])];
        assert_eq!(
            topics,
            expected.map(|(topic, partitions)| (topic.to_owned(), partitions))
        );
    }
}
