//! `Format`: Go's `fmt.Sprintf` for the values that OTTL has.

use super::{Args, Function, ParamKind, required};
use crate::eval::EvalError;
use crate::eval::convert::hex;
use crate::eval::expr::Env;
use crate::eval::val::Val;
use crate::functions::time::{duration_text, time_text};

pub(super) const FUNCTIONS: &[Function] = &[Function::plain(
    "Format",
    &[required("format", ParamKind::StrLiteral), required("vals", ParamKind::Anys)],
    format,
)];

/// Widest field and longest fraction; wider ones in a format are cut to it.
const MAX_WIDTH: usize = 1024;

/// Flags, width and precision of a directive.
#[derive(Default)]
struct Directive {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

fn format<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let values: Vec<Val<'_>> = args.list(1).iter().map(|value| value.eval(env)).collect::<Result<_, _>>()?;
    Ok(Val::string(sprintf(args.literal(0).unwrap_or(""), &values)))
}

fn sprintf(format: &str, values: &[Val<'_>]) -> String {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = Directive::default();
        while let Some(flag) = chars.next_if(|c| matches!(c, '+' | '-' | '#' | ' ' | '0')) {
            match flag {
                '+' => directive.plus = true,
                '-' => directive.minus = true,
                '#' => directive.sharp = true,
                ' ' => directive.space = true,
                _ => directive.zero = true,
            }
        }
        let mut number = || {
            let mut value = None;
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                let digit = digit.to_digit(10).unwrap_or(0) as usize;
                value = Some((value.unwrap_or(0) * 10 + digit).min(MAX_WIDTH));
            }
            value
        };
        directive.width = number().unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            let mut precision = 0;
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                precision = (precision * 10 + digit.to_digit(10).unwrap_or(0) as usize).min(MAX_WIDTH);
            }
            directive.precision = Some(precision);
        }
        match chars.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match values.next() {
                Some(value) => directive.put(&mut out, verb, value),
                None => out.push_str(&format!("%!{verb}(MISSING)")),
            },
        }
    }
    let extra: Vec<String> = values.map(|value| format!("{}={}", go_type(value), plain(value))).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

// === impl Directive ===

impl Directive {
    fn put(&self, out: &mut String, verb: char, value: &Val<'_>) {
        let number = |text: String| self.number(text);
        let text = match (verb, value) {
            ('v', Val::Int(value)) | ('d', Val::Int(value) | Val::Duration(value)) => number(value.to_string()),
            ('x', Val::Int(value)) => number(signed_radix(*value, |size| format!("{size:x}"))),
            ('X', Val::Int(value)) => number(signed_radix(*value, |size| format!("{size:X}"))),
            ('o', Val::Int(value)) => number(signed_radix(*value, |size| format!("{size:o}"))),
            ('b', Val::Int(value)) => number(signed_radix(*value, |size| format!("{size:b}"))),
            ('c', Val::Int(value)) => self.pad(character(*value).to_string(), false),
            ('q', Val::Int(value)) => self.pad(quoted(&character(*value).to_string(), '\''), false),
            ('f' | 'F', Val::Double(value)) if value.is_finite() => {
                number(format!("{value:.*}", self.precision.unwrap_or(6)))
            }
            ('e', Val::Double(value)) if value.is_finite() => {
                number(two_digit_exponent(&format!("{value:.*e}", self.precision.unwrap_or(6))))
            }
            ('v' | 'g' | 'f' | 'F' | 'e', Val::Double(value)) => number(shortest(*value)),
            ('t', Val::Bool(value)) => self.pad(value.to_string(), false),
            ('q', Val::Str(text)) => self.pad(quoted(&String::from_utf8_lossy(text), '"'), false),
            ('x', Val::Str(bytes) | Val::Bytes(bytes)) => self.pad(hex(bytes), false),
            ('X', Val::Str(bytes) | Val::Bytes(bytes)) => self.pad(hex(bytes).to_uppercase(), false),
            ('x' | 's' | 'v', Val::TraceId(id)) => self.pad(hex(id), false),
            ('x' | 's' | 'v', Val::SpanId(id)) => self.pad(hex(id), false),
            ('s', Val::Str(text)) | ('s', Val::Bytes(text)) => {
                let text = String::from_utf8_lossy(text);
                self.pad(text.chars().take(self.precision.unwrap_or(usize::MAX)).collect(), false)
            }
            ('s', Val::Duration(_) | Val::Time(_)) | ('v', _) => self.pad(plain(value), false),
            (verb, Val::Nil) => format!("%!{verb}(<nil>)"),
            (verb, value) => {
                let mut shown = String::new();
                self.put(&mut shown, 'v', value);
                format!("%!{verb}({}={shown})", go_type(value))
            }
        };
        out.push_str(&text);
    }

