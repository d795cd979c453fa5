//! The file system.

use std::fs::{self, TryLockError};
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::{File, Files, Lock};

/// The file system.
#[derive(Debug)]
pub(crate) struct RealFiles;

#[derive(Debug)]
struct RealFile(fs::File);

/// What is in logs is for their owner alone.
const OWNER: u32 = 0o600;
const OWNER_FOLDER: u32 = 0o700;

/// The lock of a file goes when the file is closed, whatever ends the process.
#[derive(Debug)]
struct RealLock {
    #[allow(dead_code, reason = "held open")]
    file: fs::File,
    path: PathBuf,
    /// Device and number of the file: no other one has them while it is open.
    identity: (u64, u64),
}

// === impl RealFiles ===

impl Files for RealFiles {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if fs::metadata(dir).is_ok_and(|found| found.is_dir()) {
            return Ok(());
        }
        let above = dir.parent().filter(|above| !above.as_os_str().is_empty());
        if let Some(above) = above {
            self.create_dir(above)?;
        }
        match fs::DirBuilder::new().mode(OWNER_FOLDER).create(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        self.sync_dir(above.unwrap_or(Path::new(".")))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(OWNER).open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(RealFile(fs::File::open(path)?)))
    }

    fn edit(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(RealFile(fs::OpenOptions::new().read(true).write(true).open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(OWNER).open(path)?;
        match file.try_lock() {
            Ok(()) => {
                let identity = identity(&file.metadata()?);
                Ok(Some(Box::new(RealLock { file, path: path.into(), identity })))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

// === impl RealFile ===

impl File for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, mut slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut file = &self.0;
        file.seek(SeekFrom::Start(offset))?;
        // Empty slices in front would make a write of nothing look like the end of the disk.
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            match file.write_vectored(slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut slices, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<bool> {
        match fallocate(&self.0, FallocateFlags::empty(), 0, len) {
            Ok(()) => Ok(true),
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

// === impl RealLock ===

impl Lock for RealLock {
    fn is_in_place(&self) -> bool {
        match fs::metadata(&self.path) {
            Ok(found) => identity(&found) == self.identity,
            // What else there is to be said of the disk, reads and writes say.
            Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        }
    }
}

fn identity(of: &fs::Metadata) -> (u64, u64) {
    (of.dev(), of.ino())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Scenario: folders and files that are made, and a folder that was there.
    /// Guarantees: nobody but the owner may look into what is new; what was there stays as it was.
    #[test]
    fn for_the_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let inner = folder.path().join("a/b");
        RealFiles.create_dir(&inner).unwrap();
        RealFiles.create(&inner.join("1.wal")).unwrap();
        RealFiles.lock(&inner.join("lock")).unwrap();
        assert_eq!([folder.path(), &folder.path().join("a"), &inner].map(mode), [0o755, 0o700, 0o700]);
        assert_eq!([inner.join("1.wal"), inner.join("lock")].map(|path| mode(&path)), [0o600; 2]);
    }
}
