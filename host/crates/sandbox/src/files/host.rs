//! `wasi:filesystem` over [`Files`](super::Files): directories are ours, open files are the engine's.

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    Filesize, Host, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::open::{self, Wanted};
use super::stream::{FileWriter, Place};
use super::{FilesView, GrantedDir};

type Handle = Resource<Descriptor>;

/// A path that a guest gave, relative to one of its directories.
enum Named<'a> {
    /// The directory itself.
    Directory,
    File(&'a crate::grants::FileGrant),
    /// Anything else, whether it exists or not: a guest does not learn which.
    Denied,
}

impl FilesView<'_> {
    /// Fails for a handle of a file, where only a directory makes sense.
    fn dir(&self, handle: &Handle) -> FsResult<&GrantedDir> {
        match self.inner.table.get(handle)? {
            Descriptor::Dir(dir) => self.files.of(dir).ok_or_else(|| ErrorCode::BadDescriptor.into()),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    fn is_dir(&self, handle: &Handle) -> FsResult<bool> {
        Ok(matches!(self.inner.table.get(handle)?, Descriptor::Dir(_)))
    }

    /// Refuses a handle of a directory, where only a file makes sense.
    fn file_only(&self, handle: &Handle) -> FsResult<()> {
        if self.is_dir(handle)? {
            Err(ErrorCode::BadDescriptor.into())
        } else {
            Ok(())
        }
    }

    /// A stream into an open file.
    fn writer(&mut self, handle: &Handle, place: Place) -> FsResult<Resource<DynOutputStream>> {
        let file = match self.inner.table.get(handle)? {
            Descriptor::File(file) if file.perms.write_not_permitted() => return Err(ErrorCode::NotPermitted.into()),
            Descriptor::File(file) => file.file.clone(),
            Descriptor::Dir(_) => return Err(ErrorCode::BadDescriptor.into()),
        };
        let writer: DynOutputStream = Box::new(FileWriter::new(file, place));
        Ok(self.inner.table.push(writer)?)
    }

    /// Nothing in a directory can be changed.
    fn refuse<T>(&self, handle: &Handle) -> FsResult<T> {
        self.dir(handle)?;
        Err(ErrorCode::NotPermitted.into())
    }
}

impl GrantedDir {
    /// The one meaning of `path` here. There is no `..`: directories have no inside, so they have no outside either.
    fn named(&self, path: &str) -> Named<'_> {
        if path.starts_with('/') {
            return Named::Denied;
        }
        let mut parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
        match (parts.next(), parts.next()) {
            (None, _) => Named::Directory,
            // A trailing slash asks for a directory.
            (Some(name), None) if !path.ends_with('/') => self.files.get(name).map_or(Named::Denied, Named::File),
            (Some(_), _) => Named::Denied,
        }
    }
}

fn directory_stat() -> DescriptorStat {
    DescriptorStat {
        type_: DescriptorType::Directory,
        link_count: 1,
        size: 0,
        data_access_timestamp: None,
        data_modification_timestamp: None,
        status_change_timestamp: None,
    }
}

impl preopens::Host for FilesView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Handle, String)>> {
        let mut all = Vec::with_capacity(self.files.dirs.len());
        for dir in &self.files.dirs {
            let handle = self.inner.table.push(Descriptor::Dir(dir.handle.clone()))?;
            all.push((handle, dir.guest_path.clone()));
        }
        Ok(all)
    }
}

impl Host for FilesView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.inner.filesystem_error_code(error)
    }
}

