//! Text as bytes: lengths and offsets count bytes, as Go's strings do.

use std::borrow::Cow;

use memchr::memmem;

use super::{Function, ParamKind, optional, required};
use crate::eval::EvalError;
use crate::eval::val::Val;

const TARGET: super::Param = required("target", ParamKind::Str);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::plain(
        "Concat",
        &[required("vals", ParamKind::StrLikes), required("delimiter", ParamKind::Str)],
        |args, env| {
            let delimiter = args.string(1, env)?;
            let mut out = Vec::new();
            let mut first = true;
            args.each_text(0, env, |text| {
                if !std::mem::take(&mut first) {
                    out.extend_from_slice(&delimiter);
                }
                out.extend_from_slice(text);
            })?;
            Ok(Val::Str(Cow::Owned(out)))
        },
    ),
    Function::plain("HasPrefix", &[TARGET, required("prefix", ParamKind::Str)], |args, env| {
        let text = args.string(0, env)?;
        Ok(Val::Bool(text.starts_with(&args.string(1, env)?)))
    }),
    Function::plain("HasSuffix", &[TARGET, required("suffix", ParamKind::Str)], |args, env| {
        let text = args.string(0, env)?;
        Ok(Val::Bool(text.ends_with(&args.string(1, env)?)))
    }),
    Function::plain("TrimPrefix", &[TARGET, required("prefix", ParamKind::Str)], |args, env| {
        let text = args.string(0, env)?;
        let prefix = args.string(1, env)?;
        let cut = if text.starts_with(&prefix) { prefix.len() } else { 0 };
        Ok(Val::Str(part(text, cut, None)))
    }),
    Function::plain("TrimSuffix", &[TARGET, required("suffix", ParamKind::Str)], |args, env| {
        let text = args.string(0, env)?;
        let suffix = args.string(1, env)?;
        let end = if text.ends_with(&suffix) { text.len() - suffix.len() } else { text.len() };
        Ok(Val::Str(part(text, 0, Some(end))))
    }),
    Function::plain("Trim", &[TARGET, optional("replacement", ParamKind::StrLiteral)], |args, env| {
        let text = args.string(0, env)?;
        let set = args.literal(1).unwrap_or(" ");
        let lossy = String::from_utf8_lossy(&text);
        let trimmed = lossy.trim_matches(|c| set.contains(c));
        Ok(Val::string(trimmed.to_owned()))
    }),
    Function::plain("Split", &[TARGET, required("delimiter", ParamKind::Str)], |args, env| {
        let text = args.string(0, env)?;
        let delimiter = args.string(1, env)?;
        Ok(Val::Strings(match text {
            Cow::Borrowed(text) => split(text, &delimiter).into_iter().map(Cow::Borrowed).collect(),
            Cow::Owned(text) => split(&text, &delimiter).into_iter().map(|piece| Cow::Owned(piece.to_vec())).collect(),
        }))
    }),
    Function::plain(
        "Substring",
        &[
            TARGET,
            required("start", ParamKind::Int),
            required("length", ParamKind::Int),
            optional("utf8_safe", ParamKind::BoolLiteral),
        ],
        |args, env| {
            let start = args.int(1, env)?;
            if start < 0 {
                return Err(EvalError::Static("invalid start for Substring: it is negative"));
            }
            let length = args.int(2, env)?;
            if length <= 0 {
                return Err(EvalError::Static("invalid length for Substring: it is not positive"));
            }
            let text = args.string(0, env)?;
            let range = usize::try_from(start).ok().zip(usize::try_from(length).ok());
            let end = range.and_then(|(start, length)| start.checked_add(length)).filter(|end| *end <= text.len());
            let (Some((mut start, _)), Some(mut end)) = (range, end) else {
                return Err(EvalError::Static("invalid range for Substring: it ends behind the text"));
            };
            if matches!(args.get(3, env)?, Val::Bool(true)) {
                // Cut characters are left out whole.
                let inside = |at: usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
                while inside(start) {
                    start += 1;
                }
                while start < end && inside(end) {
                    end -= 1;
                }
                end = end.max(start);
            }
            Ok(Val::Str(part(text, start, Some(end))))
        },
    ),
];

/// A part of a text, without a copy where it is borrowed.
fn part(text: Cow<'_, [u8]>, start: usize, end: Option<usize>) -> Cow<'_, [u8]> {
    let end = end.unwrap_or(text.len());
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..end).unwrap_or(&[])),
        Cow::Owned(text) => Cow::Owned(text.get(start..end).unwrap_or(&[]).to_vec()),
    }
}

/// The pieces between delimiters; an empty delimiter separates characters.
pub(super) fn split<'t>(text: &'t [u8], delimiter: &[u8]) -> Vec<&'t [u8]> {
    if delimiter.is_empty() {
        let starts = (0..text.len()).filter(|at| text.get(*at).is_some_and(|byte| byte & 0xc0 != 0x80));
        let starts: Vec<usize> = starts.collect();
        let ends = starts.iter().skip(1).copied().chain([text.len()]);
        return starts.iter().zip(ends).filter_map(|(start, end)| text.get(*start..end)).collect();
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    for at in memmem::find_iter(text, delimiter) {
        pieces.push(text.get(start..at).unwrap_or(&[]));
        start = at + delimiter.len();
    }
    pieces.push(text.get(start..).unwrap_or(&[]));
    pieces
}
