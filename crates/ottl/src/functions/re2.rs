//! Patterns in the syntax of RE2, as Go has it, rewritten for the `regex` crate. The two differ in what `\d`, `\w`, `\s`
//! and `\b` mean, in what is literal inside of classes, in braces that repeat nothing, and in the names of groups, which may
//! begin with a digit and be used twice.

use std::collections::HashSet;
use std::sync::Arc;

use regex::bytes::{Captures, Regex, RegexBuilder};

/// Most memory of a compiled pattern, in bytes.
const SIZE_LIMIT: usize = 4 << 20;
/// Longest pattern, in bytes.
const MAX_LEN: usize = 64 << 10;
/// Most repetitions that may be asked for.
const MAX_REPEAT: u32 = 1000;

/// A pattern with the names of its groups.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    pub(super) regex: Regex,
    /// By the number of the group; the first one is the whole match.
    names: Arc<[Option<String>]>,
}

/// Compiles a pattern in the syntax of RE2.
///
/// # Errors
///
/// As [`compile_groups`].
pub fn compile(pattern: &str) -> Result<Regex, String> {
    groups(pattern).map(|groups| groups.regex)
}

/// Compiles a pattern in the syntax of RE2 whose groups are asked for by number, and gives their names in order, empty ones where there
/// is none. Names may be repeated, and begin with a digit.
///
/// # Errors
///
/// Says what is wrong with a pattern that is none, is longer than 64 KiB, or needs more than 4 MiB when compiled.
pub fn compile_groups(pattern: &str) -> Result<(Regex, Vec<String>), String> {
    let groups = groups(pattern)?;
    let names = groups.names.iter().skip(1).map(|name| name.clone().unwrap_or_default()).collect();
    Ok((groups.regex, names))
}

/// Compiles a pattern of which the names of the groups are of interest.
pub(super) fn groups(pattern: &str) -> Result<Groups, String> {
    if pattern.len() > MAX_LEN {
        return Err(format!("longer than {MAX_LEN} bytes"));
    }
    let mut translator = Translator {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        names: vec![None],
        kept: HashSet::new(),
        repeated: false,
    };
    translator.run()?;
    let regex = RegexBuilder::new(&translator.out).size_limit(SIZE_LIMIT).build();
    let regex = regex.map_err(|error| last_line(&error.to_string()))?;
    Ok(Groups { regex, names: translator.names.into() })
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    names: Vec<Option<String>>,
    /// Names that stand in the translated pattern too, for the `${name}` of replacements.
    kept: HashSet<&'p str>,
    /// Whether a repetition was read last: none may follow it.
    repeated: bool,
}

/// Messages of the `regex` crate show the pattern over several lines; the last one says what is wrong.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or(message).trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

// === impl Groups ===

impl Groups {
    pub(super) fn has_names(&self) -> bool {
        self.names.iter().any(Option::is_some)
    }

    /// The named groups with what they matched; nothing where they took no part in the match.
    pub(super) fn named<'g, 't>(
        &'g self,
        found: &'g Captures<'t>,
    ) -> impl Iterator<Item = (&'g str, Option<&'t [u8]>)> {
        let texts = found.iter().map(|group| group.map(|group| group.as_bytes()));
        self.names.iter().zip(texts).filter_map(|(name, text)| Some((name.as_deref()?, text)))
    }
}

// === impl Translator ===

impl Translator<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(c) = self.next() {
            let repeated = std::mem::take(&mut self.repeated);
            match c {
                '*' | '+' | '?' => self.repeat(repeated, &c.to_string())?,
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '{' => self.brace(repeated)?,
                '(' => self.group()?,
                _ => self.out.push(c),
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    /// `{` repeats only where a whole repetition follows; elsewhere it is itself.
    fn brace(&mut self, repeated: bool) -> Result<(), String> {
        let Some((inner, after)) = self.rest.split_once('}') else {
            self.out.push_str("\\{");
            return Ok(());
        };
        let (low, high) = inner.split_once(',').unwrap_or((inner, inner));
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !number(low) || !(high.is_empty() && inner.contains(',') || number(high)) {
            self.out.push_str("\\{");
            return Ok(());
        }
        for bound in [low, high] {
            if !bound.is_empty() && !bound.parse().is_ok_and(|bound: u32| bound <= MAX_REPEAT) {
                return Err(format!("invalid repeat count: {{{inner}}}"));
            }
        }
        self.rest = after;
        self.repeat(repeated, &format!("{{{inner}}}"))
    }

    /// A repetition, with the `?` that makes it lazy.
    fn repeat(&mut self, repeated: bool, operator: &str) -> Result<(), String> {
        if repeated {
            return Err(format!("invalid nested repetition operator: {operator}"));
        }
        self.out.push_str(operator);
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.out.push('?');
            self.rest = rest;
        }
        self.repeated = true;
        Ok(())
    }

