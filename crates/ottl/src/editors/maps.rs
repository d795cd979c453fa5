//! Editors that change the entries of maps: `merge_maps`, `flatten`, `stringify_all`, `truncate_all`.

use std::collections::HashMap;

use spanmill_otlp::{AnyValue, ValueRef};

use super::{Edit, Editor};
use crate::eval::EvalError;
use crate::eval::edits::Entry;
use crate::eval::expr::Expr;
use crate::eval::frame::Frame;
use crate::eval::given::{Given, map};
use crate::eval::path::Path;
use crate::eval::val::{elements, entries};
use crate::functions::{ParamKind, optional, required};

pub(super) const EDITORS: &[Editor] = &[
    Editor::new(
        "merge_maps",
        &[
            required("target", ParamKind::Path),
            required("source", ParamKind::Map),
            required("strategy", ParamKind::StrLiteral),
        ],
        |mut given, _| {
            let (target, source, strategy) = (given.path()?, given.expr()?, given.text().unwrap_or_default());
            let strategy = match strategy.as_str() {
                "insert" => Strategy { insert: true, update: false },
                "update" => Strategy { insert: false, update: true },
                "upsert" => Strategy { insert: true, update: true },
                other => return Err(format!("unknown strategy {other:?}, valid are insert, update and upsert")),
            };
            Ok(Box::new(MergeMaps { target, source, strategy }))
        },
    ),
    Editor::new(
        "flatten",
        &[
            required("target", ParamKind::Path),
            optional("prefix", ParamKind::StrLiteral),
            optional("depth", ParamKind::IntLiteral),
            optional("resolve_conflicts", ParamKind::BoolLiteral),
        ],
        |mut given, _| {
            let target = given.path()?;
            let (prefix, depth, resolve) = (given.text(), given.int(), given.bool());
            let depth = depth.unwrap_or(i64::MAX);
            if depth < 1 {
                return Err(format!("the depth {depth} is not above 0"));
            }
            let prefix = prefix.unwrap_or_default();
            Ok(Box::new(Flatten { target, prefix, depth, resolve: resolve.unwrap_or(false) }))
        },
    ),
    Editor::new("stringify_all", &[required("target", ParamKind::Path)], |mut given, _| {
        Ok(Box::new(StringifyAll { target: given.path()? }))
    }),
    Editor::new(
        "truncate_all",
        &[
            required("target", ParamKind::Path),
            required("limit", ParamKind::IntLiteral),
            optional("utf8_safe", ParamKind::BoolLiteral),
            optional("truncation_marker", ParamKind::StrLiteral),
        ],
        |mut given, _| {
            let target = given.path()?;
            let (limit, safe, marker) = (given.int(), given.bool(), given.text());
            let limit = limit.unwrap_or_default();
            let limit = usize::try_from(limit).map_err(|_| format!("the limit {limit} is negative"))?;
            let marker = marker.unwrap_or_default();
            if marker.len() > limit {
                return Err(format!("the marker of {} bytes is longer than the limit {limit}", marker.len()));
            }
            Ok(Box::new(TruncateAll { target, limit, safe: safe.unwrap_or(true), marker }))
        },
    ),
];

#[derive(Debug)]
struct MergeMaps {
    target: Path,
    source: Expr,
    strategy: Strategy,
}

/// What becomes of entries of the source: those that the target lacks, and those that it has.
#[derive(Debug)]
struct Strategy {
    insert: bool,
    update: bool,
}

#[derive(Debug)]
struct Flatten {
    target: Path,
    prefix: String,
    depth: i64,
    /// Whether what would have a key that is taken gets another one.
    resolve: bool,
}

#[derive(Debug)]
struct StringifyAll {
    target: Path,
}

#[derive(Debug)]
struct TruncateAll {
    target: Path,
    limit: usize,
    safe: bool,
    marker: String,
}

// === impl MergeMaps ===

impl Edit for MergeMaps {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let mut target = self.target.entries(frame)?;
        let source = map(&self.source, frame)?;
        let mut changed = false;
        for (key, value) in source {
            match target.iter_mut().find(|(known, _)| *known == key) {
                Some((_, held)) if self.strategy.update => {
                    changed |= *held != value;
                    *held = value;
                }
                None if self.strategy.insert => {
                    changed = true;
                    target.push((key, value));
                }
                _ => {}
            }
        }
        if changed { self.target.put_entries(frame, &target) } else { Ok(()) }
    }
}

