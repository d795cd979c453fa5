//! Flags, width and precision, and what they do to numbers and texts.

/// Widest field and longest fraction; wider ones in a format are cut to it.
pub(super) const MAX_WIDTH: usize = 4096;

/// How a value is printed.
#[derive(Debug, Clone, Default)]
pub(super) struct Flags {
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%#v`: as it would be written in a program.
    pub(super) go_syntax: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

// === impl Flags ===

impl Flags {
    pub(super) fn set(&mut self, flag: char) {
        match flag {
            '#' => self.sharp = true,
            '0' => self.zero = true,
            '+' => self.plus = true,
            '-' => self.minus = true,
            _ => self.space = true,
        }
    }

    /// Appends a text, padded to the width.
    pub(super) fn pad(&self, out: &mut Vec<u8>, text: &[u8]) {
        self.pad_with(out, text, self.zero);
    }

    fn pad_with(&self, out: &mut Vec<u8>, text: &[u8], zero: bool) {
        let len = text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum();
        let missing = self.width.unwrap_or(0).saturating_sub(len);
        let padding = std::iter::repeat_n(if zero && !self.minus { b'0' } else { b' ' }, missing);
        if self.minus {
            out.extend_from_slice(text);
            out.extend(padding);
        } else {
            out.extend(padding);
            out.extend_from_slice(text);
        }
    }

    /// A text, cut to as many characters as the precision says.
    pub(super) fn text(&self, out: &mut Vec<u8>, text: &[u8]) {
        self.pad(out, self.cut(text));
    }

    fn cut<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.precision else { return text };
        let mut left = precision;
        let mut len = 0;
        for chunk in text.utf8_chunks() {
            let sizes = chunk.valid().chars().map(char::len_utf8).chain(chunk.invalid().iter().map(|_| 1));
            for size in sizes {
                if left == 0 {
                    return text.get(..len).unwrap_or(text);
                }
                left -= 1;
                len += size;
            }
        }
        text
    }

    /// Bytes in hexadecimal.
    pub(super) fn hex(&self, out: &mut Vec<u8>, bytes: &[u8], upper: bool) {
        let bytes = bytes.get(..self.precision.unwrap_or(usize::MAX).min(bytes.len())).unwrap_or(bytes);
        let prefix = match (self.sharp && !bytes.is_empty(), upper) {
            (false, _) => "",
            (true, true) => "0X",
            (true, false) => "0x",
        };
        let mut text = String::from(prefix);
        for (at, byte) in bytes.iter().enumerate() {
            if self.space && at > 0 {
                text.push(' ');
                text.push_str(prefix);
            }
            text.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        self.pad(out, text.as_bytes());
    }

    /// An integer in a base, by its sign and size.
    pub(super) fn integer(&self, out: &mut Vec<u8>, negative: bool, size: u64, verb: char) {
        let digits = match verb {
            'b' => format!("{size:b}"),
            'o' | 'O' => format!("{size:o}"),
            'x' => format!("{size:x}"),
            'X' => format!("{size:X}"),
            _ => size.to_string(),
        };
        let signed = negative || self.plus || self.space;
        let least = match (self.precision, self.width) {
            (Some(0), _) if size == 0 => return self.pad_with(out, b"", false),
            (Some(precision), _) => precision,
            (None, Some(width)) if self.zero && !self.minus => width.saturating_sub(usize::from(signed)),
            (None, _) => 0,
        };
        let mut digits = format!("{digits:0>least$}");
        if self.sharp {
            match verb {
                'b' => digits.insert_str(0, "0b"),
                'o' | 'O' if !digits.starts_with('0') => digits.insert(0, '0'),
                'x' => digits.insert_str(0, "0x"),
                'X' => digits.insert_str(0, "0X"),
                _ => {}
            }
        }
        if verb == 'O' {
            digits.insert_str(0, "0o");
        }
        if negative {
            digits.insert(0, '-');
        } else if self.plus {
            digits.insert(0, '+');
        } else if self.space {
            digits.insert(0, ' ');
        }
        self.pad_with(out, digits.as_bytes(), false);
    }

    /// `U+0078`, and the character behind it where it is asked for.
    pub(super) fn code_point(&self, out: &mut Vec<u8>, code: u64) {
        let digits = self.precision.unwrap_or(4).max(4);
        let mut text = format!("U+{code:0digits$X}");
        if self.sharp
            && let Some(c) = u32::try_from(code).ok().and_then(char::from_u32).filter(|c| is_print(*c))
        {
            text.push_str(&format!(" '{c}'"));
        }
        self.pad_with(out, text.as_bytes(), false);
    }

    /// A number as Go's `strconv` formats it, with its sign.
    pub(super) fn number(&self, out: &mut Vec<u8>, number: &str) {
        let (negative, digits) = number.strip_prefix('-').map_or((false, number), |digits| (true, digits));
        let sign = if negative {
            "-"
        } else if self.plus {
            "+"
        } else if self.space {
            " "
        } else {
            ""
        };
        if digits == "Inf" || digits == "NaN" {
            let sign = if digits == "Inf" && sign.is_empty() { "+" } else { sign };
            return self.pad_with(out, format!("{sign}{digits}").as_bytes(), false);
        }
        let missing = self.width.unwrap_or(0).saturating_sub(sign.len() + digits.len());
        if self.zero && !self.minus && !sign.is_empty() && missing > 0 {
            out.extend(format!("{sign}{}{digits}", "0".repeat(missing)).bytes());
        } else {
            self.pad(out, format!("{sign}{digits}").as_bytes());
        }
    }

    /// A text in quotes.
    pub(super) fn quoted(&self, out: &mut Vec<u8>, text: &[u8]) {
        let text = self.cut(text);
        let raw =
            |text: &&str| text.chars().all(|c| c == '\t' || (c >= ' ' && !matches!(c, '`' | '\x7f' | '\u{feff}')));
        match std::str::from_utf8(text).ok().filter(|_| self.sharp).filter(raw) {
            Some(raw) => self.pad(out, format!("`{raw}`").as_bytes()),
            None => self.pad(out, quote(text, '"', self.plus).as_bytes()),
        }
    }

    /// A character in quotes.
    pub(super) fn quoted_char(&self, out: &mut Vec<u8>, c: char) {
        self.pad(out, quote(c.to_string().as_bytes(), '\'', self.plus).as_bytes());
    }
}

/// Whether a character is shown as it is, more or less as Go has it.
fn is_print(c: char) -> bool {
    let formats = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    c == ' ' || !(c.is_control() || c.is_whitespace() || formats || private)
}

/// Text in quotes, with Go's escapes.
fn quote(text: &[u8], quote: char, ascii: bool) -> String {
    let mut out = String::from(quote);
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            let code = u32::from(c);
            match c {
                '\x07' => out.push_str("\\a"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\x0b' => out.push_str("\\v"),
                '\\' => out.push_str("\\\\"),
                c if c == quote => out.extend(['\\', c]),
                c if is_print(c) && (c.is_ascii() || !ascii) => out.push(c),
                c if c.is_ascii() => out.push_str(&format!("\\x{code:02x}")),
                _ if code < 0x10000 => out.push_str(&format!("\\u{code:04x}")),
                _ => out.push_str(&format!("\\U{code:08x}")),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push(quote);
    out
}