impl HostDescriptor for FilesView<'_> {
    async fn open_at(
        &mut self,
        handle: Handle,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Handle> {
        let opened = match self.dir(&handle)?.named(&path) {
            Named::Directory if open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE) => {
                return Err(ErrorCode::IsDirectory.into());
            }
            Named::Directory => Descriptor::Dir(self.dir(&handle)?.handle.clone()),
            Named::Denied => {
                self.files.refused(&path);
                return Err(ErrorCode::Access.into());
            }
            Named::File(grant) => {
                let wanted = Wanted {
                    read: flags.contains(DescriptorFlags::READ),
                    write: flags.contains(DescriptorFlags::WRITE),
                    create: open_flags.contains(OpenFlags::CREATE),
                    exclusive: open_flags.contains(OpenFlags::EXCLUSIVE),
                    truncate: open_flags.contains(OpenFlags::TRUNCATE),
                    directory: open_flags.contains(OpenFlags::DIRECTORY),
                    follow: path_flags.contains(PathFlags::SYMLINK_FOLLOW),
                };
                Descriptor::File(open::open(grant, &self.files.policy, wanted)?)
            }
        };
        Ok(self.inner.table.push(opened)?)
    }

    async fn stat_at(&mut self, handle: Handle, path_flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        match self.dir(&handle)?.named(&path) {
            Named::Directory => Ok(directory_stat()),
            Named::Denied => Err(ErrorCode::Access.into()),
            Named::File(grant) => open::stat(
                grant,
                &self.files.policy,
                path_flags.contains(PathFlags::SYMLINK_FOLLOW),
            )
            .map_err(FsError::from),
        }
    }

    async fn metadata_hash_at(&mut self, handle: Handle, _: PathFlags, path: String) -> FsResult<MetadataHashValue> {
        match self.dir(&handle)?.named(&path) {
            Named::Directory => Ok(MetadataHashValue { lower: 0, upper: 0 }),
            Named::Denied => Err(ErrorCode::Access.into()),
            Named::File(grant) => open::identity(grant, &self.files.policy).map_err(FsError::from),
        }
    }

    async fn stat(&mut self, handle: Handle) -> FsResult<DescriptorStat> {
        if self.is_dir(&handle)? {
            Ok(directory_stat())
        } else {
            self.inner.stat(handle).await
        }
    }

    async fn get_type(&mut self, handle: Handle) -> FsResult<DescriptorType> {
        if self.is_dir(&handle)? {
            Ok(DescriptorType::Directory)
        } else {
            self.inner.get_type(handle).await
        }
    }

    async fn get_flags(&mut self, handle: Handle) -> FsResult<DescriptorFlags> {
        if self.is_dir(&handle)? {
            Ok(DescriptorFlags::READ)
        } else {
            self.inner.get_flags(handle).await
        }
    }

    async fn metadata_hash(&mut self, handle: Handle) -> FsResult<MetadataHashValue> {
        if self.is_dir(&handle)? {
            Ok(MetadataHashValue { lower: 0, upper: 0 })
        } else {
            self.inner.metadata_hash(handle).await
        }
    }

    async fn is_same_object(&mut self, one: Handle, other: Handle) -> wasmtime::Result<bool> {
        self.inner.is_same_object(one, other).await
    }

    async fn advise(&mut self, handle: Handle, offset: Filesize, length: Filesize, advice: Advice) -> FsResult<()> {
        self.file_only(&handle)?;
        self.inner.advise(handle, offset, length, advice).await
    }

    async fn sync_data(&mut self, handle: Handle) -> FsResult<()> {
        if self.is_dir(&handle)? {
            Ok(())
        } else {
            self.inner.sync_data(handle).await
        }
    }

    async fn sync(&mut self, handle: Handle) -> FsResult<()> {
        if self.is_dir(&handle)? {
            Ok(())
        } else {
            self.inner.sync(handle).await
        }
    }

    async fn set_size(&mut self, handle: Handle, size: Filesize) -> FsResult<()> {
        self.file_only(&handle)?;
        self.inner.set_size(handle, size).await
    }

    async fn set_times(&mut self, handle: Handle, access: NewTimestamp, modification: NewTimestamp) -> FsResult<()> {
        self.file_only(&handle)?;
        self.inner.set_times(handle, access, modification).await
    }

    async fn read(&mut self, handle: Handle, length: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)> {
        self.file_only(&handle)?;
        self.inner.read(handle, length, offset).await
    }

    async fn write(&mut self, handle: Handle, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        self.file_only(&handle)?;
        self.inner.write(handle, bytes, offset).await
    }

    fn read_via_stream(&mut self, handle: Handle, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        if self.is_dir(&handle)? {
            return Err(ErrorCode::IsDirectory.into());
        }
        self.inner.read_via_stream(handle, offset)
    }

    fn write_via_stream(&mut self, handle: Handle, offset: Filesize) -> FsResult<Resource<DynOutputStream>> {
        self.writer(&handle, Place::At(offset))
    }

    fn append_via_stream(&mut self, handle: Handle) -> FsResult<Resource<DynOutputStream>> {
        self.writer(&handle, Place::End)
    }

    async fn read_directory(&mut self, handle: Handle) -> FsResult<Resource<DirectoryEntryStream>> {
        self.refuse(&handle)
    }

    async fn create_directory_at(&mut self, handle: Handle, _: String) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn set_times_at(
        &mut self,
        handle: Handle,
        _: PathFlags,
        _: String,
        _: NewTimestamp,
        _: NewTimestamp,
    ) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn link_at(&mut self, handle: Handle, _: PathFlags, _: String, _: Handle, _: String) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn readlink_at(&mut self, handle: Handle, _: String) -> FsResult<String> {
        // As of a file that is no link; `realpath` goes on after that.
        self.dir(&handle)?;
        Err(ErrorCode::Invalid.into())
    }

    async fn remove_directory_at(&mut self, handle: Handle, _: String) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn rename_at(&mut self, handle: Handle, _: String, _: Handle, _: String) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn symlink_at(&mut self, handle: Handle, _: String, _: String) -> FsResult<()> {
        self.refuse(&handle)
    }

    async fn unlink_file_at(&mut self, handle: Handle, _: String) -> FsResult<()> {
        self.refuse(&handle)
    }

    fn drop(&mut self, handle: Handle) -> wasmtime::Result<()> {
        HostDescriptor::drop(&mut self.inner, handle)
    }
}

impl HostDirectoryEntryStream for FilesView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.inner.read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.inner, stream)
    }
}

/// What the host may say about a file, in the words of WASI.
pub(super) fn stat_of(metadata: &std::fs::Metadata) -> DescriptorStat {
    use std::os::unix::fs::MetadataExt as _;
    let time = |time: std::io::Result<std::time::SystemTime>| {
        let since = time.ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime {
            seconds: since.as_secs(),
            nanoseconds: since.subsec_nanos(),
        })
    };
    let kind = metadata.file_type();
    DescriptorStat {
        type_: if kind.is_file() {
            DescriptorType::RegularFile
        } else if kind.is_dir() {
            DescriptorType::Directory
        } else if kind.is_symlink() {
            DescriptorType::SymbolicLink
        } else {
            DescriptorType::Unknown
        },
        link_count: metadata.nlink(),
        size: metadata.len(),
        data_access_timestamp: time(metadata.accessed()),
        data_modification_timestamp: time(metadata.modified()),
        status_change_timestamp: time(metadata.created()),
    }
}

/// The identity of a file: two handles with the same hash are the same file.
pub(super) fn hash_of(metadata: &std::fs::Metadata) -> types::MetadataHashValue {
    use std::os::unix::fs::MetadataExt as _;
    types::MetadataHashValue {
        lower: metadata.ino(),
        upper: metadata.dev(),
    }
}
