//! One connection to one broker: a request, then its answer, one at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::codec::{Read, Reader, Writer, malformed};
use super::messages::{ApiVersions, Request};
use crate::clock::Moment;
use crate::error::{ErrorCode, KafkaError};

/// The largest answer that is read. The metadata of a thousand members fits several times over.
const LARGEST_ANSWER: u32 = 32 << 20;

/// The memory that an answer is given at once.
const STEP: usize = 1 << 20;

/// A byte stream to a broker, with TLS or without.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    client_id: Arc<str>,
    correlation: i32,
    /// The key, first and last version of what the broker takes.
    versions: Vec<(i16, i16, i16)>,
    /// No call was cut off in its middle.
    whole: bool,
    /// When the broker wants a new authentication.
    pub(super) expires: Option<Moment>,
}

impl Connection {
    /// Takes a stream on which nothing was said yet, and asks which versions the broker speaks.
    pub(super) async fn open(
        stream: Box<dyn Stream>,
        client_id: Arc<str>,
        timeout: Duration,
    ) -> Result<Connection, KafkaError> {
        let mut connection = Connection {
            stream,
            client_id,
            correlation: 0,
            versions: vec![(ApiVersions::KEY, 0, 0)],
            whole: true,
            expires: None,
        };
        let answer = connection.call(&ApiVersions, timeout).await?;
        if answer.code != 0 {
            return Err(KafkaError::new(ErrorCode(i32::from(answer.code))));
        }
        connection.versions = answer
            .ranges
            .iter()
            .map(|range| (range.key, range.first, range.last))
            .collect();
        Ok(connection)
    }

    /// When the broker wants a new authentication, if ever.
    pub(crate) fn expires(&self) -> Option<Moment> {
        self.expires
    }

    /// Whether the next call has a chance.
    pub(crate) fn is_usable(&self) -> bool {
        self.whole && self.expires.is_none_or(|expires| expires > Moment::now())
    }

    /// Performs one request. After an error, or if the call is dropped before its end, the connection is no longer usable.
    pub(crate) async fn call<R: Request>(&mut self, request: &R, timeout: Duration) -> Result<R::Answer, KafkaError> {
        let answer = self.call_within(request, timeout, Vec::new(), LARGEST_ANSWER).await;
        answer.map(|(_, answer)| answer)
    }

    /// As [`Connection::call`], for a request whose answer points into its bytes: they are put into `buffer` and returned too.
    /// Such answers may be as large as Kafka has them.
    pub(crate) async fn call_keeping<R: Request>(
        &mut self,
        request: &R,
        timeout: Duration,
        buffer: Vec<u8>,
    ) -> Result<(Vec<u8>, R::Answer), KafkaError> {
        self.call_within(request, timeout, buffer, i32::MAX as u32).await
    }

    async fn call_within<R: Request>(
        &mut self,
        request: &R,
        timeout: Duration,
        buffer: Vec<u8>,
        largest: u32,
    ) -> Result<(Vec<u8>, R::Answer), KafkaError> {
        let version = self.version::<R>()?;
        if !std::mem::take(&mut self.whole) {
            return Err(KafkaError::with_message(
                ErrorCode::TRANSPORT,
                "connection was given up",
            ));
        }
        let exchange = self.exchange(request, version, buffer, largest);
        let answer = tokio::time::timeout(timeout, exchange).await;
        let answer = answer.unwrap_or_else(|_| {
            let text = format!("no answer to {} within {timeout:?}", R::NAME);
            Err(KafkaError::with_message(ErrorCode::TIMED_OUT, text))
        })?;
        let read = read::<R>(&answer, version, self.correlation)?;
        self.whole = true;
        Ok((answer, read))
    }

    /// The newest version that both sides know.
    fn version<R: Request>(&self) -> Result<i16, KafkaError> {
        self.version_of(R::NAME, R::KEY, R::VERSIONS)
    }

    /// The newest version of a request that both sides know.
    pub(super) fn version_of(&self, name: &str, key: i16, (first, last): (i16, i16)) -> Result<i16, KafkaError> {
        let range = self.versions.iter().find(|(known, _, _)| *known == key);
        let common = range.map(|(_, broker_first, broker_last)| (first.max(*broker_first), last.min(*broker_last)));
        match common {
            Some((first, last)) if first <= last => Ok(last),
            _ => Err(KafkaError::with_message(
                ErrorCode::UNSUPPORTED_FEATURE,
                format!("the broker does not take {name} in a version known here"),
            )),
        }
    }

    async fn exchange<R: Request>(
        &mut self,
        request: &R,
        version: i16,
        buffer: Vec<u8>,
        largest: u32,
    ) -> Result<Vec<u8>, KafkaError> {
        self.correlation = self.correlation.wrapping_add(1);
        let frame = frame(request, version, self.correlation, &self.client_id);
        self.stream.write_all(&frame).await.map_err(|error| broken(&error))?;
        self.stream.flush().await.map_err(|error| broken(&error))?;
        read_frame_into(&mut self.stream, buffer, largest).await
    }

    /// The client's name and the stream, for another way of using it.
    pub(super) fn into_parts(self) -> (Arc<str>, Box<dyn Stream>) {
        (self.client_id, self.stream)
    }
}

/// A request with its header, and its length in front.
fn frame<R: Request>(request: &R, version: i16, correlation: i32, client_id: &str) -> Vec<u8> {
    let flexible = version >= R::FLEXIBLE;
    let mut header = Writer::new(vec![0; 4], false);
    header.i16(R::KEY);
    header.i16(version);
    header.i32(correlation);
    // Classic even in the flexible header.
    header.string(client_id);
    let mut writer = Writer::new(header.bytes, flexible);
    // The header's own tagged fields.
    writer.end();
    request.write(version, &mut writer);
    let mut frame = writer.bytes;
    let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
    frame[..4].copy_from_slice(&length.to_be_bytes());
    frame
}

/// An answer with its header, without its length.
pub(super) async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, KafkaError> {
    read_frame_into(stream, Vec::new(), LARGEST_ANSWER).await
}

/// As [`read_frame`], in memory that is there already; of at most `largest` bytes.
async fn read_frame_into(
    stream: &mut (impl AsyncRead + Unpin),
    mut answer: Vec<u8>,
    largest: u32,
) -> Result<Vec<u8>, KafkaError> {
    let length = stream.read_u32().await.map_err(|error| broken(&error))?;
    if length > largest {
        return Err(malformed("it is too large, or the other side is no Kafka broker"));
    }
    answer.clear();
    let mut limited = stream.take(u64::from(length));
    while answer.len() < length as usize {
        // Memory grows with what arrives, not with what was announced, and to no more than that.
        if answer.len() == answer.capacity() {
            let missing = length as usize - answer.len();
            answer.reserve_exact(missing.min(answer.len().max(STEP)));
        }
        if limited.read_buf(&mut answer).await.map_err(|error| broken(&error))? == 0 {
            return Err(KafkaError::with_message(
                ErrorCode::TRANSPORT,
                "broker closed the connection",
            ));
        }
    }
    Ok(answer)
}

fn read<R: Request>(answer: &[u8], version: i16, correlation: i32) -> Read<R::Answer> {
    let mut reader = Reader::new(answer, version >= R::FLEXIBLE);
    if reader.i32()? != correlation {
        return Err(malformed("it belongs to another request"));
    }
    reader.end()?;
    R::read(version, &mut reader)
}

pub(super) fn broken(error: &std::io::Error) -> KafkaError {
    let text = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "broker closed the connection".to_owned(),
        _ => error.to_string(),
    };
    KafkaError::with_message(ErrorCode::TRANSPORT, text)
}
