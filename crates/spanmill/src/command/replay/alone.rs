//! An exporter without the service around it.

use std::collections::HashMap;
use std::sync::Arc;

use spanmill_config::{ComponentId, Document, Section};
use spanmill_pipeline::{Component, Context, Host, Layout, Node, Telemetry};
use tokio::sync::mpsc;

use super::letter::Letter;
use crate::error::CommandError;
use crate::factories::FACTORIES;

/// An exporter that runs alone, without a queue: it says what became of each request.
pub(super) struct Alone {
    exporter: Arc<dyn Node>,
    extensions: Vec<Arc<dyn Component>>,
}

/// Why a request is where it was.
pub(super) struct Unsent {
    pub(super) message: String,
    /// The same may be taken later: the backend is away, or has no room.
    pub(super) later: bool,
}

/// So long a backend that is away is asked again: somebody waits.
const RETRIES: &str = "{initial_interval: 500ms, max_interval: 1s, max_elapsed_time: 3s}";
const OFF: &str = "{enabled: false}";

/// The section of an exporter of that type, without queues and with few retries.
fn at_once(mut section: Section, name: &str) -> Result<Section, CommandError> {
    let (off, retries) = (Section::from_yaml("", OFF)?, Section::from_yaml("", RETRIES)?);
    match name {
        "otlp_grpc" | "otlp_http" => {
            section.set(&["sending_queue"], &off);
            section.set(&["retry_on_failure"], &retries);
        }
        // Each backend has an exporter of its own, with a queue unless it is told otherwise.
        "load_balancing" => {
            section.set(&["sending_queue"], &off);
            section.set(&["retry_on_failure"], &off);
            section.set(&["protocol", "otlp", "sending_queue"], &off);
            section.set(&["protocol", "otlp", "retry_on_failure"], &retries);
        }
        _ if section.get("sending_queue").is_some() => section.set(&["sending_queue"], &off),
        _ => {}
    }
    Ok(section)
}

// === impl Alone ===

impl Alone {
    pub(super) async fn start(document: &Document, id: &ComponentId) -> Result<Self, CommandError> {
        let Some(section) = document.exporters.get(id) else {
            return Err(CommandError::Usage(format!("there is no exporter {id} in the configuration")));
        };
        let telemetry = Telemetry::default();
        let unknown =
            |id: &ComponentId| CommandError::Usage(format!("there is no component of the type {}", id.type_name()));
        let mut extensions: HashMap<ComponentId, Arc<dyn Component>> = HashMap::new();
        // Others, such as a health check, belong to the service, which may be running.
        let authenticator = section.get("auth").and_then(|auth| auth.get("authenticator")?.parse::<ComponentId>().ok());
        if let Some(id) = authenticator {
            let factory = FACTORIES.extensions.iter().find(|factory| factory.kind.is_called(id.type_name()));
            let section = document.extensions.get(&id).ok_or_else(|| unknown(&id))?;
            let context = Context { id: &id, section, telemetry: &telemetry };
            let extension = (factory.ok_or_else(|| unknown(&id))?.create)(context)?;
            extensions.insert(id.clone(), extension);
        }
        let factory = FACTORIES.exporters.iter().find(|factory| factory.kind.is_called(id.type_name()));
        let factory = factory.ok_or_else(|| unknown(id))?;
        let section = at_once(section.clone(), factory.kind.name)?;
        let exporter = (factory.create)(Context { id, section: &section, telemetry: &telemetry })?;
        if exporter.queues() {
            // A request would be removed that is in a queue, and not sent.
            return Err(CommandError::Usage(format!("{id} has a queue that cannot be turned off: nothing was sent")));
        }
        let layout = Layout { extensions: extensions.keys().cloned().collect(), ..Layout::default() };
        let host = Host::new(extensions.clone(), mpsc::unbounded_channel().0).with_layout(Arc::new(layout));
        let extensions: Vec<_> = extensions.into_values().collect();
        let failed = |error| CommandError::Usage(format!("{id} does not start: {error}"));
        for extension in &extensions {
            extension.start(&host).await.map_err(failed)?;
        }
        exporter.start(&host).await.map_err(failed)?;
        Ok(Self { exporter, extensions })
    }

    /// Sends a request, and removes it once it is taken; returns its items.
    pub(super) async fn send(&self, letter: &Letter) -> Result<usize, Unsent> {
        let batch = letter.read()?;
        let items = batch.item_count();
        let taken = self.exporter.consume(batch).await;
        taken.map_err(|error| Unsent { message: error.to_string(), later: error.retryable })?;
        letter.remove()?;
        Ok(items)
    }

    pub(super) async fn stop(&self) {
        let stopped = self.exporter.shutdown().await;
        for extension in &self.extensions {
            // Nothing is lost: each request was answered.
            let _ = extension.shutdown().await;
        }
        if let Err(error) = stopped {
            crate::command::warn(&error.to_string());
        }
    }
}

// === impl Unsent ===

impl From<String> for Unsent {
    fn from(message: String) -> Self {
        Self { message, later: false }
    }
}
