//! `file_storage`: keeps the queues of exporters on disk.

mod config;
mod orphans;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_pipeline::{Component, ComponentError, Context, ExtensionFactory, Host, Kind, Stability};
use spanmill_wal::Options;

use crate::storage::{Storage, blocking};
use config::Config;

/// Makes `file_storage` extensions.
pub const FACTORY: ExtensionFactory = ExtensionFactory {
    kind: Kind { name: "file_storage", aliases: &[], stability: Stability::Beta, signals: &[] },
    create,
};

struct FileStorage {
    storage: Arc<Storage>,
    /// The rights of the folder, where it is to be made.
    mode: Option<u32>,
}

fn create(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    let config = Config::read(context.section)?;
    let mode = if config.create_directory { Some(config.mode(context.section)?) } else { None };
    let options = Options {
        fsync: config.fsync.0,
        max_bytes: u64::try_from(config.max_size).ok().filter(|bytes| *bytes > 0).unwrap_or(u64::MAX / 2),
        ..Options::default()
    };
    let max_dead_letter_bytes = config.max_dead_letter_size;
    let storage = Arc::new(Storage { directory: config.directory, options, max_dead_letter_bytes });
    Ok(Arc::new(FileStorage { storage, mode }))
}

/// Makes a folder that outlives a loss of power.
fn make(folder: &Path, mode: u32) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(mode).create(folder)?;
    match folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => spanmill_storage::sync_folder(parent),
        None => Ok(()),
    }
}

// === impl FileStorage ===

#[async_trait]
impl Component for FileStorage {
    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        if let Some(mode) = self.mode {
            let folder = self.storage.directory.clone();
            let context = format!("cannot make the folder {}", folder.display());
            let made = blocking(move || make(&folder, mode)).await;
            made.map_err(|source| ComponentError::Io { context, source })?;
        }
        // Before any queue is opened.
        orphans::warn(&self.storage, &host.layout()).await;
        Ok(())
    }

    fn capability(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::clone(&self.storage) as Arc<dyn Any + Send + Sync>)
    }
}
