//! Writing to a granted file. The engine's own stream hands each piece to a pool of threads and waits for it; a task has
//! a thread of its own, so the piece is written at once.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Bytes that a guest may hand over in one write; the host copies them.
const PERMIT: usize = 256 << 10;

/// Where the next byte goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    At(u64),
    End,
}

pub(super) struct FileWriter {
    file: Arc<File>,
    place: Place,
    /// After an error the stream is closed, as the contract of `wasi:io` says.
    closed: bool,
}

impl FileWriter {
    pub(super) fn new(file: Arc<File>, place: Place) -> Self {
        FileWriter {
            file,
            place,
            closed: false,
        }
    }

    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = match self.place {
                Place::At(position) => rustix::io::pwrite(&self.file, bytes, position).map_err(io::Error::from),
                Place::End => append(&self.file, bytes),
            };
            let written = match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if let Place::At(position) = &mut self.place {
                *position += written as u64;
            }
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

/// Writes at the end in one step, so that several writers do not overwrite each other.
fn append(file: &File, bytes: &[u8]) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    {
        use rustix::io::{Errno, ReadWriteFlags, pwritev2};
        match pwritev2(file, &[IoSlice::new(bytes)], 0, ReadWriteFlags::APPEND) {
            Err(Errno::NOSYS | Errno::NOTSUP) => {}
            result => return result.map_err(io::Error::from),
        }
    }
    rustix::fs::seek(file, rustix::fs::SeekFrom::End(0))?;
    let mut file = file;
    file.write(bytes)
}

#[wasmtime_wasi::async_trait]
impl Pollable for FileWriter {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for FileWriter {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if self.closed {
            return Err(StreamError::Closed);
        }
        self.put(&bytes).map_err(|error| {
            self.closed = true;
            StreamError::LastOperationFailed(error.into())
        })
    }

    fn flush(&mut self) -> StreamResult<()> {
        if self.closed { Err(StreamError::Closed) } else { Ok(()) }
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if self.closed {
            Err(StreamError::Closed)
        } else {
            Ok(PERMIT)
        }
    }
}
