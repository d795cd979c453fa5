//! Functions that run a lambda for every entry of a map or list.

use super::collection::put_element;
use super::{Args, Function, ParamKind, Prepared, optional, required};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::val::{MapVal, Val, elements, put_delimited, put_entry};

const SOURCE: super::Param = required("source", ParamKind::Any);
const PREDICATE: super::Param = required("predicate", ParamKind::Lambda);

type Run = for<'e> fn(&'e Args, &'e Env<'e>) -> Result<Val<'e>, EvalError>;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::prepared("Any", &[SOURCE, PREDICATE], |args| with_arity(args, &[(1, 2)], any)),
    Function::prepared("All", &[SOURCE, PREDICATE], |args| with_arity(args, &[(1, 2)], all)),
    Function::prepared("Filter", &[SOURCE, PREDICATE], |args| with_arity(args, &[(1, 2)], filter)),
    Function::prepared("Find", &[SOURCE, PREDICATE, optional("mapper", ParamKind::Lambda)], |args| {
        with_arity(args, &[(1, 2), (2, 2)], find)
    }),
    Function::prepared("MapEach", &[SOURCE, required("mapper", ParamKind::Lambda)], |args| {
        with_arity(args, &[(1, 2)], map_each)
    }),
    Function::prepared("MapKeys", &[SOURCE, required("key_mapper", ParamKind::Lambda)], |args| {
        with_arity(args, &[(1, 2)], map_keys)
    }),
    Function::prepared(
        "Reduce",
        &[SOURCE, required("seed", ParamKind::Any), required("accumulator", ParamKind::Lambda)],
        |args| with_arity(args, &[(2, 3)], reduce),
    ),
    Function::prepared(
        "When",
        &[
            required("condition", ParamKind::Lambda),
            required("true_value", ParamKind::Any),
            required("false_value", ParamKind::Any),
        ],
        |args| with_arity(args, &[(0, 0)], when),
    ),
];

/// A body whose lambdas were found to have the right number of parameters.
struct Checked(Run);

/// What is iterated over.
enum Source<'e> {
    Map(MapVal<'e>),
    List(std::borrow::Cow<'e, [u8]>),
}

fn with_arity(args: &Args, arities: &[(usize, usize)], run: Run) -> Result<Box<dyn Prepared>, String> {
    for &(at, arity) in arities {
        if let Ok(lambda) = args.lambda(at)
            && lambda.arity != arity
        {
            return Err(format!("the lambda must have {arity} parameters, but has {}", lambda.arity));
        }
    }
    Ok(Box::new(Checked(run)))
}

// === impl Checked ===

impl Prepared for Checked {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        (self.0)(args, env)
    }
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Checked")
    }
}

// === impl Source ===

impl<'e> Source<'e> {
    fn read(args: &'e Args, env: &'e Env<'e>) -> Result<Self, EvalError> {
        match args.get(0, env)? {
            Val::Map(map) => Ok(Self::Map(map)),
            other => crate::eval::convert::slice(other).map(Self::List),
        }
    }

    /// Calls back with key or index and value, until it gives something.
    fn each<T>(
        &self,
        mut entry: impl FnMut(Val<'_>, Val<'_>) -> Result<Option<T>, EvalError>,
    ) -> Result<Option<T>, EvalError> {
        match self {
            Self::Map(map) => {
                let mut found = None;
                let ended = map.each(|key, value| match entry(Val::Str(key.into()), Val::of(value)) {
                    Ok(None) => Ok(()),
                    Ok(Some(result)) => {
                        found = Some(result);
                        Err(None)
                    }
                    Err(error) => Err(Some(error)),
                });
                match ended {
                    Err(Some(error)) => Err(error),
                    _ => Ok(found),
                }
            }
            Self::List(list) => {
                for (index, element) in elements(list).enumerate() {
                    if let Some(result) = entry(Val::Int(index as i64), Val::of(element))? {
                        return Ok(Some(result));
                    }
                }
                Ok(None)
            }
        }
    }
}

