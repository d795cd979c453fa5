use std::path::PathBuf;

use spanmill_config::{ConfigError, Document, Providers, Resolved, SetFlag, Uri, load, set_feature_gates};

use crate::arguments::Configuration;
use crate::error::CommandError;

/// What `--config` and `--set` name, to be read as often as needed.
pub(super) struct Sources {
    uris: Vec<Uri>,
    sets: Vec<SetFlag>,
    providers: Providers,
}

// === impl Sources ===

impl Sources {
    /// Feature gates are set as well: they are of the process, and what is read depends on them.
    pub(super) fn read(configuration: &Configuration) -> Result<Self, CommandError> {
        let remarks = set_feature_gates(&configuration.feature_gates);
        for remark in remarks.map_err(|error| CommandError::Usage(format!("--feature-gates: {error}")))? {
            super::warn(&remark);
        }
        let uris = configuration.config.iter().map(|uri| uri.parse()).collect::<Result<_, _>>()?;
        let sets = configuration.set.iter().map(|set| set.parse()).collect::<Result<_, _>>()?;
        Ok(Self { uris, sets, providers: Providers::from_process() })
    }

    /// Everything merged and expanded.
    pub(super) fn resolve(&self) -> Result<Resolved, ConfigError> {
        load(&self.uris, &self.sets, &self.providers)
    }

    /// A file that has changed since it was read; it blocks.
    pub(super) fn changed_file(&self) -> Option<PathBuf> {
        self.providers.changed_file()
    }

    /// The same as components and pipelines; what is suspicious is told to `warn`.
    pub(super) fn document(&self, warn: &mut dyn FnMut(&str)) -> Result<Document, ConfigError> {
        let resolved = self.resolve()?;
        for warning in &resolved.warnings {
            warn(&warning.to_string());
        }
        Document::from_tree(resolved.tree)
    }
}
