use std::collections::HashMap;
use std::sync::Arc;

use spanmill_config::{ComponentId, ConfigError, Document, Kind as ComponentKind, PipelineId, Problem, Section};
use spanmill_otlp::Signal;

use super::Graph;
use super::counted::{incoming, outgoing};
use super::fanout::fan_out;
use super::part::{Link, Part, Wires};
use super::reuse::Reuse;
use crate::factory::{Context, Factories, Kind, Outputs};
use crate::host::Layout;
use crate::known::signal_of;
use crate::telemetry::Telemetry;

/// Builds from the far end: an exporter first, then what sends to it.
struct Builder<'a> {
    document: &'a Document,
    factories: &'a Factories,
    telemetry: &'a Telemetry,
    reuse: Reuse<'a>,
    /// Exporters and connectors, made at their first use; `None` where that failed.
    made: HashMap<&'a ComponentId, Option<Link>>,
    /// What receivers of a pipeline send to; `None` where it could not be made.
    heads: HashMap<&'a PipelineId, Option<Link>>,
    graph: Graph,
    problems: &'a mut Vec<Problem>,
}

/// Builds a validated document, which has no cycles. Problems are added to `problems`; with any, the graph is not to be used.
pub(super) fn build(
    running: Option<&Graph>,
    document: &Document,
    factories: &Factories,
    telemetry: &Telemetry,
    problems: &mut Vec<Problem>,
) -> Graph {
    let graph = Graph { layout: Arc::new(Layout::of(document)), ..Graph::default() };
    let (made, heads) = (HashMap::new(), HashMap::new());
    let reuse = Reuse::new(running, document);
    let mut builder = Builder { document, factories, telemetry, reuse, made, heads, graph, problems };
    builder.extensions();
    for id in document.service.pipelines.keys() {
        builder.head(id);
    }
    builder.receivers();
    builder.warn_of_aliases();
    builder.graph
}

// === impl Builder ===

impl<'a> Builder<'a> {
    /// The first consumer of a pipeline, with everything behind it.
    fn head(&mut self, id: &'a PipelineId) -> Option<Link> {
        if let Some(known) = self.heads.get(id) {
            return known.clone();
        }
        let pipeline = self.document.service.pipelines.get(id)?;
        let signal = signal_of(id.signal());
        let targets: Vec<_> = pipeline.exporters.iter().filter_map(|exporter| self.target(exporter, signal)).collect();
        let mut next = join(targets);
        for processor in pipeline.processors.iter().rev() {
            next = next.and_then(|next| self.processor(id, processor, signal, next));
        }
        self.heads.insert(id, next.clone());
        next
    }

    /// The exporter or connector that a pipeline of that signal sends to.
    fn target(&mut self, id: &'a ComponentId, signal: Signal) -> Option<Link> {
        if let Some(section) = self.document.exporters.get(id) {
            return self.exporter(id, section, signal);
        }
        let section = self.document.connectors.get(id)?;
        self.connector(id, section)
    }

    fn exporter(&mut self, id: &'a ComponentId, section: &Section, signal: Signal) -> Option<Link> {
        let factory = self.factories.exporters.iter().find(|factory| factory.kind.is_called(id.type_name()))?;
        if !factory.kind.signals.contains(&signal) {
            let message = unsupported(&format!("\"{id}\" exporter for data type \"{}\"", signal.as_str()));
            self.problems.push(section.problem_of_names(message));
            return None;
        }
        if let Some(known) = self.made.get(id) {
            return known.clone();
        }
        let what = (ComponentKind::Exporter, id, section);
        let part = self.kept(what, &Wires::default()).or_else(|| {
            let made = self.attempt((factory.create)(self.context(id, section)))?;
            Some(Part::new(what, made.clone(), Some(made), Wires::default()))
        });
        let link = part.as_ref().and_then(Part::link);
        self.graph.exporters.extend(part);
        self.made.insert(id, link.clone());
        link
    }

    fn connector(&mut self, id: &'a ComponentId, section: &Section) -> Option<Link> {
        if let Some(known) = self.made.get(id) {
            return known.clone();
        }
        let factory = self.factories.connectors.iter().find(|factory| factory.kind.is_called(id.type_name()))?;
        let (outputs, wires) = self.outputs(id);
        let what = (ComponentKind::Connector, id, section);
        let part = self.kept(what, &wires).or_else(|| {
            let made = self.attempt((factory.create)(self.context(id, section), outputs))?;
            Some(Part::new(what, made.clone(), Some(made), wires))
        });
        let link = part.as_ref().and_then(Part::link);
        self.graph.between.extend(part);
        self.made.insert(id, link.clone());
        link
    }

    fn processor(&mut self, pipeline: &PipelineId, id: &ComponentId, signal: Signal, next: Link) -> Option<Link> {
        let section = self.document.processors.get(id)?;
        let factory = self.factories.processors.iter().find(|factory| factory.kind.is_called(id.type_name()))?;
        if !factory.kind.signals.contains(&signal) {
            let message = unsupported(&format!("\"{id}\" processor, in pipeline \"{pipeline}\""));
            self.problems.push(section.problem_of_names(message));
            return None;
        }
        let wires = Wires { inputs: vec![signal], outputs: vec![(pipeline.clone(), next.parts)] };
        let what = (ComponentKind::Processor, id, section);
        let part = self.kept(what, &wires).or_else(|| {
            let next = outgoing(self.telemetry, id, signal, next.consumer);
            let made = self.attempt((factory.create)(self.context(id, section), signal, next))?;
            let counted = incoming(self.telemetry, id, signal, made.clone());
            Some(Part::new(what, made, Some(counted), wires))
        });
        let link = part.as_ref().and_then(Part::link);
        self.graph.between.extend(part);
        link
    }

