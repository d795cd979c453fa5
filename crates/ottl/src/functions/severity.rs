//! `ParseSeverity`: the level that a text or a number stands for.

use super::{Args, Function, ParamKind, Prepared, required};
use crate::eval::EvalError;
use crate::eval::expr::{Env, Expr};
use crate::eval::val::{MapVal, Val, elements};

pub(super) const FUNCTIONS: &[Function] = &[Function::prepared(
    "ParseSeverity",
    &[required("target", ParamKind::Any), required("mapping", ParamKind::Map)],
    |args| {
        let levels = match args.0.get(1) {
            Some(super::Arg::Expr(Expr::Const(Val::Map(mapping)))) => levels(mapping),
            _ => Err(EvalError::Static("the mapping of severities must be written in the text")),
        };
        Ok(Box::new(ParseSeverity { levels }))
    },
)];

/// The levels by name. A mapping that makes no sense is an error for every span, as in Go.
#[derive(Debug)]
struct ParseSeverity {
    levels: Result<Vec<Level>, EvalError>,
}

/// The name of a level, and what it stands for.
type Level = (Vec<u8>, Vec<Criterion>);

/// Texts and numbers of a level.
#[derive(Debug, Default)]
struct Criterion {
    equals: Vec<Vec<u8>>,
    range: Option<(i64, i64)>,
}

fn levels(mapping: &MapVal<'_>) -> Result<Vec<Level>, EvalError> {
    let mut levels = Vec::new();
    mapping.each(|level, criteria| {
        let Val::Slice(criteria) = Val::of(criteria) else {
            return Err(EvalError::Static("the criteria of a severity must be a list"));
        };
        let criteria = elements(&criteria).map(|criterion| match Val::of(criterion) {
            Val::Map(map) => Criterion::read(&map),
            _ => Err(EvalError::Static("a criterion of a severity must be a map")),
        });
        levels.push((level.to_vec(), criteria.collect::<Result<_, _>>()?));
        Ok(())
    })?;
    Ok(levels)
}

// === impl Criterion ===

impl Criterion {
    fn read(map: &MapVal<'_>) -> Result<Self, EvalError> {
        let mut criterion = Self::default();
        if let Some(equals) = map.get(b"equals") {
            let Val::Slice(equals) = Val::of(equals) else {
                return Err(EvalError::Static("equals must be a list"));
            };
            for text in elements(&equals) {
                criterion.equals.push(crate::eval::convert::string(Val::of(text))?.into_owned());
            }
        }
        if let Some(range) = map.get(b"range") {
            criterion.range = Some(match Val::of(range) {
                Val::Map(range) => (bound(&range, b"min")?, bound(&range, b"max")?),
                Val::Str(name) => match name.as_ref() {
                    b"2xx" => (200, 299),
                    b"3xx" => (300, 399),
                    b"4xx" => (400, 499),
                    b"5xx" => (500, 599),
                    other => return Err(EvalError::parse("range", other)),
                },
                _ => return Err(EvalError::Static("a range must be a map or the name of one")),
            });
        }
        Ok(criterion)
    }

    fn matches(&self, value: &Val<'_>) -> Result<bool, EvalError> {
        match value {
            Val::Str(text) => Ok(self.equals.iter().any(|equal| **equal == **text)),
            Val::Int(number) => Ok(self.range.is_some_and(|(min, max)| (min..=max).contains(number))),
            other => Err(EvalError::Unsupported { what: "a severity", found: other.type_name() }),
        }
    }
}

fn bound(range: &MapVal<'_>, key: &[u8]) -> Result<i64, EvalError> {
    let value = range.get(key).ok_or(EvalError::Static("a range must have a min and a max"))?;
    crate::eval::convert::int(&Val::of(value))
}

// === impl ParseSeverity ===

impl Prepared for ParseSeverity {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let levels = self.levels.as_ref().map_err(Clone::clone)?;
        let value = args.get(0, env)?;
        for (level, criteria) in levels {
            for criterion in criteria {
                if criterion.matches(&value)? {
                    return Ok(Val::Str(level.into()));
                }
            }
        }
        Err(EvalError::Static("no severity fits"))
    }
}
