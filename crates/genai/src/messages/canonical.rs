//! Whether a text already is what the conventions ask for. Reading every prompt to its end would cost more than all the rest
//! of a span, so it is told by its beginning, and by what instrumentations are known to get wrong further on: an
//! instrumentation that writes its first message in that form writes all of them so.

use memchr::memmem;
use serde_json::Value as Json;

use crate::target::{self, Target};

/// The parts of the first message begin within this many bytes.
const HEAD: usize = 256;

/// Whether the text of such an attribute can stay.
pub(crate) fn is_canonical(target: Target, bytes: &[u8]) -> bool {
    if matches!(bytes.trim_ascii(), b"[]") {
        return true;
    }
    match target {
        target::INPUT_MESSAGES | target::OUTPUT_MESSAGES => {
            let output = target == target::OUTPUT_MESSAGES;
            has_typed_parts(bytes) && (!is_suspect(bytes, output) || is_valid(bytes, output))
        }
        target::SYSTEM => {
            let tokens: [&[u8]; 9] = [b"[", b"{", b"\"type\"", b":", b"\"text\"", b",", b"\"content\"", b":", b"\""];
            after(bytes, &tokens).is_some()
        }
        target::DEFINITIONS => {
            let Some(rest) = after(bytes, &[b"[", b"{", b"\"type\"", b":", b"\""]) else { return false };
            let end = memchr::memchr(b'"', rest).and_then(|end| rest.get(end + 1..));
            end.is_some_and(|rest| after(rest, &[b",", b"\"name\"", b":", b"\""]).is_some())
        }
        _ => true,
    }
}

/// `[{…"parts":[{"type":…`, or a first message without parts. A content there is text.
fn has_typed_parts(text: &[u8]) -> bool {
    if after(text, &[b"[", b"{"]).is_none() {
        return false;
    }
    let head = text.get(..HEAD).unwrap_or(text);
    let role = memmem::find(head, b"\"role\"").is_some();
    let Some(rest) = memmem::find(head, b"\"parts\"").and_then(|at| text.get(at + b"\"parts\"".len()..)) else {
        return false;
    };
    let typed = after(rest, &[b":", b"[", b"{", b"\"type\"", b":", b"\""]).filter(|part| has_text(part));
    role && (typed.is_some() || after(rest, &[b":", b"[", b"]"]).is_some())
}

/// Whether the content of a part, if it comes next, is text. A part is more than its type.
fn has_text(part: &[u8]) -> bool {
    let next = memchr::memchr(b'"', part).and_then(|end| part.get(end + 1..));
    if next.is_some_and(|rest| after(rest, &[b"}"]).is_some()) {
        return false;
    }
    let content = next.and_then(|rest| after(rest, &[b",", b"\"content\"", b":"]));
    content.is_none_or(|content| content.trim_ascii_start().starts_with(b"\""))
}

/// Whether something stands there that is often wrong. Quotes inside content are escaped, so only keys match.
fn is_suspect(text: &[u8], output: bool) -> bool {
    let count = |key: &[u8]| memmem::find_iter(text, key).count();
    let misses_responses = || {
        let answers = count(b"\"tool_call_response\"");
        answers > 0 && count(b"\"response\"") < answers
    };
    let empty = |at: usize| {
        let value = text.get(at + b"\"finish_reason\"".len()..).and_then(|rest| after(rest, &[b":"]));
        value.is_none_or(|value| {
            let value = value.trim_ascii_start();
            value.starts_with(b"\"\"") || value.starts_with(b"null")
        })
    };
    let unfinished = || {
        let mut ends = memmem::find_iter(text, b"\"finish_reason\"").peekable();
        ends.peek().is_none() || ends.any(empty)
    };
    (output && unfinished()) || misses_responses()
}

/// Whether messages are what the conventions' JSON schemas ask for, read to the end.
fn is_valid(text: &[u8], output: bool) -> bool {
    let Ok(Json::Array(messages)) = serde_json::from_slice(text) else { return false };
    messages.iter().all(|message| {
        let finished = message.get("finish_reason").and_then(Json::as_str).is_some_and(|word| !word.is_empty());
        let parts = message.get("parts").and_then(Json::as_array);
        message.get("role").is_some_and(Json::is_string)
            && parts.is_some_and(|parts| parts.iter().all(is_valid_part))
            && (finished || !output)
    })
}

fn is_valid_part(part: &Json) -> bool {
    let is_text = |name: &str| part.get(name).is_some_and(Json::is_string);
    match part.get("type").and_then(Json::as_str) {
        Some("text" | "reasoning") => is_text("content"),
        Some("tool_call") => is_text("name"),
        Some("tool_call_response") => part.get("response").is_some(),
        Some("server_tool_call") => is_text("name") && part.get("server_tool_call").is_some_and(Json::is_object),
        Some("server_tool_call_response") => part.get("server_tool_call_response").is_some_and(Json::is_object),
        Some("blob") => is_text("modality") && is_text("content"),
        Some("uri") => is_text("modality") && is_text("uri"),
        Some("file") => is_text("modality") && is_text("file_id"),
        Some(_) => true,
        None => false,
    }
}

/// What follows these tokens, with any white space between them.
fn after<'a>(mut text: &'a [u8], tokens: &[&[u8]]) -> Option<&'a [u8]> {
    for token in tokens {
        text = text.trim_ascii_start().strip_prefix(*token)?;
    }
    Some(text)
}
