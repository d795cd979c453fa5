//! The functions by name. A function is a name, its parameters and a body; a body that needs something made ready at
//! start, such as a compiled pattern, has a maker instead.

mod build;
mod case;
mod charset;
mod collection;
mod convert;
mod csv;
mod delimited;
mod encode;
mod format;
mod grok;
mod hash;
mod ids;
mod json;
mod lambda;
mod logarithm;
mod network;
mod pattern;
pub(crate) mod points;
pub(crate) mod re2;
pub(crate) mod sampling;
mod severity;
mod sort;
mod text;
pub(crate) mod time;
mod types;
mod url;
mod user_agent;
mod xml;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use crate::context::Context;
use crate::eval::expr::{Env, Expr, Lambda};
use crate::eval::frame::Frame;
use crate::eval::number::Number;
use crate::eval::path::Path;
use crate::eval::val::{MapVal, Time, Val, elements};
use crate::eval::{EvalError, convert as to};

pub(crate) use case::camel;
pub(crate) use pattern::{Computed, compile_pattern};

/// A function.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Param],
    pub(crate) body: Body,
    /// What it does where its only argument is a number.
    number: Option<fn(Number) -> Number>,
    /// The only context that has it, where not all have.
    pub(crate) only: Option<Context>,
}

/// A parameter.
#[derive(Debug)]
pub(crate) struct Param {
    /// As it is written in a named argument.
    pub(crate) name: &'static str,
    pub(crate) kind: ParamKind,
    pub(crate) optional: bool,
}

/// What an argument must be. A literal that cannot be made into it is refused at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParamKind {
    Any,
    Str,
    Int,
    Map,
    List,
    Bool,
    Double,
    Time,
    Duration,
    /// Made into the type where it is of another one; nil stays nil.
    StrLike,
    IntLike,
    DoubleLike,
    BoolLike,
    BytesLike,
    /// Literals only.
    StrLiteral,
    BoolLiteral,
    /// A list written in the text, of anything.
    Anys,
    /// A list of values that are made into strings: written in the text, or one value that is a list.
    StrLikes,
    Lambda,
    /// What an editor changes.
    Path,
    /// The name of a function.
    Function,
    IntLiteral,
    FloatLiteral,
    /// A list written in the text, of numbers with a point.
    FloatLiterals,
    /// A list written in the text, of literals.
    StrLiterals,
    /// A list written in the text, of strings.
    Strs,
}

/// What a function does.
pub(crate) enum Body {
    Plain(for<'e> fn(&'e Args, &'e Env<'e>) -> Result<Val<'e>, EvalError>),
    Prepared(fn(&Args) -> Result<Box<dyn Prepared>, String>),
}

/// A body with state that was made at start.
pub(crate) trait Prepared: fmt::Debug + Send + Sync {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError>;
}

/// The arguments of one call, by parameter.
#[derive(Debug, Default)]
pub(crate) struct Args(pub(crate) Box<[Arg]>);

/// An argument.
#[derive(Debug)]
pub(crate) enum Arg {
    /// An optional one that was left out.
    Missing,
    Expr(Expr),
    List(Box<[Expr]>),
    Lambda(Lambda),
    Path(Path),
    Function(&'static Function),
}

/// A compiled call.
#[derive(Debug)]
pub(crate) struct Call {
    function: &'static Function,
    args: Args,
    prepared: Option<Box<dyn Prepared>>,
}

const GROUPS: &[&[Function]] = &[
    case::FUNCTIONS,
    collection::FUNCTIONS,
    convert::FUNCTIONS,
    delimited::FUNCTIONS,
    encode::FUNCTIONS,
    format::FUNCTIONS,
    grok::FUNCTIONS,
    hash::FUNCTIONS,
    ids::FUNCTIONS,
    json::FUNCTIONS,
    lambda::FUNCTIONS,
    network::FUNCTIONS,
    pattern::FUNCTIONS,
    points::FUNCTIONS,
    severity::FUNCTIONS,
    sort::FUNCTIONS,
    sampling::FUNCTIONS,
    text::FUNCTIONS,
    time::FUNCTIONS,
    types::FUNCTIONS,
    url::FUNCTIONS,
    user_agent::FUNCTIONS,
    xml::FUNCTIONS,
];

/// All converters.
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// The converter of that name, where the context has it.
pub(crate) fn find(name: &str, context: Context) -> Option<&'static Function> {
    all().find(|function| function.name == name && function.only.is_none_or(|only| only == context))
}

