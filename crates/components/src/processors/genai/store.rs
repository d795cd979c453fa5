//! Where content is put aside: a folder, or an object store.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectStore, ObjectStoreExt, path};
use reqwest::Url;
use serde::Deserialize;
use spanmill_config::{ConfigError, Secret, Section};
use spanmill_storage::OpenError;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Where content is put aside.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StoreConfig {
    /// A folder. It is made where there is none.
    directory: String,
    /// An object store instead: `s3://bucket/folder`, `gs://…`, `az://…` or `https://…` for one that speaks WebDAV.
    url: String,
    /// Options of the object store, as `object_store` names them, such as `aws_region` or `aws_endpoint`. Those of the environment come first:
    /// `AWS_…`, `GOOGLE_…` and `AZURE_…`.
    options: BTreeMap<String, Secret>,
}

/// A place that keeps content by its SHA-256.
#[derive(Debug)]
pub(super) struct Store {
    place: Place,
    /// What references begin with.
    address: String,
    writing: Semaphore,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Objects { store: Arc<dyn ObjectStore>, folder: path::Path },
}

/// Content could not be put aside.
#[derive(Debug, Error)]
pub(super) enum StoreError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Object(#[from] object_store::Error),
    #[error("the store took more than {} s", LONGEST.as_secs())]
    Late,
    #[error("the writer stopped")]
    Stopped,
}

/// So many pieces of content are written at once, by all requests of a pipeline together.
const MOST_WRITES: usize = 16;

/// A request whose content takes longer is refused; the client tries again.
const LONGEST: Duration = Duration::from_secs(10);

// === impl Store ===

impl Store {
    /// The store that is configured, if there is one.
    pub(super) fn new(config: &StoreConfig, section: &Section) -> Result<Option<Self>, ConfigError> {
        let (place, address) = match (config.directory.as_str(), config.url.as_str()) {
            ("", "") if config.options.is_empty() => return Ok(None),
            ("", "") => return Err(section.error("content::offload", "offload needs a directory or a url")),
            (directory, "") if config.options.is_empty() => {
                let option = "content::offload::directory";
                folder(directory).map_err(|error| section.error(option, format!("{directory}: {error}")))?
            }
            (_, "") => return Err(section.error("content::offload::options", "a directory has no options")),
            ("", url) => objects(url, &config.options, section)?,
            _ => return Err(section.error("content::offload", "offload needs either a directory or a url, not both")),
        };
        Ok(Some(Self { place, address, writing: Semaphore::new(MOST_WRITES) }))
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Puts content aside by its names. What is there already stays.
    pub(super) async fn put(&self, content: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        let writes = stream::iter(content).map(|(name, content)| async move {
            let _permit = self.writing.acquire().await.map_err(|_| StoreError::Stopped)?;
            self.put_one(name, content).await
        });
        // Waiting for other requests counts too: what was written by then is there when the client tries again.
        let written = timeout(LONGEST, writes.buffer_unordered(MOST_WRITES).try_collect::<()>()).await;
        written.map_err(|_| StoreError::Late)?
    }

    async fn put_one(&self, name: String, content: Vec<u8>) -> Result<(), StoreError> {
        match &self.place {
            Place::Folder(folder) => {
                let folder = folder.clone();
                let write = tokio::task::spawn_blocking(move || write_file(&folder, &name, &content));
                Ok(write.await.map_err(|_| StoreError::Stopped)??)
            }
            Place::Objects { store, folder } => {
                let object = folder.clone().join(name);
                match store.head(&object).await {
                    Err(object_store::Error::NotFound { .. }) => {
                        store.put(&object, content.into()).await?;
                        Ok(())
                    }
                    found => Ok(found.map(|_| ())?),
                }
            }
        }
    }
}

fn folder(directory: &str) -> io::Result<(Place, String)> {
    std::fs::create_dir_all(directory)?;
    let folder = Path::new(directory).canonicalize()?;
    // That nothing can be written is better known now than with the first request.
    tempfile::NamedTempFile::new_in(&folder)?;
    let address = Url::from_file_path(&folder).map_err(|()| io::Error::other("no path that an address can name"))?;
    Ok((Place::Folder(folder), address.as_str().trim_end_matches('/').to_owned()))
}

fn objects(url: &str, options: &BTreeMap<String, Secret>, section: &Section) -> Result<(Place, String), ConfigError> {
    let wrong = |message: String| section.error("content::offload::url", format!("{url}: {message}"));
    let parsed: Url = url.parse().map_err(|error| wrong(format!("{error}")))?;
    if parsed.password().is_some() || parsed.query().is_some() {
        // The url is not repeated here.
        return Err(
            section.error("content::offload::url", "credentials belong into options: references begin with the url")
        );
    }
    let given = options.iter().map(|(key, value)| (key.clone(), value.expose().to_owned()));
    let (store, folder) = spanmill_storage::open(&parsed, given).map_err(|error| match error {
        OpenError::Option(_) => section.error("content::offload::options", error),
        error => wrong(error.to_string()),
    })?;
    let address = parsed.as_str().trim_end_matches('/').to_owned();
    Ok((Place::Objects { store, folder }, address))
}

/// Writes a file; one that is there already stays.
fn write_file(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let path = folder.join(name);
    if path.try_exists()? { Ok(()) } else { spanmill_storage::write_file(&path, content) }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    /// Scenario: more pieces of content than may be written at once go to an object store, and one of them a second time with other bytes.
    /// Guarantees: each is an object in the folder of the store, and what is there is not written again.
    #[tokio::test]
    async fn objects_are_written_once() {
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let place = Place::Objects { store: Arc::clone(&objects), folder: path::Path::from("folder") };
        let store = Store { place, address: "s3://bucket/folder".to_owned(), writing: Semaphore::new(MOST_WRITES) };
        let content = |text: &str| (0..40).map(|at| (format!("n{at}"), text.as_bytes().to_vec())).collect::<Vec<_>>();
        store.put(content("first")).await.unwrap();
        store.put(content("second")).await.unwrap();
        for at in 0..40 {
            let found = objects.get(&path::Path::from(format!("folder/n{at}"))).await.unwrap();
            assert_eq!(found.bytes().await.unwrap().as_ref(), b"first");
        }
    }
}
