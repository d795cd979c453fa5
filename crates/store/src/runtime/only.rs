//! Which files plans can name.

use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use object_store::ObjectStore;
use url::Url;

/// Knows the files of one store, and no others: not those of this machine either, which DataFusion knows on its own.
#[derive(Debug)]
pub(super) struct OnlyStore {
    url: ObjectStoreUrl,
    store: Arc<dyn ObjectStore>,
}

// === impl OnlyStore ===

impl OnlyStore {
    pub(super) fn new(url: ObjectStoreUrl, store: Arc<dyn ObjectStore>) -> Self {
        Self { url, store }
    }
}

impl ObjectStoreRegistry for OnlyStore {
    /// Nothing is added.
    fn register_store(&self, _url: &Url, _store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let known: &Url = self.url.as_ref();
        if (url.scheme(), url.host_str()) == (known.scheme(), known.host_str()) {
            return Ok(Arc::clone(&self.store));
        }
        Err(DataFusionError::Plan(format!("files of {}: are not read", url.scheme())))
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    /// Scenario: the store's own address, one of another host, and one of a file of this machine.
    /// Guarantees: only the first is known, even after another was to be added.
    #[test]
    fn others_are_not_known() {
        let url = ObjectStoreUrl::parse("spanmill://store").unwrap();
        let only = OnlyStore::new(url, Arc::new(InMemory::new()));
        let file = Url::parse("file:///etc/passwd").unwrap();
        only.register_store(&file, Arc::new(InMemory::new()));
        assert!(only.get_store(&Url::parse("spanmill://store/spans/1.parquet").unwrap()).is_ok());
        assert!(only.get_store(&Url::parse("spanmill://other/").unwrap()).is_err());
        assert!(only.get_store(&file).is_err());
    }
}
