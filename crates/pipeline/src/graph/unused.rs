use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::{ComponentId, ConfigError, Document, Kind as ComponentKind, Problem, Section};
use spanmill_otlp::Signal;

use crate::batch::Batch;
use crate::consume::{ConsumeError, Consumer};
use crate::factory::{Context, Factories, Kind, Outputs};
use crate::telemetry::{Level, Telemetry};

/// Where components lead to that are made for a check only.
pub(crate) struct Nowhere;

/// Checks components that nothing uses, as the Collector does: what is written must be right, whether it is used or not. Returns what it would
/// see only if they were used.
pub(super) fn check(document: &Document, factories: &Factories, problems: &mut Vec<Problem>) -> Vec<String> {
    let telemetry = Telemetry::new(Level::None);
    let mut later = Vec::new();
    for kind in ComponentKind::ALL {
        for (id, section) in document.components(kind).iter().filter(|(id, _)| !is_used(document, kind, id)) {
            let context = Context { id, section, telemetry: &telemetry };
            if let Err(error) = create(factories, kind, context, section) {
                let (at_creation, others): (Vec<_>, Vec<_>) =
                    error.into_problems().into_iter().partition(|problem| problem.at_creation);
                problems.extend(others);
                later
                    .extend(at_creation.iter().map(|problem| format!("{id} is not used, and could not be: {problem}")));
            }
        }
    }
    later
}

fn is_used(document: &Document, kind: ComponentKind, id: &ComponentId) -> bool {
    let mut pipelines = document.service.pipelines.values();
    match kind {
        ComponentKind::Receiver => pipelines.any(|pipeline| pipeline.receivers.contains(id)),
        ComponentKind::Processor => pipelines.any(|pipeline| pipeline.processors.contains(id)),
        ComponentKind::Exporter | ComponentKind::Connector => pipelines.any(|pipeline| pipeline.exporters.contains(id)),
        ComponentKind::Extension => document.service.extensions.contains(id),
    }
}

/// Makes a component and forgets it.
fn create(
    factories: &Factories,
    kind: ComponentKind,
    context: Context<'_>,
    section: &Section,
) -> Result<(), ConfigError> {
    let called = |kind: &Kind| kind.is_called(context.id.type_name());
    let missing =
        || section.error("", format_args!("unknown type: {:?} for id: \"{}\"", context.id.type_name(), context.id));
    match kind {
        ComponentKind::Receiver => {
            let factory = factories.receivers.iter().find(|factory| called(&factory.kind)).ok_or_else(missing)?;
            (factory.create)(context, Outputs::default()).map(drop)
        }
        ComponentKind::Processor => {
            let factory = factories.processors.iter().find(|factory| called(&factory.kind)).ok_or_else(missing)?;
            let signal = factory.kind.signals.first().copied().unwrap_or(Signal::Traces);
            (factory.create)(context, signal, Arc::new(Nowhere)).map(drop)
        }
        ComponentKind::Exporter => {
            let factory = factories.exporters.iter().find(|factory| called(&factory.kind)).ok_or_else(missing)?;
            (factory.create)(context).map(drop)
        }
        ComponentKind::Connector => {
            let factory = factories.connectors.iter().find(|factory| called(&factory.kind)).ok_or_else(missing)?;
            (factory.create)(context, nowhere()).map(drop)
        }
        ComponentKind::Extension => {
            let factory = factories.extensions.iter().find(|factory| called(&factory.kind)).ok_or_else(missing)?;
            (factory.create)(context).map(drop)
        }
    }
}

/// For a connector that nothing uses: one that makes metrics of spans has to have somewhere to send them to, and that no pipeline receives from
/// it is no mistake in its section.
fn nowhere() -> Outputs {
    let nowhere: Arc<dyn Consumer> = Arc::new(Nowhere);
    let [traces, metrics, logs] = [Some(nowhere.clone()), Some(nowhere.clone()), Some(nowhere)];
    Outputs { traces, metrics, logs, ..Outputs::default() }
}

// === impl Nowhere ===

#[async_trait]
impl Consumer for Nowhere {
    async fn consume(&self, _batch: Batch) -> Result<(), ConsumeError> {
        Err(ConsumeError::permanent("the component is not used"))
    }
}
