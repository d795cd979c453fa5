//! A disk in memory that fails, tears and forgets.
//!
//! It is stricter than real ones: what was not synced may be lost in any combination, a name that was not synced in its directory
//! is gone, and after a failed sync the data it was for is forgotten although readers still see it, as Linux does.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{File, Files, Lock};

/// A disk in memory that fails, tears and forgets. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct CrashFiles {
    disk: Arc<Mutex<Disk>>,
}

/// Kinds of operations that change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Create,
    Write,
    Allocate,
    Truncate,
    Sync,
    Rename,
    Remove,
    SyncDir,
}

/// What a crash loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nothing: the process was killed.
    Nothing,
    /// Everything that was not synced: the power failed.
    Unsynced,
    /// Any part of what was not synced.
    Torn(u64),
}

#[derive(Debug, Default)]
struct Disk {
    inodes: Vec<Inode>,
    names: Names,
    /// The names that survive, and the changes since.
    durable_names: Names,
    changed_names: Vec<Names>,
    /// Rises with every crash: what was open before is void.
    boot: u64,
    locked: bool,
    crashed: bool,
    operations: u64,
    crash_at: Option<u64>,
    fault: Option<Fault>,
}

type Names = BTreeMap<PathBuf, usize>;

#[derive(Debug, Default)]
struct Inode {
    /// What processes see.
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Changes since the last sync.
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// An error to come.
#[derive(Debug)]
struct Fault {
    op: Op,
    file: String,
    /// So many operations of the kind go well before.
    after: u64,
    error: io::ErrorKind,
    for_ever: bool,
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

/// The disk writes so many bytes or none of them.
const SECTOR: usize = 64;

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

    pub(crate) fn heal(&self) {
        self.disk().fault = None;
    }

    /// The machine starts again. What was open before fails for ever.
    pub(crate) fn reboot(&self, loss: Loss) {
        let mut disk = self.disk();
        disk.boot += 1;
        (disk.locked, disk.crashed, disk.crash_at, disk.fault) = (false, false, None, None);
        let mut random = match loss {
            Loss::Torn(seed) => fastrand::Rng::with_seed(seed),
            _ => fastrand::Rng::with_seed(0),
        };
        let changes = std::mem::take(&mut disk.changed_names);
        let kept = match loss {
            Loss::Nothing => changes.len(),
            Loss::Unsynced => 0,
            Loss::Torn(_) => random.usize(0..=changes.len()),
        };
        if let Some(names) = kept.checked_sub(1).and_then(|last| changes.into_iter().nth(last)) {
            disk.durable_names = names;
        }
        disk.names = disk.durable_names.clone();
        for inode in &mut disk.inodes {
            match loss {
                Loss::Nothing => inode.durable = inode.seen.clone(),
                Loss::Unsynced => {}
                Loss::Torn(_) => inode.tear(&mut random),
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

// === impl Disk ===

/// Whether an operation is the one in which the crash comes: it has its effect then, as far as that needs no sync.
#[derive(Debug, Clone, Copy)]
enum Passed {
    Well,
    Crashed,
}

impl Passed {
    fn then_ok<T>(self, value: T) -> io::Result<T> {
        match self {
            Self::Well => Ok(value),
            Self::Crashed => Err(crashed()),
        }
    }
}

impl Disk {
    fn alive(&self, boot: Option<u64>) -> io::Result<()> {
        if self.crashed || boot.is_some_and(|boot| boot != self.boot) { Err(crashed()) } else { Ok(()) }
    }

    fn pass(&mut self, op: Op, path: &Path) -> io::Result<Passed> {
        self.alive(None)?;
        let operation = self.operations;
        self.operations += 1;
        if self.crash_at == Some(operation) {
            self.crashed = true;
            return Ok(Passed::Crashed);
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(fault) = self.fault.as_mut().filter(|fault| fault.op == op && name.contains(&fault.file)) {
            if fault.after == 0 {
                let error = fault.error;
                if !fault.for_ever {
                    self.fault = None;
                }
                return Err(error.into());
            }
            fault.after -= 1;
        }
        Ok(Passed::Well)
    }

    fn rename<T>(&mut self, change: impl FnOnce(&mut Names) -> T) {
        change(&mut self.names);
        self.changed_names.push(self.names.clone());
    }
}

// === impl Inode ===

impl Inode {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.pending.push(change);
    }

    fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// Each sector of what was written reaches the disk or does not.
    fn tear(&mut self, random: &mut fastrand::Rng) {
        for change in std::mem::take(&mut self.pending) {
            match change {
                Change::Length(_) if random.bool() => {}
                Change::Length(_) => change.apply(&mut self.durable),
                Change::Write(offset, bytes) => {
                    let mut from = 0;
                    while from < bytes.len() {
                        let until = ((offset + from) / SECTOR + 1) * SECTOR - offset;
                        let until = until.min(bytes.len());
                        if random.bool() {
                            Change::Write(offset + from, bytes[from..until].to_vec()).apply(&mut self.durable);
                        }
                        from = until;
                    }
                }
            }
        }
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Length(length) => to.resize(*length, 0),
            Self::Write(offset, bytes) => {
                let end = offset + bytes.len();
                to.resize(to.len().max(end), 0);
                to[*offset..end].copy_from_slice(bytes);
            }
        }
    }
}

// === impl CrashFile ===

impl CrashFile {
    fn change(&self, op: Op, change: Change) -> io::Result<()> {
        let mut disk = self.disk.disk();
        disk.alive(Some(self.boot))?;
        let passed = disk.pass(op, &self.path)?;
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

impl Lock for CrashLock {}

impl Drop for CrashLock {
    fn drop(&mut self) {
        let mut disk = self.disk.disk();
        if disk.boot == self.boot {
            disk.locked = false;
        }
    }
}

fn crashed() -> io::Error {
    io::Error::other("the machine has crashed")
}
