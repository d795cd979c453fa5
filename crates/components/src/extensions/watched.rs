//! A text in a file that may change: tokens, passwords. It is looked at every second, which follows links as Kubernetes turns them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use spanmill_pipeline::ComponentError;
use tokio::task::JoinSet;

/// The text, without space around it.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    text: Arc<RwLock<String>>,
    watching: Mutex<JoinSet<()>>,
}

const EVERY: Duration = Duration::from_secs(1);

/// A larger file is no list of tokens.
const MOST: u64 = 1 << 20;

// === impl Watched ===

impl Watched {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), text: Arc::default(), watching: Mutex::default() }
    }

    /// The text as it was last read; empty before the first time.
    pub(super) fn text(&self) -> String {
        self.text.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file now.
    pub(super) async fn read(&self) -> Result<(), String> {
        let text = read(&self.path).await?;
        *self.text.write().unwrap_or_else(PoisonError::into_inner) = text;
        Ok(())
    }

    /// Reads it now, and again and again from now on. Fails where it cannot be read the first time.
    pub(super) async fn open(&self) -> Result<(), ComponentError> {
        self.read().await.map_err(ComponentError::Other)?;
        self.watch();
        Ok(())
    }

    /// Reads it again and again from now on. What cannot be read keeps the last text.
    pub(super) fn watch(&self) {
        let (path, text) = (self.path.clone(), Arc::clone(&self.text));
        let watching = async move {
            let mut failed = false;
            loop {
                tokio::time::sleep(EVERY).await;
                match read(&path).await {
                    Ok(now) => {
                        failed = false;
                        let mut text = text.write().unwrap_or_else(PoisonError::into_inner);
                        if *text != now {
                            tracing::info!(file = %path.display(), "credentials changed");
                            *text = now;
                        }
                    }
                    Err(error) => {
                        if !failed {
                            tracing::warn!(%error, "credentials are kept as they were");
                        }
                        failed = true;
                    }
                }
            }
        };
        self.watching.lock().unwrap_or_else(PoisonError::into_inner).spawn(watching);
    }

    pub(super) fn stop(&self) {
        self.watching.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

async fn read(path: &Path) -> Result<String, String> {
    let failed = |error: &dyn std::fmt::Display| format!("failed to read credentials file {path:?}: {error}");
    let size = tokio::fs::metadata(path).await.map_err(|error| failed(&error))?.len();
    if size > MOST {
        return Err(failed(&format_args!("larger than {MOST} bytes")));
    }
    let text = tokio::fs::read_to_string(path).await.map_err(|error| failed(&error))?;
    match text.trim() {
        "" => Err(failed(&"it is empty")),
        text => Ok(text.to_owned()),
    }
}

/// Whether two texts are equal, in a time that tells nothing but their lengths.
pub(super) fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}
