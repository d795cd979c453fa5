//! The W3C `tracestate`, and the `ot` member in it that tells how a span was sampled.

use thiserror::Error;

use super::threshold::{Randomness, Threshold};

/// A parsed `tracestate`: what OpenTelemetry's samplers wrote there, and everything else.
#[derive(Debug, Clone, Default)]
pub(in crate::processors) struct TraceState<'a> {
    /// `rv`, with its text where it was received.
    randomness: Option<(Randomness, Option<&'a [u8]>)>,
    /// `th`, with its text where it was received.
    threshold: Option<(Threshold, Option<&'a [u8]>)>,
    /// Other fields of `ot`.
    fields: Vec<(&'a [u8], &'a [u8])>,
    /// Members of other vendors.
    members: Vec<(&'a [u8], &'a [u8])>,
}

/// Why a text is no `tracestate`. What could be read remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(in crate::processors) enum TraceStateError {
    #[error("tracestate is too long")]
    Size,
    #[error("tracestate is malformed")]
    Syntax,
    #[error("a sampling value in tracestate is malformed")]
    Value,
}

type Result = std::result::Result<(), TraceStateError>;

const MOST_BYTES: usize = 1024;
const MOST_MEMBERS: usize = 32;
const MOST_VALUE_BYTES: usize = 256;
const LONGEST_KEY: usize = 256;
const LONGEST_TENANT: usize = 241;
const LONGEST_SYSTEM: usize = 14;

// === impl TraceState ===

impl<'a> TraceState<'a> {
    /// Reads a text. Where there is an error, what was read before it, or beside it, is still there.
    pub(in crate::processors) fn parse(text: &'a [u8]) -> (Self, Result) {
        let mut state = Self::default();
        let outcome = if text.is_empty() {
            Ok(())
        } else if text.len() > MOST_BYTES {
            Err(TraceStateError::Size)
        } else if !members(text).all(is_member) {
            Err(TraceStateError::Syntax)
        } else {
            state.read(text)
        };
        (state, outcome)
    }

    fn read(&mut self, text: &'a [u8]) -> Result {
        let mut outcome = Ok(());
        for (index, member) in members(text).enumerate() {
            if index + 1 >= MOST_MEMBERS {
                return Err(TraceStateError::Size);
            }
            let Some((key, value)) = cut(member, b'=') else { continue };
            let read = if is_long(key) {
                Err(TraceStateError::Size)
            } else if key == b"ot" {
                self.read_fields(value)
            } else {
                self.members.push((key, value));
                Ok(())
            };
            outcome = outcome.and(read);
        }
        outcome
    }

    /// Reads the `ot` member. The last one counts where there are several.
    fn read_fields(&mut self, text: &'a [u8]) -> Result {
        (self.randomness, self.threshold) = (None, None);
        self.fields.clear();
        if text.len() > MOST_VALUE_BYTES {
            return Err(TraceStateError::Size);
        }
        if !text.split(|byte| *byte == b';').all(is_field) {
            return Err(TraceStateError::Syntax);
        }
        let mut outcome = Ok(());
        for (key, value) in text.split(|byte| *byte == b';').filter_map(|field| cut(field, b':')) {
            let valid = match key {
                b"rv" => {
                    self.randomness = Randomness::parse(value).map(|read| (read, Some(value)));
                    self.randomness.is_some()
                }
                b"th" => {
                    self.threshold = Threshold::parse(value).map(|read| (read, Some(value)));
                    self.threshold.is_some()
                }
                _ => {
                    self.fields.push((key, value));
                    true
                }
            };
            if !valid {
                outcome = Err(TraceStateError::Value);
            }
        }
        outcome
    }

    /// The explicit randomness.
    pub(in crate::processors) fn randomness(&self) -> Option<Randomness> {
        self.randomness.map(|(randomness, _)| randomness)
    }

    /// What the span was sampled by before.
    pub(in crate::processors) fn threshold(&self) -> Option<Threshold> {
        self.threshold.map(|(threshold, _)| threshold)
    }

    pub(in crate::processors) fn set_randomness(&mut self, randomness: Randomness) {
        self.randomness = Some((randomness, None));
    }

    /// Forgets a threshold that cannot be true.
    pub(in crate::processors) fn clear_threshold(&mut self) {
        self.threshold = None;
    }

    /// Notes another sampling step. A span's probability can only fall: where it was less already, it stays.
    pub(in crate::processors) fn raise_threshold(&mut self, threshold: Threshold) {
        if self.threshold.is_none_or(|(known, _)| known <= threshold) {
            self.threshold = Some((threshold, None));
        }
    }

    /// Appends it as text, what OpenTelemetry wrote first.
    pub(in crate::processors) fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        self.put_fields(out);
        for (key, value) in &self.members {
            if out.len() > start {
                out.push(b',');
            }
            put_pair(out, key, b'=', value);
        }
    }

    fn put_fields(&self, out: &mut Vec<u8>) {
        let mut begin: &[u8] = b"ot=";
        if let Some((randomness, received)) = self.randomness {
            out.extend_from_slice(begin);
            out.extend_from_slice(b"rv:");
            match received {
                Some(text) => out.extend_from_slice(text),
                None => randomness.put(out),
            }
            begin = b";";
        }
        if let Some((threshold, received)) = self.threshold {
            out.extend_from_slice(begin);
            out.extend_from_slice(b"th:");
            match received {
                Some(text) => out.extend_from_slice(text),
                None => threshold.put(out),
            }
            begin = b";";
        }
        for (key, value) in &self.fields {
            out.extend_from_slice(begin);
            put_pair(out, key, b':', value);
            begin = b";";
        }
    }
}

