//! `file_storage`: keeps the queues of exporters on disk.

mod config;
mod orphans;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use spanmill_config::{ComponentId, ConfigError};
use spanmill_pipeline::{Component, ComponentError, Context, ExtensionFactory, Host, Kind, Stability};
use spanmill_wal::Options;

use crate::storage::{Storage, blocking, claim};
use config::Config;
use orphans::Orphans;

/// Makes `file_storage` extensions.
pub const FACTORY: ExtensionFactory = ExtensionFactory {
    kind: Kind { name: "file_storage", aliases: &[], stability: Stability::Beta, signals: &[] },
    create,
};

struct FileStorage {
    id: ComponentId,
    storage: Arc<Storage>,
    /// The rights of the folder, where it is to be made.
    mode: Option<u32>,
    host: OnceLock<Host>,
    orphans: Orphans,
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
    let (id, orphans) = (context.id.clone(), Orphans::default());
    Ok(Arc::new(FileStorage { id, storage, mode, host: OnceLock::new(), orphans }))
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

impl FileStorage {
    async fn tell_orphans(&self, host: &Host) {
        self.orphans.warn(&self.storage, |folder| host.is_claimed(&claim(&self.id, folder))).await;
    }
}

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
        self.tell_orphans(host).await;
        // It is started once.
        let _ = self.host.set(host.clone());
        Ok(())
    }

    async fn configuration_changed(&self) {
        if let Some(host) = self.host.get() {
            self.tell_orphans(host).await;
        }
    }

    /// In a configuration that keeps queues elsewhere, nobody looks into this folder any more.
    async fn shutdown(&self) -> Result<(), ComponentError> {
        let Some(host) = self.host.get() else { return Ok(()) };
        let others = host.layout().extensions.clone();
        let mut others = others.iter().filter_map(|id| host.capability::<Storage>(id));
        if !others.any(|other| other.directory == self.storage.directory) {
            self.orphans.warn(&self.storage, |_| false).await;
        }
        Ok(())
    }

    fn capability(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::clone(&self.storage) as Arc<dyn Any + Send + Sync>)
    }
}
