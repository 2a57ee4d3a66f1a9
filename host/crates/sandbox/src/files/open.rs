//! Opening one granted file on the host.
//!
//! The path is resolved first and opened after: what is opened is the resolved path with no link followed, so that what
//! was checked against the operator's ceiling is what is opened, whatever happens on the disk in between.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use wasmtime_wasi::filesystem::{File as OpenFile, FsPerms, OpenMode};
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorStat, ErrorCode, MetadataHashValue};

use super::host::{hash_of, stat_of};
use crate::grants::{FileGrant, FilePolicy};

/// How a guest wants a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) create: bool,
    pub(super) exclusive: bool,
    pub(super) truncate: bool,
    pub(super) directory: bool,
    pub(super) follow: bool,
}

/// Opens the file of `grant`, no further than it goes.
pub(super) fn open(grant: &FileGrant, policy: &FilePolicy, wanted: Wanted) -> Result<OpenFile, ErrorCode> {
    let changes = wanted.write || wanted.create || wanted.truncate;
    if changes && !grant.write {
        return Err(ErrorCode::NotPermitted);
    }
    let path = resolve(grant, policy, wanted.follow)?;
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_dir() => return Err(ErrorCode::IsDirectory),
        Ok(_) if wanted.directory => return Err(ErrorCode::NotDirectory),
        Ok(metadata) => require_file(&path, &metadata)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound && wanted.create => {}
        Err(error) => return Err(error.into()),
    }
    let mut flags = OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    flags |= match (wanted.read || !changes, changes) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        (_, false) => OFlags::RDONLY,
    };
    for (asked, flag) in [
        (wanted.create, OFlags::CREATE),
        (wanted.exclusive, OFlags::EXCL),
        (wanted.truncate, OFlags::TRUNC),
    ] {
        if asked {
            flags |= flag;
        }
    }
    let file = open_resolved(&path, flags)?;
    // Between the look and the opening the file may have become something else.
    require_file(&path, &file.metadata()?)?;
    let mut mode = OpenMode::empty();
    mode.set(OpenMode::READ, wanted.read || !changes);
    mode.set(OpenMode::WRITE, changes);
    let perms = if grant.write {
        FsPerms::ReadWrite
    } else {
        FsPerms::ReadOnly
    };
    Ok(OpenFile::new(file, perms, mode, true))
}

pub(super) fn stat(grant: &FileGrant, policy: &FilePolicy, follow: bool) -> Result<DescriptorStat, ErrorCode> {
    Ok(stat_of(&fs::symlink_metadata(resolve(grant, policy, follow)?)?))
}

pub(super) fn identity(grant: &FileGrant, policy: &FilePolicy) -> Result<MetadataHashValue, ErrorCode> {
    Ok(hash_of(&fs::symlink_metadata(resolve(grant, policy, true)?)?))
}

/// The path without links, if the operator allows what it leads to. The file itself need not exist.
fn resolve(grant: &FileGrant, policy: &FilePolicy, follow: bool) -> Result<PathBuf, ErrorCode> {
    let beside = |path: &Path| -> Result<PathBuf, ErrorCode> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorCode::IsDirectory);
        };
        Ok(fs::canonicalize(parent)?.join(name))
    };
    let resolved = if !follow {
        beside(&grant.path)?
    } else {
        match fs::canonicalize(&grant.path) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = beside(&grant.path)?;
                // A link to nothing: creating through it would create at a place that nobody checked. A file that is there
                // now was made by another task meanwhile.
                if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink()) {
                    return Err(ErrorCode::NoEntry);
                }
                path
            }
            Err(error) => return Err(error.into()),
        }
    };
    if let Err(refusal) = policy.permits(&resolved) {
        tracing::warn!(key = grant.key, path = %grant.path.display(), leads_to = %resolved.display(), "{refusal}");
        return Err(ErrorCode::Access);
    }
    Ok(resolved)
}

/// Files, and devices where the operator opened their directory. Pipes and sockets would hold the thread up.
fn require_file(path: &Path, metadata: &Metadata) -> Result<(), ErrorCode> {
    let kind = metadata.file_type();
    if kind.is_file() || kind.is_char_device() {
        return Ok(());
    }
    if kind.is_symlink() {
        return Err(ErrorCode::Loop);
    }
    tracing::warn!(path = %path.display(), "refused to a guest: it is no regular file");
    Err(ErrorCode::NotPermitted)
}

/// Opens a path in which no link may be left.
fn open_resolved(path: &Path, flags: OFlags) -> Result<File, ErrorCode> {
    // A mode without a file to create is an invalid argument.
    let mode = if flags.contains(OFlags::CREATE) {
        Mode::from_raw_mode(0o666)
    } else {
        Mode::empty()
    };
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{ResolveFlags, openat2};
        use rustix::io::Errno;
        match openat2(CWD, path, flags, mode, ResolveFlags::NO_SYMLINKS) {
            Ok(file) => return Ok(File::from(file)),
            // Older kernels, and containers whose filter does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
    let file = rustix::fs::openat(CWD, path, flags | OFlags::NOFOLLOW, mode).map_err(io::Error::from)?;
    Ok(File::from(file))
}
