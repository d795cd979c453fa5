//! XPath 1.0 with a few functions of later versions, as `antchfx/xpath` has it, oddities included: what it selects is what
//! Go's Collector edits.

mod axis_query;
mod call;
mod compare;
mod function;
mod navigate;
mod parse;
mod plan;
mod query;
mod scan;

use std::collections::HashMap;
use std::sync::Mutex;

use regex::bytes::Regex;
use thiserror::Error;

use self::navigate::Position;
use self::plan::{Plan, PlanId};
use self::query::{Query, Run};
use super::tree::{NodeId, Tree};

/// Longest path, in bytes.
const MAX_LEN: usize = 8 << 10;
/// Most steps from node to node of one selection.
const MAX_STEPS: usize = 20_000_000;

/// A compiled path.
#[derive(Debug)]
pub(super) struct XPath {
    plan: Vec<Plan>,
    top: PlanId,
    /// Patterns that were compiled before.
    patterns: Mutex<HashMap<Vec<u8>, Regex>>,
}

/// What a path leads to: a node, or the name and the value of one of its attributes.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) node: NodeId,
    pub(super) attribute: Option<(String, String)>,
}

/// Why a path selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum XPathError {
    /// Arguments of functions and operators must fit.
    #[error("the XPath cannot be evaluated: {0}")]
    Evaluate(&'static str),
    /// Too much is to be looked at.
    #[error("the XPath takes too many steps in this document")]
    TooManySteps,
}

// === impl XPath ===

impl XPath {
    pub(super) fn compile(path: &str) -> Result<Self, String> {
        if path.is_empty() || path.len() > MAX_LEN {
            return Err(format!("an XPath must not be empty, and not be longer than {MAX_LEN} bytes"));
        }
        let wrong = |error: String| format!("invalid XPath {path:?}: {error}");
        let parsed = parse::parse(path).map_err(wrong)?;
        let (plan, top) = plan::build(&parsed).map_err(wrong)?;
        Ok(Self { plan, top, patterns: Mutex::default() })
    }

    /// The nodes found, in the order in which they are found.
    pub(super) fn select(&self, tree: &Tree) -> Result<Vec<Found>, XPathError> {
        let mut run = Run::new(tree, &self.plan, &self.patterns);
        let mut query = Query::new(&self.plan, self.top);
        let mut found = Vec::new();
        while let Some(position) = query.select(&mut run)? {
            run.current = position;
            found.push(Found { node: position.node, attribute: attribute(tree, position) });
        }
        Ok(found)
    }
}

fn attribute(tree: &Tree, position: Position) -> Option<(String, String)> {
    let found = tree.get(position.node).attributes.get(position.attribute?)?;
    position.is_attribute(tree).then(|| (found.local.clone(), found.value.clone()))
}
