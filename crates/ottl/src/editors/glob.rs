//! Glob patterns, as the Go Collector's `replace_match` has them (`github.com/gobwas/glob` without separators): `*` and `**`
//! stand for anything, `?` for one character, `[abc]`, `[a-z]` and `[!a-z]` for one of some, `{a,b}` for one of several
//! patterns, and a backslash takes the meaning from what follows.

use regex::bytes::{Regex, RegexBuilder};

/// Compiles a pattern, which matches whole texts.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern)?;
    let built = RegexBuilder::new(&translated).size_limit(4 << 20).build();
    built.map_err(|_| format!("the pattern {pattern:?} is too large"))
}

fn translate(pattern: &str) -> Result<String, String> {
    let invalid = |what: &str| format!("the pattern {pattern:?} is not valid: {what}");
    let mut out = String::from("^(?s:");
    let mut alternatives = 0_u32;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => {
                while chars.next_if_eq(&'*').is_some() {}
                out.push_str(".*");
            }
            '?' => out.push('.'),
            '\\' => out
                .push_str(&regex::escape(&chars.next().ok_or_else(|| invalid("it ends in a backslash"))?.to_string())),
            '{' => {
                alternatives += 1;
                out.push_str("(?:");
            }
            '}' if alternatives > 0 => {
                alternatives -= 1;
                out.push(')');
            }
            ',' if alternatives > 0 => out.push('|'),
            '[' => class(&mut chars, &mut out).ok_or_else(|| invalid("a bracket is not closed"))?,
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    if alternatives > 0 {
        return Err(invalid("a brace is not closed"));
    }
    out.push_str(")$");
    Ok(out)
}

/// One character of some: a list, or a range.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    if chars.next_if_eq(&'!').is_some() {
        out.push('^');
    }
    let mut members: Vec<char> = Vec::new();
    loop {
        match chars.next()? {
            ']' => break,
            '\\' => members.push(chars.next()?),
            c => members.push(c),
        }
    }
    match members.as_slice() {
        [] => return None,
        [low, '-', high] => {
            if low > high {
                return None;
            }
            out.push_str(&format!("{}-{}", member(*low), member(*high)));
        }
        members => members.iter().for_each(|c| out.push_str(&member(*c))),
    }
    out.push(']');
    Some(())
}

fn member(c: char) -> String {
    format!("\\x{{{:x}}}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: patterns of all kinds.
    /// Guarantees: they match the texts that they stand for as a whole, and no others.
    #[test]
    fn patterns_match() {
        for (pattern, text, expected) in [
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("**", "any\nthing", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[abz]x", "zx", true),
            ("{one,tw*}", "twelve", true),
            ("{one,tw*}", "three", false),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("a.c", "abc", false),
            ("", "", true),
            ("(a)", "(a)", true),
            ("ä?", "äö", true),
        ] {
            let regex = compile(pattern).expect(pattern);
            assert_eq!(regex.is_match(text.as_bytes()), expected, "{pattern} {text}");
        }
        for pattern in ["[a", "{a,b", "a\\", "[]"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
