//! Transactions, as far as fencing needs them.

use super::{Read, Reader, Request, Writer};

/// Begins a new epoch of a transactional id: earlier producers with that id are fenced, and what they left open is aborted.
pub(crate) struct InitProducerId<'a> {
    pub transactional_id: &'a str,
    pub transaction_timeout_ms: i32,
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
        writer.string(self.transactional_id);
        writer.i32(self.transaction_timeout_ms);
        if version >= 3 {
            // No producer of our own whose epoch is to be checked.
            writer.i64(-1);
            writer.i16(-1);
        }
        writer.end();
    }

    fn read(_version: i16, reader: &mut Reader<'_>) -> Read<ProducerIdAnswer> {
        let _throttle = reader.i32()?;
        Ok(ProducerIdAnswer {
            code: reader.i16()?,
            producer_id: reader.i64()?,
            epoch: reader.i16()?,
        })
    }
}
