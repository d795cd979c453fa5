//! Parts of the manifest as files.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::ManifestError;
use super::piece::{Piece, PieceId};

/// A change to the store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) version: u32,
    /// Whether it says all that the writer's earlier parts said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) whole: bool,
    /// The last record of the writer's log whose spans are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) through: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) adds: Vec<Arc<Piece>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) removes: Vec<PieceId>,
}

const VERSION: u32 = 1;

/// Where a part is.
pub(super) fn path(writer: &str, seq: u64) -> Path {
    Path::from(format!("manifest/{writer}/{seq:020}.json"))
}

/// Writer and number of the part at a path, if it is one.
pub(super) fn parse_path(path: &Path) -> Option<(String, u64)> {
    let mut parts = path.parts().skip(1);
    let (writer, file) = (parts.next()?, parts.next()?);
    let seq = file.as_ref().strip_suffix(".json")?.parse().ok()?;
    Some((writer.as_ref().to_owned(), seq))
}

// === impl Part ===

impl Part {
    pub(super) fn encode(&self) -> Bytes {
        // Maps with text for keys, numbers and texts: there is nothing in it that has no form in JSON.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Self, ManifestError> {
        let part: Self =
            serde_json::from_slice(bytes).map_err(|source| ManifestError::Part { path: path.clone(), source })?;
        match part.version {
            VERSION => Ok(part),
            version => Err(ManifestError::Version { path: path.clone(), version }),
        }
    }
}

impl Default for Part {
    fn default() -> Self {
        Self { version: VERSION, whole: false, through: None, adds: Vec::new(), removes: Vec::new() }
    }
}
