//! Components that note what happens to them, for tests of the graph and the service.

mod wire;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;
use spanmill_config::{ConfigError, Document, Section, Signal as ConfigSignal};
use tokio::sync::watch;

use crate::batch::Batch;
use crate::component::{Abandoned, Component, ComponentError, Node};
use crate::consume::{ConsumeError, Consumer};
use crate::factory::{
    ConnectorFactory, Context, ExporterFactory, ExtensionFactory, Factories, Kind, Outputs, ProcessorFactory,
    ReceiverFactory, Stability,
};
use crate::host::Host;
use spanmill_otlp::Signal;
use wire::create_wire;

const ALL: &[Signal] = &[Signal::Traces, Signal::Metrics, Signal::Logs];

/// Types `probe` of every kind; the receiver `wire` takes a span with each request over HTTP; `spans` is a kind of each for traces alone; the exporter was once called `old_probe`.
pub(crate) const FACTORIES: Factories = Factories {
    receivers: &[
        ReceiverFactory { kind: kind("probe", &[], ALL), create: create_receiver },
        ReceiverFactory { kind: kind("spans", &[], &[Signal::Traces]), create: create_receiver },
        ReceiverFactory { kind: kind("wire", &[], &[Signal::Traces]), create: create_wire },
    ],
    processors: &[
        ProcessorFactory { kind: kind("probe", &[], ALL), create: create_processor },
        ProcessorFactory { kind: kind("spans", &[], &[Signal::Traces]), create: create_processor },
    ],
    exporters: &[
        ExporterFactory { kind: kind("probe", &["old_probe"], ALL), create: create_exporter },
        ExporterFactory { kind: kind("spans", &[], &[Signal::Traces]), create: create_exporter },
    ],
    connectors: &[ConnectorFactory {
        kind: kind("join", &[], ALL),
        connects: &[(ConfigSignal::Traces, ConfigSignal::Traces)],
        create: create_connector,
    }],
    extensions: &[ExtensionFactory { kind: kind("probe", &[], &[]), create: create_extension }],
};

const fn kind(name: &'static str, aliases: &'static [&'static str], signals: &'static [Signal]) -> Kind {
    Kind { name, aliases, stability: Stability::Stable, signals }
}

/// What happened in one test.
pub(crate) struct World {
    name: &'static str,
    state: Mutex<State>,
    changes: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    events: Vec<String>,
    started: HashSet<String>,
    locked: HashSet<String>,
    begun: Vec<String>,
    outputs: HashMap<String, Outputs>,
    taken: HashMap<String, Vec<Batch>>,
    host: Option<Host>,
}

static WORLDS: LazyLock<Mutex<HashMap<String, Arc<World>>>> = LazyLock::new(Mutex::default);

/// Options of all probes.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    fails_to_start: bool,
    never_starts: bool,
    starts_once: bool,
    fails_to_stop: bool,
    never_stops: bool,
    refuses: String,
    edits: bool,
    exclusive: bool,
    /// Has something that no two can have at a time, until it has stopped or was given up.
    locks: bool,
    /// Notes that it heard of changes.
    hears: bool,
    /// What it claims.
    claims: String,
    /// What it says of what it had when it is given up.
    loses: usize,
    /// An extension that is asked for.
    asks: String,
    /// A file that is read.
    file: String,
    /// Anything, to make a difference.
    note: String,
}

struct Probe {
    label: String,
    options: Options,
    world: Arc<World>,
    next: Option<Arc<dyn Consumer>>,
}

// === impl World ===

impl World {
    /// A world by the name of its test; types in configurations for it are written as they are.
    pub(crate) fn new(name: &'static str) -> Arc<Self> {
        let world = Arc::new(Self { name, state: Mutex::default(), changes: watch::Sender::new(()) });
        WORLDS.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::clone(&world));
        world
    }

    /// A configuration whose components belong to this world: `@` in it stands for the name of the test.
    pub(crate) fn document(&self, yaml: &str) -> Result<Document, ConfigError> {
        let section = Section::from_yaml("", &yaml.replace('@', self.name))?;
        Document::from_tree(section.node().clone())
    }

    /// What has happened since the last question.
    pub(crate) fn events(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().events)
    }

    /// Waits until something has happened, and gives all up to then.
    pub(crate) async fn until(&self, event: &str) -> Vec<String> {
        let mut changes = self.changes.subscribe();
        let mut seen = Vec::new();
        loop {
            seen.extend(self.events());
            if seen.iter().any(|seen| seen == event) {
                return seen;
            }
            changes.changed().await.unwrap();
        }
    }

    /// All that a receiver or a connector sends to.
    pub(crate) fn outputs(&self, label: &str) -> Outputs {
        self.state.lock().unwrap().outputs.get(label).cloned().unwrap()
    }

    /// What a receiver sends to.
    pub(crate) fn output(&self, receiver: &str, signal: Signal) -> Arc<dyn Consumer> {
        Arc::clone(self.state.lock().unwrap().outputs[receiver].get(signal).unwrap())
    }

    /// Batches that a component has taken over.
    pub(crate) fn taken(&self, component: &str) -> Vec<Batch> {
        self.state.lock().unwrap().taken.get(component).cloned().unwrap_or_default()
    }

    /// What components were given at their start.
    pub(crate) fn host(&self) -> Host {
        self.state.lock().unwrap().host.clone().unwrap()
    }

    /// Waits until so many components have been told that all has started.
    pub(crate) async fn until_begun(&self, count: usize) -> Vec<String> {
        let mut changes = self.changes.subscribe();
        loop {
            let begun = self.begun();
            if begun.len() >= count {
                return begun;
            }
            changes.changed().await.unwrap();
        }
    }

    /// Components that have been told that all has started, sorted.
    pub(crate) fn begun(&self) -> Vec<String> {
        let mut begun = self.state.lock().unwrap().begun.clone();
        begun.sort();
        begun
    }

    fn note_begun(&self, label: String) {
        self.state.lock().unwrap().begun.push(label);
        self.changes.send_replace(());
    }

    fn note(&self, event: String) {
        self.state.lock().unwrap().events.push(event);
        self.changes.send_replace(());
    }
}

