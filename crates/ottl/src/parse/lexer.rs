//! Text to tokens. Rules are tried in a fixed order and the first that matches wins, so `IsMatch` is read as a run of
//! upper-case and lower-case pieces and `1e5` as an integer followed by a name.

use std::borrow::Cow;

use super::SyntaxError;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bytes,
    Float,
    Int,
    String,
    Nil,
    Not,
    Or,
    And,
    Comparison,
    Arrow,
    AddSub,
    MulDiv,
    Boolean,
    Equal,
    LParen,
    RParen,
    LBrace,
    RBrace,
    Colon,
    Comma,
    Dot,
    LBracket,
    RBracket,
    Upper,
    Lower,
    Underscore,
    End,
}

/// A token: its kind, its text (unquoted for strings) and where it begins.
#[derive(Debug, Clone)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) text: Cow<'t, str>,
    pub(crate) at: usize,
}

// === impl Kind ===

impl Kind {
    /// How the kind is called in messages.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Float => "a float",
            Self::Int => "an integer",
            Self::String => "a string",
            Self::Nil => "nil",
            Self::Not => "\"not\"",
            Self::Or => "\"or\"",
            Self::And => "\"and\"",
            Self::Comparison => "a comparison operator",
            Self::Arrow => "\"=>\"",
            Self::AddSub => "\"+\" or \"-\"",
            Self::MulDiv => "\"*\" or \"/\"",
            Self::Boolean => "a boolean",
            Self::Equal => "\"=\"",
            Self::LParen => "\"(\"",
            Self::RParen => "\")\"",
            Self::LBrace => "\"{\"",
            Self::RBrace => "\"}\"",
            Self::Colon => "\":\"",
            Self::Comma => "\",\"",
            Self::Dot => "\".\"",
            Self::LBracket => "\"[\"",
            Self::RBracket => "\"]\"",
            Self::Upper | Self::Lower => "a name",
            Self::Underscore => "\"_\"",
            Self::End => "the end",
        }
    }
}

/// Reads all tokens of a text, white space left out. The last one is [`Kind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or("");
        let blank = rest.len() - rest.trim_start_matches(['\t', '\n', '\x0c', '\r', ' ']).len();
        at += blank;
        let rest = rest.get(blank..).unwrap_or("");
        if rest.is_empty() {
            out.push(Token { kind: Kind::End, text: Cow::Borrowed(""), at });
            return Ok(out);
        }
        let (kind, len) = match_rule(rest).ok_or_else(|| SyntaxError::at(at, unknown(rest)))?;
        let raw = rest.get(..len).unwrap_or("");
        let text = match kind {
            Kind::String => Cow::Owned(
                unquote(raw).ok_or_else(|| SyntaxError::at(at, format!("invalid escape in string {}", clip(raw))))?,
            ),
            _ => Cow::Borrowed(raw),
        };
        out.push(Token { kind, text, at });
        at += len;
    }
}

fn unknown(rest: &str) -> String {
    match rest.chars().next() {
        Some('"') => "string without an end".to_owned(),
        first => format!("unexpected character {:?}", first.unwrap_or_default()),
    }
}

/// The first rule that matches at the beginning of `rest`, and how many bytes it takes.
fn match_rule(rest: &str) -> Option<(Kind, usize)> {
    let bytes = rest.as_bytes();
    let first = *bytes.first()?;
    let second = bytes.get(1).copied().unwrap_or(0);
    match first {
        b'0' if second == b'x' && bytes.get(2).is_some_and(u8::is_ascii_hexdigit) => {
            Some((Kind::Bytes, 2 + run(bytes.get(2..)?, |byte| byte.is_ascii_hexdigit())))
        }
        b'0'..=b'9' => Some(number(bytes)),
        b'.' if second.is_ascii_digit() => Some(number(bytes)),
        b'"' => string_len(bytes).map(|len| (Kind::String, len)),
        b'=' if second == b'=' => Some((Kind::Comparison, 2)),
        b'!' if second == b'=' => Some((Kind::Comparison, 2)),
        b'>' | b'<' => Some((Kind::Comparison, if second == b'=' { 2 } else { 1 })),
        b'=' if second == b'>' => Some((Kind::Arrow, 2)),
        b'+' | b'-' => Some((Kind::AddSub, 1)),
        b'*' | b'/' => Some((Kind::MulDiv, 1)),
        b'=' => Some((Kind::Equal, 1)),
        b'(' => Some((Kind::LParen, 1)),
        b')' => Some((Kind::RParen, 1)),
        b'{' => Some((Kind::LBrace, 1)),
        b'}' => Some((Kind::RBrace, 1)),
        b':' => Some((Kind::Colon, 1)),
        b',' => Some((Kind::Comma, 1)),
        b'.' => Some((Kind::Dot, 1)),
        b'[' => Some((Kind::LBracket, 1)),
        b']' => Some((Kind::RBracket, 1)),
        b'A'..=b'Z' => {
            Some((Kind::Upper, run(bytes, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')))
        }
        b'a'..=b'z' => Some(word(bytes)),
        b'_' if !is_word(second) => Some((Kind::Underscore, 1)),
        _ => None,
    }
}

/// Keywords must end at a word boundary, names need not: `andX` is the name `and` followed by the name `X`.
fn word(bytes: &[u8]) -> (Kind, usize) {
    let whole = bytes.get(..run(bytes, is_word)).unwrap_or(bytes);
    let kind = match whole {
        b"nil" => Kind::Nil,
        b"not" => Kind::Not,
        b"or" => Kind::Or,
        b"and" => Kind::And,
        b"true" | b"false" => Kind::Boolean,
        _ => {
            let len = run(bytes, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            return (Kind::Lower, len);
        }
    };
    (kind, whole.len())
}

/// Digits, with a point for a float; an exponent counts only behind a point.
fn number(bytes: &[u8]) -> (Kind, usize) {
    let digits = |from: usize| run(bytes.get(from..).unwrap_or(&[]), |byte| byte.is_ascii_digit());
    let whole = digits(0);
    if bytes.get(whole) != Some(&b'.') {
        return (Kind::Int, whole);
    }
    let mut len = whole + 1 + digits(whole + 1);
    if matches!(bytes.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    (Kind::Float, len)
}

/// Length of the string literal, quotes included; none where it does not end.
fn string_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' if bytes.get(at + 1) == Some(&b'\n') => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Resolves the escapes of a string literal, as Go's double-quoted strings have them.
fn unquote(raw: &str) -> Option<String> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = chars.next()?;
        out.push(match escape {
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '\\' => '\\',
            '"' => '"',
            'x' => char::from_u32(digits(&mut chars, 2, 16, 0)?)?,
            'u' => char::from_u32(digits(&mut chars, 4, 16, 0)?)?,
            'U' => char::from_u32(digits(&mut chars, 8, 16, 0)?)?,
            '0'..='7' => char::from_u32(digits(&mut chars, 2, 8, escape.to_digit(8)?)?).filter(|c| *c <= '\u{ff}')?,
            _ => return None,
        });
    }
    Some(out)
}

fn digits(chars: &mut std::str::Chars<'_>, count: usize, radix: u32, first: u32) -> Option<u32> {
    let mut value = first;
    for _ in 0..count {
        value = value.checked_mul(radix)?.checked_add(chars.next()?.to_digit(radix)?)?;
    }
    Some(value)
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|&byte| !belongs(byte)).unwrap_or(bytes.len())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A short piece of text for a message.
pub(crate) fn clip(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}