fn any<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let test = args.lambda(1)?;
    let found = Source::read(args, env)?.each(|key, value| Ok(test.test(env, vec![key, value])?.then_some(())))?;
    Ok(Val::Bool(found.is_some()))
}

fn all<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let test = args.lambda(1)?;
    let failed = Source::read(args, env)?.each(|key, value| Ok((!test.test(env, vec![key, value])?).then_some(())))?;
    Ok(Val::Bool(failed.is_none()))
}

fn filter<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let test = args.lambda(1)?;
    let source = Source::read(args, env)?;
    build(&source, |out, key, value| {
        if test.test(env, vec![key.borrow(), value.borrow()])? {
            put(out, &key, &value)?;
        }
        Ok(())
    })
}

fn map_each<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let mapper = args.lambda(1)?;
    let source = Source::read(args, env)?;
    build(&source, |out, key, value| mapper.call(env, vec![key.borrow(), value], |result| put(out, &key, &result)))
}

fn map_keys<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let mapper = args.lambda(1)?;
    let map = args.map(0, env)?;
    // Where two keys become one, it keeps its first place and takes the last value.
    let mut renamed: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    map.each(|key, value| {
        let name = mapper.call(env, vec![Val::Str(key.into()), Val::of(value)], |result| {
            crate::eval::convert::string(result).map(std::borrow::Cow::into_owned)
        })?;
        match renamed.iter_mut().find(|(known, _)| *known == name) {
            Some((_, kept)) => *kept = value.raw().to_vec(),
            None => renamed.push((name, value.raw().to_vec())),
        }
        Ok::<_, EvalError>(())
    })?;
    let mut out = Vec::new();
    for (key, value) in renamed {
        put_entry(&mut out, &key, &value);
    }
    Ok(Val::Map(MapVal::Encoded(out.into())))
}

fn find<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let test = args.lambda(1)?;
    let found = Source::read(args, env)?.each(|key, value| {
        if !test.test(env, vec![key.borrow(), value.borrow()])? {
            return Ok(None);
        }
        match args.lambda(2) {
            Ok(mapper) => mapper.call(env, vec![key, value], |mapped| mapped.into_owned()).map(Some),
            Err(_) => value.into_owned().map(Some),
        }
    })?;
    Ok(found.unwrap_or(Val::Nil))
}

fn reduce<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let step = args.lambda(2)?;
    let source = Source::read(args, env)?;
    let mut sum = args.get(1, env)?.into_owned()?;
    source.each(|key, value| {
        sum = step.call(env, vec![sum.borrow(), key, value], |sum| sum.into_owned())?;
        Ok(None::<()>)
    })?;
    Ok(sum)
}

fn when<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let chosen = if args.lambda(0)?.test(env, Vec::new())? { 1 } else { 2 };
    args.get(chosen, env)
}

/// Builds a map from a map, and a list from a list.
fn build<'e>(
    source: &Source<'_>,
    mut entry: impl FnMut(&mut Vec<u8>, Val<'_>, Val<'_>) -> Result<(), EvalError>,
) -> Result<Val<'e>, EvalError> {
    let mut out = Vec::new();
    source.each(|key, value| entry(&mut out, key, value).map(|()| None::<()>))?;
    Ok(match source {
        Source::Map(_) => Val::Map(MapVal::Encoded(out.into())),
        Source::List(_) => Val::Slice(out.into()),
    })
}

/// Appends to a map where there is a key, and to a list where there is an index.
fn put(out: &mut Vec<u8>, key: &Val<'_>, value: &Val<'_>) -> Result<(), EvalError> {
    match key {
        Val::Str(key) => {
            let mut encoded = Vec::new();
            value.encode(&mut encoded)?;
            let mut entry = Vec::new();
            put_delimited(&mut entry, 0x0a, key);
            put_delimited(&mut entry, 0x12, &encoded);
            put_delimited(out, 0x0a, &entry);
            Ok(())
        }
        _ => put_element(out, value),
    }
}
