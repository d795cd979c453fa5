//! Query workers that help `spanmill query`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use spanmill_config::Secret;
use spanmill_pipeline::{LogLevel, LogSettings};
use spanmill_store::Cluster;
use spanmill_workers::Fleet;

use super::stores::wrong;
use crate::arguments::Helpers;
use crate::error::CommandError;
use crate::logging::Logging;

/// Has what workers want to be shown, as it has it for themselves.
const TOKEN: &str = "SPANMILL_WORKER_TOKEN";

/// A token is no longer than this, and neither is its file.
const LONGEST: u64 = 64 << 10;

/// The workers that the command line names, if it does. Those that cannot be asked are told of on stderr.
pub(super) fn fleet(options: &Helpers) -> Result<Option<Arc<dyn Cluster>>, CommandError> {
    if options.is_empty() {
        return Ok(None);
    }
    Logging::default()
        .apply(&LogSettings { level: LogLevel::Warn, ..LogSettings::default() })
        .map_err(CommandError::Usage)?;
    let token = match &options.token_file {
        Some(path) => {
            Some(read(path).map_err(|error| wrong(&format!("--worker-token-file {}", path.display()), &error))?)
        }
        None => std::env::var(TOKEN).ok().filter(|token| !token.is_empty()),
    };
    let fleet = Fleet::new(options.options(token.map(Secret::new)));
    Ok(Some(Arc::new(fleet.map_err(|error| wrong("--worker", &error.strip_backtrace()))?)))
}

/// The token in a file, which may end with its line.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    match text.trim() {
        "" => Err(io::Error::other("it is empty")),
        token => Ok(token.to_owned()),
    }
}
