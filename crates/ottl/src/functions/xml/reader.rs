//! XML taken apart as Go's `encoding/xml` does it: start and end tags must match, and names are told with their namespaces.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::names;

/// Why a text is no XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

type Result<T> = std::result::Result<T, Malformed>;

/// What a text is made of.
#[derive(Debug)]
pub(super) enum Token {
    Start {
        name: Name,
        attributes: Vec<(Name, String)>,
    },
    End,
    Text(String),
    Comment(String),
    /// `<?target instruction?>`
    Instruction {
        target: String,
        text: String,
    },
    /// `<!text>`
    Directive(String),
}

/// A name; `space` is the namespace, or its prefix where that is not declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) space: String,
    pub(super) local: String,
}

/// Reads tokens.
pub(super) struct Reader<'t> {
    text: Cow<'t, [u8]>,
    at: usize,
    /// Whether the byte at `at` has been looked at already.
    seen: bool,
    /// The bytes that the last token took from the text, without one that had been looked at before.
    taken: Range<usize>,
    open: Vec<Open>,
    spaces: HashMap<String, String>,
    /// The end of an element that was closed where it began.
    closing: Option<Name>,
    charsets: Charsets,
    /// Tokens since the encoding was switched. Go no longer knows then what they were read from, except for the first one.
    switched: Option<usize>,
}

/// Whether a declaration may name another encoding than UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charsets {
    Utf8,
    Any,
}

/// An element that has not ended, and the namespaces that come back when it does.
struct Open {
    name: Name,
    undo: Vec<(String, Option<String>)>,
}

const XML_SPACE: &str = "http://www.w3.org/XML/1998/namespace";

