//! The file being written. Everything here blocks.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::backup;
use super::config::{Config, Rotation};

/// So much is gathered in memory before it is written.
const BUFFER: usize = 64 * 1024;

/// An open file, a buffer before it, and perhaps rotation.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    /// Bytes in the file; it is cut back to them after a write that failed half way.
    len: u64,
    /// Whole records that are not written yet.
    buffer: Vec<u8>,
    config: Config,
}

// === impl Output ===

impl Output {
    /// Opens the file, and creates its folder where that is wanted.
    pub(super) fn open(config: &Config) -> io::Result<Self> {
        if config.create_directory
            && let Some(folder) = config.path.parent()
        {
            DirBuilder::new().recursive(true).mode(config.directory_mode().unwrap_or(0o755)).create(folder)?;
        }
        let keep = config.append || config.rotation.is_on();
        let file = open(&config.path, keep)?;
        let len = file.metadata()?.len();
        let output = Self { file, len: if keep { len } else { 0 }, buffer: Vec::new(), config: config.clone() };
        if let Some(rotation) = config.rotation.as_ref() {
            backup::clean(&config.path, rotation);
        }
        Ok(output)
    }

    /// Takes a record over. After an error it was not taken, and those before it still wait to be written.
    pub(super) fn write(&mut self, record: &[u8]) -> io::Result<()> {
        if let Some(rotation) = self.config.rotation.as_ref() {
            let max = rotation.max_bytes();
            if record.len() as u64 > max {
                let message = format!("a message of {} bytes is larger than a file may become", record.len());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            if self.len + (self.buffer.len() + record.len()) as u64 > max {
                let rotation = rotation.clone();
                self.rotate(&rotation)?;
            }
        }
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        let before = self.buffer.len();
        self.buffer.extend_from_slice(record);
        if self.buffer.len() < BUFFER {
            return Ok(());
        }
        self.flush().inspect_err(|_| self.buffer.truncate(before))
    }

    /// Writes what waits in memory.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(&self.buffer) {
            // No half records. This cannot work on pipes and devices, where there is nothing to cut back.
            let _ = self.file.set_len(self.len);
            let _ = self.file.seek(SeekFrom::Start(self.len));
            return Err(error);
        }
        self.len += self.buffer.len() as u64;
        self.buffer.clear();
        // A single large batch should not hold its memory for ever.
        self.buffer.shrink_to(2 * BUFFER);
        Ok(())
    }

    /// Sets the file aside and begins a new one.
    fn rotate(&mut self, rotation: &Rotation) -> io::Result<()> {
        self.flush()?;
        if self.len == 0 {
            return Ok(());
        }
        std::fs::rename(&self.config.path, backup::name(&self.config.path, rotation.localtime))?;
        self.file = open(&self.config.path, false)?;
        self.len = 0;
        backup::clean(&self.config.path, rotation);
        Ok(())
    }
}

fn open(path: &Path, keep: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o644);
    if keep { options.append(true) } else { options.write(true).truncate(true) }.open(path)
}
