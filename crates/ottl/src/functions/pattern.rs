//! Matching of patterns.

use std::sync::{Mutex, PoisonError};

use memchr::memmem::Finder;
use regex::bytes::Regex;

use super::build::MapBuilder;
use super::re2::Groups;
use super::{Args, Function, ParamKind, Prepared, re2, required};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::val::Val;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::prepared(
        "IsMatch",
        &[required("target", ParamKind::StrLike), required("pattern", ParamKind::Str)],
        |args| {
            Ok(match args.literal(1) {
                Some(pattern) => Box::new(Fixed(Matcher::new(pattern).map_err(|error| invalid(pattern, &error))?)),
                None => Box::new(Computed::default()),
            })
        },
    ),
    Function::prepared(
        "ExtractPatterns",
        &[required("target", ParamKind::Str), required("pattern", ParamKind::Str)],
        |args| {
            let fixed = match args.literal(1) {
                Some(pattern) => Some(re2::groups(pattern).map_err(|error| invalid(pattern, &error))?),
                None => None,
            };
            Ok(Box::new(Extract { fixed, computed: Computed::default() }))
        },
    ),
];

/// A pattern whose named groups are taken out of a text.
#[derive(Debug)]
struct Extract {
    fixed: Option<Groups>,
    computed: Computed,
}

/// A pattern known at start.
#[derive(Debug)]
struct Fixed(Matcher);

/// A pattern that is computed for every span. Mostly it is the same as before.
#[derive(Debug, Default)]
pub(crate) struct Computed {
    last: Mutex<Option<(Vec<u8>, Groups)>>,
}

/// How a text is matched. Plain text needs no regular expression.
#[derive(Debug)]
enum Matcher {
    Contains(Box<Finder<'static>>),
    StartsWith(Box<[u8]>),
    EndsWith(Box<[u8]>),
    Equals(Box<[u8]>),
    Regex(Regex),
}

/// Compiles a pattern that is known at start.
pub(crate) fn compile_pattern(pattern: &str) -> Result<Regex, String> {
    re2::compile(pattern).map_err(|error| invalid(pattern, &error))
}

fn invalid(pattern: &str, error: &str) -> String {
    format!("the pattern {pattern:?} is not valid: {error}")
}

// === impl Matcher ===

impl Matcher {
    fn new(pattern: &str) -> Result<Self, String> {
        // Whatever stands for anything at an open end does not matter to whether there is a match.
        let (start, rest) = match pattern.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, pattern.strip_prefix(".*").unwrap_or(pattern)),
        };
        let (end, core) = match rest.strip_suffix('$') {
            Some(core) => (true, core),
            None => (false, rest.strip_suffix(".*").unwrap_or(rest)),
        };
        let plain =
            |text: &str| !text.contains(['\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$']);
        if !plain(core) || pattern.len() > 4096 {
            return re2::compile(pattern).map(Self::Regex);
        }
        let core: Box<[u8]> = core.as_bytes().into();
        Ok(match (start, end) {
            (true, true) => Self::Equals(core),
            (true, false) => Self::StartsWith(core),
            (false, true) => Self::EndsWith(core),
            (false, false) => Self::Contains(Box::new(Finder::new(&core).into_owned())),
        })
    }

    #[inline]
    fn is_match(&self, text: &[u8]) -> bool {
        match self {
            Self::Contains(finder) => finder.find(text).is_some(),
            Self::StartsWith(prefix) => text.starts_with(prefix),
            Self::EndsWith(suffix) => text.ends_with(suffix),
            Self::Equals(whole) => text == &**whole,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

// === impl Fixed ===

impl Prepared for Fixed {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        Ok(Val::Bool(match args.get(0, env)? {
            Val::Str(text) => self.0.is_match(&text),
            other => match crate::eval::convert::string_like(other)? {
                Some(text) => self.0.is_match(&text),
                None => false,
            },
        }))
    }
}

// === impl Computed ===

impl Prepared for Computed {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let pattern = args.string(1, env)?;
        let regex = self.groups(&pattern)?.regex;
        let text = args.string_like(0, env)?;
        Ok(Val::Bool(text.is_some_and(|text| regex.is_match(&text))))
    }
}

impl Computed {
    pub(crate) fn regex(&self, pattern: &[u8]) -> Result<Regex, EvalError> {
        self.groups(pattern).map(|groups| groups.regex)
    }

    fn groups(&self, pattern: &[u8]) -> Result<Groups, EvalError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, groups)) = &*last
            && known == pattern
        {
            return Ok(groups.clone());
        }
        let text = std::str::from_utf8(pattern).map_err(|_| EvalError::parse("pattern", pattern))?;
        let groups = re2::groups(text).map_err(|error| EvalError::message(invalid(text, &error)))?;
        *last = Some((pattern.to_vec(), groups.clone()));
        Ok(groups)
    }
}

// === impl Extract ===

impl Prepared for Extract {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let groups = match &self.fixed {
            Some(groups) => groups,
            None => &self.computed.groups(&args.string(1, env)?)?,
        };
        if !groups.has_names() {
            return Err(EvalError::Static("the pattern needs at least one named group"));
        }
        let text = args.string(0, env)?;
        // Of groups of the same name the last one counts.
        let mut parts: Vec<(&str, &[u8])> = Vec::new();
        let found = groups.regex.captures(&text);
        for (name, part) in found.iter().flat_map(|found| groups.named(found)) {
            let part = part.unwrap_or(&[]);
            match parts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, kept)) => *kept = part,
                None => parts.push((name, part)),
            }
        }
        let mut map = MapBuilder::default();
        for (name, part) in parts {
            map.text(name, part);
        }
        Ok(map.into_val())
    }
}