// === impl Flatten ===

impl Edit for Flatten {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let target = self.target.entries(frame)?;
        let mut flat = Flat { out: Vec::new(), taken: HashMap::new(), depth: self.depth, resolve: self.resolve };
        flat.map(target.into_iter(), &self.prefix, 0);
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(flat.out.len());
        for (key, value) in flat.out {
            entries.push((frame.keep(key.as_bytes()), value));
        }
        self.target.put_entries(frame, &entries)
    }
}

/// What a map becomes whose nested maps and lists are entries of their own. Go's function, step by step.
struct Flat<'a> {
    out: Vec<(String, ValueRef<'a>)>,
    /// The keys there are, with the number of the next one that would be the same.
    taken: HashMap<String, (usize, u64)>,
    depth: i64,
    resolve: bool,
}

// === impl Flat ===

impl<'a> Flat<'a> {
    fn map(&mut self, entries: impl Iterator<Item = Entry<'a>>, prefix: &str, depth: i64) {
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}.") };
        for (key, value) in entries {
            self.value(&format!("{prefix}{}", String::from_utf8_lossy(key)), value, depth);
        }
    }

    fn value(&mut self, key: &str, value: ValueRef<'a>, depth: i64) {
        match value.get() {
            AnyValue::Map(body) if depth < self.depth => self.map(entries(body), key, depth.saturating_add(1)),
            AnyValue::Array(body) if depth < self.depth => {
                let deeper = depth.saturating_add(1) < self.depth;
                for (at, item) in elements(body).enumerate() {
                    match item.get() {
                        AnyValue::Map(body) if deeper => {
                            self.map(entries(body), &format!("{key}.{at}"), depth.saturating_add(2));
                        }
                        AnyValue::Array(body) if deeper => {
                            // Go joins the keys of lists inside lists without a dot.
                            for (inner, item) in elements(body).enumerate() {
                                self.value(&format!("{key}.{at}{inner}"), item, depth.saturating_add(3));
                            }
                        }
                        _ if self.resolve => self.put(key.to_owned(), item),
                        _ => self.put(format!("{key}.{at}"), item),
                    }
                }
            }
            _ => self.put(key.to_owned(), value),
        }
    }

    fn put(&mut self, key: String, value: ValueRef<'a>) {
        let Some((at, next)) = self.taken.get_mut(&key) else {
            self.taken.insert(key.clone(), (self.out.len(), 0));
            self.out.push((key, value));
            return;
        };
        if self.resolve {
            let other = format!("{key}.{next}");
            *next += 1;
            match self.taken.get(&other).copied() {
                Some((at, _)) => self.replace(at, value),
                None => {
                    self.taken.insert(other.clone(), (self.out.len(), 0));
                    self.out.push((other, value));
                }
            }
        } else {
            let at = *at;
            self.replace(at, value);
        }
    }

    fn replace(&mut self, at: usize, value: ValueRef<'a>) {
        if let Some((_, held)) = self.out.get_mut(at) {
            *held = value;
        }
    }
}

// === impl StringifyAll ===

impl Edit for StringifyAll {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let mut entries = self.target.entries(frame)?;
        let (mut changed, mut shown) = (false, Vec::new());
        for (_, value) in &mut entries {
            if matches!(value.get(), AnyValue::Text(_)) {
                continue;
            }
            shown.clear();
            value.put_text(&mut shown);
            if let Given::Value(text) = Given::text(&shown, frame) {
                (*value, changed) = (text, true);
            }
        }
        if changed { self.target.put_entries(frame, &entries) } else { Ok(()) }
    }
}

// === impl TruncateAll ===

impl Edit for TruncateAll {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let mut entries = self.target.entries(frame)?;
        let mut changed = false;
        for (_, value) in &mut entries {
            let AnyValue::Text(text) = value.get() else { continue };
            if text.len() <= self.limit {
                continue;
            }
            let mut end = self.limit - self.marker.len();
            // The bytes after the first one of a character begin with the bits 10.
            while self.safe && end > 0 && text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
                end -= 1;
            }
            let mut cut = text.get(..end).unwrap_or(&[]).to_vec();
            cut.extend_from_slice(self.marker.as_bytes());
            if let Given::Value(cut) = Given::text(&cut, frame) {
                (*value, changed) = (cut, true);
            }
        }
        if changed { self.target.put_entries(frame, &entries) } else { Ok(()) }
    }
}
