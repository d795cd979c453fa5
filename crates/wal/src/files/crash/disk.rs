//! What the disk holds: for processes, and after a crash.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

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
pub(super) struct Disk {
    pub(super) inodes: Vec<Inode>,
    pub(super) names: Names,
    /// The names that survive, and the changes since.
    pub(super) durable_names: Names,
    pub(super) changed_names: Vec<Names>,
    /// Rises with every crash: what was open before is void.
    pub(super) boot: u64,
    pub(super) locked: bool,
    pub(super) crashed: bool,
    pub(super) operations: u64,
    pub(super) crash_at: Option<u64>,
    pub(super) fault: Option<Fault>,
    /// No file grows.
    pub(super) full: bool,
}

pub(super) type Names = BTreeMap<PathBuf, usize>;

#[derive(Debug, Default)]
pub(super) struct Inode {
    /// What processes see.
    pub(super) seen: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Changes since the last sync.
    pub(super) pending: Vec<Change>,
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// An error to come.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) op: Op,
    pub(super) file: String,
    /// So many operations of the kind go well before.
    pub(super) after: u64,
    pub(super) error: io::ErrorKind,
    pub(super) for_ever: bool,
}

/// The disk writes so many bytes or none of them.
const SECTOR: usize = 64;

// === impl Disk ===

/// Whether an operation is the one in which the crash comes: it has its effect then, as far as that needs no sync.
#[derive(Debug, Clone, Copy)]
pub(super) enum Passed {
    Well,
    Crashed,
}

impl Passed {
    pub(super) fn then_ok<T>(self, value: T) -> io::Result<T> {
        match self {
            Self::Well => Ok(value),
            Self::Crashed => Err(crashed()),
        }
    }
}

impl Disk {
    pub(super) fn alive(&self, boot: Option<u64>) -> io::Result<()> {
        if self.crashed || boot.is_some_and(|boot| boot != self.boot) { Err(crashed()) } else { Ok(()) }
    }

    pub(super) fn pass(&mut self, op: Op, path: &Path) -> io::Result<Passed> {
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

    pub(super) fn rename<T>(&mut self, change: impl FnOnce(&mut Names) -> T) {
        change(&mut self.names);
        self.changed_names.push(self.names.clone());
    }
}

// === impl Inode ===

impl Inode {
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.pending.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// Whether a change takes more room than the file has.
    pub(super) fn grows(&self, change: &Change) -> bool {
        let length = match change {
            Change::Write(offset, bytes) => offset + bytes.len(),
            Change::Length(length) => *length,
        };
        length > self.seen.len()
    }

    /// Each sector of what was written reaches the disk or does not.
    pub(super) fn tear(&mut self, random: &mut fastrand::Rng) {
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
    pub(super) fn apply(&self, to: &mut Vec<u8>) {
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

pub(super) fn crashed() -> io::Error {
    io::Error::other("the machine has crashed")
}
