//! Where queues are kept on disk: what storage extensions offer, and the `storage` setting of those who use one.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use spanmill_config::ComponentId;
use spanmill_pipeline::{ComponentError, Host};
use spanmill_wal::Options;

/// What a storage extension offers: a folder for each who asks, and how logs are kept there.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    /// The folder of all.
    pub(crate) directory: PathBuf,
    /// How a log is kept.
    pub(crate) options: Options,
    /// How much of the disk requests may take that a backend refused for good, of each exporter, in bytes.
    pub(crate) max_dead_letter_bytes: u64,
}

/// A queue's log, in the folder of one who stores.
pub(crate) const LOG: &str = "log";
/// The cursor of its log: how far all is sent.
pub(crate) const CURSOR: &str = "sent";

// === impl Storage ===

impl Storage {
    /// The extension of that name, with the Collector's errors.
    pub(crate) fn of(host: &Host, id: &ComponentId) -> Result<Self, ComponentError> {
        if !host.layout().extensions.contains(id) {
            return Err(ComponentError::Other(format!("no storage client extension found: {id}")));
        }
        let found = host.capability::<Self>(id).map(|storage| (*storage).clone());
        found.ok_or_else(|| ComponentError::Other(format!("requested extension is not a storage extension: {id}")))
    }

    /// The folder of one who stores.
    pub(crate) fn folder(&self, kind: &str, id: &ComponentId) -> PathBuf {
        self.directory.join(folder_name(kind, id))
    }
}

/// The name of a folder of one who stores, such as `exporter_otlp_grpc_tempo`: the Collector's, so that two components may have the same.
pub(crate) fn folder_name(kind: &str, id: &ComponentId) -> String {
    let name = [kind, id.type_name(), id.name()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    safe(&name.join("_"))
}

/// What one who stores claims: a folder of that name, of that storage.
pub(crate) fn claim(storage: &ComponentId, folder: &str) -> String {
    format!("the folder {folder} of {storage}")
}

/// A name as the Collector makes it one of a file: what could be taken for something else is a tilde and its number.
fn safe(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_alphanumeric() || "._-".contains(character) {
            safe.push(character);
        } else {
            safe.push_str(&format!("~{:04X}", u32::from(character)));
        }
    }
    safe
}

/// Makes a folder, and those above it, where they are not there yet: for the owner alone, since what waits there may be anybody's prompts.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Does what waits for the disk on a thread that may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Scenario: names with letters, and with what a path is made of.
    /// Guarantees: no name leads out of the folder, and what is escaped of two names never becomes the same.
    #[test]
    fn names_are_safe() {
        let storage = Storage { directory: "/s".into(), options: Options::default(), max_dead_letter_bytes: 0 };
        let folder = |id: &str| storage.folder("exporter", &id.parse().unwrap()).display().to_string();
        assert_eq!(folder("otlp_grpc"), "/s/exporter_otlp_grpc");
        assert_eq!(folder("otlp_grpc/a.b-c"), "/s/exporter_otlp_grpc_a.b-c");
        assert_eq!(safe("../x~ü"), "..~002Fx~007E~00FC");
    }

    /// Scenario: a folder in a folder is made, twice.
    /// Guarantees: both are for their owner alone, and what is there is no error.
    #[test]
    fn folders_are_private() {
        let outside = tempfile::tempdir().unwrap();
        let [outer, inner] = ["outer", "outer/inner"].map(|name| outside.path().join(name));
        make_private(&inner).unwrap();
        make_private(&inner).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(&outer), mode(&inner)], [0o700; 2]);
    }
}