    /// `(?flags)`, `(?flags:`, `(?P<name>` and `(?<name>`; the flags are those of RE2. Names are kept aside, and in place where
    /// the `regex` crate takes them: where they begin with no digit, the first of a name.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        let Some(rest) = self.rest.strip_prefix('?') else {
            self.names.push(None);
            return Ok(());
        };
        if let Some(named) = rest.strip_prefix("P<").or(rest.strip_prefix('<')) {
            let valid =
                |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let (name, after) = named.split_once('>').filter(|(name, _)| valid(name)).ok_or("invalid named capture")?;
            self.names.push(Some(name.to_owned()));
            if !name.starts_with(|c: char| c.is_ascii_digit()) && self.kept.insert(name) {
                self.out.extend(["?P<", name, ">"]);
            }
            self.rest = after;
            return Ok(());
        }
        let flags = rest.find([')', ':']).and_then(|end| rest.get(..end)).unwrap_or(rest);
        if flags.contains(|flag| !matches!(flag, 'i' | 'm' | 's' | 'U' | '-')) {
            return Err("invalid or unsupported Perl syntax: only the flags i, m, s and U are known".to_owned());
        }
        Ok(())
    }

    /// What follows a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let c = self.next().ok_or("trailing backslash at end of expression")?;
        match c {
            'd' => self.ascii("0-9", in_class),
            'D' => self.negated("0-9", in_class),
            'w' => self.ascii("0-9A-Za-z_", in_class),
            'W' => self.negated("0-9A-Za-z_", in_class),
            's' => self.ascii("\\t\\n\\f\\r ", in_class),
            'S' => self.negated("\\t\\n\\f\\r ", in_class),
            'b' | 'B' if !in_class => self.out.push_str(if c == 'b' { "(?-u:\\b)" } else { "(?-u:\\B)" }),
            'A' | 'z' if !in_class => {
                self.out.push('\\');
                self.out.push(c);
            }
            'a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'p' | 'P' => {
                self.out.push('\\');
                self.out.push(c);
                // The braces of `\x{10ffff}` and `\p{Greek}` repeat nothing.
                if matches!(c, 'x' | 'p' | 'P')
                    && self.rest.starts_with('{')
                    && let Some(end) = self.rest.find('}')
                {
                    let (braces, after) = self.rest.split_at(end + 1);
                    self.out.push_str(braces);
                    self.rest = after;
                }
            }
            'Q' if !in_class => {
                let (literal, after) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.out.push_str(&regex::escape(literal));
                self.rest = after;
            }
            'E' if !in_class => {}
            '0'..='7' => self.octal(c)?,
            c if c.is_ascii_alphanumeric() || !c.is_ascii() => return Err(format!("invalid escape sequence: \\{c}")),
            c => self.out.push_str(&format!("\\x{{{:x}}}", u32::from(c))),
        }
        Ok(())
    }

    /// `\0` to `\377`; a single digit other than 0 would refer back, which RE2 does not do.
    fn octal(&mut self, first: char) -> Result<(), String> {
        let digits = self.rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
        if first != '0' && digits == 0 {
            return Err(format!("invalid escape sequence: \\{first}"));
        }
        let (octal, after) = self.rest.split_at(digits);
        let value = u32::from_str_radix(&format!("{first}{octal}"), 8).map_err(|error| error.to_string())?;
        self.rest = after;
        self.out.push_str(&format!("\\x{{{value:x}}}"));
        Ok(())
    }

    fn ascii(&mut self, set: &str, in_class: bool) {
        self.out.push_str(&if in_class { set.to_owned() } else { format!("[{set}]") });
    }

    fn negated(&mut self, set: &str, _in_class: bool) {
        self.out.push_str(&format!("[^{set}]"));
    }

    /// A class in brackets: what the `regex` crate reads as nested classes and set operations is literal here.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.out.push('^');
            self.rest = rest;
        }
        let mut first = true;
        loop {
            if self.rest.starts_with("[:")
                && let Some(end) = self.rest.find(":]")
            {
                let (named, after) = self.rest.split_at(end + 2);
                self.out.push_str(named);
                self.rest = after;
                first = false;
                continue;
            }
            let c = self.next().ok_or("missing closing ]")?;
            match c {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                ']' | '[' | '&' | '~' | '^' => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                // Literal at either end, between two characters it makes a range.
                '-' if first || self.rest.starts_with(']') => self.out.push_str("\\-"),
                _ => self.out.push(c),
            }
            first = false;
        }
    }
}