/// A value of an attribute as text: nil is empty, bytes are base 64, what JSON cannot hold is named.
fn text_of(value: Val<'_>) -> Vec<u8> {
    match value {
        Val::Nil => Vec::new(),
        Val::Str(text) => text.into_owned(),
        Val::Bytes(bytes) => crate::eval::json::base64(&bytes).into_bytes(),
        Val::Double(value) if value.is_nan() => b"NaN".to_vec(),
        Val::Double(f64::INFINITY) => b"Infinity".to_vec(),
        Val::Double(f64::NEG_INFINITY) => b"-Infinity".to_vec(),
        // The exponent has as many digits as it needs.
        Val::Double(value) if value != 0.0 && !(1e-6..1e21).contains(&value.abs()) => {
            let text = format!("{value:e}");
            if text.contains("e-") { text.into_bytes() } else { text.replace('e', "e+").into_bytes() }
        }
        other => crate::eval::json::encode(&other).unwrap_or_default().into_bytes(),
    }
}

/// A parameter that must be given.
pub(crate) const fn required(name: &'static str, kind: ParamKind) -> Param {
    Param { name, kind, optional: false }
}

/// A parameter that may be left out.
pub(crate) const fn optional(name: &'static str, kind: ParamKind) -> Param {
    Param { name, kind, optional: true }
}

// === impl Function ===

impl Function {
    const fn plain(
        name: &'static str,
        params: &'static [Param],
        body: for<'e> fn(&'e Args, &'e Env<'e>) -> Result<Val<'e>, EvalError>,
    ) -> Self {
        Self { name, params, body: Body::Plain(body), number: None, only: None }
    }

    const fn prepared(
        name: &'static str,
        params: &'static [Param],
        make: fn(&Args) -> Result<Box<dyn Prepared>, String>,
    ) -> Self {
        Self { name, params, body: Body::Prepared(make), number: None, only: None }
    }
}

