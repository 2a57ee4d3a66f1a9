//! What a source reads: a file, or standard input, neither of which may be waited for.

use std::fs::File;
#[cfg(not(target_os = "wasi"))]
use std::io::Read;
use std::io::{self, Seek};

/// An open file or standard input.
#[derive(Debug)]
pub enum Input {
    File(File),
    Stdin(Stdin),
}

impl Input {
    /// Bytes that are there now; 0 if there are none.
    pub fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self {
            Input::File(file) => {
                let came = io::Read::read(file, to)?;
                if came == 0 && !to.is_empty() {
                    // Inside a component a file is read through a stream, and a stream that has met the end of the file
                    // stays ended when the file grows. Seeking, be it to where it stands, begins another one.
                    let at = file.stream_position()?;
                    file.seek(io::SeekFrom::Start(at))?;
                }
                Ok(came)
            }
            Input::Stdin(stdin) => stdin.read(to),
        }
    }
}

/// Standard input, natively: reading waits, which does no harm in a test.
#[cfg(not(target_os = "wasi"))]
#[derive(Debug)]
pub struct Stdin(io::Stdin);

#[cfg(not(target_os = "wasi"))]
impl Stdin {
    pub fn open() -> Self {
        Stdin(io::stdin())
    }

    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.read(to)
    }
}

/// Standard input inside a component.
#[cfg(target_os = "wasi")]
#[derive(Debug)]
pub struct Stdin(wasip2::io::streams::InputStream);

#[cfg(target_os = "wasi")]
impl Stdin {
    pub fn open() -> Self {
        Stdin(wasip2::cli::stdin::get_stdin())
    }

    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        use wasip2::io::streams::StreamError;
        match self.0.read(to.len() as u64) {
            Ok(bytes) => {
                to[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            // An end is an end for ever, but Kafka Connect goes on waiting, and so do we.
            Err(StreamError::Closed) => Ok(0),
            Err(StreamError::LastOperationFailed(error)) => Err(io::Error::other(error.to_debug_string())),
        }
    }
}
