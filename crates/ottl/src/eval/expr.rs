//! Compiled values.

use super::EvalError;
use super::bool::Bool;
use super::compare;
use super::frame::Frame;
use super::index::index_result;
use super::math::{math, negate};
use super::path::Path;
use super::val::{ListVal, MapVal, Val, put_entry};
use crate::ast::MathOp;
use crate::functions::Call;

/// What an expression is evaluated in: the telemetry at hand, and the parameters of the lambdas around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Env<'e> {
    pub(crate) frame: &'e Frame<'e>,
    pub(crate) locals: &'e [Val<'e>],
}

/// A compiled value.
#[derive(Debug)]
pub(crate) enum Expr {
    Const(Val<'static>),
    Path(Path),
    List(Box<[Expr]>),
    Map(Box<[(Box<str>, Expr)]>),
    Math(Box<Expr>, MathOp, Box<Expr>),
    Negate(Box<Expr>),
    Call(Box<Call>),
    Index(Box<Expr>, Box<[Key]>),
    /// A parameter of a lambda, by its number from the outermost one.
    Local(usize),
}

/// A compiled key.
#[derive(Debug)]
pub(crate) enum Key {
    String(Box<str>),
    Int(i64),
    Expr(Box<Expr>),
}

/// A compiled lambda.
#[derive(Debug)]
pub(crate) struct Lambda {
    pub(crate) arity: usize,
    pub(crate) body: LambdaBody,
}

/// What a lambda gives.
#[derive(Debug)]
pub(crate) enum LambdaBody {
    Value(Expr),
    Bool(Bool),
}

// === impl Expr ===

impl Expr {
    #[inline]
    pub(crate) fn eval<'e>(&'e self, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        match self {
            Self::Const(value) => Ok(value.borrow()),
            Self::Path(path) => path.get(env),
            Self::Call(call) => call.eval(env),
            other => other.eval_composed(env),
        }
    }

    fn eval_composed<'e>(&'e self, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        match self {
            Self::Math(left, op, right) => {
                let left = left.eval(env)?;
                math(&left, *op, &right.eval(env)?)
            }
            Self::Negate(inner) => negate(&inner.eval(env)?),
            Self::Index(inner, keys) => index_result(inner.eval(env)?, keys, env),
            Self::List(items) => {
                let items = items.iter().map(|item| item.eval(env)).collect::<Result<_, _>>()?;
                Ok(Val::List(ListVal::Owned(items)))
            }
            Self::Map(entries) => {
                let mut out = Vec::new();
                for (key, value) in entries {
                    put_map_entry(&mut out, key, &value.eval(env)?)?;
                }
                Ok(Val::Map(MapVal::Encoded(out.into())))
            }
            Self::Local(number) => env
                .locals
                .get(*number)
                .map(Val::borrow)
                .ok_or(EvalError::Static("a lambda was called with too few arguments")),
            Self::Const(_) | Self::Path(_) | Self::Call(_) => self.eval(env),
        }
    }
}

/// Received lists cannot be put into a map that is written in the text; lists and maps of the text can.
pub(crate) fn put_map_entry(out: &mut Vec<u8>, key: &str, value: &Val<'_>) -> Result<(), EvalError> {
    if matches!(value, Val::Slice(_) | Val::Strings(_)) {
        return Err(EvalError::Unsupported { what: "a value in a map", found: value.type_name() });
    }
    let mut encoded = Vec::new();
    value.encode(&mut encoded)?;
    put_entry(out, key.as_bytes(), &encoded);
    Ok(())
}

// === impl Lambda ===

impl Lambda {
    /// Runs the body with arguments, and hands the result to `then`.
    pub(crate) fn call<T>(
        &self,
        env: &Env<'_>,
        args: Vec<Val<'_>>,
        then: impl FnOnce(Val<'_>) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        let mut locals: Vec<Val<'_>> = env.locals.iter().map(Val::borrow).collect();
        locals.extend(args);
        let inner = Env { frame: env.frame, locals: &locals };
        match &self.body {
            LambdaBody::Value(body) => then(body.eval(&inner)?),
            LambdaBody::Bool(body) => then(Val::Bool(body.eval(&inner)?)),
        }
    }

    /// Runs the body, which must give a boolean.
    pub(crate) fn test(&self, env: &Env<'_>, args: Vec<Val<'_>>) -> Result<bool, EvalError> {
        self.call(env, args, |result| super::convert::bool(&result))
    }
}

// === impl Val ===

impl Val<'_> {
    /// Whether two values are equal, as `==` has it.
    pub(crate) fn equals(&self, other: &Val<'_>) -> bool {
        compare::equal(self, other)
    }
}
