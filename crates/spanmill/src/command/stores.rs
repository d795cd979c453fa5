//! The stores that commands work on.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use spanmill_store::{Options, Store};
use spanmill_traces::find;

use crate::arguments::StoreAddress;
use crate::error::CommandError;

/// Spans of a file are old, and belong to the hour they say all the same.
const ALL_PAST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Runs it on threads of its own.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|source| CommandError::Io { what: "cannot start threads", source })?.block_on(work)
}

/// A store to ask.
pub(super) async fn to_read(address: &StoreAddress) -> Result<Store, CommandError> {
    Store::open_to_read(options(&address.store, &address.options)?).await.map_err(|error| wrong(&address.store, &error))
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
    match found.as_slice() {
        [id] => Ok(id.clone()),
        [] => Err(CommandError::Usage(format!("no trace {beginning:?} is in the store"))),
        several => {
            let ids = several.join("\n  ");
            Err(CommandError::Usage(format!("several traces begin with {beginning:?}:\n  {ids}")))
        }
    }
}

/// What is wrong, and with what.
pub(super) fn wrong(what: &str, error: &dyn Display) -> CommandError {
    CommandError::Usage(format!("{what}: {error}"))
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
