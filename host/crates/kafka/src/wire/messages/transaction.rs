//! Transactions of a producer (KIP-98).

use super::{Coded, Read, Reader, Request, Writer};

/// Begins an identity, or a new epoch of one. With a transactional id, earlier producers of that id are fenced and what
/// they left open is aborted.
pub(crate) struct InitProducerId<'a> {
    pub transactional_id: Option<&'a str>,
    /// Milliseconds.
    pub transaction_timeout: i32,
    /// Who asks: the broker refuses if somebody else has taken over the transactional id since. -1 and -1: anybody.
    pub current: (i64, i16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProducerIdAnswer {
    pub code: i16,
    pub producer_id: i64,
    pub epoch: i16,
}

impl Request for InitProducerId<'_> {
    const NAME: &'static str = "InitProducerId";
    const KEY: i16 = 22;
    const VERSIONS: (i16, i16) = (0, 4);
    const FLEXIBLE: i16 = 2;
    type Answer = ProducerIdAnswer;

    fn write(&self, version: i16, writer: &mut Writer) {
        match self.transactional_id {
            Some(id) => writer.string(id),
            None => writer.null_string(),
        }
        writer.i32(self.transaction_timeout);
        if version >= 3 {
            writer.i64(self.current.0);
            writer.i16(self.current.1);
        }
        writer.end();
    }

    fn read(_version: i16, reader: &mut Reader<'_>) -> Read<ProducerIdAnswer> {
        let _throttled = reader.i32()?;
        Ok(ProducerIdAnswer {
            code: reader.i16()?,
            producer_id: reader.i64()?,
            epoch: reader.i16()?,
        })
    }
}

/// Partitions that a transaction is going to write to.
pub(crate) struct AddPartitionsToTxn<'a> {
    pub transactional_id: &'a str,
    pub producer: (i64, i16),
    /// Those of a topic stand together.
    pub partitions: &'a [(&'a str, i32)],
}

impl Request for AddPartitionsToTxn<'_> {
    const NAME: &'static str = "AddPartitionsToTxn";
    const KEY: i16 = 24;
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE: i16 = 3;
    /// The error code of each partition.
    type Answer = Vec<i16>;

    fn write(&self, _version: i16, writer: &mut Writer) {
        writer.string(self.transactional_id);
        writer.i64(self.producer.0);
        writer.i16(self.producer.1);
        let topics: Vec<&[(&str, i32)]> = self.partitions.chunk_by(|one, other| one.0 == other.0).collect();
        writer.array(&topics, |writer, partitions| {
            writer.string(partitions[0].0);
            writer.array(partitions, |writer, (_, partition)| writer.i32(*partition));
        });
    }

    fn read(_version: i16, reader: &mut Reader<'_>) -> Read<Vec<i16>> {
        let _throttled = reader.i32()?;
        let topics = reader.array(|reader| {
            let _topic = reader.string()?;
            reader.array(|reader| {
                let _partition = reader.i32()?;
                reader.i16()
            })
        })?;
        Ok(topics.into_iter().flatten().collect())
    }
}

/// Commits or aborts.
pub(crate) struct EndTxn<'a> {
    pub transactional_id: &'a str,
    pub producer: (i64, i16),
    pub commit: bool,
}

impl Request for EndTxn<'_> {
    const NAME: &'static str = "EndTxn";
    const KEY: i16 = 26;
    const VERSIONS: (i16, i16) = (0, 2);
    const FLEXIBLE: i16 = 3;
    type Answer = Coded;

    fn write(&self, _version: i16, writer: &mut Writer) {
        writer.string(self.transactional_id);
        writer.i64(self.producer.0);
        writer.i16(self.producer.1);
        writer.bool(self.commit);
    }

    fn read(_version: i16, reader: &mut Reader<'_>) -> Read<Coded> {
        let _throttled = reader.i32()?;
        Ok(Coded(reader.i16()?))
    }
}
