//! What a producer says: where topics' partitions are, and the batches themselves.

use super::{Read, Reader, Request, Writer};
use crate::wire::codec::malformed;

/// The brokers, and the leaders of these topics' partitions.
pub(crate) struct TopicMetadata<'a> {
    /// None for all topics that there are.
    pub topics: Option<&'a [&'a str]>,
    /// Topics that do not exist are made if the broker allows it.
    pub create: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClusterMetadata {
    /// Number, host and port.
    pub brokers: Vec<(i32, String, i32)>,
    pub topics: Vec<TopicLeaders>,
}

pub(crate) type TopicId = [u8; 16];

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TopicLeaders {
    pub code: i16,
    pub name: String,
    /// Tells a topic from one that had its name before (KIP-516). None from brokers that know of none.
    pub id: Option<TopicId>,
    /// It is one of Kafka's own.
    pub is_internal: bool,
    /// The error code, number and leader of each partition; -1 for none.
    pub partitions: Vec<(i16, i32, i32)>,
}

/// In place of an id that is not known.
const NO_ID: TopicId = [0; 16];

impl Request for TopicMetadata<'_> {
    const NAME: &'static str = "Metadata";
    const KEY: i16 = 3;
    /// 4 is the first one that says whether topics may be made, 10 the first one with their ids.
    const VERSIONS: (i16, i16) = (4, 11);
    const FLEXIBLE: i16 = 9;
    type Answer = ClusterMetadata;

    fn write(&self, version: i16, writer: &mut Writer) {
        match self.topics {
            Some(topics) => writer.array(topics, |writer, topic| {
                if version >= 10 {
                    writer.id(&NO_ID);
                }
                writer.string(topic);
                writer.end();
            }),
            None => writer.null_array(),
        }
        writer.bool(self.create);
        // Authorized operations are not asked for: those on the cluster, and those on each topic.
        if (8..=10).contains(&version) {
            writer.bool(false);
        }
        if version >= 8 {
            writer.bool(false);
        }
        writer.end();
    }

    fn read(version: i16, reader: &mut Reader<'_>) -> Read<ClusterMetadata> {
        let _throttled = reader.i32()?;
        let brokers = reader.array(|reader| {
            let broker = (reader.i32()?, reader.string()?, reader.i32()?);
            let _rack = reader.nullable_string()?;
            reader.end()?;
            Ok(broker)
        })?;
        let _cluster = reader.nullable_string()?;
        let _controller = reader.i32()?;
        let topics = reader.array(|reader| {
            let code = reader.i16()?;
            let name = reader.string()?;
            let id = match version >= 10 {
                true => Some(reader.id()?).filter(|id| *id != NO_ID),
                false => None,
            };
            let is_internal = reader.bool()?;
            let partitions = reader.array(|reader| read_partition(version, reader))?;
            if version >= 8 {
                let _operations = reader.i32()?;
            }
            reader.end()?;
            Ok(TopicLeaders {
                code,
                name,
                id,
                is_internal,
                partitions,
            })
        })?;
        if (8..=10).contains(&version) {
            let _operations = reader.i32()?;
        }
        reader.end()?;
        Ok(ClusterMetadata { brokers, topics })
    }
}

fn read_partition(version: i16, reader: &mut Reader<'_>) -> Read<(i16, i32, i32)> {
    let partition = (reader.i16()?, reader.i32()?, reader.i32()?);
    if version >= 7 {
        let _epoch = reader.i32()?;
    }
    let (_replicas, _in_sync) = (reader.array(Reader::i32)?, reader.array(Reader::i32)?);
    if version >= 5 {
        let _offline = reader.array(Reader::i32)?;
    }
    reader.end()?;
    Ok(partition)
}

/// Record batches, one for a partition. Their bytes are not copied: what stands between them is written, and where they go.
pub(crate) struct Produce<'a> {
    pub transactional_id: Option<&'a str>,
    pub acks: i16,
    /// Milliseconds that the broker may wait for its followers.
    pub timeout: i32,
    /// Topic, partition and length of each batch; those of a topic stand together.
    pub batches: &'a [(&'a str, i32, usize)],
}

/// What the broker says of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Produced {
    pub topic: String,
    pub partition: i32,
    pub code: i16,
    pub message: Option<String>,
}

