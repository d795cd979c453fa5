//! Places: the clone, and the folder outside of it that keeps what is slow to make.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::command::TaskError;

/// The root of the clone that cargo was asked to work in.
///
/// Cargo tells every program that it runs where its package lies, which may be in a workspace of its own within the clone. What was true
/// when this was compiled is no help where clones share a build folder, and serves only programs that are started by hand.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let told = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let package = told.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        let root = package.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file());
        root.unwrap_or(&package).to_path_buf()
    })
}

/// The cache folder: `SPANMILL_CACHE`, else `$XDG_CACHE_HOME/spanmill`, else `$HOME/.cache/spanmill`.
///
/// It lies outside the clone, so that a fresh clone finds what an earlier one has made.
pub fn dir() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("SPANMILL_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|base| base.join("spanmill")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/spanmill")))
        .unwrap_or_else(|| env::temp_dir().join("spanmill-cache"))
}

/// A lock that other processes of the project respect; released when dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

// === impl Lock ===

impl Lock {
    /// Waits until this process alone may make what is called `name` in the cache.
    pub fn acquire(name: &str) -> Result<Self, TaskError> {
        let dir = dir();
        fs::create_dir_all(&dir).map_err(|source| TaskError::file(&dir, source))?;
        let path = dir.join(format!("{name}.lock"));
        let file = File::create(&path).map_err(|source| TaskError::file(&path, source))?;
        file.lock().map_err(|source| TaskError::file(&path, source))?;
        Ok(Self { _file: file })
    }
}
