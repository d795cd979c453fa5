use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use spanmill_config::{ComponentId, Document, PipelineConfig, PipelineId};
use tokio::sync::mpsc;

use crate::component::Component;

/// What a component can ask of the service it runs in.
#[derive(Clone)]
pub struct Host {
    extensions: Arc<HashMap<ComponentId, Arc<dyn Component>>>,
    layout: Arc<Layout>,
    fatal: mpsc::UnboundedSender<String>,
}

/// What runs.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The pipelines, in the order of the configuration.
    pub pipelines: Vec<(PipelineId, PipelineConfig)>,
    /// The connectors, which stand among receivers and exporters.
    pub connectors: Vec<ComponentId>,
    /// The extensions.
    pub extensions: Vec<ComponentId>,
}

// === impl Layout ===

impl Layout {
    pub(crate) fn of(document: &Document) -> Self {
        let pipelines = document.service.pipelines.iter();
        Self {
            pipelines: pipelines.map(|(id, pipeline)| (id.clone(), pipeline.clone())).collect(),
            connectors: document.connectors.keys().cloned().collect(),
            extensions: document.service.extensions.clone(),
        }
    }
}

// === impl Host ===

impl Host {
    /// A host with those extensions; fatal errors arrive at the receiver's end of `fatal`.
    pub fn new(extensions: HashMap<ComponentId, Arc<dyn Component>>, fatal: mpsc::UnboundedSender<String>) -> Self {
        Self { extensions: Arc::new(extensions), layout: Arc::default(), fatal }
    }

    /// The same with what runs.
    #[must_use]
    pub fn with_layout(self, layout: Arc<Layout>) -> Self {
        Self { layout, ..self }
    }

    /// What runs.
    pub fn layout(&self) -> &Layout {
        &self.layout
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