    /// A number with its sign, padded.
    fn number(&self, text: String) -> String {
        let text = match (text.starts_with(['-', '+']), self.plus, self.space) {
            (false, true, _) => format!("+{text}"),
            (false, false, true) => format!(" {text}"),
            _ => text,
        };
        self.pad(text, true)
    }

    fn pad(&self, text: String, number: bool) -> String {
        let len = text.chars().count();
        let missing = self.width.saturating_sub(len);
        if missing == 0 {
            return text;
        }
        if self.minus {
            return text + &" ".repeat(missing);
        }
        if self.zero && number {
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+', ' '])));
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        " ".repeat(missing) + &text
    }
}

fn signed_radix(value: i64, digits: impl Fn(u64) -> String) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", digits(value.unsigned_abs()))
}

fn character(value: i64) -> char {
    u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Text in quotes, with Go's escapes.
fn quoted(text: &str, quote: char) -> String {
    let mut out = String::from(quote);
    for c in text.chars() {
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
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// Go writes exponents with at least two digits and always with their sign.
fn two_digit_exponent(text: &str) -> String {
    match text.split_once('e') {
        None => text.to_owned(),
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
    }
}

/// The shortest form of a double that reads back as the same.
fn shortest(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let size = value.abs();
    if value == 0.0 || (1e-4..1e21).contains(&size) {
        format!("{value}")
    } else {
        two_digit_exponent(&format!("{value:e}"))
    }
}

/// A value as `%v` shows it.
fn plain(value: &Val<'_>) -> String {
    match value {
        Val::Nil => "<nil>".to_owned(),
        Val::Bool(value) => value.to_string(),
        Val::Int(value) => value.to_string(),
        Val::Double(value) => shortest(*value),
        Val::Str(text) => String::from_utf8_lossy(text).into_owned(),
        Val::Bytes(bytes) => {
            let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
            format!("[{}]", bytes.join(" "))
        }
        Val::List(list) => {
            let items: Vec<String> = list.items().iter().map(plain).collect();
            format!("[{}]", items.join(" "))
        }
        Val::Strings(items) => {
            let items: Vec<_> = items.iter().map(|item| String::from_utf8_lossy(item)).collect();
            format!("[{}]", items.join(" "))
        }
        Val::Duration(nanos) => duration_text(*nanos),
        Val::Time(time) => time_text(*time),
        Val::TraceId(id) => hex(id),
        Val::SpanId(id) => hex(id),
        Val::Map(_) | Val::Slice(_) => crate::eval::json::encode(value).unwrap_or_default(),
        Val::Events(_) | Val::Links(_) | Val::Status(_) => value.type_name().to_owned(),
    }
}

/// The Go type, for directives that do not fit.
fn go_type(value: &Val<'_>) -> &'static str {
    match value {
        Val::Nil => "<nil>",
        Val::Bool(_) => "bool",
        Val::Int(_) => "int64",
        Val::Double(_) => "float64",
        Val::Str(_) => "string",
        Val::Bytes(_) => "[]uint8",
        Val::Map(_) => "pcommon.Map",
        Val::Slice(_) => "pcommon.Slice",
        Val::List(_) => "[]interface {}",
        Val::Strings(_) => "[]string",
        Val::Time(_) => "time.Time",
        Val::Duration(_) => "time.Duration",
        Val::TraceId(_) => "pcommon.TraceID",
        Val::SpanId(_) => "pcommon.SpanID",
        Val::Events(_) => "ptrace.SpanEventSlice",
        Val::Links(_) => "ptrace.SpanLinkSlice",
        Val::Status(_) => "ptrace.Status",
    }
}
