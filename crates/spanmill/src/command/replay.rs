//! `spanmill replay`: requests that a backend refused for good are sent to it again.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use spanmill_config::{ComponentId, Document};
use spanmill_otlp::{Opaque, Signal, Traces};
use spanmill_pipeline::{Batch, Component, Context, Host, Layout, Node, Telemetry};
use tokio::sync::mpsc;

use super::configuration::Sources;
use super::stores::block_on;
use crate::arguments::{Configuration, Replay};
use crate::error::CommandError;
use crate::factories::FACTORIES;

/// A request that was set aside.
struct Letter {
    request: PathBuf,
    signal: Signal,
    reason: Reason,
}

/// What the file beside it says; nothing where it is missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reason {
    exporter: String,
    items: usize,
    code: String,
    message: String,
}

/// An exporter that runs alone, without a queue: it says what became of each request.
struct Alone {
    exporter: Arc<dyn Node>,
    extensions: Vec<Arc<dyn Component>>,
}

pub(super) fn run(options: &Replay) -> Result<(), CommandError> {
    let mut letters = Vec::new();
    for folder in &options.folders {
        letters.extend(read(folder)?);
    }
    if options.list {
        return list(&letters);
    }
    let mut by_exporter: HashMap<ComponentId, Vec<Letter>> = HashMap::new();
    for letter in letters {
        let id = options.exporter.as_deref().unwrap_or(&letter.reason.exporter);
        if id.is_empty() {
            let request = letter.request.display();
            return Err(CommandError::Usage(format!(
                "{request}: nothing says who was to send it: name one by --exporter"
            )));
        }
        let id = id.parse().map_err(|error| CommandError::Usage(format!("{id:?} is no exporter: {error}")))?;
        by_exporter.entry(id).or_default().push(letter);
    }
    block_on(async {
        let mut left = 0;
        for (id, letters) in by_exporter {
            left += replay(&options.configuration, &id, &letters).await?;
        }
        match left {
            0 => Ok(()),
            _ => Err(CommandError::Usage(format!("{left} requests were not taken; they are where they were"))),
        }
    })
}

/// The requests in a folder, oldest first.
fn read(folder: &Path) -> Result<Vec<Letter>, CommandError> {
    let wrong = |error: &dyn std::fmt::Display| CommandError::Usage(format!("{}: {error}", folder.display()));
    let mut letters = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| wrong(&error))? {
        let request = entry.map_err(|error| wrong(&error))?.path();
        let Some(signal) = request.to_str().and_then(signal) else { continue };
        let reason = fs::read(request.with_extension("json")).ok();
        let reason = reason.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        letters.push(Letter { request, signal, reason });
    }
    letters.sort_by(|one, other| one.request.cmp(&other.request));
    Ok(letters)
}

/// The signal that the name of a file tells, where it is one of a request.
fn signal(path: &str) -> Option<Signal> {
    let (_, signal) = path.strip_suffix(".otlp")?.rsplit_once('.')?;
    [Signal::Traces, Signal::Metrics, Signal::Logs].into_iter().find(|known| known.as_str() == signal)
}

fn list(letters: &[Letter]) -> Result<(), CommandError> {
    let mut text = String::new();
    for Letter { request, signal, reason } in letters {
        let Reason { exporter, items, code, message } = reason;
        let signal = signal.as_str();
        text.push_str(&format!("{}\t{exporter}\t{signal}\t{items}\t{code}\t{message}\n", request.display()));
    }
    super::write_out(text.as_bytes())
}

/// Sends what was meant for an exporter; returns how many requests it did not take.
async fn replay(configuration: &Configuration, id: &ComponentId, letters: &[Letter]) -> Result<usize, CommandError> {
    let mut configuration = configuration.clone();
    configuration.set.push(format!("exporters.{id}.sending_queue.enabled=false"));
    let document = Sources::read(&configuration)?.document(&mut super::warn)?;
    let alone = Alone::start(&document, id).await?;
    let (mut sent, mut items, mut left) = (0, 0, 0);
    for letter in letters {
        match alone.send(letter).await {
            Ok(count) => {
                sent += 1;
                items += count;
            }
            Err(error) => {
                left += 1;
                // Where stderr is closed, the exit code has to say it.
                let _ = writeln!(io::stderr(), "{}: {error}", letter.request.display());
            }
        }
    }
    alone.stop().await;
    let _ = writeln!(io::stderr(), "{id}: {items} items in {sent} requests were sent, {left} requests were not");
    Ok(left)
}

// === impl Alone ===

impl Alone {
    async fn start(document: &Document, id: &ComponentId) -> Result<Self, CommandError> {
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
        let exporter = (factory.ok_or_else(|| unknown(id))?.create)(Context { id, section, telemetry: &telemetry })?;
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
    async fn send(&self, letter: &Letter) -> Result<usize, String> {
        let bytes = fs::read(&letter.request).map_err(|error| error.to_string())?.into();
        let batch = match letter.signal {
            Signal::Traces => Traces::parse(bytes).map(Batch::from),
            signal => Opaque::parse(signal, bytes).map(Batch::from),
        };
        let batch = batch.map_err(|error| error.to_string())?;
        let items = batch.item_count();
        self.exporter.consume(batch).await.map_err(|error| error.to_string())?;
        let reason = letter.request.with_extension("json");
        fs::remove_file(&letter.request).map_err(|error| format!("it was sent, but cannot be removed: {error}"))?;
        // A reason without a request means nothing, and is passed over.
        let _ = fs::remove_file(reason);
        Ok(items)
    }

    async fn stop(&self) {
        let stopped = self.exporter.shutdown().await;
        for extension in &self.extensions {
            // Nothing is lost: each request was answered.
            let _ = extension.shutdown().await;
        }
        if let Err(error) = stopped {
            super::warn(&error.to_string());
        }
    }
}
