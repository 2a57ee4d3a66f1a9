//! Compiled code on disk, by digest of the component and settings of the engine.
//!
//! Loading code is trusting it. An entry is therefore accepted only with its checksum beside it, which covers the
//! component's digest, the engine's settings and every byte of the code; whatever does not fit is compiled again. The
//! checksum finds torn writes, bad disks and mixed-up files. It does not defend against somebody who may write here,
//! hence the mode 0700.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::Error;
use caisson_model::Digest;

/// Why there is no code to run.
pub(super) enum Missing {
    /// Not there, or not whole.
    Absent,
    /// Whole, but the engine has no room for what it declares.
    Refused(String),
}

pub(super) struct Cache {
    dir: PathBuf,
    compatibility: String,
    /// Makes the names of unfinished files differ.
    next: AtomicU64,
}

impl Cache {
    pub(super) fn open(dir: &Path, compatibility: &str) -> Result<Self, Error> {
        let cache = Cache {
            dir: dir.to_owned(),
            compatibility: compatibility.to_owned(),
            next: AtomicU64::new(0),
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| cache.failed(&error))?;
        let mode = fs::metadata(dir)
            .map_err(|error| cache.failed(&error))?
            .permissions()
            .mode();
        if mode & 0o022 != 0 {
            return Err(Error::Cache {
                path: dir.to_owned(),
                detail: format!("others may write here (mode {:o})", mode & 0o777),
            });
        }
        cache.sweep();
        Ok(cache)
    }

    pub(super) fn failed(&self, error: &io::Error) -> Error {
        Error::Cache {
            path: self.dir.clone(),
            detail: error.to_string(),
        }
    }

    /// The code of `digest`, if it is there and whole.
    #[allow(unsafe_code)]
    pub(super) fn load(&self, engine: &Engine, digest: Digest) -> Result<Component, Missing> {
        let path = self.code(digest);
        let expected = fs::read_to_string(self.sum(digest)).map_err(|_| Missing::Absent)?;
        let actual = self.checksum(digest, &path).map_err(|_| Missing::Absent)?;
        if expected.trim() != actual {
            tracing::warn!(path = %path.display(), "compiled code does not match its checksum, compiling again");
            self.remove(digest);
            return Err(Missing::Absent);
        }
        // SAFETY: the bytes were written by our compiler for this very component and engine, as the checksum says, into
        // a directory that only the worker may write.
        unsafe { Component::deserialize_file(engine, &path) }.map_err(|error| {
            self.remove(digest);
            Missing::Refused(error.root_cause().to_string())
        })
    }

    /// Where the code of `digest` is to be written before it is whole.
    pub(super) fn begin(&self, digest: Digest) -> Result<PathBuf, Error> {
        let unique = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(self
            .dir
            .join(format!("{digest}.{}.{unique}.partial", std::process::id())))
    }

    /// Makes what was written the entry of `digest`: the checksum first, so that code without one never counts.
    pub(super) fn finish(&self, digest: Digest, written: &Path) -> Result<(), Error> {
        let publish = || -> io::Result<()> {
            let sum = self.checksum(digest, written)?;
            let unfinished = written.with_extension("sum.partial");
            fs::write(&unfinished, sum)?;
            fs::rename(&unfinished, self.sum(digest))?;
            fs::rename(written, self.code(digest))
        };
        publish().map_err(|error| self.failed(&error))
    }

    fn checksum(&self, digest: Digest, path: &Path) -> io::Result<String> {
        let mut hash = Sha256::new();
        hash.update(b"caisson compiled code 1\n");
        hash.update(digest.as_bytes());
        hash.update(self.compatibility.as_bytes());
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                n => hash.update(&buffer[..n]),
            }
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn code(&self, digest: Digest) -> PathBuf {
        self.dir.join(format!("{digest}.{}.cwasm", self.compatibility))
    }

    fn sum(&self, digest: Digest) -> PathBuf {
        self.dir.join(format!("{digest}.{}.sum", self.compatibility))
    }

    fn remove(&self, digest: Digest) {
        // What cannot be removed is overwritten by the next compilation.
        let _ = fs::remove_file(self.code(digest));
        let _ = fs::remove_file(self.sum(digest));
    }

    /// Removes what a worker that was killed left half written.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for entry in entries.flatten() {
            let old = entry
                .metadata()
                .and_then(|data| data.modified())
                .is_ok_and(|time| time.elapsed().is_ok_and(|age| age.as_secs() > 3600));
            if old && entry.path().extension().is_some_and(|extension| extension == "partial") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
