//! Calls of functions. Texts are bytes, as Go's are.

use std::sync::PoisonError;

use regex::bytes::Regex;

use super::super::super::{case, re2};
use super::XPathError;
use super::compare::{number, to_bool, to_number, to_text};
use super::function::Function;
use super::navigate::Position;
use super::plan::{Plan, PlanId};
use super::query::{Query, Result, Run, Value};

/// Most patterns that are kept compiled.
const MAX_PATTERNS: usize = 64;

/// The arguments of a call; each is evaluated from its beginning.
struct Args<'a, 'r> {
    run: &'a mut Run<'r>,
    ids: &'r [PlanId],
}

/// A text or nodes: what an argument is before it is made into something.
enum TextOr<T> {
    Text(Vec<u8>),
    Nothing,
    Other(T),
}

/// Compiles a pattern.
pub(super) fn pattern(pattern: &[u8]) -> std::result::Result<Regex, String> {
    re2::compile(std::str::from_utf8(pattern).map_err(|error| error.to_string())?)
}

/// Calls a function.
pub(super) fn call(run: &mut Run<'_>, id: PlanId) -> Result<Value> {
    let plan = run.plan;
    let Some(Plan::Call { input, function, args }) = plan.get(id.0) else { return Err(wrong("no function is called")) };
    Args { run, ids: args }.call(*function, *input)
}

fn wrong(message: &'static str) -> XPathError {
    XPathError::Evaluate(message)
}

// === impl Args ===

