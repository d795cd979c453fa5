//! `routing`: sends spans to pipelines by conditions on resources, spans and requests.

mod config;
mod request;
mod route;
mod sort;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::future::join_all;
use prometheus::IntCounter;
use spanmill_config::{ComponentId, ConfigError, Signal as PipelineSignal};
use spanmill_otlp::SpanIx;
use spanmill_pipeline::{
    Batch, Client, Code, Component, ConnectorFactory, ConsumeError, Consumer, Context, Kind, Node, Outputs, Signal,
    Stability,
};

use crate::part::part;
use config::Table;
use sort::Sorted;

/// Makes `routing` connectors.
pub const FACTORY: ConnectorFactory = ConnectorFactory {
    kind: Kind { name: "routing", aliases: &[], stability: Stability::Alpha, signals: &[Signal::Traces] },
    connects: &[(PipelineSignal::Traces, PipelineSignal::Traces)],
    create,
};

/// Least time between two log lines about conditions that cannot be evaluated.
const QUIET: Duration = Duration::from_secs(10);

struct Routing {
    id: ComponentId,
    table: Table,
    unrouted: IntCounter,
    told: Mutex<Option<Instant>>,
}

#[expect(clippy::needless_pass_by_value, reason = "the factory's signature")]
fn create(context: Context<'_>, outputs: Outputs) -> Result<Arc<dyn Node>, ConfigError> {
    let table = Table::read(context.section, &outputs)?;
    let id = context.id.clone();
    let unrouted = context.telemetry.counter(
        "spanmill_connector_routing_dropped_spans",
        "Spans that no route takes, where there are no default pipelines",
        &[("connector", &id.to_string())],
    );
    Ok(Arc::new(Routing { id, table, unrouted, told: Mutex::default() }))
}

// === impl Routing ===

impl Component for Routing {}

#[async_trait]
impl Consumer for Routing {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let Batch::Traces(mut traces) = batch else {
            return Err(ConsumeError::permanent("the routing connector takes spans only"));
        };
        let sorted = Client::current(|client| self.table.sort(&traces, client)).map_err(|error| {
            // The same spans would fail in the same way: a retry cannot help.
            tracing::error!(connector = %self.id, %error, "a request is refused");
            ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument)
        })?;
        self.tell(&sorted);
        self.unrouted.inc_by(sorted.unrouted as u64);
        self.table.edit(&mut traces, &sorted);
        if let Some(target) = sorted.whole().and_then(|target| self.table.targets.get(target)) {
            return target.consumer.consume(traces.into()).await;
        }
        let traces = traces.freeze();
        let spans: Vec<SpanIx> = traces.spans().map(|span| span.ix()).collect();
        let sending = sorted.parts.iter().filter_map(|(target, flags)| {
            let target = self.table.targets.get(*target)?;
            Some(target.consumer.consume(part(&traces, &spans, flags).into()))
        });
        let results = join_all(sending).await;
        let errors: Vec<ConsumeError> = results.into_iter().filter_map(Result::err).collect();
        ConsumeError::join(&errors)
    }
}

impl Routing {
    /// Logs ignored errors, now and then: a condition that fails does so for most spans.
    fn tell(&self, sorted: &Sorted) {
        let (count, Some(error)) = &sorted.errors else { return };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= QUIET) {
            *told = Some(Instant::now());
            tracing::warn!(connector = %self.id, count, error, "conditions could not be evaluated and count as not met");
        }
    }
}