fn put_pair(out: &mut Vec<u8>, key: &[u8], between: u8, value: &[u8]) {
    out.extend_from_slice(key);
    out.push(between);
    out.extend_from_slice(value);
}

/// The members of a list without the white space around them. A comma at the end is followed by nothing.
fn members(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b",").unwrap_or(text);
    text.split(|byte| *byte == b',').map(trim)
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn cut(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = text.iter().position(|byte| *byte == at)?;
    Some((text.get(..position)?, text.get(position + 1..)?))
}

/// Whether it is a member of a `tracestate`, or nothing, which may stand for one.
fn is_member(member: &[u8]) -> bool {
    member.is_empty() || cut(member, b'=').is_some_and(|(key, value)| is_key(key) && is_value(value))
}

fn is_key(key: &[u8]) -> bool {
    let valid = |text: &[u8], first: fn(&u8) -> bool| match text {
        [start, rest @ ..] => first(start) && rest.iter().all(|byte| is_key_byte(*byte)),
        [] => false,
    };
    match cut(key, b'@') {
        Some((tenant, system)) => {
            valid(tenant, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                && valid(system, u8::is_ascii_lowercase)
        }
        None => valid(key, u8::is_ascii_lowercase),
    }
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/".contains(&byte)
}

fn is_value(value: &[u8]) -> bool {
    let valid = |byte: u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'=');
    value.len() <= MOST_VALUE_BYTES
        && value.last().is_some_and(|last| *last != b' ')
        && value.iter().all(|byte| valid(*byte))
}

fn is_long(key: &[u8]) -> bool {
    key.len() > LONGEST_KEY
        || cut(key, b'@').is_some_and(|(tenant, system)| tenant.len() > LONGEST_TENANT || system.len() > LONGEST_SYSTEM)
}

/// Whether it is a field of the `ot` member.
fn is_field(field: &[u8]) -> bool {
    let Some((key, value)) = cut(field, b':') else { return false };
    let [first, rest @ ..] = key else { return false };
    first.is_ascii_lowercase()
        && rest.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> (String, Result) {
        let (state, outcome) = TraceState::parse(text.as_bytes());
        let mut out = Vec::new();
        state.put(&mut out);
        (String::from_utf8(out).unwrap(), outcome)
    }

    /// Scenario: texts with members of several vendors, white space and empty members.
    /// Guarantees: they are read and written as the Collector writes them, the `ot` member first and its sampling values before others.
    #[test]
    fn valid_texts() {
        for (given, written) in [
            ("", ""),
            ("ot=th:8", "ot=th:8"),
            ("a=1,ot=x:y;th:c;rv:00aabbccddeeff,b=2", "ot=rv:00aabbccddeeff;th:c;x:y,a=1,b=2"),
            (" a=1 ,\t,b=x y,", "a=1,b=x y"),
            ("ot=th:8,ot=rv:00AABBCCDDEEFF", "ot=rv:00AABBCCDDEEFF"),
            ("0tenant@sys=v,a-*/_9=!", "0tenant@sys=v,a-*/_9=!"),
            (",,,", ""),
        ] {
            assert_eq!(rewritten(given), (written.to_owned(), Ok(())), "{given}");
        }
    }

    /// Scenario: texts with mistakes of every kind.
    /// Guarantees: the error is told, and what was read beside a bad value or before the limit remains, as in the Collector.
    #[test]
    fn invalid_texts() {
        let many = (0..32).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        let kept = (0..31).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        let long = format!("a={}", "v".repeat(1024));
        let long_key = format!("{}=v,b=2", "k".repeat(257));
        for (given, written, error) in [
            (many.as_str(), kept.as_str(), TraceStateError::Size),
            (&long, "", TraceStateError::Size),
            (&long_key, "b=2", TraceStateError::Size),
            ("A=1,b=2", "", TraceStateError::Syntax),
            ("a", "", TraceStateError::Syntax),
            ("a=", "", TraceStateError::Syntax),
            ("a=b=c", "", TraceStateError::Syntax),
            ("a=\u{e9}", "", TraceStateError::Syntax),
            ("a=1,ot=th", "a=1", TraceStateError::Syntax),
            ("ot=th:8;,a=1", "a=1", TraceStateError::Syntax),
            ("ot=th:xyz;rv:00aabbccddeeff,a=1", "ot=rv:00aabbccddeeff,a=1", TraceStateError::Value),
            ("ot=rv:1,a=1", "a=1", TraceStateError::Value),
        ] {
            assert_eq!(rewritten(given), (written.to_owned(), Err(error)), "{given}");
        }
    }

    /// Scenario: a span that was sampled before is sampled again, by more and by less.
    /// Guarantees: its probability only falls.
    #[test]
    fn probability_only_falls() {
        let raised = |text: &'static str, threshold: &[u8]| {
            let (mut state, _) = TraceState::parse(text.as_bytes());
            state.raise_threshold(Threshold::parse(threshold).unwrap());
            let mut out = Vec::new();
            state.put(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(raised("ot=th:8", b"c"), "ot=th:c");
        assert_eq!(raised("ot=th:c", b"8"), "ot=th:c");
        assert_eq!(raised("ot=th:80", b"8"), "ot=th:8");
        assert_eq!(raised("", b"0"), "ot=th:0");
    }
}
