//! Editors that replace text: `replace_match`, `replace_pattern`, and the same over maps.

use regex::bytes::Regex;
use spanmill_otlp::AnyValue;

use super::{Edit, Editor, glob};
use crate::eval::EvalError;
use crate::eval::edits::Entry;
use crate::eval::expr::{Env, Expr};
use crate::eval::frame::Frame;
use crate::eval::given::{Given, string};
use crate::eval::path::Path;
use crate::eval::val::Val;
use crate::functions::{Arg, Args, Call, Computed, Function, Param, ParamKind, compile_pattern, optional, required};

pub(super) const EDITORS: &[Editor] = &[
    Editor::new("replace_match", MATCH_PARAMS, |mut given, _| {
        let (target, pattern) = (given.path()?, Glob::new(given.expr()?)?);
        Ok(Box::new(ReplaceMatch { target, pattern, with: Replacement::new(given)? }))
    }),
    Editor::new("replace_all_matches", MATCH_PARAMS, |mut given, _| {
        let (target, pattern) = (given.path()?, Glob::new(given.expr()?)?);
        Ok(Box::new(ReplaceAllMatches { target, pattern, with: Replacement::new(given)? }))
    }),
    Editor::new(
        "replace_pattern",
        &[
            required("target", ParamKind::Path),
            required("regex_pattern", ParamKind::Str),
            required("replacement", ParamKind::Str),
            optional("function", ParamKind::Function),
            optional("replacement_format", ParamKind::Str),
        ],
        |mut given, _| {
            let (target, pattern) = (given.path()?, Pattern::new(given.expr()?)?);
            Ok(Box::new(ReplacePattern { target, pattern, with: Replacement::new(given)? }))
        },
    ),
    Editor::new(
        "replace_all_patterns",
        &[
            required("target", ParamKind::Path),
            required("mode", ParamKind::StrLiteral),
            required("regex_pattern", ParamKind::Str),
            required("replacement", ParamKind::Str),
            optional("function", ParamKind::Function),
            optional("replacement_format", ParamKind::Str),
        ],
        |mut given, _| {
            let (target, mode) = (given.path()?, given.text().unwrap_or_default());
            let keys = match mode.as_str() {
                "key" => true,
                "value" => false,
                other => return Err(format!("unknown mode {other:?}, valid are key and value")),
            };
            let pattern = Pattern::new(given.expr()?)?;
            Ok(Box::new(ReplaceAllPatterns { target, keys, pattern, with: Replacement::new(given)? }))
        },
    ),
];

const MATCH_PARAMS: &[Param] = &[
    required("target", ParamKind::Path),
    required("pattern", ParamKind::Str),
    required("replacement", ParamKind::Str),
    optional("function", ParamKind::Function),
    optional("replacement_format", ParamKind::Str),
];

#[derive(Debug)]
struct ReplaceMatch {
    target: Path,
    pattern: Glob,
    with: Replacement,
}

#[derive(Debug)]
struct ReplaceAllMatches {
    target: Path,
    pattern: Glob,
    with: Replacement,
}

#[derive(Debug)]
struct ReplacePattern {
    target: Path,
    pattern: Pattern,
    with: Replacement,
}

#[derive(Debug)]
struct ReplaceAllPatterns {
    target: Path,
    /// Whether keys are replaced, and not values.
    keys: bool,
    pattern: Pattern,
    with: Replacement,
}

/// A regular expression: known at start, or computed.
#[derive(Debug)]
pub(super) enum Pattern {
    Fixed(Regex),
    Computed(Expr, Computed),
}

/// A glob pattern: known at start, or computed.
#[derive(Debug)]
enum Glob {
    Fixed(Regex),
    Computed(Expr),
}

/// What takes the place of a match.
#[derive(Debug)]
struct Replacement {
    text: Expr,
    function: Option<&'static Function>,
    format: Option<Expr>,
}

/// A replacement whose text was computed.
struct Ready<'a> {
    /// For patterns a template whose groups are filled in.
    text: &'a [u8],
    function: Option<&'static Function>,
    format: Option<&'a [u8]>,
}

// === impl Pattern ===

