//! From received bytes to the pipeline: parse, hand over, count.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prometheus::IntCounter;
use spanmill_otlp::{Limits, Opaque, Traces};
use spanmill_pipeline::{Batch, Code, ConsumeError, Consumer, Context, Operations, Outputs, Running, Signal};

use super::attributes::Attributes;
use super::gate::{Gate, Room};
use super::hand_over::HandOver;
use super::rate::Tenant;
use super::refusals::Reason;

/// The way into the pipelines for one protocol.
#[derive(Clone)]
pub(super) struct Intake {
    outputs: Outputs,
    gate: Arc<Gate>,
    limits: Limits,
    attributes: Option<Attributes>,
    counts: Arc<[Counts; 3]>,
    operations: Arc<Operations>,
}

/// Items accepted and refused, of one signal.
struct Counts {
    accepted: IntCounter,
    refused: IntCounter,
    /// What taking one is called.
    operation: Arc<str>,
}

/// Items that are being handed over. They are refused unless it is said that they were taken.
struct Counted {
    counts: Arc<[Counts; 3]>,
    signal: Signal,
    items: u64,
    taken: bool,
    running: Option<Running>,
}

/// When clients are asked to try again, where nobody knows better.
const RETRY_AFTER: Duration = Duration::from_secs(1);

// === impl Intake ===

impl Intake {
    pub(super) fn new(context: &Context<'_>, outputs: Outputs, transport: &str, gate: Gate) -> Self {
        let receiver = context.id.to_string();
        let labels = [("receiver", receiver.as_str()), ("transport", transport)];
        let counts = |items: &str, what: &str, operation: &str| {
            let accepted = format!("Number of {what} successfully pushed into the pipeline.");
            let refused = format!("Number of {what} that could not be pushed into the pipeline.");
            Counts {
                accepted: context.telemetry.counter(&format!("otelcol_receiver_accepted_{items}"), &accepted, &labels),
                refused: context.telemetry.counter(&format!("otelcol_receiver_refused_{items}"), &refused, &labels),
                operation: format!("receiver/{receiver}/{operation}").into(),
            }
        };
        Self {
            counts: Arc::new([
                counts("spans", "spans", "TraceDataReceived"),
                counts("metric_points", "metric points", "MetricsReceived"),
                counts("log_records", "log records", "LogsReceived"),
            ]),
            operations: Arc::clone(context.telemetry.operations()),
            outputs,
            limits: Limits {
                max_bytes: gate.largest().min(Limits::default().max_bytes),
                max_depth: gate.limits().max_depth,
                max_spans: gate.limits().max_spans,
            },
            attributes: gate.limits().attributes.as_ref().map(Attributes::new),
            gate: Arc::new(gate),
        }
    }

    /// What requests have to pass first.
    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Bounds on what requests hold.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The beginning of the pipelines that take that signal.
    pub(super) fn next(&self, signal: Signal) -> Option<&dyn Consumer> {
        self.outputs.get(signal).map(AsRef::as_ref)
    }

    /// Whether any pipeline takes that signal.
    pub(super) fn takes(&self, signal: Signal) -> bool {
        self.outputs.get(signal).is_some()
    }

    /// Hands an encoded request over, on behalf of a tenant. An empty one is a success without further ado. What it holds is given back when it
    /// was taken over, or refused, which may be after its client has gone.
    pub(super) async fn take(
        &self,
        signal: Signal,
        bytes: Bytes,
        tenant: Option<Arc<Tenant>>,
        room: Room,
    ) -> Result<(), ConsumeError> {
        let Some(next) = self.outputs.get(signal).cloned() else {
            let message = format!("no pipeline takes {}", signal.as_str());
            return Err(ConsumeError::permanent(message).with_code(Code::Unimplemented));
        };
        let len = bytes.len();
        let batch = self.parse(signal, bytes)?;
        let items = batch.item_count() as u64;
        if items == 0 {
            return Ok(());
        }
        let mut counted = Counted { counts: Arc::clone(&self.counts), signal, items, taken: false, running: None };
        let spans = if signal == Signal::Traces { batch.item_count() } else { 0 };
        self.gate.charge(tenant.as_deref(), spans, len)?;
        counted.running = counted.counts().and_then(|counts| self.operations.begin(&counts.operation));
        let taking = HandOver::new(async move {
            let _room = room;
            let result = next.consume(batch).await;
            counted.end(&result);
            result
        });
        taking.await.map_err(answerable)
    }

    fn parse(&self, signal: Signal, bytes: Bytes) -> Result<Batch, ConsumeError> {
        let malformed = |error: spanmill_otlp::Malformed| self.gate.malformed(error.to_string());
        if signal != Signal::Traces {
            return Opaque::parse(signal, bytes).map(Batch::from).map_err(malformed);
        }
        let mut traces = Traces::parse_with(bytes, &self.limits).map_err(malformed)?;
        if let Some(attributes) = &self.attributes {
            attributes.apply(&mut traces).map_err(|excess| {
                let error = ConsumeError::permanent(excess.to_string()).with_code(Code::InvalidArgument);
                self.gate.refuse(Reason::Attributes, error)
            })?;
        }
        Ok(traces.into())
    }
}

// === impl Counted ===

impl Counted {
    fn counts(&self) -> Option<&Counts> {
        self.counts.get(self.signal as usize)
    }

    fn end(mut self, result: &Result<(), ConsumeError>) {
        self.taken = result.is_ok();
        if let Some(running) = self.running.take() {
            running.end(result.as_ref().err().map(ToString::to_string));
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(counts) = self.counts() {
            if self.taken { &counts.accepted } else { &counts.refused }.inc_by(self.items);
        }
        if let Some(running) = self.running.take() {
            running.end(Some("the client has gone".to_owned()));
        }
    }
}

/// Makes code and delay of an error say to a client what it means: clients go by them, and by nothing else, when they decide
/// whether to try again.
fn answerable(error: ConsumeError) -> ConsumeError {
    let code = match (error.code, error.retryable) {
        (code, true) if is_retryable(code) => code,
        (_, true) => Code::Unavailable,
        // Without a delay this one is not retried.
        (Code::ResourceExhausted, false) => Code::ResourceExhausted,
        (code, false) if is_retryable(code) => Code::Internal,
        (code, false) => code,
    };
    let retry_after = error.retryable.then(|| error.retry_after.unwrap_or(RETRY_AFTER));
    ConsumeError { code, retry_after, ..error }
}

/// The codes at which OTLP clients try again.
fn is_retryable(code: Code) -> bool {
    matches!(
        code,
        Code::Cancelled
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss
    )
}
