//! The log that spans are in until they are in files, and the name of who writes it.

use std::io;
use std::path::{Path, PathBuf};

use spanmill_wal::{Options, Reader, Wal};
use thiserror::Error;

/// The log, its reader, and the name under which its records are stored.
pub(crate) struct Log {
    pub(crate) wal: Wal,
    pub(crate) reader: Reader,
    /// A log that was removed and begun anew numbers its records from the start: it is another writer's.
    pub(crate) writer: String,
}

/// The log could not be opened.
#[derive(Debug, Error)]
pub(crate) enum LogError {
    #[error(transparent)]
    Open(#[from] spanmill_wal::OpenError),
    #[error(transparent)]
    Cursor(#[from] spanmill_wal::CursorError),
    #[error("{path}: {source}", path = path.display())]
    Writer { path: PathBuf, source: io::Error },
}

/// The name of the store's cursor.
const CURSOR: &str = "spanstore";

// === impl Log ===

impl Log {
    /// Opens the log in a folder, which is made if need be.
    pub(crate) async fn open(directory: &Path, options: Options) -> Result<Self, LogError> {
        let wal = Wal::open(directory.join("log"), options).await?;
        let reader = wal.reader(CURSOR).await?;
        // Read after the log is locked: no other process makes a name at the same time.
        let path = directory.join("writer");
        let writer = writer(&path).map_err(|source| LogError::Writer { path, source })?;
        Ok(Self { wal, reader, writer })
    }
}

/// The name in a file, which is made durably where there is none.
fn writer(path: &Path) -> io::Result<String> {
    match std::fs::read_to_string(path) {
        Ok(name) if is_name(name.trim()) => return Ok(name.trim().to_owned()),
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no name of a writer")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let name = uuid::Uuid::now_v7().simple().to_string();
    spanmill_storage::write_file(path, name.as_bytes())?;
    Ok(name)
}

fn is_name(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
