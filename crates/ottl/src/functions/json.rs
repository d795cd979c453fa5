//! JSON text as maps and lists, as lenient as `goccy/go-json` is: numbers may begin with zeros, texts may hold control
//! characters, and halves of surrogate pairs are replaced.

use indexmap::IndexMap;
use spanmill_otlp::{Value, put_any_value};

use super::{Function, ParamKind, required};
use crate::eval::EvalError;
use crate::eval::val::{MapVal, Val, put_delimited, put_entry};

pub(super) const FUNCTIONS: &[Function] =
    &[Function::plain("ParseJSON", &[required("target", ParamKind::Str)], |args, env| {
        let text = args.string(0, env)?;
        let parsed = Reader { rest: &text, depth: 0 }.document();
        parsed.ok_or_else(|| EvalError::parse("JSON object or array", &text))
    })];

/// Deepest nesting.
const MAX_DEPTH: usize = 128;

struct Reader<'t> {
    rest: &'t [u8],
    depth: usize,
}

// === impl Reader ===

impl Reader<'_> {
    fn document(mut self) -> Option<Val<'static>> {
        self.blanks();
        let parsed = match self.rest.first()? {
            b'[' => Val::Slice(self.list()?.into()),
            b'{' => Val::Map(MapVal::Encoded(self.map()?.into())),
            _ => return None,
        };
        self.blanks();
        // Zero ends the text.
        self.rest.first().is_none_or(|byte| *byte == 0).then_some(parsed)
    }

    fn blanks(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Leaves out a byte, and the blanks before it.
    fn skip(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        self.rest = self.rest.strip_prefix(&[byte])?;
        Some(())
    }

    /// The elements as an encoded `ArrayValue`.
    fn list(&mut self) -> Option<Vec<u8>> {
        self.skip(b'[')?;
        self.enter()?;
        let mut out = Vec::new();
        if self.skip(b']').is_none() {
            loop {
                put_delimited(&mut out, 0x0a, &self.value()?);
                if self.skip(b',').is_none() {
                    self.skip(b']')?;
                    break;
                }
            }
        }
        self.depth -= 1;
        Some(out)
    }

    /// The entries as an encoded `KeyValueList`. Of a repeated key the last value counts.
    fn map(&mut self) -> Option<Vec<u8>> {
        self.skip(b'{')?;
        self.enter()?;
        let mut entries = IndexMap::new();
        if self.skip(b'}').is_none() {
            loop {
                self.blanks();
                let key = self.text()?;
                self.skip(b':')?;
                entries.insert(key, self.value()?);
                if self.skip(b',').is_none() {
                    self.skip(b'}')?;
                    break;
                }
            }
        }
        self.depth -= 1;
        let mut out = Vec::new();
        for (key, value) in entries {
            put_entry(&mut out, &key, &value);
        }
        Some(out)
    }

    fn enter(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    /// An encoded `AnyValue`. Every number is a double, as in Go.
    fn value(&mut self) -> Option<Vec<u8>> {
        self.blanks();
        let mut out = Vec::new();
        match self.rest.first()? {
            b'[' => put_delimited(&mut out, 0x2a, &self.list()?),
            b'{' => put_delimited(&mut out, 0x32, &self.map()?),
            b'"' => put_delimited(&mut out, 0x0a, &self.text()?),
            b't' => self.word(b"true", &mut out, &Value::Bool(true))?,
            b'f' => self.word(b"false", &mut out, &Value::Bool(false))?,
            b'n' => self.word(b"null", &mut out, &Value::Empty)?,
            b'-' | b'0'..=b'9' => put_any_value(&mut out, &Value::Double(self.number()?)),
            _ => return None,
        }
        Some(out)
    }

    fn word(&mut self, word: &[u8], out: &mut Vec<u8>, value: &Value<'_>) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        put_any_value(out, value);
        Some(())
    }

    fn number(&mut self) -> Option<f64> {
        let part = |byte: &&u8| matches!(**byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let (number, after) = self.rest.split_at(self.rest.iter().take_while(part).count());
        self.rest = after;
        let number: f64 = std::str::from_utf8(number).ok()?.parse().ok()?;
        number.is_finite().then_some(number)
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        self.rest = self.rest.strip_prefix(b"\"")?;
        let mut out = Vec::new();
        loop {
            let (plain, after) = self.rest.split_at(memchr::memchr3(b'"', b'\\', 0, self.rest)?);
            out.extend_from_slice(plain);
            let (&byte, after) = after.split_first()?;
            self.rest = after;
            match byte {
                b'"' => return Some(out),
                b'\\' => self.escape(&mut out)?,
                // Zero ends the text.
                _ => return None,
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let (&byte, after) = self.rest.split_first()?;
        self.rest = after;
        out.push(match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                out.extend_from_slice(self.code_point()?.encode_utf8(&mut [0; 4]).as_bytes());
                return Some(());
            }
            _ => return None,
        });
        Some(())
    }

    /// What follows `\u`, with the second half of a surrogate pair.
    fn code_point(&mut self) -> Option<char> {
        let high = self.unit(0)?;
        self.rest = self.rest.get(4..)?;
        if !(0xd800..0xdc00).contains(&high) || !self.rest.starts_with(b"\\u") {
            return Some(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let low = self.unit(2)?;
        if !(0xdc00..0xe000).contains(&low) {
            return Some(char::REPLACEMENT_CHARACTER);
        }
        self.rest = self.rest.get(6..)?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = std::str::from_utf8(self.rest.get(at..at + 4)?).ok()?;
        u32::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    }
}
