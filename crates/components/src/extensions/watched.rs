//! A text in a file that may change: tokens, passwords. It is looked at every second, which follows links as Kubernetes turns them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use spanmill_pipeline::ComponentError;
use spanmill_pipeline::auth::CredentialsError;
use tokio::task::JoinSet;

/// The text, without space around it.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    text: Text,
    watching: Mutex<JoinSet<()>>,
}

/// What was read is another one each time that it changes.
type Text = Arc<RwLock<Arc<str>>>;

/// What the last look at the file has found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Something,
    /// Nothing, for the first time: who writes a file may have emptied it a moment ago.
    Nothing,
    /// Nothing again: nobody is writing, somebody has withdrawn what was there.
    Withdrawn,
    Unreadable,
}

const EVERY: Duration = Duration::from_secs(1);

/// A larger file is no list of credentials.
const MOST: u64 = 16 << 20;

// === impl Watched ===

impl Watched {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), text: Text::default(), watching: Mutex::default() }
    }

    /// The text as it was last read; empty before the first time, and where the file was emptied.
    pub(super) fn text(&self) -> Arc<str> {
        Arc::clone(&self.text.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The text as credentials to send: there are none where it is empty.
    pub(super) fn credentials(&self) -> Result<Arc<str>, CredentialsError> {
        let text = self.text();
        if text.is_empty() {
            let message = format!("the credentials file {:?} was not read yet, or is empty", self.path);
            return Err(CredentialsError::NotYet(message));
        }
        Ok(text)
    }

    /// Reads the file now. An empty one is an error.
    pub(super) async fn read(&self) -> Result<(), String> {
        self.read_any().await?;
        if self.text().is_empty() { Err(failed(&self.path, &"it is empty")) } else { Ok(()) }
    }

    /// Reads the file now, which may be empty.
    pub(super) async fn read_any(&self) -> Result<(), String> {
        set(&self.text, &read(&self.path).await?);
        Ok(())
    }

    /// Reads it now, and again and again from now on. Fails where it cannot be read the first time.
    pub(super) async fn open(&self) -> Result<(), ComponentError> {
        self.read().await.map_err(ComponentError::Other)?;
        self.watch();
        Ok(())
    }

    /// Reads it again and again from now on. What cannot be read keeps the last text; what is empty twice is the new one.
    pub(super) fn watch(&self) {
        let (path, text) = (self.path.clone(), Arc::clone(&self.text));
        let watching = async move {
            let mut found = Found::Something;
            loop {
                tokio::time::sleep(EVERY).await;
                found = look(&path, &text, found).await;
            }
        };
        self.watching.lock().unwrap_or_else(PoisonError::into_inner).spawn(watching);
    }

    pub(super) fn stop(&self) {
        self.watching.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

/// Looks once, and says what is new since `before`.
async fn look(path: &Path, text: &Text, before: Found) -> Found {
    let file = path.display();
    match read(path).await {
        Ok(now) if now.is_empty() => match before {
            Found::Something | Found::Unreadable => Found::Nothing,
            Found::Nothing => {
                set(text, "");
                tracing::warn!(%file, "a file of credentials is empty: none of them is valid any more");
                Found::Withdrawn
            }
            Found::Withdrawn => Found::Withdrawn,
        },
        Ok(now) => {
            if set(text, &now) {
                tracing::info!(%file, "credentials changed");
            } else if before == Found::Unreadable {
                tracing::info!(%file, "credentials can be read again");
            }
            Found::Something
        }
        Err(error) => {
            if before != Found::Unreadable {
                tracing::warn!(error, "credentials are kept as they were");
            }
            Found::Unreadable
        }
    }
}

/// Whether it is another text.
fn set(text: &Text, now: &str) -> bool {
    let mut text = text.write().unwrap_or_else(PoisonError::into_inner);
    let is_new = **text != *now;
    if is_new {
        *text = Arc::from(now);
    }
    is_new
}

async fn read(path: &Path) -> Result<String, String> {
    let size = tokio::fs::metadata(path).await.map_err(|error| failed(path, &error))?.len();
    if size > MOST {
        return Err(failed(path, &format_args!("larger than {MOST} bytes")));
    }
    let text = tokio::fs::read_to_string(path).await.map_err(|error| failed(path, &error))?;
    Ok(text.trim().to_owned())
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("failed to read credentials file {path:?}: {error}")
}

/// Whether two credentials are equal, in a time that tells nothing but their lengths. Where there is none, nobody has shown it.
pub(super) fn same(left: &[u8], right: &[u8]) -> bool {
    !left.is_empty()
        && left.len() == right.len()
        && left.iter().zip(right).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: equal credentials, different ones, and none.
    /// Guarantees: equal ones are the same; nothing is not even the same as nothing.
    #[test]
    fn sameness() {
        assert!(same(b"ab", b"ab") && !same(b"ab", b"ac") && !same(b"ab", b"abc"));
        assert!(!same(b"", b"") && !same(b"", b"a"));
    }

    /// Scenario: a file that is emptied and written again between two looks, emptied for good, written, deleted and put back.
    /// Guarantees: one empty look keeps the text, the second withdraws it; a file that is not there keeps it.
    #[tokio::test]
    async fn states() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let text = Text::default();
        let mut found = Found::Something;
        for (content, expected, held) in [
            (Some("a\n"), Found::Something, "a"),
            (Some(""), Found::Nothing, "a"),
            (Some("b"), Found::Something, "b"),
            (Some("\n"), Found::Nothing, "b"),
            (None, Found::Unreadable, "b"),
            (Some(""), Found::Nothing, "b"),
            (Some(""), Found::Withdrawn, ""),
            (Some(""), Found::Withdrawn, ""),
            (None, Found::Unreadable, ""),
            (Some("c"), Found::Something, "c"),
        ] {
            match content {
                Some(content) => std::fs::write(&path, content).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            found = look(&path, &text, found).await;
            assert!(found == expected && **text.read().unwrap() == *held, "{content:?}");
        }
    }
}
