//! A file inside a component, by the interfaces themselves: the standard library writes 4 KiB at a time, says "I/O
//! error" for every error, and never writes again to a file after one.

use std::io;

use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags, filesystem_error_code};
use wasip2::io::streams::{OutputStream, StreamError};

use crate::pending::Destination;

/// An open file. The stream is a part of the descriptor and goes first.
#[derive(Debug)]
pub struct Output {
    /// None after an error: an error ends a stream.
    stream: Option<OutputStream>,
    descriptor: Descriptor,
}

impl Output {
    pub fn open(path: &str) -> io::Result<Self> {
        drop(super::create(path)?);
        let (directory, name) = resolve(path).ok_or(io::ErrorKind::NotFound)?;
        let opened = directory.open_at(
            PathFlags::SYMLINK_FOLLOW,
            &name,
            OpenFlags::CREATE,
            DescriptorFlags::WRITE,
        );
        Ok(Output {
            stream: None,
            descriptor: opened.map_err(error)?,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, StreamError> {
        let stream = match &self.stream {
            Some(stream) => stream,
            None => {
                let stream = self.descriptor.append_via_stream().map_err(|_| StreamError::Closed)?;
                self.stream.insert(stream)
            }
        };
        let permitted = loop {
            match stream.check_write()? {
                0 => stream.subscribe().block(),
                permitted => break bytes.len().min(usize::try_from(permitted).unwrap_or(usize::MAX)),
            }
        };
        stream.write(&bytes[..permitted])?;
        stream.blocking_flush()?;
        Ok(permitted)
    }
}

impl Destination for Output {
    fn length(&self) -> Option<u64> {
        self.descriptor.stat().ok().map(|stat| stat.size)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes).map_err(|failed| {
            let cause = match &failed {
                StreamError::LastOperationFailed(cause) => match filesystem_error_code(cause) {
                    Some(code) => error(code),
                    None => io::Error::other(cause.to_debug_string()),
                },
                StreamError::Closed => io::Error::other("the file cannot be written any more"),
            };
            self.stream = None;
            cause
        })
    }
}

/// The granted directory that a path lies in, and its name there. Of several the one that says most.
fn resolve(path: &str) -> Option<(Descriptor, String)> {
    let granted = preopens::get_directories()
        .into_iter()
        .filter_map(|(directory, prefix)| {
            let rest = match &*prefix {
                "." => path.strip_prefix("./").unwrap_or(path),
                prefix => path.strip_prefix(prefix)?,
            };
            let inside = prefix == "." && !path.starts_with('/') || prefix.ends_with('/') || rest.starts_with('/');
            inside.then(|| (prefix.len(), directory, rest.trim_start_matches('/').to_string()))
        });
    granted
        .max_by_key(|(length, _, _)| *length)
        .map(|(_, directory, name)| (directory, name))
}

fn error(code: ErrorCode) -> io::Error {
    match code {
        ErrorCode::InsufficientSpace => io::ErrorKind::StorageFull.into(),
        ErrorCode::Quota => io::ErrorKind::QuotaExceeded.into(),
        ErrorCode::FileTooLarge => io::ErrorKind::FileTooLarge.into(),
        ErrorCode::ReadOnly => io::ErrorKind::ReadOnlyFilesystem.into(),
        ErrorCode::Access | ErrorCode::NotPermitted => io::ErrorKind::PermissionDenied.into(),
        ErrorCode::NoEntry => io::ErrorKind::NotFound.into(),
        ErrorCode::Interrupted => io::ErrorKind::Interrupted.into(),
        other => io::Error::other(other.message()),
    }
}