impl Function {
    /// Says what it does where its only argument is a number.
    const fn of_numbers(self, number: fn(Number) -> Number) -> Self {
        Self { number: Some(number), ..self }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

// === impl Call ===

impl Call {
    pub(crate) fn new(function: &'static Function, args: Args) -> Result<Self, String> {
        let prepared = match function.body {
            Body::Plain(_) => None,
            Body::Prepared(make) => Some(make(&args)?),
        };
        Ok(Self { function, args, prepared })
    }

    /// What it gives where its only argument is a number.
    pub(crate) fn number(&self, frame: &Frame<'_>) -> Option<Number> {
        let compute = self.function.number?;
        match &*self.args.0 {
            [Arg::Expr(argument)] => argument.composed_number(frame).map(compute),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn eval<'e>(&'e self, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        match (&self.prepared, &self.function.body) {
            (Some(prepared), _) => prepared.call(&self.args, env),
            (None, Body::Plain(body)) => body(&self.args, env),
            (None, Body::Prepared(_)) => Err(EvalError::Static("a function was not made ready")),
        }
    }
}

// === impl ParamKind ===

impl ParamKind {
    /// Checks a literal at start.
    pub(crate) fn check(self, value: &Val<'static>) -> Result<(), EvalError> {
        let value = value.borrow();
        match self {
            Self::Str => to::string(value).map(drop),
            Self::Int => to::int(&value).map(drop),
            Self::Double => to::double(&value).map(drop),
            Self::Bool => to::bool(&value).map(drop),
            Self::Time => to::time(&value).map(drop),
            Self::Duration => to::duration(&value).map(drop),
            Self::Map => to::map(value).map(drop),
            Self::List => to::slice(value).map(drop),
            Self::StrLike => to::string_like(value).map(drop),
            Self::IntLike => to::int_like(&value).map(drop),
            Self::DoubleLike => to::double_like(&value).map(drop),
            Self::BoolLike => to::bool_like(&value).map(drop),
            Self::BytesLike => to::bytes_like(value).map(drop),
            Self::Any
            | Self::StrLiteral
            | Self::BoolLiteral
            | Self::IntLiteral
            | Self::FloatLiteral
            | Self::FloatLiterals
            | Self::Anys
            | Self::StrLikes
            | Self::StrLiterals
            | Self::Strs
            | Self::Lambda
            | Self::Path
            | Self::Function => Ok(()),
        }
    }
}

// === impl Args ===

impl Args {
    /// The value of an argument; nil where it was left out.
    #[inline]
    pub(crate) fn get<'e>(&'e self, at: usize, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        match self.0.get(at) {
            Some(Arg::Expr(expr)) => expr.eval(env),
            _ => Ok(Val::Nil),
        }
    }

    pub(crate) fn has(&self, at: usize) -> bool {
        !matches!(self.0.get(at), None | Some(Arg::Missing))
    }

    /// The text of an argument that is a literal.
    pub(crate) fn literal(&self, at: usize) -> Option<&str> {
        match self.0.get(at) {
            Some(Arg::Expr(Expr::Const(Val::Str(text)))) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    pub(crate) fn string<'e>(&'e self, at: usize, env: &'e Env<'e>) -> Result<Cow<'e, [u8]>, EvalError> {
        to::string(self.get(at, env)?)
    }

    pub(crate) fn int(&self, at: usize, env: &Env<'_>) -> Result<i64, EvalError> {
        to::int(&self.get(at, env)?)
    }

    pub(crate) fn time(&self, at: usize, env: &Env<'_>) -> Result<Time, EvalError> {
        to::time(&self.get(at, env)?)
    }

    pub(crate) fn duration(&self, at: usize, env: &Env<'_>) -> Result<i64, EvalError> {
        to::duration(&self.get(at, env)?)
    }

    pub(crate) fn map<'e>(&'e self, at: usize, env: &'e Env<'e>) -> Result<MapVal<'e>, EvalError> {
        to::map(self.get(at, env)?)
    }

    pub(crate) fn slice<'e>(&'e self, at: usize, env: &'e Env<'e>) -> Result<Cow<'e, [u8]>, EvalError> {
        to::slice(self.get(at, env)?)
    }

    pub(crate) fn string_like<'e>(&'e self, at: usize, env: &'e Env<'e>) -> Result<Option<Cow<'e, [u8]>>, EvalError> {
        to::string_like(self.get(at, env)?)
    }

    pub(crate) fn lambda(&self, at: usize) -> Result<&Lambda, EvalError> {
        match self.0.get(at) {
            Some(Arg::Lambda(lambda)) => Ok(lambda),
            _ => Err(EvalError::Static("a lambda is missing")),
        }
    }

    /// The items of a list written in the text.
    pub(crate) fn list(&self, at: usize) -> &[Expr] {
        match self.0.get(at) {
            Some(Arg::List(items)) => items,
            _ => &[],
        }
    }

    /// Calls back with each item of a list argument as text, nil as `<nil>`. Of a received list nil is empty and bytes are
    /// base 64.
    pub(crate) fn each_text(&self, at: usize, env: &Env<'_>, mut text: impl FnMut(&[u8])) -> Result<(), EvalError> {
        let mut item = |value: Val<'_>| {
            text(to::string_like(value)?.as_deref().unwrap_or(b"<nil>"));
            Ok(())
        };
        if let Some(Arg::List(items)) = self.0.get(at) {
            return items.iter().try_for_each(|expr| item(expr.eval(env)?));
        }
        match self.get(at, env)? {
            Val::Nil => Ok(()),
            Val::Slice(body) => {
                elements(&body).for_each(|element| text(&text_of(Val::of(element))));
                Ok(())
            }
            Val::Bytes(bytes) => bytes.iter().try_for_each(|byte| item(Val::Int(i64::from(*byte)))),
            Val::List(list) => list.items().iter().try_for_each(|value| item(value.borrow())),
            Val::Strings(items) => items.into_iter().try_for_each(|text| item(Val::Str(text))),
            other => Err(EvalError::Type { expected: "list", found: other.type_name() }),
        }
    }
}