    fn receivers(&mut self) {
        let pipelines = &self.document.service.pipelines;
        for (id, section) in &self.document.receivers {
            let Some(factory) = self.factories.receivers.iter().find(|factory| factory.kind.is_called(id.type_name()))
            else {
                continue;
            };
            let mut users = pipelines.iter().filter(|(_, pipeline)| pipeline.receivers.contains(id)).peekable();
            if users.peek().is_none() {
                continue;
            }
            let refused = users.map(|(pipeline, _)| signal_of(pipeline.signal()));
            let refused: Vec<_> = refused.filter(|signal| !factory.kind.signals.contains(signal)).collect();
            if let Some(signal) = refused.first() {
                let message = unsupported(&format!("\"{id}\" receiver for data type \"{}\"", signal.as_str()));
                self.problems.push(section.problem_of_names(message));
                continue;
            }
            let (outputs, wires) = self.outputs(id);
            let what = (ComponentKind::Receiver, id, section);
            let part = self.kept(what, &wires).or_else(|| {
                let made = self.attempt((factory.create)(self.context(id, section), outputs))?;
                Some(Part::new(what, made, None, wires))
            });
            self.graph.receivers.extend(part);
        }
    }

    fn extensions(&mut self) {
        for id in &self.document.service.extensions {
            let factory = self.factories.extensions.iter().find(|factory| factory.kind.is_called(id.type_name()));
            let (Some(section), Some(factory)) = (self.document.extensions.get(id), factory) else { continue };
            let what = (ComponentKind::Extension, id, section);
            let part = self.kept(what, &Wires::default()).or_else(|| {
                let made = self.attempt((factory.create)(self.context(id, section)))?;
                Some(Part::new(what, made, None, Wires::default()))
            });
            self.graph.extensions.extend(part);
        }
    }

    /// All pipelines that receive from a receiver or a connector, one consumer a signal.
    fn outputs(&mut self, id: &ComponentId) -> (Outputs, Wires) {
        let pipelines = &self.document.service.pipelines;
        let users = pipelines.iter().filter(|(_, pipeline)| pipeline.receivers.contains(id)).map(|(user, _)| user);
        let heads: Vec<(&PipelineId, Link)> = users.filter_map(|user| Some((user, self.head(user)?))).collect();
        let of = |signal: Signal| {
            let heads = heads.iter().filter(|(user, _)| signal_of(user.signal()) == signal);
            fan_out(heads.map(|(_, head)| Arc::clone(&head.consumer)).collect())
        };
        let feeding = pipelines.iter().filter(|(_, pipeline)| pipeline.exporters.contains(id));
        let inputs: Vec<Signal> = feeding.map(|(pipeline, _)| signal_of(pipeline.signal())).collect();
        let (traces, metrics, logs) = (of(Signal::Traces), of(Signal::Metrics), of(Signal::Logs));
        let named = heads.iter().map(|(user, head)| ((*user).clone(), Arc::clone(&head.consumer))).collect();
        let outputs = Outputs { traces, metrics, logs, inputs: inputs.clone(), pipelines: Some(named) };
        let behind = heads.into_iter().map(|(user, head)| (user.clone(), head.parts)).collect();
        (outputs, Wires { inputs, outputs: behind })
    }

    /// What runs already and is what would be made.
    fn kept(&self, (kind, id, section): (ComponentKind, &ComponentId, &Section), wires: &Wires) -> Option<Arc<Part>> {
        self.reuse.find(kind, id, section, wires).cloned()
    }

    fn warn_of_aliases(&mut self) {
        for kind in ComponentKind::ALL {
            let known: Vec<&Kind> = self.factories.kinds(kind).collect();
            for id in self.document.components(kind).keys() {
                let used_as = id.type_name();
                if let Some(renamed) = known.iter().find(|known| known.aliases.contains(&used_as)) {
                    let name = renamed.name;
                    let warning =
                        format!("\"{used_as}\" alias is deprecated; use \"{name}\" instead ({kind} \"{id}\")");
                    self.graph.warnings.push(warning);
                }
            }
        }
    }

    fn context<'c>(&'c self, id: &'c ComponentId, section: &'c Section) -> Context<'c> {
        Context { id, section, telemetry: self.telemetry }
    }

    fn attempt<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.problems.extend(error.into_problems())).ok()
    }
}

/// One link for several.
fn join(links: Vec<Link>) -> Option<Link> {
    let consumer = fan_out(links.iter().map(|link| Arc::clone(&link.consumer)).collect())?;
    Some(Link { consumer, parts: links.into_iter().flat_map(|link| link.parts).collect() })
}

/// The Collector's words.
fn unsupported(what: &str) -> String {
    format!("failed to create {what}: telemetry type is not supported")
}
