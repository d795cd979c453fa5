//! The stores that commands work on.

use std::fmt::Display;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use spanmill_store::{Options, Store};
use spanmill_traces::find;

use crate::arguments::StoreAddress;
use crate::error::CommandError;

/// Spans of a file are old, and belong to the hour they say all the same.
const ALL_PAST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// One of them is in each store's folder: the other comes later, or is elsewhere.
const PARTS: [&str; 2] = ["manifest", "wal"];

/// Runs it on threads of its own.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|source| CommandError::Io { what: "cannot start threads", source })?.block_on(work)
}

/// A store to ask.
pub(super) async fn to_read(address: &StoreAddress) -> Result<Store, CommandError> {
    Store::open_to_read(options_to_read(address)?).await.map_err(|error| wrong(&address.store, &error))
}

/// The options of a store that must be there: a folder without one has no rows, and nobody would notice.
pub(super) fn options_to_read(address: &StoreAddress) -> Result<Options, CommandError> {
    let folder = match address.store.split_once("://") {
        None => Some(address.store.as_str()),
        Some(("file", path)) => Some(path),
        Some(_) => None,
    };
    let is_store = |folder: &str| PARTS.iter().any(|part| Path::new(folder).join(part).exists());
    if folder.is_some_and(|folder| !is_store(folder)) {
        return Err(wrong(&address.store, &"no store is there"));
    }
    options(&address.store, &address.options)
}

/// A store to add to. Others may do so at the same time.
pub(super) async fn to_write(address: &StoreAddress) -> Result<Store, CommandError> {
    let options = Options { max_past: ALL_PAST, ..options(&address.store, &address.options)? };
    let writer = format!("import-{}-{}", jiff::Timestamp::now().as_millisecond(), std::process::id());
    Store::open(options, &writer).await.map_err(|error| wrong(&address.store, &error))
}

/// The whole id of the one trace whose id begins so.
pub(super) async fn whole_id(store: &Store, beginning: &str) -> Result<String, CommandError> {
    let found = find(store, beginning).await.map_err(|error| CommandError::Usage(error.to_string()))?;
    the_one(beginning, &found, "the store")
}

/// What is wrong, and with what.
pub(super) fn wrong(what: &str, error: &dyn Display) -> CommandError {
    CommandError::Usage(format!("{what}: {error}"))
}

/// The one id that was found to begin so.
pub(super) fn the_one(beginning: &str, found: &[String], place: &str) -> Result<String, CommandError> {
    match found {
        [id] => Ok(id.clone()),
        [] => Err(CommandError::Usage(format!("no trace {beginning:?} is in {place}"))),
        several => {
            let ids = several.join("\n  ");
            Err(CommandError::Usage(format!("several traces begin with {beginning:?}:\n  {ids}")))
        }
    }
}

/// The options of a store, as the command line has them.
pub(super) fn options(address: &str, given: &[String]) -> Result<Options, CommandError> {
    let mut options = Options::new(address);
    for option in given {
        let Some((key, value)) = option.split_once('=') else {
            return Err(CommandError::Usage(format!("--store-option {option:?} is not KEY=VALUE")));
        };
        options.object_store.push((key.to_owned(), value.to_owned()));
    }
    Ok(options)
}
