//! How components are made. Every kind has a table of factories; what is in the table is what there is.

use std::sync::Arc;

use spanmill_config::{ComponentId, ConfigError, PipelineId, Section};
use spanmill_otlp::Signal;
use thiserror::Error;

use crate::component::{Component, Node};
use crate::consume::Consumer;
use crate::graph::{Nowhere, fan_out};
use crate::known::signal_of;
use crate::telemetry::Telemetry;

/// How mature a component is, in the Collector's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are the Collector's")]
pub enum Stability {
    Development,
    Alpha,
    Beta,
    Stable,
    Deprecated,
}

/// What a factory is given.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Type and name, as configured.
    pub id: &'a ComponentId,
    /// Its section of the configuration.
    pub section: &'a Section,
    /// Where its own metrics go.
    pub telemetry: &'a Telemetry,
}

/// Where a receiver, or a connector, sends what it produces: one consumer a signal it is used for.
#[derive(Clone, Default)]
pub struct Outputs {
    /// For spans.
    pub traces: Option<Arc<dyn Consumer>>,
    /// For metrics.
    pub metrics: Option<Arc<dyn Consumer>>,
    /// For logs.
    pub logs: Option<Arc<dyn Consumer>>,
    /// The signals that a connector is fed with; nothing for a receiver.
    pub inputs: Vec<Signal>,
    /// Each of the pipelines behind it, for connectors that choose between them; none where it is made for a check only.
    pub pipelines: Option<Vec<(PipelineId, Arc<dyn Consumer>)>>,
}

/// Pipelines were named that are not behind the connector.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("pipeline not found: {}", .0.iter().map(|id| format!("missing consumer: \"{id}\"")).collect::<Vec<_>>().join("; "))]
pub struct MissingPipelines(pub Vec<PipelineId>);

/// What is known about a type of component, whatever its kind.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The type, as written in configurations.
    pub name: &'static str,
    /// Other accepted spellings, such as names before a rename.
    pub aliases: &'static [&'static str],
    /// How mature it is.
    pub stability: Stability,
    /// The signals it can be used for; none for extensions.
    pub signals: &'static [Signal],
}

/// Makes receivers. One receiver serves all pipelines that name it.
#[derive(Clone, Copy)]
pub struct ReceiverFactory {
    /// What it makes.
    pub kind: Kind,
    /// Makes one.
    pub create: fn(Context<'_>, Outputs) -> Result<Arc<dyn Component>, ConfigError>,
}

/// Makes a processor of pipelines of a signal, that sends to a consumer.
pub type CreateProcessor = fn(Context<'_>, Signal, Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError>;

/// Makes processors: one a pipeline that names it.
#[derive(Clone, Copy)]
pub struct ProcessorFactory {
    /// What it makes.
    pub kind: Kind,
    /// Makes one that sends its results to the consumer.
    pub create: CreateProcessor,
}

/// Makes exporters. One exporter serves all pipelines that name it.
#[derive(Clone, Copy)]
pub struct ExporterFactory {
    /// What it makes.
    pub kind: Kind,
    /// Makes one.
    pub create: fn(Context<'_>) -> Result<Arc<dyn Node>, ConfigError>,
}

/// Makes connectors: exporters of some pipelines and receivers of others.
#[derive(Clone, Copy)]
pub struct ConnectorFactory {
    /// What it makes; its signals are those it consumes.
    pub kind: Kind,
    /// Which signal it takes and which it gives, in pairs.
    pub connects: &'static [(spanmill_config::Signal, spanmill_config::Signal)],
    /// Makes one that sends its results to the outputs.
    pub create: fn(Context<'_>, Outputs) -> Result<Arc<dyn Node>, ConfigError>,
}

/// Makes extensions.
#[derive(Clone, Copy)]
pub struct ExtensionFactory {
    /// What it makes.
    pub kind: Kind,
    /// Makes one.
    pub create: fn(Context<'_>) -> Result<Arc<dyn Component>, ConfigError>,
}

/// All factories of a program.
#[derive(Clone, Copy, Default)]
pub struct Factories {
    /// Receivers.
    pub receivers: &'static [ReceiverFactory],
    /// Processors.
    pub processors: &'static [ProcessorFactory],
    /// Exporters.
    pub exporters: &'static [ExporterFactory],
    /// Connectors.
    pub connectors: &'static [ConnectorFactory],
    /// Extensions.
    pub extensions: &'static [ExtensionFactory],
}

// === impl Outputs ===

impl Outputs {
    /// The consumer for a signal.
    pub fn get(&self, signal: Signal) -> Option<&Arc<dyn Consumer>> {
        match signal {
            Signal::Traces => self.traces.as_ref(),
            Signal::Metrics => self.metrics.as_ref(),
            Signal::Logs => self.logs.as_ref(),
        }
    }

    /// One consumer for the named pipelines of a signal: each of them gets what it is given.
    ///
    /// # Errors
    ///
    /// Fails with those that are not behind the connector, or are of another signal.
    pub fn to_pipelines(&self, signal: Signal, ids: &[PipelineId]) -> Result<Arc<dyn Consumer>, MissingPipelines> {
        let Some(behind) = &self.pipelines else { return Ok(Arc::new(Nowhere)) };
        let mut targets = Vec::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match behind.iter().find(|(known, _)| known == id && signal_of(id.signal()) == signal) {
                Some((_, consumer)) => targets.push(Arc::clone(consumer)),
                None => missing.push(id.clone()),
            }
        }
        if missing.is_empty() {
            Ok(fan_out(targets).unwrap_or_else(|| Arc::new(Nowhere)))
        } else {
            Err(MissingPipelines(missing))
        }
    }
}

impl std::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outputs")
            .field("traces", &self.traces.is_some())
            .field("metrics", &self.metrics.is_some())
            .field("logs", &self.logs.is_some())
            .finish_non_exhaustive()
    }
}

macro_rules! debug_by_kind {
    ($($factory:ty),*) => {$(
        impl std::fmt::Debug for $factory {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.kind.fmt(f)
            }
        }
    )*};
}

debug_by_kind!(ReceiverFactory, ProcessorFactory, ExporterFactory, ConnectorFactory, ExtensionFactory);

impl std::fmt::Debug for Factories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Factories").finish_non_exhaustive()
    }
}
