//! Objects that are written bit by bit, so that none of them is in memory as a whole.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use spanmill_storage::sync_folder;
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::place::{Place, PlaceError, blocking, failed, with_folder};

/// An object that is being written, and is not there before it is finished.
pub(crate) enum Upload {
    /// In a folder, under another name.
    File {
        file: File,
        written_to: TempPath,
        /// The store's folder.
        root: Arc<PathBuf>,
        path: PathBuf,
    },
    Object(BufWriter),
}

/// The folder of files that are being written. Those of a process that was killed are removed as all that nothing refers to.
pub(crate) const FOLDER: &str = "uploads";

/// Parts of an object that are on their way at a time, each of which is in memory.
const PARTS: usize = 2;

// === impl Upload ===

impl Upload {
    pub(crate) async fn begin(place: &Place, path: &Path) -> Result<Self, PlaceError> {
        let Some(root) = place.root() else {
            return Ok(Self::Object(
                BufWriter::new(Arc::clone(place.store()), path.clone()).with_max_concurrency(PARTS),
            ));
        };
        let (folder, root, path) = (root.join(FOLDER), Arc::clone(root), root.join(path.as_ref()));
        let made = blocking(folder.clone(), move || {
            std::fs::create_dir_all(&folder)?;
            tempfile::NamedTempFile::new_in(&folder)
        });
        let (file, written_to) = made.await?.into_parts();
        Ok(Self::File { file: File::from_std(file), written_to, root, path })
    }

    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), PlaceError> {
        match self {
            Self::File { file, path, .. } => file.write_all(&bytes).await.map_err(failed(path)),
            Self::Object(writer) => Ok(writer.put(bytes).await?),
        }
    }

    /// When this returns, the object is there and outlives a loss of power.
    pub(crate) async fn finish(self) -> Result<(), PlaceError> {
        match self {
            Self::File { mut file, written_to, root, path } => {
                file.flush().await.map_err(failed(&path))?;
                let file = file.into_std().await;
                blocking(path.clone(), move || {
                    file.sync_all()?;
                    with_folder(&root, &path, |folder| {
                        written_to.persist(&path)?;
                        sync_folder(folder)
                    })
                })
                .await
            }
            Self::Object(mut writer) => {
                let ended = writer.shutdown().await;
                Ok(ended.map_err(|error| object_store::Error::Generic { store: "upload", source: Box::new(error) })?)
            }
        }
    }

    /// Gives the object up. What is left of it where that fails is the object store's to remove.
    pub(crate) async fn abort(self) {
        if let Self::Object(mut writer) = self
            && let Err(error) = writer.abort().await
        {
            tracing::warn!(%error, "an upload could not be given up");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a file is written in two steps into a folder that is not there yet; another one is given up.
    /// Guarantees: there is no file before the first is finished, and all of it then; nothing is left of the other one.
    #[tokio::test]
    async fn files_are_there_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(folder.path().to_str().unwrap(), &[], true).unwrap();
        let [kept, given_up] = ["spans/day/a.parquet", "spans/day/b.parquet"].map(Path::from);
        let mut upload = Upload::begin(&place, &kept).await.unwrap();
        upload.write(Bytes::from_static(b"one, ")).await.unwrap();
        upload.write(Bytes::from_static(b"two")).await.unwrap();
        assert!(!folder.path().join("spans").exists());
        upload.finish().await.unwrap();
        assert_eq!(place.get(&kept).await.unwrap(), "one, two");

        let mut upload = Upload::begin(&place, &given_up).await.unwrap();
        upload.write(Bytes::from_static(b"three")).await.unwrap();
        upload.abort().await;
        assert!(place.get(&given_up).await.unwrap_err().is_not_found());
        assert_eq!(std::fs::read_dir(folder.path().join(FOLDER)).unwrap().count(), 0);
    }
}
