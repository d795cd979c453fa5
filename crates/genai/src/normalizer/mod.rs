//! The Collector's `gen_ai_normalizer`: attributes of chosen sources are given the names and types of the GenAI conventions v1.40.0,
//! and their messages the form. Nothing else is written: what a span means beyond that is an [`Engine`](crate::Engine)'s.
//!
//! ```
//! use spanmill_genai::normalizer::{Config, Normalizer, Source};
//! use spanmill_otlp::Traces;
//!
//! let source = Source { name: "openinference".to_owned(), ..Source::default() };
//! let normalizer = Normalizer::new(&Config { sources: vec![source], ..Config::default() })?;
//! let mut traces = Traces::parse(bytes::Bytes::new())?;
//! assert_eq!(normalizer.process(&mut traces), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builtin;
mod coerce;
mod config;
mod conventions;
mod conversation;
mod mapping;
mod plan;
mod represented;
mod sheet;

use spanmill_otlp::{Part, Patch, ScopeRef, SpanIx, Traces};
use thiserror::Error;

pub use self::config::{Config, ConfigError, Source};
use self::conventions::SCHEMA_URL;
use self::plan::Plan;
use self::sheet::Sheet;
use crate::builtin::VOCABULARY;
use crate::catalogue::CatalogueError;
use crate::vocabulary::Vocabulary;

/// Brings spans of chosen sources to the GenAI conventions. One serves all requests of a pipeline, from any number of threads.
#[derive(Debug)]
pub struct Normalizer {
    plans: Vec<Plan>,
    vocabulary: Vocabulary,
    overwrite_schema_url: bool,
}

/// A normalizer cannot be made.
#[derive(Debug, Error)]
pub enum NormalizerError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Built-in knowledge is wrong.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

// === impl Normalizer ===

impl Normalizer {
    /// A normalizer with these sources.
    pub fn new(config: &Config) -> Result<Self, NormalizerError> {
        config.check()?;
        Ok(Self {
            plans: config.sources.iter().map(Plan::new).collect(),
            vocabulary: Vocabulary::parse(VOCABULARY)?,
            overwrite_schema_url: config.overwrite_schema_url,
        })
    }

    /// Applies all sources, in their order, to all spans; says how many spans have attributes that were written.
    pub fn process(&self, traces: &mut Traces) -> usize {
        let mut written = Vec::new();
        for plan in &self.plans {
            self.apply(plan, traces, &mut written);
        }
        written.sort_unstable();
        written.dedup();
        if !written.is_empty() {
            self.set_schema_urls(traces, &written);
        }
        written.len()
    }

    /// Applies one source, and notes the spans that it wrote to.
    fn apply(&self, plan: &Plan, traces: &mut Traces, written: &mut Vec<SpanIx>) {
        // Shares the bytes: what is read stays while edits are made.
        let snapshot = traces.clone();
        let mut sheet = Sheet::new(plan);
        let mut patch = Patch::new(Part::Span);
        for span in snapshot.spans() {
            if !sheet.read(&span) {
                continue;
            }
            mapping::apply(plan, &mut sheet, &self.vocabulary);
            conversation::apply(plan, &mut sheet, &self.vocabulary, span.status().code == 2);
            sheet.fill(&mut patch);
            traces.apply(span.ix(), &patch);
            if sheet.wrote() {
                written.push(span.ix());
            }
        }
    }

    /// Tells the version of the conventions on the scopes of spans that were written to. `written` is in ascending order.
    fn set_schema_urls(&self, traces: &mut Traces, written: &[SpanIx]) {
        let snapshot = traces.clone();
        let wanted = |scope: &ScopeRef<'_>| match scope.schema_url() {
            b"" => true,
            other => self.overwrite_schema_url && other != SCHEMA_URL.as_bytes(),
        };
        for scope in snapshot.scopes().filter(wanted) {
            if scope.spans().any(|span| written.binary_search(&span.ix()).is_ok()) {
                traces.set_schema_url(scope.ix(), SCHEMA_URL);
            }
        }
    }
}
