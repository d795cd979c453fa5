//! Queries at work: each gives one node after the other.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Mutex;

use regex::bytes::Regex;

use super::super::tree::Tree;
use super::axis_query::AxisQuery;
use super::call;
use super::compare::{compare, to_bool, to_number};
use super::navigate::Position;
use super::parse::{Compare, Operator};
use super::plan::{Axis, Plan, PlanId};
use super::{MAX_STEPS, XPathError};

/// What queries work on. `current` is the node at hand; filters and some axes move it.
pub(super) struct Run<'r> {
    pub(super) tree: &'r Tree,
    pub(super) plan: &'r [Plan],
    pub(super) patterns: &'r Mutex<HashMap<Vec<u8>, Regex>>,
    pub(super) current: Position,
    steps: usize,
}

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Number(f64),
    Text(Vec<u8>),
    /// The nodes that the query selects.
    Nodes,
}

/// A query and how far it got.
pub(super) enum Query<'r> {
    Context { done: bool },
    Root { done: bool },
    Axis(Box<AxisQuery<'r>>),
    Filter(Box<Filter<'r>>),
    Call(PlanId),
    Reverse { input: Box<Query<'r>>, left: Option<Vec<Position>> },
    Constant(Value),
    Group { input: Box<Query<'r>>, position: usize },
    Compare(Compare, Box<Query<'r>>, Box<Query<'r>>),
    Numeric(Operator, Box<Query<'r>>, Box<Query<'r>>),
    Boolean { or: bool, left: Box<Query<'r>>, right: Box<Query<'r>>, found: Option<VecDeque<Position>> },
    Union { left: Box<Query<'r>>, right: Box<Query<'r>>, found: Option<VecDeque<Position>> },
    Last { input: Box<Query<'r>>, count: Option<usize> },
    Merge { input: Box<Query<'r>>, child: Box<Query<'r>>, found: Option<VecDeque<Position>> },
}

/// A query of which a condition must be met.
pub(super) struct Filter<'r> {
    input: Query<'r>,
    condition: Query<'r>,
    position: usize,
    positions: HashMap<usize, usize>,
}

pub(super) type Result<T> = std::result::Result<T, XPathError>;

// === impl Run ===

impl<'r> Run<'r> {
    pub(super) fn new(tree: &'r Tree, plan: &'r [Plan], patterns: &'r Mutex<HashMap<Vec<u8>, Regex>>) -> Self {
        Self { tree, plan, patterns, current: Position::root(), steps: 0 }
    }

    /// Counts a step.
    pub(super) fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps > MAX_STEPS { Err(XPathError::TooManySteps) } else { Ok(()) }
    }

    /// The text of a node; long ones count as several steps.
    pub(super) fn value(&mut self, position: Position) -> Result<Vec<u8>> {
        let value = position.value(self.tree);
        self.steps += value.len() / 16;
        self.step()?;
        Ok(value)
    }
}

// === impl Query ===

impl<'r> Query<'r> {
    pub(super) fn new(plan: &'r [Plan], id: PlanId) -> Self {
        let boxed = |id: PlanId| Box::new(Self::new(plan, id));
        match plan.get(id.0) {
            None | Some(Plan::Context) => Self::Context { done: false },
            Some(Plan::Root) => Self::Root { done: false },
            Some(Plan::Axis { axis, test, input }) => {
                Self::Axis(Box::new(AxisQuery::new(*axis, test, Self::new(plan, *input))))
            }
            Some(Plan::Filter { input, condition }) => Self::Filter(Box::new(Filter {
                input: Self::new(plan, *input),
                condition: Self::new(plan, *condition),
                position: 0,
                positions: HashMap::new(),
            })),
            Some(Plan::Call { .. }) => Self::Call(id),
            Some(Plan::Reverse(input)) => Self::Reverse { input: boxed(*input), left: None },
            Some(Plan::Number(number)) => Self::Constant(Value::Number(*number)),
            Some(Plan::Text(text)) => Self::Constant(Value::Text(text.clone())),
            Some(Plan::Group(input)) => Self::Group { input: boxed(*input), position: 0 },
            Some(Plan::Compare(operator, left, right)) => Self::Compare(*operator, boxed(*left), boxed(*right)),
            Some(Plan::Numeric(operator, left, right)) => Self::Numeric(*operator, boxed(*left), boxed(*right)),
            Some(Plan::Boolean { or, left, right }) => {
                Self::Boolean { or: *or, left: boxed(*left), right: boxed(*right), found: None }
            }
            Some(Plan::Union(left, right)) => Self::Union { left: boxed(*left), right: boxed(*right), found: None },
            Some(Plan::Last(input)) => Self::Last { input: boxed(*input), count: None },
            Some(Plan::Merge { input, child }) => {
                Self::Merge { input: boxed(*input), child: boxed(*child), found: None }
            }
        }
    }

    /// The next node.
    pub(super) fn select(&mut self, run: &mut Run<'r>) -> Result<Option<Position>> {
        run.step()?;
        match self {
            Self::Context { done } => Ok((!std::mem::replace(done, true)).then_some(run.current)),
            Self::Root { done } => {
                let root = Position { node: Tree::ROOT, ..run.current };
                Ok((!std::mem::replace(done, true)).then_some(root))
            }
            Self::Axis(axis) => axis.select(run),
            Self::Filter(filter) => filter.select(run),
            Self::Reverse { input, left } => {
                if left.is_none() {
                    *left = Some(collect(input, run)?);
                }
                Ok(left.as_mut().and_then(Vec::pop))
            }
            Self::Group { input, position } => {
                let found = input.select(run)?;
                *position += usize::from(found.is_some());
                Ok(found)
            }
            Self::Boolean { or, left, right, found } => {
                if found.is_none() {
                    let root = run.current;
                    let mut first = collect(left, run)?;
                    run.current = root;
                    let second = collect(right, run)?;
                    // Of a conjunction Go keeps the last node only.
                    if *or {
                        first.extend(second);
                    } else {
                        first = second.last().or(first.last()).copied().into_iter().collect();
                    }
                    *found = Some(first.into());
                }
                Ok(found.as_mut().and_then(VecDeque::pop_front))
            }
            Self::Union { left, right, found } => {
                if found.is_none() {
                    let root = run.current;
                    let mut both = collect(left, run)?;
                    run.current = root;
                    both.extend(collect(right, run)?);
                    let mut seen = HashSet::new();
                    both.retain(|position| seen.insert(*position));
                    *found = Some(both.into());
                }
                Ok(found.as_mut().and_then(VecDeque::pop_front))
            }
            Self::Merge { input, child, found } => loop {
                if let Some(position) = found.as_mut().and_then(VecDeque::pop_front) {
                    return Ok(Some(position));
                }
                let Some(root) = input.select(run)? else {
                    *found = None;
                    return Ok(None);
                };
                child.evaluate(run)?;
                run.current = root;
                *found = Some(collect(child, run)?.into());
            },
            Self::Call(_) | Self::Constant(_) | Self::Compare(..) | Self::Numeric(..) | Self::Last { .. } => Ok(None),
        }
    }

    /// What the expression gives; queries for nodes begin anew, as far as Go's do.
    pub(super) fn evaluate(&mut self, run: &mut Run<'r>) -> Result<Value> {
        run.step()?;
        match self {
            Self::Context { done } | Self::Root { done } => *done = false,
            Self::Axis(axis) => axis.reset(run)?,
            Self::Filter(filter) => {
                filter.input.evaluate(run)?;
                filter.positions.clear();
            }
            Self::Call(id) => return call::call(run, *id),
            Self::Reverse { input, left } => {
                input.evaluate(run)?;
                *left = None;
            }
            Self::Constant(value) => return Ok(value.clone()),
            Self::Group { input, .. } => return input.evaluate(run),
            Self::Compare(operator, left, right) => {
                let (first, second) = (left.evaluate(run)?, right.evaluate(run)?);
                return compare(run, *operator, (first, left.nodes()), (second, right.nodes())).map(Value::Bool);
            }
            Self::Numeric(operator, left, right) => {
                let root = run.current;
                let value = left.evaluate(run)?;
                let first = to_number(run, &value, left.nodes())?;
                run.current = root;
                let value = right.evaluate(run)?;
                let second = to_number(run, &value, right.nodes())?;
                run.current = root;
                return Ok(Value::Number(match operator {
                    Operator::Add => first + second,
                    Operator::Subtract => first - second,
                    Operator::Multiply => first * second,
                    Operator::Divide => first / second,
                    _ => first % second,
                }));
            }
            Self::Boolean { or, left, right, .. } => {
                let root = run.current;
                let value = left.evaluate(run)?;
                if to_bool(run, &value, left.nodes())? == *or {
                    return Ok(Value::Bool(*or));
                }
                run.current = root;
                let value = right.evaluate(run)?;
                return to_bool(run, &value, right.nodes()).map(Value::Bool);
            }
            Self::Union { left, right, found } => {
                *found = None;
                left.evaluate(run)?;
                right.evaluate(run)?;
            }
            Self::Last { input, count } => {
                let count = match count {
                    Some(count) => *count,
                    None => *count.insert(collect(input, run)?.len()),
                };
                return Ok(Value::Number(count as f64));
            }
            Self::Merge { input, found, .. } => {
                input.evaluate(run)?;
                *found = None;
            }
        }
        Ok(Value::Nodes)
    }

    /// The query that gives the nodes of a value.
    pub(super) fn nodes(&mut self) -> &mut Self {
        match self {
            Self::Group { input, .. } => input.nodes(),
            other => other,
        }
    }

    /// The number of the last node among those of its input.
    fn position(&self) -> usize {
        match self {
            Self::Axis(axis) => match axis.axis {
                Axis::Attribute | Axis::Parent | Axis::Itself => 1,
                _ => axis.position,
            },
            Self::Filter(filter) => filter.position,
            Self::Group { position, .. } => *position,
            _ => 1,
        }
    }

    fn level(&self) -> usize {
        match self {
            Self::Axis(axis) if matches!(axis.axis, Axis::Descendant { .. }) => axis.level,
            _ => 0,
        }
    }
}

/// All nodes that are left.
pub(super) fn collect<'r>(query: &mut Query<'r>, run: &mut Run<'r>) -> Result<Vec<Position>> {
    let mut found = Vec::new();
    while let Some(position) = query.select(run)? {
        found.push(position);
    }
    Ok(found)
}

// === impl Filter ===

impl<'r> Filter<'r> {
    fn select(&mut self, run: &mut Run<'r>) -> Result<Option<Position>> {
        while let Some(found) = self.input.select(run)? {
            run.current = found;
            if self.meets(run)? {
                let position = self.positions.entry(self.input.level()).or_insert(0);
                *position += 1;
                self.position = *position;
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn meets(&mut self, run: &mut Run<'r>) -> Result<bool> {
        Ok(match self.condition.evaluate(run)? {
            Value::Bool(value) => value,
            Value::Text(text) => !text.is_empty(),
            Value::Number(number) => number.trunc() == self.input.position() as f64,
            Value::Nodes => self.condition.select(run)?.is_some(),
        })
    }
}
