//! `ExtractGrokPatterns`: patterns made of named ones, such as `%{IP:client} %{NUMBER:status:int}`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::build::MapBuilder;
use super::re2::{self, Groups};
use super::{Args, Function, ParamKind, Prepared, optional, required};
use crate::eval::EvalError;
use crate::eval::convert as to;
use crate::eval::expr::{Env, Expr};
use crate::eval::val::Val;

pub(super) const FUNCTIONS: &[Function] = &[Function::prepared(
    "ExtractGrokPatterns",
    &[
        required("target", ParamKind::Str),
        required("pattern", ParamKind::Str),
        optional("named_captures_only", ParamKind::BoolLiteral),
        optional("pattern_definitions", ParamKind::Anys),
    ],
    |args| {
        let named_only = matches!(args.0.get(2), Some(super::Arg::Expr(Expr::Const(Val::Bool(true)))));
        let mut definitions = HashMap::new();
        for definition in args.list(3) {
            let (name, pattern) = definition_of(definition)?;
            definitions.insert(name, pattern);
        }
        let compiler = Compiler { definitions, named_only };
        let fixed = match args.literal(1) {
            Some(pattern) => Some(compiler.compile(pattern)?),
            None => None,
        };
        Ok(Box::new(Extract { compiler, fixed, last: Mutex::new(None) }))
    },
)];

/// `data/grok.txt` has a line a pattern: its name, a blank, and what it stands for. They are those of Elastic's `go-grok`.
static KNOWN: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| include_str!("data/grok.txt").lines().filter_map(|line| line.split_once(' ')).collect());

/// Most rounds of putting patterns in place of names, which ends those that name themselves.
const MAX_ROUNDS: usize = 1000;
/// Longest pattern, in bytes.
const MAX_LEN: usize = 64 << 10;

#[derive(Debug)]
struct Extract {
    compiler: Compiler,
    /// A pattern known at start.
    fixed: Option<Pattern>,
    /// A pattern that is computed for every span. Mostly it is the same as before.
    last: Mutex<Option<(Vec<u8>, Pattern)>>,
}

#[derive(Debug)]
struct Compiler {
    definitions: HashMap<String, String>,
    /// Whether patterns without a name of their own are left out of the result.
    named_only: bool,
}

/// A pattern, and the types that its groups were given.
#[derive(Debug, Clone)]
struct Pattern {
    groups: Groups,
    types: HashMap<String, String>,
}

/// `NAME=pattern`.
fn definition_of(definition: &Expr) -> Result<(String, String), String> {
    let Expr::Const(Val::Str(text)) = definition else {
        return Err("the definitions of patterns must be strings".to_owned());
    };
    let text = String::from_utf8_lossy(text);
    let (name, pattern) = text.split_once('=').ok_or_else(|| format!("{text:?} is not of the form NAME=pattern"))?;
    if name.contains(':') {
        return Err(format!("the name {name:?} of a pattern must not contain ':'"));
    }
    Ok((name.to_owned(), pattern.to_owned()))
}

/// A reference such as `%{NAME:id:type}`, and what is inside.
fn reference(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("%{") {
        let start = from + at;
        let inside = text.get(start + 2..)?;
        if let Some((inside, _)) = inside.split_once('}')
            && is_reference(inside)
        {
            return Some((text.get(start..start + inside.len() + 3)?, inside));
        }
        from = start + 2;
    }
    None
}

fn is_reference(inside: &str) -> bool {
    let word = |part: &str, dots: bool| {
        !part.is_empty()
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || (dots && matches!(c, b'.' | b'+')))
    };
    let mut parts = inside.split(':');
    parts.next().is_some_and(|name| word(name, false))
        && parts.next().is_none_or(|id| word(id, true))
        && parts.next().is_none_or(|kind| word(kind, false))
        && parts.next().is_none()
}

// === impl Compiler ===