// === impl Reader ===

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t [u8], charsets: Charsets) -> Self {
        Self {
            text: Cow::Borrowed(text),
            at: 0,
            seen: false,
            taken: 0..0,
            open: Vec::new(),
            spaces: HashMap::new(),
            closing: None,
            charsets,
            switched: None,
        }
    }

    /// Whether everything has been read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The bytes that the last token was read from.
    pub(super) fn taken(&self) -> &[u8] {
        self.text.get(self.taken.clone()).unwrap_or(&[])
    }

    /// The next token; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token>> {
        let start = self.at + usize::from(self.seen);
        self.switched = self.switched.map(|tokens| tokens + 1);
        let token = self.token();
        self.taken = match self.switched {
            None => start..(self.at + usize::from(self.seen)).max(start),
            Some(1) => 0..self.text.len(),
            Some(_) => 0..0,
        };
        token
    }

    fn token(&mut self) -> Result<Option<Token>> {
        if let Some(name) = self.closing.take() {
            return self.end(&name).map(Some);
        }
        let Some(first) = self.get() else {
            return if self.open.is_empty() { Ok(None) } else { Err(Malformed) };
        };
        if first != b'<' {
            self.unget();
            return self.chars(None, false).map(|text| Some(Token::Text(text)));
        }
        match self.must()? {
            b'/' => {
                let name = self.ns_name()?;
                self.blanks();
                if self.must()? != b'>' {
                    return Err(Malformed);
                }
                self.end(&name).map(Some)
            }
            b'?' => self.instruction().map(Some),
            b'!' => self.declaration().map(Some),
            _ => {
                self.unget();
                self.start().map(Some)
            }
        }
    }

    fn get(&mut self) -> Option<u8> {
        let byte = self.text.get(self.at).copied()?;
        self.at += 1;
        self.seen = false;
        Some(byte)
    }

    fn must(&mut self) -> Result<u8> {
        self.get().ok_or(Malformed)
    }

    fn unget(&mut self) {
        self.at = self.at.saturating_sub(1);
        self.seen = true;
    }

    fn blanks(&mut self) {
        while let Some(byte) = self.get() {
            if !matches!(byte, b' ' | b'\r' | b'\n' | b'\t') {
                self.unget();
                return;
            }
        }
    }

    fn start(&mut self) -> Result<Token> {
        let raw = self.ns_name()?;
        let mut attributes = Vec::new();
        loop {
            self.blanks();
            match self.must()? {
                b'/' => {
                    if self.must()? != b'>' {
                        return Err(Malformed);
                    }
                    self.closing = Some(raw.clone());
                    break;
                }
                b'>' => break,
                _ => self.unget(),
            }
            let name = self.ns_name()?;
            self.blanks();
            if self.must()? != b'=' {
                return Err(Malformed);
            }
            self.blanks();
            let quote = self.must()?;
            if !matches!(quote, b'"' | b'\'') {
                return Err(Malformed);
            }
            attributes.push((name, self.chars(Some(quote), false)?));
        }
        let mut undo = Vec::new();
        for (name, value) in &attributes {
            let prefix = match (name.space.as_str(), name.local.as_str()) {
                ("xmlns", prefix) => prefix,
                ("", "xmlns") => "",
                _ => continue,
            };
            undo.push((prefix.to_owned(), self.spaces.insert(prefix.to_owned(), value.clone())));
        }
        let name = self.translate(raw.clone(), true);
        self.open.push(Open { name: raw, undo });
        let attributes = attributes.into_iter().map(|(name, value)| (self.translate(name, false), value)).collect();
        Ok(Token::Start { name, attributes })
    }

    fn end(&mut self, name: &Name) -> Result<Token> {
        let open = self.open.pop().filter(|open| open.name == *name).ok_or(Malformed)?;
        for (prefix, before) in open.undo.into_iter().rev() {
            match before {
                Some(space) => self.spaces.insert(prefix, space),
                None => self.spaces.remove(&prefix),
            };
        }
        Ok(Token::End)
    }

    /// A name with its namespace. The default one is for elements only.
    fn translate(&self, name: Name, element: bool) -> Name {
        let key = match (name.space.as_str(), name.local.as_str()) {
            ("xmlns", _) | ("", "xmlns") => return name,
            ("", _) if !element => return name,
            ("xml", _) => XML_SPACE,
            (space, _) => space,
        };
        let space = self.spaces.get(key).map_or(key, String::as_str).to_owned();
        Name { space, ..name }
    }

    fn instruction(&mut self) -> Result<Token> {
        let target = self.name()?;
        self.blanks();
        let text = self.until(b"?>")?;
        let text = String::from_utf8_lossy(&text).into_owned();
        if target == "xml" {
            if !matches!(parameter("version", &text), "" | "1.0") {
                return Err(Malformed);
            }
            let encoding = parameter("encoding", &text);
            if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("utf-8") {
                self.switch(encoding)?;
            }
        }
        Ok(Token::Instruction { target, text })
    }

    /// Whatever follows is in another encoding.
    fn switch(&mut self, encoding: &str) -> Result<()> {
        if self.charsets == Charsets::Utf8 {
            return Err(Malformed);
        }
        let encoding = encoding_rs::Encoding::for_label(encoding.as_bytes()).ok_or(Malformed)?;
        let rest = self.text.get(self.at..).unwrap_or(&[]);
        let decoded = encoding.decode_without_bom_handling(rest).0.into_owned().into_bytes();
        self.text = Cow::Owned(decoded);
        self.at = 0;
        self.switched = Some(0);
        Ok(())
    }

    /// The bytes before an end, which is left out.
    fn until(&mut self, end: &[u8]) -> Result<Vec<u8>> {
        let rest = self.text.get(self.at..).unwrap_or(&[]);
        let len = memchr::memmem::find(rest, end).ok_or(Malformed)?;
        let found = rest.get(..len).unwrap_or(&[]).to_vec();
        self.at += len + end.len();
        self.seen = false;
        Ok(found)
    }

    /// What begins with `<!`.
    fn declaration(&mut self) -> Result<Token> {
        let first = self.must()?;
        let rest = self.text.get(self.at..).unwrap_or(&[]);
        match first {
            b'-' => {
                if self.must()? != b'-' {
                    return Err(Malformed);
                }
                let comment = self.until(b"--")?;
                if self.must()? != b'>' {
                    return Err(Malformed);
                }
                Ok(Token::Comment(String::from_utf8_lossy(&comment).into_owned()))
            }
            b'[' => {
                if !rest.starts_with(b"CDATA[") {
                    return Err(Malformed);
                }
                self.at += 6;
                self.chars(None, true).map(Token::Text)
            }
            first => self.directive(first),
        }
    }

    /// Brackets in it must match, except for those in quotes; a comment becomes a blank.
    fn directive(&mut self, first: u8) -> Result<Token> {
        let mut out = vec![first];
        let mut quote = None;
        let mut depth = 0_i64;
        loop {
            let byte = self.must()?;
            if quote.is_none() && byte == b'>' && depth == 0 {
                break;
            }
            if quote.is_none() && byte == b'<' && self.text.get(self.at..).is_some_and(|rest| rest.starts_with(b"!--"))
            {
                self.at += 3;
                self.until(b"-->")?;
                out.push(b' ');
                continue;
            }
            out.push(byte);
            match (quote, byte) {
                (Some(open), byte) if open == byte => quote = None,
                (Some(_), _) => {}
                (None, b'\'' | b'"') => quote = Some(byte),
                (None, b'>') => depth -= 1,
                (None, b'<') => depth += 1,
                (None, _) => {}
            }
        }
        Ok(Token::Directive(String::from_utf8_lossy(&out).into_owned()))
    }

    /// Text up to the next tag, the closing quote, or the end of a CDATA section.
    fn chars(&mut self, quote: Option<u8>, cdata: bool) -> Result<String> {
        let mut out = Vec::new();
        let (mut before, mut last) = (0, 0);
        loop {
            let Some(byte) = self.get() else {
                if cdata {
                    return Err(Malformed);
                }
                break;
            };
            if quote.is_none() && (before, last, byte) == (b']', b']', b'>') {
                if !cdata {
                    return Err(Malformed);
                }
                out.truncate(out.len() - 2);
                break;
            }
            if byte == b'<' && !cdata {
                if quote.is_some() {
                    return Err(Malformed);
                }
                self.unget();
                break;
            }
            if quote == Some(byte) {
                break;
            }
            if byte == b'&' && !cdata {
                let c = self.entity()?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                (before, last) = (0, 0);
                continue;
            }
            match (last, byte) {
                (_, b'\r') => out.push(b'\n'),
                (b'\r', b'\n') => {}
                (_, byte) => out.push(byte),
            }
            (before, last) = (last, byte);
        }
        let text = String::from_utf8(out).map_err(|_| Malformed)?;
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        if text.chars().all(allowed) { Ok(text) } else { Err(Malformed) }
    }

    /// What stands between `&` and `;`.
    fn entity(&mut self) -> Result<char> {
        let rest = self.text.get(self.at..).unwrap_or(&[]);
        let len = memchr::memchr(b';', rest.get(..64.min(rest.len())).unwrap_or(rest));
        let len = match len {
            Some(len) => len,
            // Numbers may have any number of zeros.
            None => memchr::memchr(b';', rest).filter(|_| rest.starts_with(b"#")).ok_or(Malformed)?,
        };
        let inside = rest.get(..len).and_then(|inside| std::str::from_utf8(inside).ok()).ok_or(Malformed)?;
        let c = match inside {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            number => {
                let digits = number.strip_prefix('#').ok_or(Malformed)?;
                let (base, digits) = digits.strip_prefix('x').map_or((10, digits), |digits| (16, digits));
                if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
                    return Err(Malformed);
                }
                let code = u64::from_str_radix(digits, base).map_err(|_| Malformed)?;
                let code = u32::try_from(code).ok().filter(|code| *code <= 0x10_ffff).ok_or(Malformed)?;
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
        };
        self.at += len + 1;
        self.seen = false;
        Ok(c)
    }

    fn ns_name(&mut self) -> Result<Name> {
        let name = self.name()?;
        match name.split_once(':') {
            Some((_, local)) if local.contains(':') => Err(Malformed),
            Some((space, local)) if !space.is_empty() && !local.is_empty() => {
                Ok(Name { space: space.to_owned(), local: local.to_owned() })
            }
            _ => Ok(Name { space: String::new(), local: name }),
        }
    }

    fn name(&mut self) -> Result<String> {
        let rest = self.text.get(self.at..).unwrap_or(&[]);
        let part = |byte: &&u8| {
            !byte.is_ascii() || byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b':' | b'.' | b'-')
        };
        let len = rest.iter().take_while(part).count();
        // A name at the end of the text is not finished.
        let name = rest.get(..len).filter(|name| name.len() < rest.len()).ok_or(Malformed)?;
        let name = std::str::from_utf8(name).map_err(|_| Malformed)?;
        if !name.starts_with(names::starts) || !name.chars().all(names::continues) {
            return Err(Malformed);
        }
        let name = name.to_owned();
        self.at += len;
        // The byte behind it was looked at to find its end.
        self.seen = true;
        Ok(name)
    }
}

/// The value of a parameter in a declaration; empty where there is none.
fn parameter<'t>(name: &str, text: &'t str) -> &'t str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&format!("{name}=")) {
        match after.chars().next() {
            Some(quote @ ('\'' | '"')) => {
                return after.get(1..).and_then(|value| value.split_once(quote)).map_or("", |(value, _)| value);
            }
            Some(other) => rest = after.get(other.len_utf8()..).unwrap_or(""),
            None => return "",
        }
    }
    ""
}
