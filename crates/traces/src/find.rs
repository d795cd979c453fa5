//! Traces by the beginning of their ids.

use arrow::array::AsArray;
use datafusion::common::ScalarValue;
use futures_util::TryStreamExt;
use spanmill_store::{QueryOptions, Store};

use crate::transfer::TransferError;

const SQL: &str =
    "SELECT DISTINCT trace_id FROM spans WHERE trace_id >= $1 AND trace_id < $2 ORDER BY trace_id LIMIT 10";

/// The ids that begin so, ten at most.
pub async fn find(store: &Store, beginning: &str) -> Result<Vec<String>, TransferError> {
    let first = beginning.trim().to_ascii_lowercase();
    // After all digits.
    let last = format!("{first}g");
    let positional = [first, last].map(|bound| ScalarValue::Utf8View(Some(bound))).to_vec();
    let answer = store.query(SQL, &QueryOptions { positional, ..QueryOptions::default() }).await?;
    let mut found = Vec::new();
    for batch in answer.rows.try_collect::<Vec<_>>().await? {
        let ids = batch.columns().first().and_then(|ids| ids.as_string_view_opt());
        found.extend(ids.into_iter().flat_map(|ids| ids.iter().flatten().map(str::to_owned)));
    }
    Ok(found)
}
