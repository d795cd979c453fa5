use std::pin::Pin;
use std::sync::Arc;

use prometheus::IntCounter;
use spanmill_config::ComponentId;
use spanmill_otlp::Signal;

use crate::batch::Batch;
use crate::consume::{ConsumeError, Consumer};
use crate::telemetry::{Level, Telemetry};

/// Counts what passes on its way to a consumer.
struct Counted {
    counter: IntCounter,
    next: Arc<dyn Consumer>,
}

/// Items passed to a processor, for every one of them.
pub(super) fn incoming(
    telemetry: &Telemetry,
    processor: &ComponentId,
    signal: Signal,
    next: Arc<dyn Consumer>,
) -> Arc<dyn Consumer> {
    let (name, help) = ("otelcol_processor_incoming_items", "Number of items passed to the processor.");
    counted(telemetry, name, help, processor, signal, next)
}

/// Items that a processor passes on.
pub(super) fn outgoing(
    telemetry: &Telemetry,
    processor: &ComponentId,
    signal: Signal,
    next: Arc<dyn Consumer>,
) -> Arc<dyn Consumer> {
    let (name, help) = ("otelcol_processor_outgoing_items", "Number of items emitted from the processor.");
    counted(telemetry, name, help, processor, signal, next)
}

fn counted(
    telemetry: &Telemetry,
    name: &str,
    help: &str,
    processor: &ComponentId,
    signal: Signal,
    next: Arc<dyn Consumer>,
) -> Arc<dyn Consumer> {
    if telemetry.level() == Level::None {
        return next;
    }
    let labels = [("otel_signal", signal.as_str()), ("processor", &processor.to_string())];
    Arc::new(Counted { counter: telemetry.counter(name, help, &labels), next })
}

// === impl Counted ===

impl Consumer for Counted {
    // Written out, so that the future of the next consumer is returned as it is and no second one is allocated.
    fn consume<'a, 'f>(&'a self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<(), ConsumeError>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        self.counter.inc_by(batch.item_count() as u64);
        self.next.consume(batch)
    }
    fn ready(&self) -> Result<(), ConsumeError> {
        self.next.ready()
    }
}
