//! Patterns in the syntax of RE2, as Go has it, rewritten for the `regex` crate. The two differ in what `\d`, `\w`, `\s`
//! and `\b` mean, in what is literal inside of classes, and in braces that repeat nothing.

use regex::bytes::{Regex, RegexBuilder};

/// Most memory of a compiled pattern, in bytes.
const SIZE_LIMIT: usize = 4 << 20;
/// Longest pattern, in bytes.
const MAX_LEN: usize = 64 << 10;
/// Most repetitions that may be asked for.
const MAX_REPEAT: u32 = 1000;

/// Compiles a pattern.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_LEN {
        return Err(format!("longer than {MAX_LEN} bytes"));
    }
    let translated =
        Translator { rest: pattern, out: String::with_capacity(pattern.len() + 16), repeated: false }.run()?;
    RegexBuilder::new(&translated).size_limit(SIZE_LIMIT).build().map_err(|error| last_line(&error.to_string()))
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    /// Whether a repetition was read last: none may follow it.
    repeated: bool,
}

/// Messages of the `regex` crate show the pattern over several lines; the last one says what is wrong.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or(message).trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

// === impl Translator ===

impl Translator<'_> {
    fn run(mut self) -> Result<String, String> {
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
        Ok(self.out)
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

    /// `(?flags)`, `(?flags:`, `(?P<name>` and `(?<name>`; the flags are those of RE2.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if let Some(rest) = self.rest.strip_prefix('?')
            && !rest.starts_with("P<")
            && !rest.starts_with('<')
        {
            let flags = rest.find([')', ':']).and_then(|end| rest.get(..end)).unwrap_or(rest);
            if flags.contains(|flag| !matches!(flag, 'i' | 'm' | 's' | 'U' | '-')) {
                return Err("invalid or unsupported Perl syntax: only the flags i, m, s and U are known".to_owned());
            }
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
