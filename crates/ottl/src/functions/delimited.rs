//! Text with delimiters: pairs of keys and values, and CSV.

use std::borrow::Cow;

use indexmap::IndexMap;
use memchr::memmem;

use super::build::MapBuilder;
use super::csv::{Quotes, read_row};
use super::{Args, Function, Param, ParamKind, Prepared, optional, required};
use crate::eval::EvalError;
use crate::eval::expr::{Env, Expr};
use crate::eval::val::Val;

const DELIMITER: Param = optional("delimiter", ParamKind::StrLiteral);
const PAIR_DELIMITER: Param = optional("pair_delimiter", ParamKind::StrLiteral);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::prepared("ParseKeyValue", &[required("target", ParamKind::Str), DELIMITER, PAIR_DELIMITER], |args| {
        Ok(Box::new(ParseKeyValue(Delimiters::read(args)?)))
    }),
    Function::prepared(
        "ToKeyValueString",
        &[
            required("target", ParamKind::Map),
            DELIMITER,
            PAIR_DELIMITER,
            optional("sort_output", ParamKind::BoolLiteral),
        ],
        |args| {
            let sorted = matches!(args.0.get(3), Some(super::Arg::Expr(Expr::Const(Val::Bool(true)))));
            Ok(Box::new(ToKeyValue { delimiters: Delimiters::read(args)?, sorted }))
        },
    ),
    Function::prepared(
        "ParseCSV",
        &[
            required("target", ParamKind::Str),
            required("header", ParamKind::Str),
            DELIMITER,
            optional("header_delimiter", ParamKind::StrLiteral),
            optional("mode", ParamKind::StrLiteral),
        ],
        |args| {
            let single = |at: usize| match args.literal(at) {
                Some(text) => {
                    let mut chars = text.chars();
                    let (first, second) = (chars.next(), chars.next());
                    first.filter(|_| second.is_none()).map(Some).ok_or("a delimiter must be a single character")
                }
                None => Ok(None),
            };
            let delimiter = single(2)?.unwrap_or(',');
            let header_delimiter = single(3)?.unwrap_or(delimiter);
            let quotes = match args.literal(4) {
                None | Some("strict") => Quotes::Strict,
                Some("lazyQuotes") => Quotes::Lazy,
                Some("ignoreQuotes") => Quotes::Ignore,
                Some(other) => return Err(format!("unknown mode {other:?}")),
            };
            Ok(Box::new(ParseCsv { delimiter, header_delimiter: header_delimiter.to_string().into(), quotes }))
        },
    ),
];

/// Between keys and values, and between pairs.
#[derive(Debug)]
struct Delimiters {
    key: Box<[u8]>,
    pair: Box<[u8]>,
}

#[derive(Debug)]
struct ParseKeyValue(Delimiters);

#[derive(Debug)]
struct ToKeyValue {
    delimiters: Delimiters,
    sorted: bool,
}

#[derive(Debug)]
struct ParseCsv {
    delimiter: char,
    header_delimiter: Box<str>,
    quotes: Quotes,
}

// === impl Delimiters ===

impl Delimiters {
    fn read(args: &Args) -> Result<Self, String> {
        let key: Box<[u8]> = args.literal(1).unwrap_or("=").as_bytes().into();
        let pair: Box<[u8]> = args.literal(2).unwrap_or(" ").as_bytes().into();
        if key.is_empty() || pair.is_empty() {
            return Err("a delimiter must not be empty".to_owned());
        }
        if key == pair {
            return Err("the delimiter of pairs must not be that of keys and values".to_owned());
        }
        Ok(Self { key, pair })
    }

    /// A key or value, in quotes where it contains a delimiter.
    fn put(&self, out: &mut Vec<u8>, text: &[u8]) {
        let mut escaped = Vec::with_capacity(text.len());
        for byte in text {
            if *byte == b'"' {
                escaped.push(b'\\');
            }
            escaped.push(*byte);
        }
        let quoted = [&self.pair, &self.key].iter().any(|delimiter| memmem::find(&escaped, delimiter).is_some());
        if quoted {
            out.push(b'"');
        }
        out.extend(escaped);
        if quoted {
            out.push(b'"');
        }
    }
}

// === impl ParseKeyValue ===

impl Prepared for ParseKeyValue {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let text = args.string(0, env)?;
        let wrong = || EvalError::parse("pairs of keys and values", &text);
        if text.is_empty() {
            return Err(wrong());
        }
        // Of a repeated key the last value counts.
        let mut found = IndexMap::new();
        for pair in split_quoted(&text, &self.0.pair).ok_or_else(wrong)? {
            let at = memmem::find(&pair, &self.0.key).ok_or_else(wrong)?;
            let key = trim(pair.get(..at).unwrap_or(&[]));
            let value = trim(pair.get(at + self.0.key.len()..).unwrap_or(&[]));
            found.insert(key.to_vec(), value.to_vec());
        }
        let mut map = MapBuilder::default();
        for (key, value) in found {
            map.text(key, &value);
        }
        Ok(map.into_val())
    }
}

/// The pieces between delimiters, without those that are empty. What is in quotes is not split; a backslash lets a quote stand
/// for itself, and stays.
fn split_quoted(text: &[u8], delimiter: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if quote.is_none()
            && let Some(after) = rest.strip_prefix(delimiter)
        {
            if !piece.is_empty() {
                pieces.push(std::mem::take(&mut piece));
            }
            rest = after;
            continue;
        }
        rest = after;
        if escaped {
            escaped = false;
        } else if quote.is_none() && matches!(byte, b'"' | b'\'') {
            quote = Some(byte);
            continue;
        } else if byte == quote.unwrap_or(0) {
            // Outside of quotes Go leaves out bytes of zero.
            quote = None;
            continue;
        } else {
            escaped = byte == b'\\';
        }
        piece.push(byte);
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    quote.is_none().then_some(pieces)
}

/// Without the white space around.
fn trim(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Ok(text) => text.trim().as_bytes(),
        Err(_) => text.trim_ascii(),
    }
}

// === impl ToKeyValue ===

impl Prepared for ToKeyValue {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let map = args.map(0, env)?;
        let mut entries = Vec::new();
        map.each(|key, value| {
            entries.push((key, super::text_of(Val::of(value))));
            Ok::<_, EvalError>(())
        })?;
        if self.sorted {
            entries.sort_by_key(|(key, _)| *key);
        }
        let mut out = Vec::new();
        for (at, (key, value)) in entries.into_iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(&self.delimiters.pair);
            }
            self.delimiters.put(&mut out, key);
            out.extend_from_slice(&self.delimiters.key);
            self.delimiters.put(&mut out, &value);
        }
        Ok(Val::Str(Cow::Owned(out)))
    }
}

// === impl ParseCsv ===

impl Prepared for ParseCsv {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let row = args.string(0, env)?;
        let header = args.string(1, env)?;
        if header.is_empty() {
            return Err(EvalError::Static("the header of a CSV row must not be empty"));
        }
        let names = super::text::split(&header, self.header_delimiter.as_bytes());
        let fields = read_row(&row, self.delimiter, self.quotes).ok_or_else(|| EvalError::parse("CSV row", &row))?;
        if fields.len() != names.len() {
            return Err(EvalError::Static("a CSV row must have as many fields as its header"));
        }
        // Of a repeated name the last field counts.
        let named: IndexMap<_, _> = names.into_iter().zip(fields).collect();
        let mut map = MapBuilder::default();
        for (name, field) in named {
            map.text(name, &field);
        }
        Ok(map.into_val())
    }
}
