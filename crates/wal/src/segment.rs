//! A segment file: its name, its header, and how one is made.
//!
//! Header, 64 bytes: `"SPANWAL\0" | version u32 | salt u32 | first u64 | follows u64 | created u64 | relaxed u8 | reused u8 | 0 × 18 | crc32c u32`.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::Failure;
use crate::files::{File, Files, read_full, write_zeros};
use crate::record::Seq;

/// Where the first record of a segment begins.
pub(crate) const HEADER_BYTES: u64 = 64;

const MAGIC: [u8; 8] = *b"SPANWAL\0";
const VERSION: u32 = 1;
const CHECKED: usize = 60;

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// The checksums of records begin with it. Bytes that a client sent cannot pass for a record, nor can those of a segment
    /// that was here before.
    pub(crate) salt: u32,
    /// The number of its first record.
    pub(crate) first: Seq,
    /// The number that the segment before would have given next. It differs from `first` where numbers were lost.
    pub(crate) follows: Seq,
    /// Since 1970.
    pub(crate) created: Duration,
    /// Records were acknowledged before they were durable: after a power loss it does not tell which numbers were given.
    pub(crate) relaxed: bool,
    /// The file was another segment before: what stands behind its last record tells nothing.
    pub(crate) reused: bool,
}

/// What a file in the directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Segment(Seq),
    /// A segment that was set aside.
    Quarantined(Seq),
    /// A segment of zeros for later.
    Spare,
    /// Left by a crash.
    Temporary,
}

/// A file for a segment, of zeros or of an older segment's records; its blocks are allocated durably.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(crate) file: Arc<dyn File>,
    pub(crate) bytes: u64,
    /// It was another segment before.
    pub(crate) reused: bool,
}

// === impl Header ===

impl Header {
    pub(crate) fn new(first: Seq, follows: Seq, created: Duration, relaxed: bool) -> Self {
        let random = RandomState::new().hash_one(first);
        Self { salt: (random ^ (random >> 32)) as u32, first, follows, created, relaxed, reused: false }
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CHECKED + 4);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.salt.to_le_bytes());
        bytes.extend_from_slice(&self.first.get().to_le_bytes());
        bytes.extend_from_slice(&self.follows.get().to_le_bytes());
        bytes.extend_from_slice(&u64::try_from(self.created.as_millis()).unwrap_or(u64::MAX).to_le_bytes());
        bytes.extend_from_slice(&[self.relaxed.into(), self.reused.into()]);
        bytes.resize(CHECKED, 0);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// `None` if it is none, or one of another version.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (checked, crc) = bytes.split_at_checked(CHECKED)?;
        if u32::from_le_bytes(crc.try_into().ok()?) != crc32c::crc32c(checked) {
            return None;
        }
        let (magic, rest) = checked.split_first_chunk()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (first, rest) = rest.split_first_chunk()?;
        let (follows, rest) = rest.split_first_chunk()?;
        let (created, rest) = rest.split_first_chunk()?;
        let header = Self {
            salt: u32::from_le_bytes(*salt),
            first: Seq::new(u64::from_le_bytes(*first)),
            follows: Seq::new(u64::from_le_bytes(*follows)),
            created: Duration::from_millis(u64::from_le_bytes(*created)),
            relaxed: *rest.first()? != 0,
            reused: *rest.get(1)? != 0,
        };
        (*magic == MAGIC && u32::from_le_bytes(*version) == VERSION && header.follows <= header.first).then_some(header)
    }

    /// `None` if the file does not begin with one.
    pub(crate) fn read(file: &dyn File) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER_BYTES as usize];
        Ok(if read_full(file, &mut bytes, 0)? == bytes.len() { Self::parse(&bytes) } else { None })
    }
}

// === impl Kind ===

impl Kind {
    pub(crate) fn of(name: &str) -> Option<Self> {
        if name == SPARE {
            return Some(Self::Spare);
        }
        let (stem, extension) = name.rsplit_once('.')?;
        if extension == "tmp" {
            return Some(Self::Temporary);
        }
        let first = Seq::new(stem.parse().ok()?);
        // Names that we would not give are somebody else's files.
        let is_ours = |kind: &Self| kind.name() == name;
        match extension {
            "wal" => Some(Self::Segment(first)).filter(is_ours),
            "damaged" => Some(Self::Quarantined(first)).filter(is_ours),
            _ => None,
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Segment(first) => format!("{:020}.wal", first.get()),
            Self::Quarantined(first) => format!("{:020}.damaged", first.get()),
            Self::Spare => SPARE.into(),
            Self::Temporary => SPARE_TEMPORARY.into(),
        }
    }

    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.name())
    }
}

