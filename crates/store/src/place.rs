//! Where a store is: a folder, or a bucket of an object store.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use spanmill_storage::{OpenError, sync_folder, write_file};
use thiserror::Error;
use tokio::task::spawn_blocking;
use url::Url;

/// Where a store is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    store: Arc<dyn ObjectStore>,
    /// The folder, where it is one.
    folder: Option<Arc<PathBuf>>,
}

/// A folder or object store failed.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// The folder cannot be used.
    #[error("{path}: {source}", path = path.display())]
    Folder {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The object store refused or could not be reached.
    #[error("{0}")]
    Store(#[from] object_store::Error),
    /// An address that no store has.
    #[error("{address} is neither a folder nor the address of an object store: {reason}")]
    Address {
        /// What was given.
        address: String,
        /// Why not.
        reason: String,
    },
}

// === impl Place ===

impl Place {
    /// The folder or object store at an address: `/var/lib/spanmill`, `s3://bucket/folder`, `gs://…`, `az://…`. Options are those of
    /// `object_store`, such as `aws_endpoint`, and come before the environment's.
    pub(crate) fn open(address: &str, options: &[(String, String)], create: bool) -> Result<Self, PlaceError> {
        match Url::parse(address) {
            Ok(url) if url.scheme() != "file" => Self::remote(&url, options),
            Ok(url) => {
                let reason = || "it names no folder".to_owned();
                let path = url
                    .to_file_path()
                    .map_err(|()| PlaceError::Address { address: address.into(), reason: reason() })?;
                Self::folder(&path, create)
            }
            Err(_) => Self::folder(std::path::Path::new(address), create),
        }
    }

    fn remote(url: &Url, options: &[(String, String)]) -> Result<Self, PlaceError> {
        let opened = spanmill_storage::open(url, options.iter().cloned());
        let (store, path) = opened.map_err(|error| match error {
            OpenError::Store(error) => PlaceError::Store(error),
            // Credentials are not repeated here.
            error => PlaceError::Address { address: format!("{}://…", url.scheme()), reason: error.to_string() },
        })?;
        Ok(Self { store: Arc::new(PrefixStore::new(store, path)), folder: None })
    }

    /// A folder, made where it is not there yet if `create` says so.
    fn folder(path: &std::path::Path, create: bool) -> Result<Self, PlaceError> {
        let fail = |source| PlaceError::Folder { path: path.to_owned(), source };
        if create {
            std::fs::create_dir_all(path).map_err(fail)?;
        }
        let path = path.canonicalize().map_err(fail)?;
        let store = LocalFileSystem::new_with_prefix(&path)?;
        Ok(Self { store: Arc::new(store), folder: Some(Arc::new(path)) })
    }

    /// The folder, where it is one.
    pub(crate) fn root(&self) -> Option<&Arc<PathBuf>> {
        self.folder.as_ref()
    }

    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    pub(crate) async fn get(&self, path: &Path) -> Result<Bytes, PlaceError> {
        Ok(self.store.get(path).await?.bytes().await?)
    }

    /// Everything below a folder.
    pub(crate) async fn list(&self, folder: &Path) -> Result<Vec<ObjectMeta>, PlaceError> {
        Ok(self.store.list(Some(folder)).try_collect().await?)
    }

    /// Writes an object as a whole; when this returns, it outlives a loss of power.
    pub(crate) async fn put(&self, path: &Path, bytes: Bytes) -> Result<(), PlaceError> {
        match &self.folder {
            None => {
                self.store.put(path, PutPayload::from_bytes(bytes)).await?;
                Ok(())
            }
            Some(folder) => {
                let file = folder.join(path.as_ref());
                let folder = Arc::clone(folder);
                blocking(file.clone(), move || with_folder(&folder, &file, |_| write_file(&file, &bytes))).await
            }
        }
    }

    /// Writes an object unless it is there; false where it is.
    pub(crate) async fn create(&self, path: &Path, bytes: Bytes) -> Result<bool, PlaceError> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(path, PutPayload::from_bytes(bytes), options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an object; one that is not there is no error.
    pub(crate) async fn delete(&self, path: &Path) -> Result<(), PlaceError> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Does what takes its time on a thread for that; `path` is what it is about.
pub(crate) async fn blocking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, PlaceError> {
    let done = spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(failed(&path))
}

pub(crate) fn failed(path: &std::path::Path) -> impl FnOnce(io::Error) -> PlaceError {
    move |source| PlaceError::Folder { path: path.to_owned(), source }
}

/// Writes a file by means of `write`, which is given its folder, and syncs the folders that were made for it.
pub(crate) fn with_folder(
    root: &std::path::Path,
    file: &std::path::Path,
    write: impl FnOnce(&std::path::Path) -> io::Result<()>,
) -> io::Result<()> {
    let parent = file.parent().unwrap_or(root);
    let missing: Vec<&std::path::Path> =
        parent.ancestors().take_while(|folder| folder.starts_with(root) && !folder.exists()).collect();
    std::fs::create_dir_all(parent)?;
    write(parent)?;
    for folder in missing {
        sync_folder(folder.parent().unwrap_or(root))?;
    }
    Ok(())
}

// === impl PlaceError ===

impl PlaceError {
    /// Whether the object is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Store(object_store::Error::NotFound { .. }))
    }
}
