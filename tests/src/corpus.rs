//! The recorded corpora: the project's own, and one that may lie beside the clone.

use std::path::PathBuf;

/// The folder of the project's own recordings, with the program that scores.
pub fn own() -> PathBuf {
    xtask::cache::root().join("tests/corpus")
}

/// The folder of the corpus beside the clone; where it is absent, says that `test` was skipped.
pub fn beside(test: &str) -> Option<PathBuf> {
    let folder = xtask::cache::root().join("../shared/corpus");
    if folder.join("manifest.json").is_file() {
        return Some(folder);
    }
    crate::skipped(test, "no corpus (../shared/corpus beside the clone)");
    None
}
