use std::collections::BTreeMap;

use serde::Serialize;
use spanmill_config::{Kind as ComponentKind, Signal as PipelineSignal};
use spanmill_pipeline::{Factories, Kind, Signal, Stability};

use super::write_out;
use crate::error::CommandError;

/// As the Collector lists them, with aliases.
#[derive(Serialize)]
struct Listing {
    buildinfo: BuildInfo,
    receivers: Vec<Component>,
    processors: Vec<Component>,
    exporters: Vec<Component>,
    connectors: Vec<Component>,
    extensions: Vec<Component>,
    providers: Vec<Provider>,
}

#[derive(Serialize)]
struct BuildInfo {
    command: &'static str,
    description: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Component {
    name: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    aliases: &'static [&'static str],
    module: String,
    stability: BTreeMap<String, &'static str>,
}

#[derive(Serialize)]
struct Provider {
    scheme: &'static str,
    module: String,
}

const SIGNALS: [Signal; 3] = [Signal::Logs, Signal::Metrics, Signal::Traces];
const PIPELINE_SIGNALS: [PipelineSignal; 3] = [PipelineSignal::Logs, PipelineSignal::Metrics, PipelineSignal::Traces];
const SCHEMES: [&str; 5] = ["env", "file", "http", "https", "yaml"];

/// Writes the table of components to stdout.
pub(super) fn list(factories: &Factories) -> Result<(), CommandError> {
    let of = |kind| sorted(factories.kinds(kind).map(|known| component(kind, known, by_signal(kind, known))));
    let connectors = factories.connectors.iter().map(|factory| {
        let stability = by_pair(factory.kind.stability, factory.connects);
        component(ComponentKind::Connector, &factory.kind, stability)
    });
    let listing = Listing {
        buildinfo: BuildInfo {
            command: env!("CARGO_PKG_NAME"),
            description: env!("CARGO_PKG_DESCRIPTION"),
            version: env!("CARGO_PKG_VERSION"),
        },
        receivers: of(ComponentKind::Receiver),
        processors: of(ComponentKind::Processor),
        exporters: of(ComponentKind::Exporter),
        connectors: sorted(connectors),
        extensions: of(ComponentKind::Extension),
        providers: SCHEMES.into_iter().map(|scheme| Provider { scheme, module: module("config") }).collect(),
    };
    write_out(serde_yaml::to_string(&listing)?.as_bytes())
}

fn sorted(components: impl Iterator<Item = Component>) -> Vec<Component> {
    let mut components: Vec<_> = components.collect();
    components.sort_by_key(|component| component.name);
    components
}

fn component(kind: ComponentKind, known: &Kind, stability: BTreeMap<String, &'static str>) -> Component {
    let module = module(&format!("components/{}/{}", kind.section(), known.name));
    Component { name: known.name, aliases: known.aliases, module, stability }
}

fn by_signal(kind: ComponentKind, known: &Kind) -> BTreeMap<String, &'static str> {
    if kind == ComponentKind::Extension {
        return BTreeMap::from([("extension".to_owned(), word(known.stability))]);
    }
    let of = |signal: &Signal| if known.signals.contains(signal) { word(known.stability) } else { UNDEFINED };
    SIGNALS.iter().map(|signal| (signal.as_str().to_owned(), of(signal))).collect()
}

fn by_pair(stability: Stability, connects: &[(PipelineSignal, PipelineSignal)]) -> BTreeMap<String, &'static str> {
    let pairs = PIPELINE_SIGNALS.into_iter().flat_map(|from| PIPELINE_SIGNALS.into_iter().map(move |to| (from, to)));
    let of = |pair| if connects.contains(&pair) { word(stability) } else { UNDEFINED };
    pairs.map(|(from, to)| (format!("{from}-to-{to}"), of((from, to)))).collect()
}

fn module(place: &str) -> String {
    format!("spanmill/{place} v{}", env!("CARGO_PKG_VERSION"))
}

const UNDEFINED: &str = "Undefined";

fn word(stability: Stability) -> &'static str {
    match stability {
        Stability::Development => "Development",
        Stability::Alpha => "Alpha",
        Stability::Beta => "Beta",
        Stability::Stable => "Stable",
        Stability::Deprecated => "Deprecated",
    }
}
