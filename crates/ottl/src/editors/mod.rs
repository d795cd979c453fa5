//! The editors by name: functions that change what a path names.

mod glob;
mod keys;
mod list;
mod maps;
mod metric;
mod replace;
mod semconv;
mod set;

use std::fmt;

use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::expr::Expr;
use crate::eval::frame::Frame;
use crate::eval::path::Path;
use crate::eval::slots::SlotsBuilder;
use crate::eval::val::Val;
use crate::functions::{Arg, Args, Function, Param};

/// An editor.
pub(crate) struct Editor {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Param],
    make: Make,
    /// The only context that has it, where not all have.
    pub(crate) only: Option<Context>,
}

/// Makes a call ready, or says what is wrong with its arguments.
type Make = fn(Given, &mut SlotsBuilder) -> Result<Box<dyn Edit>, String>;

/// A call of an editor, ready to run.
pub(crate) trait Edit: fmt::Debug + Send + Sync {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError>;

    /// Whether it changes one attribute of known key only, so that its target need not be put together first.
    fn is_of_one_attribute(&self) -> bool {
        false
    }
}

/// The arguments of a call, to be taken one after the other.
pub(crate) struct Given(std::vec::IntoIter<Arg>);

const GROUPS: &[&[Editor]] = &[
    set::EDITORS,
    list::EDITORS,
    keys::EDITORS,
    maps::EDITORS,
    replace::EDITORS,
    semconv::EDITORS,
    metric::AGGREGATE,
    metric::BUCKETS,
    metric::CONVERT,
    metric::COPY,
    metric::EXPLICIT,
    metric::EXTRACT,
    metric::PERCENTILE,
];

/// All editors.
pub(crate) fn all() -> impl Iterator<Item = &'static Editor> {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// The editor of that name, where the context has it.
pub(crate) fn find(name: &str, context: Context) -> Option<&'static Editor> {
    all().find(|editor| editor.name == name && editor.only.is_none_or(|only| only == context))
}

// === impl Editor ===

impl Editor {
    const fn new(name: &'static str, params: &'static [Param], make: Make) -> Self {
        Self { name, params, make, only: None }
    }

    /// One that a single context has.
    const fn only_in(only: Context, name: &'static str, params: &'static [Param], make: Make) -> Self {
        Self { name, params, make, only: Some(only) }
    }

    /// Makes a call ready.
    pub(crate) fn make(&self, args: Args, slots: &mut SlotsBuilder) -> Result<Box<dyn Edit>, String> {
        if self.only.is_some() {
            // It is about the span or the metric itself.
            slots.reads_fields();
        }
        (self.make)(Given(args.0.into_vec().into_iter()), slots)
    }
}

// === impl Given ===

impl Given {
    fn path(&mut self) -> Result<Path, String> {
        match self.0.next() {
            Some(Arg::Path(path)) => Ok(path),
            _ => Err("a path is missing".to_owned()),
        }
    }

    fn expr(&mut self) -> Result<Expr, String> {
        self.optional_expr().ok_or_else(|| "an argument is missing".to_owned())
    }

    fn optional_expr(&mut self) -> Option<Expr> {
        match self.0.next() {
            Some(Arg::Expr(expr)) => Some(expr),
            _ => None,
        }
    }

    fn list(&mut self) -> Option<Box<[Expr]>> {
        match self.0.next() {
            Some(Arg::List(items)) => Some(items),
            _ => None,
        }
    }

    fn function(&mut self) -> Option<&'static Function> {
        match self.0.next() {
            Some(Arg::Function(function)) => Some(function),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        match self.optional_expr() {
            Some(Expr::Const(Val::Str(text))) => String::from_utf8(text.into_owned()).ok(),
            _ => None,
        }
    }

    fn int(&mut self) -> Option<i64> {
        match self.optional_expr() {
            Some(Expr::Const(Val::Int(value))) => Some(value),
            _ => None,
        }
    }

    fn double(&mut self) -> Option<f64> {
        match self.optional_expr() {
            Some(Expr::Const(Val::Double(value))) => Some(value),
            _ => None,
        }
    }

    /// The texts of a list of literals.
    fn texts(&mut self) -> Option<Vec<String>> {
        let text = |item: &Expr| match item {
            Expr::Const(Val::Str(text)) => String::from_utf8_lossy(text).into_owned(),
            _ => String::new(),
        };
        self.list().map(|items| items.iter().map(text).collect())
    }

    /// The numbers of a list of literals.
    fn doubles(&mut self) -> Vec<f64> {
        let double = |item: &Expr| match item {
            Expr::Const(Val::Double(value)) => Some(*value),
            _ => None,
        };
        self.list().map(|items| items.iter().filter_map(double).collect()).unwrap_or_default()
    }

    fn bool(&mut self) -> Option<bool> {
        match self.optional_expr() {
            Some(Expr::Const(Val::Bool(value))) => Some(value),
            _ => None,
        }
    }
}
