//! Text that is not UTF-8, which protobuf does not allow and some senders send. Requests of spans keep it as it is; those of metrics and logs
//! cannot be decoded with it.

use std::borrow::Cow;

use crate::error::Malformed;
use crate::opaque::{Opaque, Signal};
use crate::revise::revise;

/// What the fields of a message are, where they are text or may hold some.
type Fields = &'static [(u32, What)];

#[derive(Debug, Clone, Copy)]
enum What {
    Text,
    Message(&'static Fields),
}

use What::{Message, Text};

static ANY_VALUE: Fields = &[(1, Text), (5, Message(&ARRAY)), (6, Message(&LIST))];
static ARRAY: Fields = &[(1, Message(&ANY_VALUE))];
static LIST: Fields = &[(1, Message(&KEY_VALUE))];
static KEY_VALUE: Fields = &[(1, Text), (2, Message(&ANY_VALUE))];
static ENTITY: Fields = &[(1, Text), (2, Text), (3, Text), (4, Text)];
static RESOURCE: Fields = &[(1, Message(&KEY_VALUE)), (3, Message(&ENTITY))];
static SCOPE: Fields = &[(1, Text), (2, Text), (3, Message(&KEY_VALUE))];

static LOGS: Fields = &[(1, Message(&RESOURCE_LOGS))];
static RESOURCE_LOGS: Fields = &[(1, Message(&RESOURCE)), (2, Message(&SCOPE_LOGS)), (3, Text)];
static SCOPE_LOGS: Fields = &[(1, Message(&SCOPE)), (2, Message(&LOG_RECORD)), (3, Text)];
static LOG_RECORD: Fields = &[(3, Text), (5, Message(&ANY_VALUE)), (6, Message(&KEY_VALUE)), (12, Text)];

static METRICS: Fields = &[(1, Message(&RESOURCE_METRICS))];
static RESOURCE_METRICS: Fields = &[(1, Message(&RESOURCE)), (2, Message(&SCOPE_METRICS)), (3, Text)];
static SCOPE_METRICS: Fields = &[(1, Message(&SCOPE)), (2, Message(&METRIC)), (3, Text)];
static METRIC: Fields = &[
    (1, Text),
    (2, Text),
    (3, Text),
    (5, Message(&NUMBERS)),
    (7, Message(&NUMBERS)),
    (9, Message(&HISTOGRAMS)),
    (10, Message(&EXPONENTIALS)),
    (11, Message(&SUMMARIES)),
    (12, Message(&KEY_VALUE)),
];
static NUMBERS: Fields = &[(1, Message(&NUMBER))];
static HISTOGRAMS: Fields = &[(1, Message(&HISTOGRAM))];
static EXPONENTIALS: Fields = &[(1, Message(&EXPONENTIAL))];
static SUMMARIES: Fields = &[(1, Message(&SUMMARY))];
static NUMBER: Fields = &[(5, Message(&EXEMPLAR)), (7, Message(&KEY_VALUE))];
static HISTOGRAM: Fields = &[(8, Message(&EXEMPLAR)), (9, Message(&KEY_VALUE))];
static EXPONENTIAL: Fields = &[(1, Message(&KEY_VALUE)), (11, Message(&EXEMPLAR))];
static SUMMARY: Fields = &[(7, Message(&KEY_VALUE))];
static EXEMPLAR: Fields = &[(7, Message(&KEY_VALUE))];

/// Deepest that values may be nested; what lies deeper stays as it is.
const MAX_DEPTH: u32 = 128;

// === impl Opaque ===

impl Opaque {
    /// The request with the bytes replaced that are no UTF-8 where text must be, for metrics and logs.
    ///
    /// # Errors
    ///
    /// Fails where the result is too large.
    pub fn with_valid_text(&self) -> Result<Self, Malformed> {
        let fields = match self.signal() {
            Signal::Logs => LOGS,
            Signal::Metrics => METRICS,
            Signal::Traces => return Ok(self.clone()),
        };
        self.become_of(mended(self.bytes(), fields, MAX_DEPTH))
    }
}

/// A message with its text mended; none where it is as it should be.
fn mended(message: &[u8], fields: Fields, depth: u32) -> Result<Option<Vec<u8>>, Malformed> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(None) };
    let numbers: Vec<u32> = fields.iter().map(|(number, _)| *number).collect();
    revise(message, &numbers, |number, body| match fields.iter().find(|(known, _)| *known == number) {
        Some((_, Message(inner))) => mended(body, inner, depth),
        Some((_, Text)) => Ok(match String::from_utf8_lossy(body) {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text.into_bytes()),
        }),
        None => Ok(None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Payload, put_field};

    fn wrap(number: u32, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_field(&mut out, number, Payload::Bytes(body));
        out
    }

    /// Scenario: a log record whose body is a map with a key and a text that are no UTF-8, beside bytes that need not be; and one without fault.
    /// Guarantees: the texts are mended, the bytes are not; what is right stays the very same.
    #[test]
    fn text_is_mended() {
        let request = |text: &[u8]| {
            let value = [wrap(1, text), wrap(2, &wrap(1, text))].concat();
            let body = wrap(5, &wrap(6, &[wrap(1, &value), wrap(1, &wrap(2, &wrap(7, b"\xff")))].concat()));
            wrap(1, &wrap(2, &wrap(2, &[body, wrap(9, b"\xff"), wrap(12, text)].concat())))
        };
        let parse = |bytes: Vec<u8>| Opaque::parse(Signal::Logs, bytes.into()).unwrap();
        let mended = parse(request(b"a\xffb")).with_valid_text().unwrap();
        assert_eq!(mended.bytes(), &request("a\u{fffd}b".as_bytes()));
        assert_eq!(mended.item_count(), 1);
        assert_eq!(parse(request(b"ab")).with_valid_text().unwrap().bytes(), &request(b"ab"));
    }
}