impl Compiler {
    fn compile(&self, pattern: &str) -> Result<Pattern, String> {
        let mut types = HashMap::new();
        let expanded = self.expand(pattern, &mut types)?;
        let groups = re2::groups(&expanded)?;
        if self.named_only && !groups.has_names() {
            return Err("the pattern needs at least one named group".to_owned());
        }
        Ok(Pattern { groups, types })
    }

    fn expand(&self, pattern: &str, types: &mut HashMap<String, String>) -> Result<String, String> {
        let mut expanded = pattern.to_owned();
        for _ in 0..MAX_ROUNDS {
            let mut found = Vec::new();
            let mut rest = expanded.as_str();
            while let Some((whole, inside)) = reference(rest) {
                found.push((whole.to_owned(), inside.to_owned()));
                let end = rest.find(whole).map_or(rest.len(), |at| at + whole.len());
                rest = rest.get(end..).unwrap_or("");
            }
            if found.is_empty() {
                break;
            }
            for (whole, inside) in found {
                let mut parts = inside.split(':');
                let name = parts.next().unwrap_or("");
                let id = parts.next();
                // Names of groups have no dots.
                let group = id.unwrap_or(name).replace('.', "___");
                if let Some(kind) = parts.next() {
                    types.insert(group.clone(), kind.to_owned());
                }
                let own = self.definitions.get(name).map(String::as_str);
                let meaning = own.or_else(|| KNOWN.get(name).copied());
                let meaning = meaning.ok_or_else(|| format!("the pattern {name:?} is not known"))?;
                let replacement = match id {
                    None if self.named_only => format!("({meaning})"),
                    _ => format!("(?P<{group}>{meaning})"),
                };
                expanded = expanded.replace(&whole, &replacement);
                if expanded.len() > MAX_LEN {
                    return Err(format!("longer than {MAX_LEN} bytes"));
                }
            }
        }
        Ok(expanded)
    }
}

// === impl Pattern ===

impl Pattern {
    fn extract(&self, text: &[u8]) -> Result<Val<'static>, EvalError> {
        // Of groups of the same name the last one that matched something counts.
        let mut parts: Vec<(String, Val<'_>)> = Vec::new();
        let found = self.groups.regex.captures(text);
        for (name, part) in found.iter().flat_map(|found| self.groups.named(found)) {
            let Some(part) = part.filter(|part| !part.is_empty()) else { continue };
            let value = self.typed(name, part)?;
            let name = name.replace("___", ".");
            match parts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, kept)) => *kept = value,
                None => parts.push((name, value)),
            }
        }
        let mut map = MapBuilder::default();
        for (name, value) in parts {
            map.put(name, &value)?;
        }
        Ok(map.into_val())
    }

    fn typed<'t>(&self, name: &str, part: &'t [u8]) -> Result<Val<'t>, EvalError> {
        let text = Val::Str(Cow::Borrowed(part));
        let converted = match self.types.get(name).map(String::as_str) {
            None | Some("string") => return Ok(text),
            Some("int" | "long") => to::int_like(&text)?.map(Val::Int),
            Some("float" | "double") => to::double_like(&text)?.map(Val::Double),
            Some("bool" | "boolean") => to::bool_like(&text)?.map(Val::Bool),
            Some(other) => return Err(EvalError::parse("type of a group", other.as_bytes())),
        };
        Ok(converted.unwrap_or(Val::Nil))
    }
}

// === impl Extract ===

impl Prepared for Extract {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        if let Some(fixed) = &self.fixed {
            return fixed.extract(&args.string(0, env)?);
        }
        let pattern = self.computed(&args.string(1, env)?)?;
        pattern.extract(&args.string(0, env)?)
    }
}

impl Extract {
    fn computed(&self, text: &[u8]) -> Result<Pattern, EvalError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, pattern)) = &*last
            && known == text
        {
            return Ok(pattern.clone());
        }
        let pattern = std::str::from_utf8(text).map_err(|_| EvalError::parse("pattern", text))?;
        let pattern = self.compiler.compile(pattern).map_err(EvalError::message)?;
        *last = Some((text.to_vec(), pattern.clone()));
        Ok(pattern)
    }
}