impl Produce<'_> {
    pub(crate) const KEY: i16 = 0;
    pub(crate) const NAME: &'static str = "Produce";
    /// 3 is the first one with batches of format 2; none is in the flexible spelling.
    pub(crate) const VERSIONS: (i16, i16) = (3, 8);

    /// Appends the request without its batches; returns where each of them goes.
    pub(crate) fn write(&self, writer: &mut Writer) -> Vec<usize> {
        match self.transactional_id {
            Some(id) => writer.string(id),
            None => writer.null_string(),
        }
        writer.i16(self.acks);
        writer.i32(self.timeout);
        let topics: Vec<&[(&str, i32, usize)]> = self.batches.chunk_by(|one, other| one.0 == other.0).collect();
        let mut places = Vec::with_capacity(self.batches.len());
        writer.array(&topics, |writer, batches| {
            writer.string(batches[0].0);
            writer.array(batches, |writer, (_, partition, length)| {
                writer.i32(*partition);
                writer.i32(i32::try_from(*length).unwrap_or(i32::MAX));
                places.push(writer.bytes.len());
            });
        });
        places
    }

    pub(crate) fn read(version: i16, reader: &mut Reader<'_>) -> Read<Vec<Produced>> {
        let topics = reader.array(|reader| {
            let topic = reader.string()?;
            reader.array(|reader| {
                let (partition, code) = (reader.i32()?, reader.i16()?);
                let (_offset, _time) = (reader.i64()?, reader.i64()?);
                if version >= 5 {
                    let _log_start = reader.i64()?;
                }
                let mut message = None;
                if version >= 8 {
                    let records = reader.array(|reader| {
                        let _index = reader.i32()?;
                        reader.nullable_string()
                    })?;
                    let whole = reader.nullable_string()?;
                    message = records.into_iter().flatten().next().or(whole);
                }
                Ok(Produced {
                    topic: topic.clone(),
                    partition,
                    code,
                    message,
                })
            })
        })?;
        let _throttled = reader
            .i32()
            .map_err(|_| malformed("it ends before the throttle time"))?;
        Ok(topics.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_go_where_their_length_stands() {
        let batches = [("a", 0, 3), ("a", 2, 5), ("b", 1, 7)];
        let produce = Produce {
            transactional_id: None,
            acks: -1,
            timeout: 1000,
            batches: &batches,
        };
        let mut writer = Writer::new(Vec::new(), false);
        let places = produce.write(&mut writer);
        let before = |place: usize| i32::from_be_bytes(writer.bytes[place - 4..place].try_into().unwrap());
        assert_eq!(places.iter().map(|place| before(*place)).collect::<Vec<_>>(), [3, 5, 7]);
        assert_eq!(places.last(), Some(&writer.bytes.len()));
    }

    #[test]
    fn an_answer_names_what_was_refused() {
        let mut writer = Writer::new(Vec::new(), false);
        writer.array(&[("a", 10_i16)], |writer, (topic, code)| {
            writer.string(topic);
            writer.array(&[3_i32], |writer, partition| {
                writer.i32(*partition);
                writer.i16(*code);
                (0..3).for_each(|_| writer.i64(-1));
                writer.array(&["bad"], |writer, message| {
                    writer.i32(0);
                    writer.string(message);
                });
                writer.null_string();
            });
        });
        writer.i32(0);
        let answer = Produce::read(8, &mut Reader::new(&writer.bytes, false)).unwrap();
        let expected = Produced {
            topic: "a".to_owned(),
            partition: 3,
            code: 10,
            message: Some("bad".to_owned()),
        };
        assert_eq!(answer, [expected]);
        for length in 0..writer.bytes.len() {
            assert!(Produce::read(8, &mut Reader::new(&writer.bytes[..length], false)).is_err());
        }
    }

    #[test]
    fn topics_have_ids_where_brokers_know_of_them() {
        let id: TopicId = std::array::from_fn(|place| place as u8);
        let answer = |version: i16, ids: &[TopicId]| {
            let mut writer = Writer::new(Vec::new(), version >= TopicMetadata::FLEXIBLE);
            writer.i32(0);
            writer.array(&[7_i32], |writer, broker| {
                writer.i32(*broker);
                writer.string("host");
                writer.i32(9092);
                writer.null_string();
                writer.end();
            });
            writer.null_string();
            writer.i32(7);
            writer.array(ids, |writer, id| {
                writer.i16(0);
                writer.string("a");
                if version >= 10 {
                    writer.id(id);
                }
                writer.bool(false);
                writer.array(&[3_i32], |writer, partition| {
                    writer.i16(0);
                    writer.i32(*partition);
                    writer.i32(7);
                    writer.i32(0);
                    (0..3).for_each(|_| writer.array(&[7_i32], |writer, replica| writer.i32(*replica)));
                    writer.end();
                });
                writer.i32(0);
                writer.end();
            });
            if version <= 10 {
                writer.i32(0);
            }
            writer.end();
            writer.bytes
        };
        for (version, known) in [(8, None), (9, None), (10, Some(id)), (11, Some(id))] {
            let bytes = answer(version, &[id, NO_ID]);
            let flexible = version >= TopicMetadata::FLEXIBLE;
            let read = |bytes: &[u8]| TopicMetadata::read(version, &mut Reader::new(bytes, flexible));
            let metadata = read(&bytes).unwrap();
            let ids: Vec<_> = metadata.topics.iter().map(|topic| topic.id).collect();
            assert_eq!(ids, [known, None], "version {version}");
            assert_eq!(metadata.topics[1].partitions, [(0, 3, 7)]);
            assert_eq!(metadata.brokers, [(7, "host".to_owned(), 9092)]);
            for length in 0..bytes.len() {
                assert!(read(&bytes[..length]).is_err(), "version {version}, {length} bytes");
            }
        }
    }
}
