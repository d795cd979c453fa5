//! A disk in memory that fails, tears and forgets.
//!
//! It is stricter than real ones: what was not synced may be lost in any combination, a name that was not synced in its directory
//! is gone, and after a failed sync the data it was for is forgotten although readers still see it, as Linux does.

mod disk;

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{File, Files, Lock};
use disk::{Change, Disk, Fault, Inode, Passed, crashed};
pub(crate) use disk::{Loss, Op};

/// A disk in memory that fails, tears and forgets. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct CrashFiles {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug)]
struct CrashFile {
    disk: CrashFiles,
    boot: u64,
    inode: usize,
    path: PathBuf,
}

#[derive(Debug)]
struct CrashLock {
    disk: CrashFiles,
    boot: u64,
}

// === impl CrashFiles ===

impl CrashFiles {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Operations that changed something so far.
    pub(crate) fn operations(&self) -> u64 {
        self.disk().operations
    }

    /// The crash comes in the operation of this index, counted by [`CrashFiles::operations`].
    pub(crate) fn crash_at(&self, operation: u64) {
        self.disk().crash_at = Some(operation);
    }

    /// Nothing works from now on.
    pub(crate) fn crash(&self) {
        self.disk().crashed = true;
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.disk().crashed
    }

    /// One operation of a kind on a file whose name contains `file` fails, after so many went well.
    pub(crate) fn fail(&self, op: Op, file: &str, after: u64, error: io::ErrorKind) {
        self.disk().fault = Some(Fault { op, file: file.into(), after, error, for_ever: false });
    }

    /// All of them fail, until [`CrashFiles::heal`].
    pub(crate) fn fail_for_ever(&self, op: Op, file: &str, error: io::ErrorKind) {
        self.disk().fault = Some(Fault { op, file: file.into(), after: 0, error, for_ever: true });
    }

    /// The disk is filled to its last page, or has room again: files can be made and overwritten, but do not grow.
    pub(crate) fn fill(&self, full: bool) {
        self.disk().full = full;
    }

    pub(crate) fn heal(&self) {
        self.disk().fault = None;
    }

    /// The machine starts again. What was open before fails for ever.
    pub(crate) fn reboot(&self, loss: Loss) {
        let mut disk = self.disk();
        disk.boot += 1;
        (disk.locked, disk.crashed, disk.crash_at, disk.fault) = (false, false, None, None);
        let mut random = match loss {
            // The machine goes on: what was not synced may still be lost, by a later crash.
            Loss::Nothing => return,
            Loss::Unsynced => fastrand::Rng::with_seed(0),
            Loss::Torn(seed) => fastrand::Rng::with_seed(seed),
        };
        let changes = std::mem::take(&mut disk.changed_names);
        let kept = if loss == Loss::Unsynced { 0 } else { random.usize(0..=changes.len()) };
        if let Some(names) = kept.checked_sub(1).and_then(|last| changes.into_iter().nth(last)) {
            disk.durable_names = names;
        }
        disk.names = disk.durable_names.clone();
        for inode in &mut disk.inodes {
            if loss != Loss::Unsynced {
                inode.tear(&mut random);
            }
            inode.pending.clear();
            inode.seen = inode.durable.clone();
        }
    }

    /// Names of the files in the directory.
    pub(crate) fn names(&self) -> Vec<String> {
        self.disk().names.keys().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
    }

    /// Changes a file behind everyone's back; creates it if need be.
    pub(crate) fn alter(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let inode = match disk.names.get(path) {
            Some(inode) => *inode,
            None => {
                disk.inodes.push(Inode::default());
                disk.inodes.len() - 1
            }
        };
        disk.names.insert(path.into(), inode);
        disk.durable_names.insert(path.into(), inode);
        let inode = &mut disk.inodes[inode];
        change(&mut inode.seen);
        inode.durable = inode.seen.clone();
        inode.pending.clear();
    }

    fn open_file(&self, disk: &Disk, path: &Path) -> io::Result<Arc<dyn File>> {
        let inode = *disk.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(CrashFile { disk: self.clone(), boot: disk.boot, inode, path: path.into() }))
    }
}

impl Files for CrashFiles {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        self.disk().alive(None)
    }

    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        self.disk().alive(None)?;
        Ok(self.names())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut disk = self.disk();
        let passed = disk.pass(Op::Create, path)?;
        disk.inodes.push(Inode::default());
        let inode = disk.inodes.len() - 1;
        disk.rename(|names| names.insert(path.into(), inode));
        passed.then_ok(self.open_file(&disk, path)?)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let disk = self.disk();
        disk.alive(None)?;
        self.open_file(&disk, path)
    }

    fn edit(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let passed = disk.pass(Op::Rename, from)?;
        let inode = *disk.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        disk.rename(|names| {
            names.remove(from);
            names.insert(to.into(), inode)
        });
        passed.then_ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let passed = disk.pass(Op::Remove, path)?;
        disk.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        disk.rename(|names| names.remove(path));
        passed.then_ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        if let Passed::Crashed = disk.pass(Op::SyncDir, dir)? {
            return Err(crashed());
        }
        disk.changed_names.clear();
        disk.durable_names = disk.names.clone();
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let mut disk = self.disk();
        disk.alive(None)?;
        if std::mem::replace(&mut disk.locked, true) {
            return Ok(None);
        }
        Ok(Some(Box::new(CrashLock { disk: self.clone(), boot: disk.boot })))
    }
}

// === impl CrashFile ===

impl CrashFile {
    fn change(&self, op: Op, change: Change) -> io::Result<()> {
        let mut disk = self.disk.disk();
        disk.alive(Some(self.boot))?;
        let passed = disk.pass(op, &self.path)?;
        if disk.full && disk.inodes[self.inode].grows(&change) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.inodes[self.inode].change(change);
        passed.then_ok(())
    }
}

impl File for CrashFile {
    fn len(&self) -> io::Result<u64> {
        let disk = self.disk.disk();
        disk.alive(Some(self.boot))?;
        Ok(disk.inodes[self.inode].seen.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let disk = self.disk.disk();
        disk.alive(Some(self.boot))?;
        let bytes = disk.inodes[self.inode].seen.get(offset as usize..).unwrap_or_default();
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn write_at(&self, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes = slices.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<_>>();
        self.change(Op::Write, Change::Write(offset as usize, bytes))
    }

    fn allocate(&self, len: u64) -> io::Result<bool> {
        self.change(Op::Allocate, Change::Length(len as usize))?;
        Ok(true)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.change(Op::Truncate, Change::Length(len as usize))
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.disk.disk();
        disk.alive(Some(self.boot))?;
        match disk.pass(Op::Sync, &self.path) {
            Ok(Passed::Well) => {
                disk.inodes[self.inode].sync();
                Ok(())
            }
            Ok(Passed::Crashed) => Err(crashed()),
            Err(error) => {
                disk.inodes[self.inode].pending.clear();
                Err(error)
            }
        }
    }
}

impl Lock for CrashLock {
    fn is_in_place(&self) -> bool {
        true
    }
}

impl Drop for CrashLock {
    fn drop(&mut self) {
        let mut disk = self.disk.disk();
        if disk.boot == self.boot {
            disk.locked = false;
        }
    }
}