// === impl Probe ===

impl Probe {
    /// The name of the component is `test-rest`; its label is `kind rest`.
    fn new(kind: &str, context: Context<'_>, next: Option<Arc<dyn Consumer>>) -> Result<Self, ConfigError> {
        let name = context.id.name();
        let (test, rest) = name.split_once('-').unwrap_or((name, ""));
        let world = WORLDS.lock().unwrap_or_else(PoisonError::into_inner).get(test).cloned();
        let world = world.ok_or_else(|| context.section.error("", "no such world"))?;
        Ok(Self { label: format!("{kind} {rest}"), options: context.section.parse()?, world, next })
    }

    fn unlock(&self) {
        self.world.state.lock().unwrap().locked.remove(&self.label);
    }
}

#[async_trait]
impl Component for Probe {
    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        if self.options.fails_to_start {
            return Err(ComponentError::Other("no luck".to_owned()));
        }
        if self.options.starts_once && !self.world.state.lock().unwrap().started.insert(self.label.clone()) {
            return Err(ComponentError::Other("once was enough".to_owned()));
        }
        if self.options.locks && !self.world.state.lock().unwrap().locked.insert(self.label.clone()) {
            return Err(ComponentError::Other("in use".to_owned()));
        }
        let (world, label) = (Arc::clone(&self.world), self.label.clone());
        let started = host.all_started();
        tokio::spawn(async move {
            started.await;
            world.note_begun(label);
        });
        if self.options.never_starts {
            self.world.note(format!("begin {}", self.label));
            std::future::pending::<()>().await;
        }
        if let Ok(extension) = self.options.asks.parse() {
            // Probes offer nothing; that one was asked for is what counts.
            let _ = host.capability::<()>(&extension);
        }
        self.world.state.lock().unwrap().host = Some(host.clone());
        self.world.note(format!("start {}", self.label));
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.world.note(format!("stop {}", self.label));
        if self.options.never_stops {
            std::future::pending::<()>().await;
        }
        self.unlock();
        if self.options.fails_to_stop { Err(ComponentError::Other("stuck".to_owned())) } else { Ok(()) }
    }

    async fn abandon(&self) -> Abandoned {
        self.unlock();
        if self.options.loses > 0 { Abandoned::Lost(self.options.loses) } else { Abandoned::Kept }
    }

    fn claim(&self) -> Option<String> {
        Some(self.options.claims.clone()).filter(|claim| !claim.is_empty())
    }

    async fn configuration_changed(&self) {
        if self.options.hears {
            self.world.note(format!("changed {}", self.label));
        }
    }

    fn is_exclusive(&self) -> bool {
        self.options.exclusive
    }

    fn files(&self) -> Vec<PathBuf> {
        Some(&self.options.file).filter(|file| !file.is_empty()).map(PathBuf::from).into_iter().collect()
    }

    fn pipelines_ready(&self, ready: bool) {
        self.world.note(format!("{} {}", if ready { "ready" } else { "not ready" }, self.label));
    }
}

#[async_trait]
impl Consumer for Probe {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        match self.options.refuses.as_str() {
            "now" => return Err(ConsumeError::retryable(format!("{} refuses", self.label))),
            "ever" => return Err(ConsumeError::permanent(format!("{} refuses", self.label))),
            _ => {}
        }
        let batch = match batch {
            Batch::Traces(mut traces) if self.options.edits => {
                for ix in traces.span_ixs() {
                    traces.set_name(ix, &self.label);
                }
                Batch::from(traces)
            }
            other => other,
        };
        self.world.state.lock().unwrap().taken.entry(self.label.clone()).or_default().push(batch.clone());
        match &self.next {
            Some(next) => next.consume(batch).await,
            None => Ok(()),
        }
    }
}

fn create_receiver(context: Context<'_>, outputs: Outputs) -> Result<Arc<dyn Component>, ConfigError> {
    let probe = Probe::new("receiver", context, None)?;
    probe.world.state.lock().unwrap().outputs.insert(probe.label.clone(), outputs);
    Ok(Arc::new(probe))
}

fn create_processor(context: Context<'_>, _: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    Ok(Arc::new(Probe::new("processor", context, Some(next))?))
}

fn create_exporter(context: Context<'_>) -> Result<Arc<dyn Node>, ConfigError> {
    Ok(Arc::new(Probe::new("exporter", context, None)?))
}

fn create_connector(context: Context<'_>, outputs: Outputs) -> Result<Arc<dyn Node>, ConfigError> {
    let probe = Probe::new("connector", context, outputs.traces.clone())?;
    probe.world.state.lock().unwrap().outputs.insert(probe.label.clone(), outputs);
    Ok(Arc::new(probe))
}

fn create_extension(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    Ok(Arc::new(Probe::new("extension", context, None)?))
}
