//! Files that nothing refers to, such as those of a process that was killed before it committed them.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use object_store::ObjectMeta;
use object_store::path::Path;

use super::Upkeep;
use crate::schema::Table;
use crate::store::{Store, StoreError};
use crate::upload;

/// How often files are looked through.
const EVERY: Duration = Duration::from_secs(3_600);

/// Younger files may be about to be committed, by anybody.
const YOUNGEST: Duration = Duration::from_secs(3_600);

pub(super) async fn run(store: &Store, now: Timestamp, done: &mut Upkeep) -> Result<(), StoreError> {
    if !store.dead().wants_sweep(Instant::now(), EVERY) {
        return Ok(());
    }
    let youngest = YOUNGEST.max(store.options().grace);
    let oldest_kept = now.as_second() - i64::try_from(youngest.as_secs()).unwrap_or(i64::MAX);
    for table in Table::ALL {
        let files = store.place().list(&Path::from(table.name())).await?;
        // Looked at after the files were listed: what was committed meanwhile is known.
        store.refresh().await?;
        let state = store.manifest().state();
        for file in files {
            let id = file.location.filename().and_then(|name| name.strip_suffix(".parquet"));
            let is_known = id.is_none_or(|id| state.get(id).is_some());
            if !is_known {
                delete_older(store, &file, oldest_kept, done).await?;
            }
        }
    }
    for file in store.place().list(&Path::from(upload::FOLDER)).await? {
        delete_older(store, &file, oldest_kept, done).await?;
    }
    Ok(())
}

async fn delete_older(store: &Store, file: &ObjectMeta, than: i64, done: &mut Upkeep) -> Result<(), StoreError> {
    if file.last_modified.timestamp() < than {
        store.place().delete(&file.location).await?;
        done.deleted += 1;
    }
    Ok(())
}
