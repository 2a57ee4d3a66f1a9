//! An upload on its way to the disk. What is not published is removed: when it is dropped, or at the next start.

use std::path::{Path, PathBuf};

use caisson_model::Digest;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::directory::file_error;
use crate::Error;

/// A file that takes pieces of a module.
pub struct Upload {
    file: File,
    path: Partial,
    hash: Sha256,
    size: u64,
    limit: u64,
}

/// A whole upload, which nobody has looked at yet.
#[derive(Debug)]
pub struct Spooled {
    path: Partial,
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
}

/// A file that goes when nobody holds it.
#[derive(Debug)]
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // It is gone if it was published; otherwise the next start removes what cannot be removed now.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Upload {
    pub(super) async fn create(path: PathBuf, limit: u64) -> Result<Self, Error> {
        let file = File::create_new(&path).await;
        let file = file.map_err(|source| file_error("create", &path, source))?;
        Ok(Upload {
            file,
            path: Partial(path),
            hash: Sha256::new(),
            size: 0,
            limit,
        })
    }

    /// So many bytes are to come: refused at once if they are too many.
    pub fn expect(&self, bytes: u64) -> Result<(), Error> {
        if bytes > self.limit {
            return Err(Error::ModuleTooLarge { limit: self.limit });
        }
        Ok(())
    }

    /// Appends a piece.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.size += piece.len() as u64;
        if self.size > self.limit {
            return Err(Error::ModuleTooLarge { limit: self.limit });
        }
        self.hash.update(piece);
        let written = self.file.write_all(piece).await;
        written.map_err(|source| file_error("write", &self.path.0, source))
    }

    /// Nothing more comes; returns when all of it is on the disk.
    pub async fn finish(mut self) -> Result<Spooled, Error> {
        let flushed = self.file.flush().await;
        flushed.map_err(|source| file_error("write", &self.path.0, source))?;
        let synced = self.file.sync_all().await;
        synced.map_err(|source| file_error("write", &self.path.0, source))?;
        let digest: [u8; 32] = self.hash.finalize().into();
        Ok(Spooled {
            path: self.path,
            digest: digest.into(),
            size: self.size,
        })
    }
}

impl Spooled {
    /// A file that was put together in another way; it goes if it is not published.
    pub(super) fn found(path: PathBuf, digest: Digest, size: u64) -> Spooled {
        Spooled {
            path: Partial(path),
            digest,
            size,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path.0
    }
}
