use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use spanmill_config::ComponentId;
use tokio::sync::mpsc;

use crate::component::Component;

/// What a component can ask of the service it runs in.
#[derive(Clone)]
pub struct Host {
    extensions: Arc<HashMap<ComponentId, Arc<dyn Component>>>,
    fatal: mpsc::UnboundedSender<String>,
}

// === impl Host ===

impl Host {
    /// A host with those extensions; fatal errors arrive at the receiver's end of `fatal`.
    pub fn new(extensions: HashMap<ComponentId, Arc<dyn Component>>, fatal: mpsc::UnboundedSender<String>) -> Self {
        Self { extensions: Arc::new(extensions), fatal }
    }

    /// What an extension offers, where it is configured and offers a `T`.
    pub fn capability<T: Any + Send + Sync>(&self, id: &ComponentId) -> Option<Arc<T>> {
        self.extensions.get(id)?.capability()?.downcast().ok()
    }

    /// Ends the service: a component can no longer do its work.
    pub fn fatal(&self, message: impl Into<String>) {
        // The service may be stopping already and listen no more; then there is nothing left to end.
        let _ = self.fatal.send(message.into());
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("extensions", &self.extensions.len()).finish_non_exhaustive()
    }
}
