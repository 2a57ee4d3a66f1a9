//! What members of a consumer group say to each other: Kafka's `ConsumerProtocol`, written by one member and read by another,
//! which may be a Java client.

use caisson_model::TopicPartition;

use crate::error::KafkaError;
use crate::wire::{Reader, Writer, malformed};

/// The newest version that is written: 1 brought what a member owns, 2 its generation, 3 its rack. Older members read what
/// they know of it.
const VERSION: i16 = 3;

/// What a member wants, and what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    pub topics: Vec<String>,
    /// What the assignor of that name alone understands.
    pub user_data: Option<Vec<u8>>,
    /// Those of a topic stand together.
    pub owned: Vec<TopicPartition>,
    /// In which generation it was given them; -1 for none.
    pub generation: i32,
    pub rack: Option<String>,
}

impl Wish {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), false);
        writer.i16(VERSION);
        writer.array(&self.topics, |writer, topic| writer.string(topic));
        write_user_data(&mut writer, self.user_data.as_deref());
        write_partitions(&mut writer, &self.owned);
        writer.i32(self.generation);
        writer.nullable_string(self.rack.as_deref());
        writer.bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Wish, KafkaError> {
        let mut reader = Reader::new(bytes, false);
        let version = version(&mut reader)?;
        let mut wish = Wish {
            topics: reader.array(Reader::string)?,
            user_data: reader.nullable_bytes()?,
            owned: Vec::new(),
            generation: -1,
            rack: None,
        };
        if version >= 1 {
            wish.owned = read_partitions(&mut reader)?;
        }
        if version >= 2 {
            wish.generation = reader.i32()?;
        }
        if version >= 3 {
            wish.rack = reader.nullable_string()?;
        }
        Ok(wish)
    }
}

/// A member's part; those of a topic stand together.
pub(super) fn write_assignment(partitions: &[TopicPartition]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), false);
    writer.i16(VERSION);
    write_partitions(&mut writer, partitions);
    write_user_data(&mut writer, None);
    writer.bytes
}

/// Sorted, and each partition once. No bytes at all are no partitions: so does a leader leave a member out.
pub(super) fn read_assignment(bytes: &[u8]) -> Result<Vec<TopicPartition>, KafkaError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader::new(bytes, false);
    version(&mut reader)?;
    let mut partitions = read_partitions(&mut reader)?;
    partitions.sort();
    partitions.dedup();
    Ok(partitions)
}

/// What the eager sticky assignor remembers (`StickyAssignor`'s user data): what the member had, and in which generation.
pub(super) fn write_previous(partitions: &[TopicPartition], generation: i32) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), false);
    write_partitions(&mut writer, partitions);
    writer.i32(generation);
    writer.bytes
}

/// As above; its first version had no generation.
pub(super) fn read_previous(bytes: &[u8]) -> Result<(Vec<TopicPartition>, i32), KafkaError> {
    let mut reader = Reader::new(bytes, false);
    let partitions = read_partitions(&mut reader)?;
    Ok((partitions, reader.i32().unwrap_or(-1)))
}

fn version(reader: &mut Reader<'_>) -> Result<i16, KafkaError> {
    match reader.i16()? {
        version @ 0.. => Ok(version),
        _ => Err(malformed("a member's version is negative")),
    }
}

fn write_user_data(writer: &mut Writer, data: Option<&[u8]>) {
    match data {
        Some(data) => writer.bytes(data),
        None => writer.i32(-1),
    }
}

fn write_partitions(writer: &mut Writer, partitions: &[TopicPartition]) {
    let same_topic = |one: &TopicPartition, other: &TopicPartition| one.topic == other.topic;
    let topics: Vec<&[TopicPartition]> = partitions.chunk_by(same_topic).collect();
    writer.array(&topics, |writer, partitions| {
        writer.string(&partitions[0].topic);
        writer.array(partitions, |writer, partition| writer.i32(partition.partition));
    });
}

fn read_partitions(reader: &mut Reader<'_>) -> Result<Vec<TopicPartition>, KafkaError> {
    let topics = reader.array(|reader| {
        let topic = reader.string()?;
        let numbers = reader.array(Reader::i32)?;
        let of_topic = |number| TopicPartition::new(topic.as_str(), number);
        Ok(numbers.into_iter().map(of_topic).collect::<Vec<_>>())
    })?;
    Ok(topics.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wish_has_the_bytes_that_java_writes() {
        let wish = Wish {
            topics: vec!["a".to_owned()],
            user_data: None,
            owned: vec![TopicPartition::new("a", 0), TopicPartition::new("a", 2)],
            generation: 7,
            rack: None,
        };
        let expected = [
            &[0, 3][..],
            &[0, 0, 0, 1, 0, 1, b'a'],
            &[0xff; 4],
            &[0, 0, 0, 1, 0, 1, b'a', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2],
            &[0, 0, 0, 7],
            &[0xff, 0xff],
        ]
        .concat();
        assert_eq!(wish.write(), expected);
        assert_eq!(Wish::read(&expected).unwrap(), wish);
        // An old member says nothing of what it owns, and a new one says more than is known here.
        let old = [&[0, 0][..], &expected[2..13]].concat();
        assert_eq!(Wish::read(&old).unwrap().owned, []);
        let new = [&[0, 9][..], &expected[2..], &[1, 2, 3]].concat();
        assert_eq!(Wish::read(&new).unwrap(), wish);
    }

    #[test]
    fn an_assignment_is_read_as_it_was_written() {
        let partitions = [("a", 1), ("a", 0), ("b", 5)].map(|(topic, number)| TopicPartition::new(topic, number));
        let mut read = read_assignment(&write_assignment(&partitions)).unwrap();
        read.sort();
        assert_eq!(
            read,
            [partitions[1].clone(), partitions[0].clone(), partitions[2].clone()]
        );
        assert_eq!(read_assignment(&[]).unwrap(), []);
        let previous = write_previous(&partitions, 4);
        assert_eq!(read_previous(&previous).unwrap(), (partitions.to_vec(), 4));
        assert_eq!(read_previous(&previous[..previous.len() - 4]).unwrap().1, -1);
    }

    proptest! {
        #[test]
        fn garbage_is_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Wish::read(&bytes);
            let _ = read_assignment(&bytes);
            let _ = read_previous(&bytes);
        }
    }
}