/// So many zeros are forced to the disk at once: the syncs of records must not wait for a whole segment.
const FILL: u64 = 4 << 20;

const SPARE: &str = "spare";
const SPARE_TEMPORARY: &str = "spare.tmp";

// === making segments ===

/// Makes a segment that writing to cannot meet a full disk.
///
/// With `zeros` written, later syncs have no metadata to write either: 0.15 instead of 0.33 ms for 32 KiB. But that doubles what
/// the disk has to write: with groups of 800 KiB it cost a third of the throughput.
///
/// # Errors
///
/// When the disk is full, for instance. What was made so far is removed; it may be tried again, since that begins anew.
pub(crate) fn prepare(files: &dyn Files, dir: &Path, bytes: u64, zeros: bool) -> Result<Spare, Failure> {
    let temporary = Kind::Temporary.path(dir);
    let path = Kind::Spare.path(dir);
    let made = files.create(&temporary).map_err(Failure::of("create", &temporary)).and_then(|file| {
        let is_allocated = !zeros && file.allocate(bytes).map_err(Failure::of("allocate", &temporary))?;
        let mut filled = if is_allocated { bytes } else { 0 };
        if is_allocated {
            file.sync().map_err(Failure::of("sync", &temporary))?;
        }
        while filled < bytes {
            let until = (filled + FILL).min(bytes);
            write_zeros(&*file, filled, until).map_err(Failure::of("fill", &temporary))?;
            file.sync().map_err(Failure::of("sync", &temporary))?;
            filled = until;
        }
        files.rename(&temporary, &path).map_err(Failure::of("rename", &temporary))?;
        Ok(Spare { file, bytes, reused: false })
    });
    if made.is_err() {
        let _ = files.remove(&temporary);
    }
    made
}

/// Makes a segment out of one that nobody needs: nothing is written, and no space is taken.
///
/// The name is gone from the disk before the new header is written, or else it might come back with it.
pub(crate) fn reuse(files: &dyn Files, dir: &Path, from: &Path) -> Result<Spare, Failure> {
    let path = Kind::Spare.path(dir);
    files.rename(from, &path).map_err(Failure::of("rename", from))?;
    files.sync_dir(dir).map_err(Failure::of("sync", dir))?;
    found(files, dir)
}

/// The spare that is there.
pub(crate) fn found(files: &dyn Files, dir: &Path) -> Result<Spare, Failure> {
    let path = Kind::Spare.path(dir);
    let file = files.edit(&path).map_err(Failure::of("open", &path))?;
    let bytes = file.len().map_err(Failure::of("read", &path))?;
    let mut start = [0; MAGIC.len()];
    read_full(&*file, &mut start, 0).map_err(Failure::of("read", &path))?;
    Ok(Spare { file, bytes, reused: start != [0; MAGIC.len()] })
}

/// Turns a spare into the segment of this header, durably.
///
/// # Errors
///
/// What the disk holds is not known then: the log has failed.
pub(crate) fn install(files: &dyn Files, dir: &Path, spare: &Spare, mut header: Header) -> Result<Header, Failure> {
    header.reused = spare.reused;
    let from = Kind::Spare.path(dir);
    let to = Kind::Segment(header.first).path(dir);
    spare.file.write_at(&mut [IoSlice::new(&header.to_bytes())], 0).map_err(Failure::of("write", &to))?;
    spare.file.sync().map_err(Failure::of("sync", &to))?;
    files.rename(&from, &to).map_err(Failure::of("rename", &to))?;
    files.sync_dir(dir).map_err(Failure::of("sync", dir))?;
    Ok(header)
}

/// Renames a segment so that it is kept for inspection.
pub(crate) fn set_aside(files: &dyn Files, dir: &Path, first: Seq) -> Result<PathBuf, Failure> {
    let from = Kind::Segment(first).path(dir);
    let to = Kind::Quarantined(first).path(dir);
    files.rename(&from, &to).map_err(Failure::of("rename", &from))?;
    if let Err(error) = files.sync_dir(dir) {
        tracing::warn!(path = %to.display(), %error, "a damaged segment may have its old name after a crash");
    }
    Ok(to)
}
