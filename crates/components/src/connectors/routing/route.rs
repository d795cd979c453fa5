use std::sync::Arc;

use spanmill_ottl::{Condition, Deletion};
use spanmill_pipeline::Consumer;

use super::config::Action;
use super::request::RequestCondition;

/// A condition, and where spans go that meet it.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) test: Test,
    /// What is removed from spans that take this route.
    pub(super) deletion: Option<Deletion>,
    /// As it was written.
    pub(super) text: String,
    /// The number of the target.
    pub(super) target: usize,
    pub(super) action: Action,
}

/// What a route asks.
#[derive(Debug)]
pub(super) enum Test {
    Always,
    /// Asked once a request.
    Request(RequestCondition),
    /// Asked once a resource.
    Resource(Condition),
    Span(Condition),
}

/// Pipelines that get the same spans.
pub(super) struct Target {
    pub(super) consumer: Arc<dyn Consumer>,
}

// === impl Route ===

impl Route {
    /// Whether it asks what an earlier route asks: then it can get nothing.
    pub(super) fn repeats(&self, earlier: &Self) -> bool {
        self.text == earlier.text && std::mem::discriminant(&self.test) == std::mem::discriminant(&earlier.test)
    }
}
