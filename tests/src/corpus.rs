//! The recorded corpus, which lies beside the clone, not in it.

use std::path::PathBuf;

/// The folder of the corpus; where it is absent, says that `test` was skipped.
pub fn folder(test: &str) -> Option<PathBuf> {
    let folder = xtask::cache::root().join("../shared/corpus");
    if folder.join("manifest.json").is_file() {
        return Some(folder);
    }
    crate::skipped(test, "no corpus (../shared/corpus beside the clone)");
    None
}