impl<'r> Args<'_, 'r> {
    fn call(&mut self, function: Function, input: Option<PlanId>) -> Result<Value> {
        Ok(match function {
            Function::True => Value::Bool(true),
            Function::False => Value::Bool(false),
            Function::Last => Value::Number(self.last(input)? as f64),
            Function::Position => Value::Number(self.position(input)? as f64),
            Function::LowerCase => {
                let text = self.text(0)?;
                Value::Text(case::lower(&String::from_utf8_lossy(&text)).into_bytes())
            }
            Function::StartsWith => self.test(|text, part| text.starts_with(part))?,
            Function::EndsWith => self.test(|text, part| text.ends_with(part))?,
            Function::Contains => self.test(|text, part| memchr::memmem::find(text, part).is_some())?,
            Function::Matches => self.matches()?,
            Function::Substring => self.substring()?,
            Function::SubstringBefore | Function::SubstringAfter => self.part(function == Function::SubstringAfter)?,
            Function::StringLength => match self.text_or_nodes(0)? {
                TextOr::Text(text) => Value::Number(text.len() as f64),
                _ => Value::Number(0.0),
            },
            Function::NormalizeSpace => match self.text_or_nodes(0)? {
                TextOr::Text(text) => Value::Text(normalize(&text)),
                _ => Value::Text(Vec::new()),
            },
            Function::Replace => {
                let (text, from, to) = (self.text(0)?, self.text(1)?, self.text(2)?);
                let regex = self.pattern(&from)?;
                let mut to = to;
                for group in (1..regex.captures_len()).rev() {
                    let (plain, braced) = (format!("${group}"), format!("${{{group}}}"));
                    to = replace_all(&to, plain.as_bytes(), braced.as_bytes());
                }
                Value::Text(regex.replace_all(&text, &*to).into_owned())
            }
            Function::Translate => {
                let (text, from, to) = (self.text(0)?, self.text(1)?, self.text(2)?);
                Value::Text(translate(&text, &from, &to))
            }
            Function::Not => {
                let (value, mut query) = self.value(0)?;
                Value::Bool(match value {
                    Value::Bool(value) => !value,
                    Value::Nodes => query.nodes().select(self.run)?.is_none(),
                    _ => false,
                })
            }
            Function::Name | Function::LocalName | Function::NamespaceUri => self.name(function)?,
            Function::Boolean => {
                let (value, mut query) = self.value(0)?;
                Value::Bool(to_bool(self.run, &value, query.nodes())?)
            }
            Function::Number => Value::Number(self.number(0)?),
            Function::String if self.ids.is_empty() => {
                let current = self.run.current;
                Value::Text(self.run.value(current)?)
            }
            Function::String => Value::Text(self.text(0)?),
            Function::Count => {
                let (value, mut query) = self.value(0)?;
                let mut count = 0_usize;
                while value == Value::Nodes && query.nodes().select(self.run)?.is_some() {
                    count += 1;
                }
                Value::Number(count as f64)
            }
            Function::Sum => self.sum()?,
            Function::Ceiling => Value::Number(self.number(0)?.ceil()),
            Function::Floor => Value::Number(self.number(0)?.floor()),
            Function::Round => Value::Number(round(self.number(0)?)),
            Function::Concat => {
                let mut out = Vec::new();
                for at in 0..self.ids.len() {
                    out.extend(self.text(at)?);
                }
                Value::Text(out)
            }
            Function::StringJoin => self.join()?,
            Function::Reverse => return Err(wrong("reverse gives nodes")),
        })
    }

    /// An argument, with the query for its nodes.
    fn value(&mut self, at: usize) -> Result<(Value, Query<'r>)> {
        let id = self.ids.get(at).copied().ok_or(wrong("an argument is missing"))?;
        let mut query = Query::new(self.run.plan, id);
        let value = query.evaluate(self.run)?;
        Ok((value, query))
    }

    fn text(&mut self, at: usize) -> Result<Vec<u8>> {
        let (value, mut query) = self.value(at)?;
        to_text(self.run, &value, query.nodes())
    }

    fn number(&mut self, at: usize) -> Result<f64> {
        let (value, mut query) = self.value(at)?;
        to_number(self.run, &value, query.nodes())
    }

    /// A text, or that of the first node.
    fn text_or_nodes(&mut self, at: usize) -> Result<TextOr<Value>> {
        let (value, mut query) = self.value(at)?;
        Ok(match value {
            Value::Text(text) => TextOr::Text(text),
            Value::Nodes => match query.nodes().select(self.run)? {
                Some(first) => TextOr::Text(self.run.value(first)?),
                None => TextOr::Nothing,
            },
            other => TextOr::Other(other),
        })
    }

    fn test(&mut self, test: fn(&[u8], &[u8]) -> bool) -> Result<Value> {
        let text = match self.text_or_nodes(0)? {
            TextOr::Text(text) => text,
            TextOr::Nothing => return Ok(Value::Bool(false)),
            TextOr::Other(_) => return Err(wrong("the first argument must be a text")),
        };
        match self.value(1)?.0 {
            Value::Text(part) => Ok(Value::Bool(test(&text, &part))),
            _ => Err(wrong("the second argument must be a text")),
        }
    }

    fn matches(&mut self) -> Result<Value> {
        let text = match self.text_or_nodes(0)? {
            TextOr::Text(text) => text,
            TextOr::Nothing => return Ok(Value::Text(Vec::new())),
            TextOr::Other(_) => Vec::new(),
        };
        match self.value(1)?.0 {
            Value::Text(pattern) => Ok(Value::Bool(self.pattern(&pattern)?.is_match(&text))),
            _ => Err(wrong("the pattern must be a text")),
        }
    }

    fn pattern(&mut self, text: &[u8]) -> Result<Regex> {
        let mut patterns = self.run.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = patterns.get(text) {
            return Ok(known.clone());
        }
        let regex = pattern(text).map_err(|_| wrong("the pattern is not valid"))?;
        if patterns.len() >= MAX_PATTERNS {
            patterns.clear();
        }
        patterns.insert(text.to_vec(), regex.clone());
        Ok(regex)
    }

    fn substring(&mut self) -> Result<Value> {
        let text = match self.text_or_nodes(0)? {
            TextOr::Text(text) => text,
            TextOr::Nothing => return Ok(Value::Text(Vec::new())),
            TextOr::Other(_) => Vec::new(),
        };
        let Value::Number(start) = self.value(1)?.0 else { return Err(wrong("the start must be a number")) };
        let start = start.round();
        if start > text.len() as f64 {
            return Ok(Value::Text(Vec::new()));
        }
        let part = |from: f64, to: f64| {
            // Where Go would panic there is nothing to give.
            let range = if from >= 0.0 && to >= from { text.get(from as usize..to as usize) } else { None };
            range.map(|part| Value::Text(part.to_vec())).ok_or(wrong("the part lies outside of the text"))
        };
        let len = text.len() as f64;
        if self.ids.len() < 3 {
            return if start <= 0.0 { part(0.0, len) } else { part(start - 1.0, len) };
        }
        let Value::Number(length) = self.value(2)?.0 else { return Err(wrong("the length must be a number")) };
        let length = length.round();
        if length <= 0.0 {
            return Ok(Value::Text(Vec::new()));
        }
        let length = length.min(len);
        if start < 0.0 {
            let length = length - start.abs();
            return if length <= 1.0 { Ok(Value::Text(Vec::new())) } else { part(0.0, length - 1.0) };
        }
        if start == 0.0 { part(0.0, length - 1.0) } else { part(start - 1.0, length + start - 1.0) }
    }

    /// Before or behind the first occurrence of another text.
    fn part(&mut self, after: bool) -> Result<Value> {
        let mut both = [Vec::new(), Vec::new()];
        for (at, text) in both.iter_mut().enumerate() {
            match self.text_or_nodes(at)? {
                TextOr::Text(found) => *text = found,
                TextOr::Nothing => return Ok(Value::Text(Vec::new())),
                TextOr::Other(_) => {}
            }
        }
        let [text, word] = both;
        let found = if word.is_empty() { None } else { memchr::memmem::find(&text, &word) };
        let part = found.and_then(|at| if after { text.get(at + word.len()..) } else { text.get(..at) });
        Ok(Value::Text(part.unwrap_or(&[]).to_vec()))
    }

    fn name(&mut self, function: Function) -> Result<Value> {
        let position = if self.ids.is_empty() {
            self.run.current
        } else {
            let id = self.ids.first().copied().ok_or(wrong("an argument is missing"))?;
            match Query::new(self.run.plan, id).select(self.run)? {
                Some(first) => first,
                None => return Ok(Value::Text(Vec::new())),
            }
        };
        let tree = self.run.tree;
        let (prefix, local) = (position.prefix(tree), position.local_name(tree));
        Ok(Value::Text(match function {
            Function::NamespaceUri => position.space(tree).into(),
            Function::Name if !prefix.is_empty() => format!("{prefix}:{local}").into_bytes(),
            _ => local.into(),
        }))
    }

    fn sum(&mut self) -> Result<Value> {
        let (value, mut query) = self.value(0)?;
        Ok(Value::Number(match value {
            Value::Nodes => {
                let mut sum = 0.0;
                while let Some(node) = query.nodes().select(self.run)? {
                    let text = self.run.value(node)?;
                    // Blanks around make it no number here.
                    let value = if text.trim_ascii().len() == text.len() { number(&text) } else { f64::NAN };
                    if !value.is_nan() || text.eq_ignore_ascii_case(b"nan") {
                        sum += value;
                    }
                }
                sum
            }
            Value::Number(value) => value,
            Value::Text(text) => match number(&text) {
                value if value.is_nan() => return Err(wrong("the argument of sum must be nodes or a number")),
                value => value,
            },
            Value::Bool(_) => 0.0,
        }))
    }

    fn join(&mut self) -> Result<Value> {
        let separator = match self.text_or_nodes(1)? {
            TextOr::Text(text) => text,
            _ => Vec::new(),
        };
        let (value, mut query) = self.value(0)?;
        let mut parts = Vec::new();
        match value {
            Value::Text(text) => return Ok(Value::Text(text)),
            Value::Nodes => {
                while let Some(node) = query.nodes().select(self.run)? {
                    parts.push(self.run.value(node)?);
                }
            }
            _ => {}
        }
        Ok(Value::Text(parts.join(&*separator)))
    }

    /// Among its siblings, those that the query would select as well.
    fn position(&mut self, input: Option<PlanId>) -> Result<usize> {
        let mut count = 1;
        let mut at = self.run.current;
        while at.go_back(self.run.tree) {
            self.run.step()?;
            count += usize::from(self.counts(at, input));
        }
        Ok(count)
    }

    fn last(&mut self, input: Option<PlanId>) -> Result<usize> {
        let mut count = 0;
        let mut at = self.run.current;
        at.go_first(self.run.tree);
        loop {
            self.run.step()?;
            count += usize::from(self.counts(at, input));
            if !at.go_on(self.run.tree) {
                return Ok(count);
            }
        }
    }

    fn counts(&self, at: Position, input: Option<PlanId>) -> bool {
        match input.and_then(|id| self.run.plan.get(id.0)) {
            Some(Plan::Axis { test, axis, .. })
                if !matches!(axis, super::plan::Axis::DescendantOverDescendant { .. }) =>
            {
                at.fits(test, self.run.tree)
            }
            _ => true,
        }
    }
}

/// Halves are rounded up.
fn round(value: f64) -> f64 {
    if (-0.5..0.5).contains(&value) { value * 0.0 } else { (value + 0.5).floor() }
}

/// Without blanks around, and with one blank for several.
fn normalize(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out.into_bytes()
}

/// Characters by others; those that have none are left out. The others are counted in bytes, as Go does it.
fn translate(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let from = String::from_utf8_lossy(from);
    let text = String::from_utf8_lossy(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match from.char_indices().find(|(_, known)| *known == c) {
            Some((at, _)) => out.extend(to.get(at).map(|byte| char::from(*byte))),
            None => out.push(c),
        }
    }
    out.into_bytes()
}

fn replace_all(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, from) {
        out.extend_from_slice(rest.get(..at).unwrap_or(&[]));
        out.extend_from_slice(to);
        rest = rest.get(at + from.len()..).unwrap_or(&[]);
    }
    out.extend_from_slice(rest);
    out
}
