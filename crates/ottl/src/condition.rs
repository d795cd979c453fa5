//! Conditions, alone and in sets.

use std::fmt;
use std::sync::Arc;

use crate::ast::{self, CompareOp};
use crate::compile::{CompileError, Compiler, Paths, infer};
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::bool::Bool;
use crate::eval::expr::{Env, Expr};
use crate::eval::frame::Frame;
use crate::eval::level::Levels;
use crate::eval::path::Path;
use crate::parse;

/// A compiled condition.
#[derive(Debug)]
pub struct Condition {
    text: Arc<str>,
    context: Context,
    compiled: Bool,
    /// The levels that it reads as a whole.
    whole: Levels,
}

/// Conditions of which any may be true.
#[derive(Debug)]
pub struct ConditionSet {
    conditions: Vec<Condition>,
    mode: ErrorMode,
}

/// What becomes of an error while evaluating.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ErrorMode {
    /// The error is told, and evaluation goes on with the next condition or statement.
    #[default]
    Ignore,
    /// Evaluation ends with the error.
    Propagate,
    /// As ignore, without telling.
    Silent,
}

/// A text that names no error mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown error mode {0:?}, valid are ignore, propagate and silent")]
pub struct UnknownErrorMode(String);

/// A text that is no condition, or no statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The whole text.
    pub text: String,
    /// Where it goes wrong: line and column, both from 1; columns count characters.
    pub position: (usize, usize),
    /// What is wrong.
    pub message: String,
    /// The nearest valid name, where a name was not known.
    pub suggestion: Option<String>,
}

/// A condition could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to evaluate condition {text:?}: {error}")]
pub struct ConditionError {
    /// The condition.
    pub text: Arc<str>,
    /// Why.
    #[source]
    pub error: EvalError,
}

// === impl Condition ===

impl Condition {
    /// Parses and compiles a condition.
    ///
    /// # Errors
    ///
    /// Fails where the text is not of the grammar, or names a path, a function or an enum that is not there.
    pub fn parse(compiler: &mut Compiler, paths: Paths, text: &str) -> Result<Self, ParseError> {
        match paths {
            Paths::Unprefixed(context) => Self::parse_in(compiler, context, false, text),
            Paths::Prefixed => {
                let parsed = parse::condition(text).map_err(|error| ParseError::new(text, error.into()))?;
                let context = infer(&parsed, compiler.signal()).map_err(|error| ParseError::new(text, error))?;
                Self::parse_in(compiler, context, true, text)
            }
        }
    }

    /// As [`Condition::parse`], in a known context, whose paths may have to begin with a prefix.
    pub(crate) fn parse_in(
        compiler: &mut Compiler,
        context: Context,
        prefixed: bool,
        text: &str,
    ) -> Result<Self, ParseError> {
        let parsed = parse::condition(text).map_err(|error| ParseError::new(text, error.into()))?;
        Self::compile(compiler, context, prefixed, text, &parsed)
    }

    /// Compiles a condition that was read.
    pub(crate) fn compile(
        compiler: &mut Compiler,
        context: Context,
        prefixed: bool,
        text: &str,
        parsed: &ast::Bool,
    ) -> Result<Self, ParseError> {
        let compiled = compiler.compile(context, prefixed, parsed).map_err(|error| ParseError::new(text, error));
        let (compiled, whole) = compiled?;
        Ok(Self { text: text.into(), context, compiled, whole })
    }

    /// What it is evaluated for.
    pub fn context(&self) -> Context {
        self.context
    }

    /// As it was written.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether it is met by what the frame stands at. The frame must be of the compiler that the condition was parsed with.
    ///
    /// # Errors
    ///
    /// Fails where a function or an operator cannot deal with the values found.
    #[inline]
    pub fn eval(&self, frame: &Frame<'_>) -> Result<bool, EvalError> {
        self.compiled.eval(&Env { frame, locals: &[] })
    }
}

// === impl ConditionSet ===

impl ConditionSet {
    /// A set with its error mode.
    pub fn new(conditions: Vec<Condition>, mode: ErrorMode) -> Self {
        Self { conditions, mode }
    }

    /// The levels that its conditions read as a whole.
    pub(crate) fn whole(&self) -> Levels {
        self.conditions.iter().fold(Levels::default(), |levels, condition| levels.and(condition.whole))
    }

    /// Whether there is no condition, so that nothing is ever met.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether any of the conditions is met. `ignored` is told of errors that the mode says to tell and go on.
    ///
    /// # Errors
    ///
    /// Fails at the first error where the mode is to propagate them.
    #[inline]
    pub fn eval(
        &self,
        frame: &Frame<'_>,
        ignored: &mut dyn FnMut(&Condition, &EvalError),
    ) -> Result<bool, ConditionError> {
        for condition in &self.conditions {
            match (condition.eval(frame), self.mode) {
                (Ok(true), _) => return Ok(true),
                (Ok(false), _) | (Err(_), ErrorMode::Silent) => {}
                (Err(error), ErrorMode::Ignore) => ignored(condition, &error),
                (Err(error), ErrorMode::Propagate) => {
                    return Err(ConditionError { text: condition.text.clone(), error });
                }
            }
        }
        Ok(false)
    }
}

// === impl ErrorMode ===

impl std::str::FromStr for ErrorMode {
    type Err = UnknownErrorMode;

    fn from_str(text: &str) -> Result<Self, UnknownErrorMode> {
        match text.to_ascii_lowercase().as_str() {
            "ignore" => Ok(Self::Ignore),
            "propagate" => Ok(Self::Propagate),
            "silent" => Ok(Self::Silent),
            _ => Err(UnknownErrorMode(text.to_owned())),
        }
    }
}

// === impl ParseError ===

impl ParseError {
    pub(crate) fn new(text: &str, error: CompileError) -> Self {
        let before = text.get(..error.at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let CompileError { message, suggestion, .. } = error;
        Self { text: text.to_owned(), position: (line, column), message, suggestion }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.position;
        write!(f, "cannot parse OTTL {:?} at {line}:{column}: {}", self.text, self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, ", did you mean {suggestion:?}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ParseError {}

// === impl Bool ===

impl Bool {
    /// A comparison; of two constants it is decided at once.
    pub(crate) fn compare(left: Expr, op: CompareOp, right: Expr) -> Self {
        match (left, right) {
            (Expr::Const(a), Expr::Const(b)) => Self::Const(crate::eval::compare::compare(&a, op, &b)),
            (Expr::Path(Path::Attribute { level, slot, rest }), Expr::Const(constant)) if rest.is_empty() => {
                Self::CompareAttribute(Box::new((level, slot, op, constant)))
            }
            (left, right) => Self::Compare(Box::new((left, op, right))),
        }
    }
}
