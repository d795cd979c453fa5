//! What is done to a request, whether it was held or not.

use spanmill_genai::Engine;
use spanmill_otlp::Traces;

use super::flags::Flags;
use super::metrics::Metrics;

pub(super) struct Core {
    pub(super) engine: Engine,
    pub(super) flags: Flags,
    pub(super) metrics: Metrics,
}

// === impl Core ===

impl Core {
    pub(super) fn process(&self, mut traces: Traces) -> Traces {
        self.metrics.count(&self.engine.process(&mut traces));
        self.flags.set(traces)
    }
}
