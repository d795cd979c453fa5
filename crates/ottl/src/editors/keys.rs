//! Editors that remove entries of maps: `delete_key`, `delete_matching_keys`, `keep_keys`, `keep_matching_keys`, `limit`.

use spanmill_otlp::Slot;

use super::replace::Pattern;
use super::{Edit, Editor};
use crate::eval::EvalError;
use crate::eval::assign::remove_slot;
use crate::eval::expr::Expr;
use crate::eval::frame::Frame;
use crate::eval::given::string;
use crate::eval::level::Level;
use crate::eval::path::Path;
use crate::eval::val::Val;
use crate::functions::{ParamKind, required};

pub(super) const EDITORS: &[Editor] = &[
    Editor::new(
        "delete_key",
        &[required("target", ParamKind::Path), required("key", ParamKind::Str)],
        |mut given, slots| {
            let (target, key) = (given.path()?, given.expr()?);
            if let (Path::Attributes(level), Expr::Const(Val::Str(name))) = (&target, &key)
                && let Some(slot) = std::str::from_utf8(name).ok().and_then(|name| slots.slot(*level, name))
            {
                return Ok(Box::new(DeleteSlot { level: *level, slot }));
            }
            Ok(Box::new(DeleteKey { target, key }))
        },
    ),
    Editor::new(
        "delete_matching_keys",
        &[required("target", ParamKind::Path), required("pattern", ParamKind::Str)],
        |given, _| matching(given, false),
    ),
    Editor::new(
        "keep_keys",
        &[required("target", ParamKind::Path), required("keys", ParamKind::Strs)],
        |mut given, _| Ok(Box::new(KeepKeys { target: given.path()?, keys: given.list().unwrap_or_default() })),
    ),
    Editor::new(
        "keep_matching_keys",
        &[required("target", ParamKind::Path), required("pattern", ParamKind::Str)],
        |given, _| matching(given, true),
    ),
    Editor::new(
        "limit",
        &[
            required("target", ParamKind::Path),
            required("limit", ParamKind::IntLiteral),
            required("priority_keys", ParamKind::StrLiterals),
        ],
        |mut given, _| {
            let (target, limit, priority) = (given.path()?, given.int(), given.list().unwrap_or_default());
            let limit = limit.unwrap_or_default();
            let limit = usize::try_from(limit).map_err(|_| format!("the limit {limit} is negative"))?;
            if limit < priority.len() {
                return Err(format!("the limit {limit} is below the number of priority keys {}", priority.len()));
            }
            Ok(Box::new(Limit { target, limit, priority }))
        },
    ),
];

/// Removes an attribute of known key.
#[derive(Debug)]
struct DeleteSlot {
    level: Level,
    slot: Slot,
}

#[derive(Debug)]
struct DeleteKey {
    target: Path,
    key: Expr,
}

/// Keeps the keys that a pattern matches, or those that it does not match.
#[derive(Debug)]
struct Matching {
    target: Path,
    pattern: Pattern,
    keep: bool,
}

#[derive(Debug)]
struct KeepKeys {
    target: Path,
    keys: Box<[Expr]>,
}

#[derive(Debug)]
struct Limit {
    target: Path,
    limit: usize,
    priority: Box<[Expr]>,
}

fn matching(mut given: super::Given, keep: bool) -> Result<Box<dyn Edit>, String> {
    Ok(Box::new(Matching { target: given.path()?, pattern: Pattern::new(given.expr()?)?, keep }))
}

/// Removes the entries that are not to stay.
fn retain<'a>(target: &'a Path, frame: &mut Frame<'a>, mut stays: impl FnMut(&[u8]) -> bool) -> Result<(), EvalError> {
    let mut entries = target.entries(frame)?;
    let before = entries.len();
    entries.retain(|(key, _)| stays(key));
    if entries.len() == before { Ok(()) } else { target.put_entries(frame, &entries) }
}

// === impl DeleteSlot ===

impl Edit for DeleteSlot {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        remove_slot(frame, self.level, self.slot);
        Ok(())
    }

    fn is_of_one_attribute(&self) -> bool {
        true
    }
}

// === impl DeleteKey ===

impl Edit for DeleteKey {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let key = string(&self.key, frame)?;
        let mut found = false;
        retain(&self.target, frame, |known| {
            found || {
                found = known == key;
                !found
            }
        })
    }
}

// === impl Matching ===

impl Edit for Matching {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let pattern = self.pattern.regex(frame)?;
        retain(&self.target, frame, |key| pattern.is_match(key) == self.keep)
    }
}

// === impl KeepKeys ===

impl Edit for KeepKeys {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let keys = self.keys.iter().map(|key| string(key, frame)).collect::<Result<Vec<_>, _>>()?;
        retain(&self.target, frame, |key| keys.contains(&key))
    }
}

// === impl Limit ===

impl Edit for Limit {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let mut entries = self.target.entries(frame)?;
        if entries.len() <= self.limit {
            return Ok(());
        }
        let priority = self.priority.iter().map(|key| string(key, frame)).collect::<Result<Vec<_>, _>>()?;
        let mut count = priority.iter().filter(|key| entries.iter().any(|(known, _)| known == *key)).count();
        entries.retain(|(key, _)| {
            if priority.contains(key) {
                return true;
            }
            let stays = count < self.limit;
            count += usize::from(stays);
            stays
        });
        self.target.put_entries(frame, &entries)
    }
}
