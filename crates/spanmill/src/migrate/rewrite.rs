//! The suggested file: what does not run is left out, and what `genai` does is left to it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_yaml::Value;
use spanmill_config::{ComponentId, ConfigError, Document, Kind, Providers, load};
use spanmill_pipeline::{Factories, Service};

use super::log::Log;
use super::{cascade, native};

/// A suggested configuration.
#[derive(Debug)]
pub(crate) struct Suggestion {
    yaml: String,
    /// What was changed, and what has to be looked at.
    pub(crate) log: Log,
}

/// Makes the suggestion out of the text of a file, given the components of types that there are not.
pub(super) fn suggest(text: &Value, missing: &[(Kind, &ComponentId)], mut log: Log) -> Suggestion {
    let mut file = text.clone();
    // Where a merge is none, checking the file says so.
    let _ = file.apply_merge();
    cascade::leave_out(&mut file, missing, &mut log);
    cascade::tell_of_detectors(&file, &mut log);
    native::bring_in(&mut file, &mut log);
    let mut yaml = String::new();
    for line in &log.changes {
        yaml.push_str(&format!("# {}\n", one_line(line)));
    }
    for line in &log.notes {
        yaml.push_str(&format!("# TODO {}\n", one_line(line)));
    }
    yaml.push_str(&serde_yaml::to_string(&file).unwrap_or_default());
    Suggestion { yaml, log }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

// === impl Suggestion ===

impl Suggestion {
    /// The file.
    #[cfg(test)]
    pub(super) fn yaml(&self) -> &str {
        &self.yaml
    }

    /// Writes it, but not over the configuration that it was made of: comments would be lost.
    pub(crate) fn write(&self, original: &Path, output: &Path) -> io::Result<()> {
        // By whatever links both lead to one file.
        let identity = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
        if identity(output).is_some_and(|file| identity(original) == Some(file)) {
            let message = format!("{} is the configuration itself, which is not overwritten", output.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        fs::write(output, &self.yaml)
    }

    /// Whether it is valid, as `spanmill validate` says; problems name the file where it was written to one.
    pub(crate) fn check(&self, written: Option<&str>, factories: &Factories) -> Result<(), ConfigError> {
        let uri = written.map_or_else(|| format!("yaml:{}", self.yaml), |file| format!("file:{file}"));
        let Ok(uri) = uri.parse() else { return Err(ConfigError::new("", "the suggestion is no YAML")) };
        let resolved = load(&[uri], &[], &Providers::from_process())?;
        Service::validate(&Document::from_tree(resolved.tree)?, factories)
    }
}
