//! `UserAgent`: the program and the operating system that a `User-Agent` names.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use regex::bytes::Regex;

use super::build::MapBuilder;
use super::{Args, Function, ParamKind, Prepared, re2, required};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::val::Val;

pub(super) const FUNCTIONS: &[Function] =
    &[Function::prepared("UserAgent", &[required("user_agent", ParamKind::Str)], |_| {
        Ok(Box::new(UserAgent { known: Mutex::default() }))
    })];

/// Most answers that are kept.
const MAX_KNOWN: usize = 1024;
/// Longest text of which the answer is kept, in bytes.
const MAX_KNOWN_LEN: usize = 1024;

/// `data/user_agents.txt` has a line a rule: `ua` or `os`, the pattern, and what the name and the parts of the version are made
/// of where that is not the next group, separated by tabs. They are those of `ua-parser`'s `uap-core`.
static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| include_str!("data/user_agents.txt").lines().filter_map(Rule::read).collect());

#[derive(Debug)]
struct UserAgent {
    known: Mutex<HashMap<Vec<u8>, Arc<Answer>>>,
}

/// A rule. Its pattern is compiled when it is first needed.
struct Rule {
    system: bool,
    pattern: &'static str,
    regex: OnceLock<Option<Regex>>,
    /// The name, and the parts of the version.
    templates: Vec<String>,
}

/// Names and versions of the program and the operating system.
#[derive(Debug)]
struct Answer {
    program: Product,
    system: Product,
}

#[derive(Debug, Default)]
struct Product {
    name: Vec<u8>,
    version: Vec<Vec<u8>>,
}

// === impl Rule ===

impl Rule {
    fn read(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        let system = fields.next()? == "os";
        let pattern = fields.next()?;
        let parts = if system { 5 } else { 4 };
        let templates = (1..=parts).map(|group| match fields.next() {
            None | Some("") => format!("${group}"),
            Some(template) => template.to_owned(),
        });
        let templates = templates.collect();
        Some(Self { system, pattern, regex: OnceLock::new(), templates })
    }

    /// What the rule makes of a text, where it matches.
    fn apply(&self, text: &[u8]) -> Option<Product> {
        let regex = self.regex.get_or_init(|| re2::compile(self.pattern).ok()).as_ref()?;
        let found = regex.captures(text)?;
        let mut parts = self.templates.iter().map(|template| {
            let mut out = Vec::new();
            found.expand(template.as_bytes(), &mut out);
            out
        });
        let name = parts.next()?;
        Some(Product { name, version: parts.collect() })
    }
}

// === impl Product ===

impl Product {
    fn find(text: &[u8], system: bool) -> Self {
        let mut last = Self::default();
        for rule in RULES.iter().filter(|rule| rule.system == system) {
            if let Some(product) = rule.apply(text) {
                last = product;
                if !last.name.is_empty() {
                    return last;
                }
            }
        }
        // The version of a rule that gave no name stays.
        Self { name: b"Other".to_vec(), ..last }
    }

    fn version(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (at, part) in self.version.iter().enumerate().filter(|(_, part)| !part.is_empty()) {
            if at > 0 {
                out.push(b'.');
            }
            out.extend_from_slice(part);
        }
        out
    }
}

// === impl UserAgent ===

impl Prepared for UserAgent {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let text = args.string(0, env)?;
        let answer = self.answer(&text);
        let mut map = MapBuilder::default();
        map.text("user_agent.name", &answer.program.name);
        map.text("user_agent.original", &text);
        map.text("user_agent.version", &answer.program.version());
        map.text("os.name", &answer.system.name);
        let version = answer.system.version();
        if !version.is_empty() {
            map.text("os.version", &version);
        }
        Ok(map.into_val())
    }
}

impl UserAgent {
    fn answer(&self, text: &[u8]) -> Arc<Answer> {
        if let Some(answer) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Arc::clone(answer);
        }
        let answer = Arc::new(Answer { program: Product::find(text, false), system: Product::find(text, true) });
        if text.len() <= MAX_KNOWN_LEN {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MAX_KNOWN {
                known.clear();
            }
            known.insert(text.to_vec(), Arc::clone(&answer));
        }
        answer
    }
}
