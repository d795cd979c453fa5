//! Options of HTTP servers and clients that the Collector reads without looking for keys that it does not know.

use serde::de::DeserializeOwned;
use spanmill_config::{ConfigError, Section};

/// Reads a section; in these blocks, by their paths in it, keys that are not known are warned of and passed over.
pub(crate) fn read<T: DeserializeOwned>(section: &Section, blocks: &[&str]) -> Result<T, ConfigError> {
    let (config, passed) = section.parse_passing(blocks)?;
    for problem in passed {
        tracing::warn!("{problem}; it is passed over, as the Collector does");
    }
    Ok(config)
}
