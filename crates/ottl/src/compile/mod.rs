//! Syntax trees to programs: names are looked up, literals checked, attribute keys numbered.

mod call;
mod editor;
mod infer;
mod path;
mod value;

use spanmill_otlp::Signal;

use crate::ast;
use crate::context::Context;
use crate::eval::bool::Bool;
use crate::eval::level::Levels;
use crate::eval::slots::{Slots, SlotsBuilder};
use crate::functions;
use crate::parse::SyntaxError;

pub(crate) use editor::Ready;
pub(crate) use infer::{infer, infer_all};

/// How the paths of a text say what they belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Paths {
    /// A path belongs to this context, unless it begins with the name of another one that can be reached: `name`,
    /// `resource.attributes["x"]`.
    Unprefixed(Context),
    /// Every path begins with the name of its context: `span.name`. The lowest context that is named is the one that the
    /// text is evaluated in.
    Prefixed,
}

/// Gathers the attribute keys of several conditions, so that one scan of a span serves them all.
#[derive(Debug, Clone)]
pub struct Compiler {
    slots: SlotsBuilder,
    signal: Signal,
    lambdas: bool,
    sampling: bool,
    points: bool,
}

/// Something that does not exist, or is not used as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompileError {
    pub(crate) at: usize,
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
}

/// One text being compiled.
pub(crate) struct Scope<'c> {
    slots: &'c mut SlotsBuilder,
    context: Context,
    prefixed: bool,
    lambdas: bool,
    /// Levels whose attributes, or events, are read as a whole.
    whole: Levels,
    sampling: bool,
    points: bool,
    /// Parameters of the lambdas around, from the outermost; blank ones have no name.
    locals: Vec<Option<String>>,
}

type Result<T> = std::result::Result<T, CompileError>;

// === impl Compiler ===

impl Compiler {
    /// Nothing compiled yet, for spans.
    pub fn new() -> Self {
        Self { slots: SlotsBuilder::default(), signal: Signal::Traces, lambdas: false, sampling: false, points: false }
    }

    /// For another signal, which has contexts of its own.
    #[must_use]
    pub fn with_signal(self, signal: Signal) -> Self {
        Self { signal, ..self }
    }

    pub(crate) fn signal(&self) -> Signal {
        self.signal
    }

    /// Whether functions may take lambdas. The Collector refuses them unless its feature gate
    /// `ottl.functions.enableLambda` is on, and so does a compiler by default.
    #[must_use]
    pub fn with_lambdas(self, lambdas: bool) -> Self {
        Self { lambdas, ..self }
    }

    /// Whether there is the function `AdjustedCount`, which the Collector has where metrics are made of spans.
    #[must_use]
    pub fn with_adjusted_count(self, sampling: bool) -> Self {
        Self { sampling, ..self }
    }

    /// Whether there are the functions that ask for attributes of any point of a metric, which the Collector has where metrics are filtered.
    #[must_use]
    pub fn with_point_functions(self, points: bool) -> Self {
        Self { points, ..self }
    }

    /// What the compiled conditions read. They are evaluated on frames of these slots only.
    pub fn finish(self) -> Slots {
        self.slots.build()
    }

    /// A condition, and the levels that it reads as a whole.
    pub(crate) fn compile(
        &mut self,
        context: Context,
        prefixed: bool,
        condition: &ast::Bool,
    ) -> Result<(Bool, Levels)> {
        let mut scope = self.scope(context, prefixed);
        Ok((scope.boolean(condition)?, scope.whole))
    }

    pub(crate) fn value(
        &mut self,
        context: Context,
        prefixed: bool,
        value: &ast::Value,
    ) -> Result<crate::eval::expr::Expr> {
        self.scope(context, prefixed).value(value)
    }

    fn scope(&mut self, context: Context, prefixed: bool) -> Scope<'_> {
        let Self { slots, lambdas, sampling, points, .. } = self;
        Scope {
            slots,
            context,
            prefixed,
            lambdas: *lambdas,
            sampling: *sampling,
            points: *points,
            whole: Levels::default(),
            locals: Vec::new(),
        }
    }
}

impl Default for Compiler {
    fn default() -> Self {
        Self::new()
    }
}

// === impl CompileError ===

impl CompileError {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), suggestion: None }
    }

    /// A function that there is not, or not in this context; of those that there are, the name and the only context that has it.
    fn undefined(
        name: &ast::Name,
        context: Context,
        known: impl Iterator<Item = (&'static str, Option<Context>)>,
    ) -> Self {
        let (same, others): (Vec<_>, Vec<_>) = known.partition(|(known, _)| *known == name.text);
        let elsewhere = same.iter().find_map(|(_, only)| only.filter(|only| *only != context));
        if let Some(only) = elsewhere {
            let (here, there) = (context.name(), only.name());
            let message = format!("undefined function {:?} in the context {here}, {there} has it", name.text);
            return Self::new(name.at, message);
        }
        // One that is offered elsewhere only is no help here.
        let others = others.into_iter().filter(|(_, only)| only.is_none_or(|only| only == context));
        Self::new(name.at, format!("undefined function {:?}", name.text))
            .nearest(&name.text, others.map(|(known, _)| known))
    }

    /// The same with the nearest of the valid names.
    pub(crate) fn nearest<'n>(self, name: &str, valid: impl IntoIterator<Item = &'n str>) -> Self {
        let lower = name.to_lowercase();
        let rank = |candidate: &'n str| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate);
        let best = valid.into_iter().map(rank).min();
        let suggestion = best.filter(|(distance, _)| *distance <= 1 + name.len() / 3).map(|(_, name)| name.to_owned());
        Self { suggestion, ..self }
    }
}

impl From<SyntaxError> for CompileError {
    fn from(error: SyntaxError) -> Self {
        let converted = Self::new(error.at, error.message);
        match error.function {
            Some(name) => converted.nearest(&functions::camel(&name), functions::all().map(|function| function.name)),
            None => converted,
        }
    }
}

// === impl Scope ===

impl Scope<'_> {
    fn boolean(&mut self, condition: &ast::Bool) -> Result<Bool> {
        Ok(match condition {
            ast::Bool::Or(terms) => Bool::or(self.booleans(terms)?),
            ast::Bool::And(terms) => Bool::and(self.booleans(terms)?),
            ast::Bool::Not(inner) => Bool::not(self.boolean(inner)?),
            ast::Bool::Literal(value) => Bool::Const(*value),
            ast::Bool::Call(call) => Bool::Call(self.call(call)?),
            ast::Bool::Compare(comparison) => {
                let left = self.value(&comparison.left)?;
                let right = self.value(&comparison.right)?;
                Bool::compare(left, comparison.op, right)
            }
        })
    }

    fn booleans(&mut self, terms: &[ast::Bool]) -> Result<Vec<Bool>> {
        terms.iter().map(|term| self.boolean(term)).collect()
    }
}
