//! A connection on which requests follow each other without waiting for answers. Brokers answer in the order of the
//! requests.

use std::io::IoSlice;
use std::sync::Arc;

use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};

use super::codec::{Reader, Writer, malformed};
use super::connection::{Connection, Stream, broken, read_frame};
use super::messages::{Produce, Produced};
use crate::error::KafkaError;

/// The side that asks.
pub(crate) struct Requests {
    stream: WriteHalf<Box<dyn Stream>>,
    client_id: Arc<str>,
    version: i16,
    correlation: i32,
}

/// The side that listens.
pub(crate) struct Answers {
    stream: ReadHalf<Box<dyn Stream>>,
    version: i16,
}

impl Connection {
    /// The connection, for produce requests only.
    pub(crate) fn into_pipeline(self) -> Result<(Requests, Answers), KafkaError> {
        let version = self.version_of(Produce::NAME, Produce::KEY, Produce::VERSIONS)?;
        let (client_id, stream) = self.into_parts();
        let (reading, writing) = tokio::io::split(stream);
        let requests = Requests {
            stream: writing,
            client_id,
            version,
            correlation: 0,
        };
        Ok((
            requests,
            Answers {
                stream: reading,
                version,
            },
        ))
    }
}

impl Requests {
    /// Sends a request; returns its number, which its answer bears. After an error the connection is of no more use.
    pub(crate) async fn send(&mut self, request: &Produce<'_>, batches: &[&[u8]]) -> Result<i32, KafkaError> {
        self.correlation = self.correlation.wrapping_add(1) & i32::MAX;
        let mut writer = Writer::new(vec![0; 4], false);
        writer.i16(Produce::KEY);
        writer.i16(self.version);
        writer.i32(self.correlation);
        writer.string(&self.client_id);
        let places = request.write(&mut writer);
        let mut head = writer.bytes;
        let length = head.len() - 4 + batches.iter().map(|batch| batch.len()).sum::<usize>();
        let length = u32::try_from(length).map_err(|_| malformed("a request is too large"))?;
        head[..4].copy_from_slice(&length.to_be_bytes());
        let mut slices = Vec::with_capacity(2 * batches.len() + 1);
        let mut from = 0;
        for (place, batch) in places.into_iter().zip(batches) {
            slices.push(IoSlice::new(&head[from..place]));
            slices.push(IoSlice::new(batch));
            from = place;
        }
        slices.push(IoSlice::new(&head[from..]));
        self.write_all(&mut slices).await.map_err(|error| broken(&error))?;
        Ok(self.correlation)
    }

    async fn write_all(&mut self, slices: &mut [IoSlice<'_>]) -> std::io::Result<()> {
        let mut rest = slices;
        // Empty slices at the end would look like a closed connection.
        while rest.iter().any(|slice| !slice.is_empty()) {
            let written = self.stream.write_vectored(rest).await?;
            if written == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut rest, written);
        }
        self.stream.flush().await
    }
}

impl Answers {
    /// The number of the next answer, and what it says. It may be awaited again after being dropped only if nothing was
    /// read of it, so it is not: a task of its own reads.
    pub(crate) async fn next(&mut self) -> Result<(i32, Vec<Produced>), KafkaError> {
        let frame = read_frame(&mut self.stream).await?;
        let mut reader = Reader::new(&frame, false);
        let correlation = reader.i32()?;
        Ok((correlation, Produce::read(self.version, &mut reader)?))
    }
}
