//! The exporter `demo`: it looks at what comes out of the pipeline, and keeps what is worth showing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;
use spanmill_config::ConfigError;
use spanmill_pipeline::{
    Batch, Component, ConsumeError, Consumer, Context, ExporterFactory, Kind, Node, Signal, Stability,
};

use super::findings::Findings;

/// What has come out so far.
#[derive(Debug, Default)]
pub(super) struct Tap(Mutex<Findings>);

/// Taps by number: a factory is a plain function, which a configuration alone reaches.
#[derive(Debug)]
struct Taps {
    next: u32,
    known: BTreeMap<u32, Arc<Tap>>,
}

/// Which tap to fill.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    tap: u32,
}

struct Exporter(Arc<Tap>);

static TAPS: Mutex<Taps> = Mutex::new(Taps { next: 0, known: BTreeMap::new() });

/// Makes the exporter. It stands in the demo's table alone.
pub(super) const FACTORY: ExporterFactory = ExporterFactory {
    kind: Kind { name: "demo", aliases: &[], stability: Stability::Development, signals: &[Signal::Traces] },
    create,
};

/// A new tap and the number under which a configuration finds it.
pub(super) fn register() -> (Arc<Tap>, u32) {
    let mut taps = TAPS.lock().unwrap_or_else(PoisonError::into_inner);
    let (tap, number) = (Arc::<Tap>::default(), taps.next);
    taps.next += 1;
    taps.known.insert(number, Arc::clone(&tap));
    (tap, number)
}

fn create(context: Context<'_>) -> Result<Arc<dyn Node>, ConfigError> {
    let config: Config = context.section.parse()?;
    let mut taps = TAPS.lock().unwrap_or_else(PoisonError::into_inner);
    match taps.known.remove(&config.tap) {
        Some(tap) => Ok(Arc::new(Exporter(tap))),
        None => Err(context.section.error("tap", "no demo waits for this one")),
    }
}

// === impl Tap ===

impl Tap {
    /// What came out, all of it.
    pub(super) fn take(&self) -> Findings {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl Exporter ===

impl Component for Exporter {}

#[async_trait]
impl Consumer for Exporter {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        // Frozen, it shows what a backend would get, edits included.
        if let Batch::Traces(traces) = batch.freeze() {
            self.0.0.lock().unwrap_or_else(PoisonError::into_inner).add(&traces);
        }
        Ok(())
    }
}
