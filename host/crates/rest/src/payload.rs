//! The body of an answer: bytes that are there, or a file that is read piece by piece while it is sent.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes of a file that lie in memory at once.
const PIECE: usize = 64 << 10;

pub enum Payload {
    Whole(Full<Bytes>),
    File { file: File, left: u64 },
}

impl Payload {
    pub fn whole(bytes: impl Into<Bytes>) -> Payload {
        Payload::Whole(Full::new(bytes.into()))
    }

    pub async fn file(path: &Path) -> io::Result<Payload> {
        let file = File::open(path).await?;
        let left = file.metadata().await?.len();
        Ok(Payload::File { file, left })
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Payload::Whole(whole) => Pin::new(whole).poll_frame(context).map_err(|never| match never {}),
            Payload::File { left: 0, .. } => Poll::Ready(None),
            Payload::File { file, left } => {
                let mut piece = vec![0; PIECE.min(usize::try_from(*left).unwrap_or(PIECE))];
                let mut buffer = ReadBuf::new(&mut piece);
                if let Err(error) = ready!(Pin::new(file).poll_read(context, &mut buffer)) {
                    return Poll::Ready(Some(Err(error)));
                }
                let read = buffer.filled().len();
                if read == 0 {
                    return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                }
                piece.truncate(read);
                *left -= read as u64;
                Poll::Ready(Some(Ok(Frame::data(piece.into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Payload::Whole(whole) => whole.is_end_stream(),
            Payload::File { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Payload::Whole(whole) => whole.size_hint(),
            Payload::File { left, .. } => SizeHint::with_exact(*left),
        }
    }
}