impl Pattern {
    pub(super) fn new(pattern: Expr) -> Result<Self, String> {
        match &pattern {
            Expr::Const(Val::Str(text)) => {
                let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
                compile_pattern(text).map(Self::Fixed)
            }
            _ => Ok(Self::Computed(pattern, Computed::default())),
        }
    }

    pub(super) fn regex<'a>(&'a self, frame: &mut Frame<'a>) -> Result<Regex, EvalError> {
        match self {
            Self::Fixed(regex) => Ok(regex.clone()),
            Self::Computed(pattern, computed) => computed.regex(string(pattern, frame)?),
        }
    }
}

// === impl Glob ===

impl Glob {
    fn new(pattern: Expr) -> Result<Self, String> {
        match &pattern {
            Expr::Const(Val::Str(text)) => {
                let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
                glob::compile(text).map(Self::Fixed)
            }
            _ => Ok(Self::Computed(pattern)),
        }
    }

    fn regex<'a>(&'a self, frame: &mut Frame<'a>) -> Result<Regex, EvalError> {
        match self {
            Self::Fixed(regex) => Ok(regex.clone()),
            Self::Computed(pattern) => {
                let text = string(pattern, frame)?;
                let text = std::str::from_utf8(text).map_err(|_| EvalError::parse("pattern", text))?;
                glob::compile(text).map_err(EvalError::message)
            }
        }
    }
}

// === impl Replacement ===

impl Replacement {
    fn new(mut given: super::Given) -> Result<Self, String> {
        Ok(Self { text: given.expr()?, function: given.function(), format: given.optional_expr() })
    }

    fn ready<'a>(&'a self, frame: &mut Frame<'a>) -> Result<Ready<'a>, EvalError> {
        let text = string(&self.text, frame)?;
        let format = self.format.as_ref().map(|format| string(format, frame)).transpose()?;
        Ok(Ready { text, function: self.function, format })
    }
}

// === impl Ready ===

impl Ready<'_> {
    /// What takes the place of a whole text.
    fn whole(&self, frame: &Frame<'_>) -> Result<Vec<u8>, EvalError> {
        if self.function.is_some() { self.apply(self.text.to_vec(), frame) } else { Ok(self.text.to_vec()) }
    }

    /// A text with all matches replaced.
    fn replace(&self, regex: &Regex, text: &[u8], frame: &Frame<'_>) -> Result<Vec<u8>, EvalError> {
        if self.function.is_none() {
            return Ok(regex.replace_all(text, self.text).into_owned());
        }
        let mut out = Vec::with_capacity(text.len());
        let mut done = 0;
        for found in regex.captures_iter(text) {
            let Some(all) = found.get(0) else { continue };
            let mut replacement = Vec::new();
            found.expand(self.text, &mut replacement);
            out.extend_from_slice(text.get(done..all.start()).unwrap_or(&[]));
            out.extend_from_slice(&self.apply(replacement, frame)?);
            done = all.end();
        }
        out.extend_from_slice(text.get(done..).unwrap_or(&[]));
        Ok(out)
    }

    /// Applies the function, and then the format.
    fn apply(&self, text: Vec<u8>, frame: &Frame<'_>) -> Result<Vec<u8>, EvalError> {
        let mut text = text;
        if let Some(function) = self.function {
            if function.params.len() != 1 {
                return Err(EvalError::Static("the function must have one parameter"));
            }
            let args = Args([Arg::Expr(Expr::Const(Val::Str(text.into())))].into());
            let call = Call::new(function, args).map_err(EvalError::message)?;
            let env = Env { frame, locals: &[] };
            text = match call.eval(&env)? {
                Val::Str(text) => text.into_owned(),
                other => return Err(EvalError::Type { expected: "string", found: other.type_name() }),
            };
        }
        match self.format {
            Some(format) => formatted(format, &text),
            None => Ok(text),
        }
    }
}

/// Puts a text where `%s` stands, which must be there once.
fn formatted(format: &[u8], text: &[u8]) -> Result<Vec<u8>, EvalError> {
    let at = format.windows(2).position(|pair| pair == b"%s");
    let others = format.windows(2).any(|pair| pair.first() == Some(&b'%') && pair.get(1) != Some(&b's'));
    let (Some(at), false, false) = (at, others, format.contains(&b'\n')) else {
        return Err(EvalError::Static("the replacement format must contain %s once, and nothing else to be filled in"));
    };
    let mut out = format.get(..at).unwrap_or(&[]).to_vec();
    out.extend_from_slice(text);
    // What Go's formatting says where nothing is left to be put in.
    let rest = format.get(at + 2..).unwrap_or(&[]);
    out.extend_from_slice(String::from_utf8_lossy(rest).replace("%s", "%!s(MISSING)").as_bytes());
    Ok(out)
}

