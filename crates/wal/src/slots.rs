//! The file of a cursor: `cursor-NAME`, 8 KiB, two slots of 24 bytes at 0 and 4096, the rest 0.
//!
//! A slot is `"SPANCUR\1" | next u64 | 0 u32 | crc32c u32`. Of those that are whole, the greater `next` counts: positions only rise. They are
//! overwritten in turns and in place, so that a position needs no room on a full disk, and a write that is torn leaves the other one. The
//! former format, a file that was replaced each time, is a first slot alone.

use std::io::IoSlice;
use std::path::Path;

use crate::error::Failure;
use crate::files::{File, Files, read_full};
use crate::record::Seq;

/// What the next write to the file of a cursor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Makes the file: there is none, or none with two slots.
    Make,
    /// Overwrites a slot: the other one has the position.
    Overwrite(Slot),
}

/// One of the two slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    First,
    Second,
}

/// What a file of a cursor says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loaded {
    /// `None` if it is damaged.
    pub(crate) next: Option<Seq>,
    pub(crate) turn: Turn,
}

const MAGIC: [u8; 8] = *b"SPANCUR\x01";
const SLOT_BYTES: usize = 24;
const CHECKED: usize = 20;

/// Disks write their sectors whole, of at most this: a write to one slot cannot harm the other.
const SECTOR: u64 = 4096;
const FILE_BYTES: usize = 2 * SECTOR as usize;

// === impl Turn ===

impl Turn {
    /// Writes a position, durably, and says what the next write does.
    ///
    /// # Errors
    ///
    /// The position before holds then, and the same turn may be tried again.
    pub(crate) fn take(self, files: &dyn Files, dir: &Path, path: &Path, next: Seq) -> Result<Self, Failure> {
        match self {
            Self::Make => {
                make(files, dir, path, next)?;
                Ok(Self::Overwrite(Slot::First))
            }
            Self::Overwrite(slot) => {
                overwrite(files, path, slot, next)?;
                Ok(Self::Overwrite(slot.other()))
            }
        }
    }

    /// Makes the position that was loaded durable, before anything relies on it: a process that was killed, or whose sync failed, may have
    /// left it in memory alone. Were the other slot written then, a loss of power could take both.
    pub(crate) fn settle(self, files: &dyn Files, dir: &Path, path: &Path, next: Seq) -> Result<Self, Failure> {
        match self {
            Self::Make => self.take(files, dir, path, next),
            Self::Overwrite(slot) => {
                overwrite(files, path, slot.other(), next)?;
                Ok(self)
            }
        }
    }
}

// === impl Slot ===

impl Slot {
    fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    fn offset(self) -> u64 {
        match self {
            Self::First => 0,
            Self::Second => SECTOR,
        }
    }

    /// `None` if it is not whole.
    fn read(self, file: &dyn File) -> std::io::Result<Option<Seq>> {
        let mut bytes = [0; SLOT_BYTES];
        Ok(if read_full(file, &mut bytes, self.offset())? == SLOT_BYTES { parse(&bytes) } else { None })
    }
}

// === files ===

/// Reads a file.
pub(crate) fn load(files: &dyn Files, path: &Path) -> Result<Loaded, Failure> {
    let file = files.open(path).map_err(Failure::of("open", path))?;
    let read = |slot: Slot| slot.read(&*file).map_err(Failure::of("read", path));
    let (first, second) = (read(Slot::First)?, read(Slot::Second)?);
    let next = first.max(second);
    let is_whole = file.len().map_err(Failure::of("read", path))? >= FILE_BYTES as u64;
    let turn = match next {
        Some(_) if is_whole => Turn::Overwrite(if first > second { Slot::Second } else { Slot::First }),
        _ => Turn::Make,
    };
    Ok(Loaded { next, turn })
}

/// Both slots have the position, and their blocks.
fn make(files: &dyn Files, dir: &Path, path: &Path, next: Seq) -> Result<(), Failure> {
    let mut bytes = Vec::with_capacity(FILE_BYTES);
    for slot in [Slot::First, Slot::Second] {
        bytes.resize(slot.offset() as usize, 0);
        bytes.extend_from_slice(&to_bytes(next));
    }
    bytes.resize(FILE_BYTES, 0);
    let temporary = path.with_added_extension("tmp");
    let file = files.create(&temporary).map_err(Failure::of("create", &temporary))?;
    file.write_at(&mut [IoSlice::new(&bytes)], 0).map_err(Failure::of("write", &temporary))?;
    file.sync().map_err(Failure::of("sync", &temporary))?;
    files.rename(&temporary, path).map_err(Failure::of("rename", &temporary))?;
    files.sync_dir(dir).map_err(Failure::of("sync", dir))
}

/// By its name each time: where the folder is gone, nothing is written into a file that is gone with it.
fn overwrite(files: &dyn Files, path: &Path, slot: Slot, next: Seq) -> Result<(), Failure> {
    let file = files.edit(path).map_err(Failure::of("open", path))?;
    file.write_at(&mut [IoSlice::new(&to_bytes(next))], slot.offset()).map_err(Failure::of("write", path))?;
    file.sync().map_err(Failure::of("sync", path))
}

fn to_bytes(next: Seq) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SLOT_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&next.get().to_le_bytes());
    bytes.resize(CHECKED, 0);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

fn parse(bytes: &[u8]) -> Option<Seq> {
    let (checked, crc) = bytes.split_at_checked(CHECKED)?;
    let (magic, rest) = checked.split_first_chunk()?;
    let next = u64::from_le_bytes(*rest.first_chunk()?);
    let is_good = *magic == MAGIC && u32::from_le_bytes(crc.try_into().ok()?) == crc32c::crc32c(checked);
    (is_good && next != 0).then_some(Seq::new(next))
}
