//! What queries run with: memory, and the files they may read.

mod only;
mod share;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};

use self::only::OnlyStore;
use self::share::Share;
use crate::options::Options;
use crate::place::Place;

/// Footers and page indexes that were read are kept in so many bytes.
const METADATA_CACHE: usize = 256 << 20;

/// Sorts and sums that do not fit their memory may put so many times as much on disk.
const SPILL: u64 = 4;

/// A query takes no more than this part of the memory of all: others always find some.
const PART: usize = 2;

/// What all queries share. Files of the store are the only ones that plans can name.
pub(crate) fn shared(options: &Options, place: &Place, url: &ObjectStoreUrl) -> Result<Arc<RuntimeEnv>> {
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(options.query_memory)))
        .with_metadata_cache_limit(METADATA_CACHE)
        .with_max_temp_directory_size((options.query_memory as u64).saturating_mul(SPILL))
        .with_object_store_registry(Arc::new(OnlyStore::new(url.clone(), Arc::clone(place.store()))))
        .build_arc()
}

/// The same for one query, which takes no more than its part.
pub(crate) fn of_one_query(shared: &RuntimeEnv, memory: usize) -> Arc<RuntimeEnv> {
    let pool = Share::new(Arc::clone(&shared.memory_pool), memory / PART);
    Arc::new(RuntimeEnv {
        memory_pool: Arc::new(pool),
        disk_manager: Arc::clone(&shared.disk_manager),
        cache_manager: Arc::clone(&shared.cache_manager),
        object_store_registry: Arc::clone(&shared.object_store_registry),
    })
}