// === impl ReplaceMatch ===

impl Edit for ReplaceMatch {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let regex = self.pattern.regex(frame)?;
        let with = self.with.ready(frame)?;
        let found = current(&self.target, frame)?;
        let replacement = with.whole(frame)?;
        if !found.is_some_and(|text| regex.is_match(&text)) {
            return Ok(());
        }
        let given = Given::text(&replacement, frame);
        self.target.set(frame, given)
    }
}

/// The text that a path leads to; none where it is of another type.
fn current(target: &Path, frame: &Frame<'_>) -> Result<Option<Vec<u8>>, EvalError> {
    let env = Env { frame, locals: &[] };
    match target.get(&env)? {
        Val::Str(text) => Ok(Some(text.into_owned())),
        _ => Ok(None),
    }
}

// === impl ReplaceAllMatches ===

impl Edit for ReplaceAllMatches {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let regex = self.pattern.regex(frame)?;
        let mut entries = self.target.entries(frame)?;
        let with = self.with.ready(frame)?;
        let replacement = with.whole(frame)?;
        let Given::Value(replacement) = Given::text(&replacement, frame) else { return Ok(()) };
        let mut changed = false;
        for (_, value) in &mut entries {
            if let AnyValue::Text(text) = value.get()
                && regex.is_match(text)
            {
                (*value, changed) = (replacement, true);
            }
        }
        if changed { self.target.put_entries(frame, &entries) } else { Ok(()) }
    }
}

// === impl ReplacePattern ===

impl Edit for ReplacePattern {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let replaced = {
            let env = Env { frame: &*frame, locals: &[] };
            let found = self.target.get(&env)?;
            if found.is_nil() {
                return Ok(());
            }
            match (&found, &self.pattern) {
                // Most texts do not match: nothing is copied for them.
                (Val::Str(text), Pattern::Fixed(regex)) if !regex.is_match(text) => None,
                (Val::Str(text), _) => Some(text.to_vec()),
                _ => None,
            }
        };
        let with = self.with.ready(frame)?;
        let Some(text) = replaced else { return Ok(()) };
        let regex = self.pattern.regex(frame)?;
        if !regex.is_match(&text) {
            return Ok(());
        }
        let replaced = with.replace(&regex, &text, frame)?;
        let given = Given::text(&replaced, frame);
        self.target.set(frame, given)
    }
}

// === impl ReplaceAllPatterns ===

impl Edit for ReplaceAllPatterns {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let entries = self.target.entries(frame)?;
        let with = self.with.ready(frame)?;
        let regex = self.pattern.regex(frame)?;
        let mut changed = false;
        let mut out: Vec<Entry<'a>> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let text = match value.get() {
                _ if self.keys => Some(key),
                AnyValue::Text(text) => Some(text),
                _ => None,
            };
            let Some(text) = text.filter(|text| regex.is_match(text)) else {
                put(&mut out, key, value, self.keys);
                continue;
            };
            changed = true;
            match with.replace(&regex, text, frame) {
                Ok(replaced) if self.keys => {
                    let key = frame.keep(&replaced);
                    put(&mut out, key, value, true);
                }
                Ok(replaced) => {
                    if let Given::Value(value) = Given::text(&replaced, frame) {
                        out.push((key, value));
                    }
                }
                // As Go has it: an entry whose key cannot be made is lost, a value stays.
                Err(_) if self.keys => {}
                Err(_) => out.push((key, value)),
            }
        }
        if changed { self.target.put_entries(frame, &out) } else { Ok(()) }
    }
}

/// Adds an entry; where keys change, one may take the place of another.
fn put<'a>(out: &mut Vec<Entry<'a>>, key: &'a [u8], value: spanmill_otlp::ValueRef<'a>, unique: bool) {
    if unique && let Some((_, held)) = out.iter_mut().find(|(known, _)| *known == key) {
        *held = value;
        return;
    }
    out.push((key, value));
}
