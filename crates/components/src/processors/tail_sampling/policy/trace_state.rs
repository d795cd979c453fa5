use std::collections::HashSet;

/// Samples traces of which a span has a member in its W3C `tracestate` with one of these values.
#[derive(Debug)]
pub(in super::super) struct TraceStatePolicy {
    key: Vec<u8>,
    values: HashSet<Vec<u8>>,
}

const MOST_MEMBERS: usize = 32;
const MOST_VALUE_BYTES: usize = 256;

// === impl TraceStatePolicy ===

impl TraceStatePolicy {
    /// Values that cannot occur are left out: empty ones, and ones that are too long together with the key.
    pub(super) fn new(key: &str, values: &[String]) -> Self {
        let possible = values.iter().filter(|value| !value.is_empty() && key.len() + value.len() < MOST_VALUE_BYTES);
        Self { key: key.into(), values: possible.map(|value| value.clone().into_bytes()).collect() }
    }

    /// Whether the text has such a member. A text with a mistake anywhere has none.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let mut keys: Vec<&[u8]> = Vec::new();
        let mut matched = false;
        for member in text.split(|byte| *byte == b',').filter(|member| !member.is_empty()) {
            let Some((key, value)) = read_member(member) else { return false };
            if keys.contains(&key) || keys.len() == MOST_MEMBERS {
                return false;
            }
            keys.push(key);
            matched |= key == self.key && self.values.contains(value);
        }
        matched
    }
}

fn read_member(member: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = member.iter().position(|byte| *byte == b'=')?;
    let key = trim_start(member.get(..at)?);
    let value = trim_end(member.get(at + 1..)?);
    (is_key(key) && is_value(value)).then_some((key, value))
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn is_key(key: &[u8]) -> bool {
    let part = |text: &[u8], first: fn(&u8) -> bool, most: usize| match text {
        [start, rest @ ..] => first(start) && rest.len() <= most && rest.iter().all(is_key_byte),
        [] => false,
    };
    match key.iter().position(|byte| *byte == b'@') {
        None => part(key, u8::is_ascii_lowercase, 255),
        Some(at) => {
            let (tenant, system) = key.split_at(at);
            part(tenant, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(), 240)
                && part(system.get(1..).unwrap_or(&[]), u8::is_ascii_lowercase, 13)
        }
    }
}

fn is_key_byte(byte: &u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/".contains(byte)
}

fn is_value(value: &[u8]) -> bool {
    let valid = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'=');
    value.len() <= MOST_VALUE_BYTES && value.last().is_some_and(|last| *last != b' ') && value.iter().all(valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: texts with the member in all places, and texts with mistakes.
    /// Guarantees: the member is found; a mistake anywhere means that nothing is.
    #[test]
    fn members() {
        let policy = TraceStatePolicy::new("vendor", &["a".into(), "b c".into(), String::new(), "v".repeat(256)]);
        for text in ["vendor=a", "x=1,vendor=b c", " vendor=a\t,,x=1", ",vendor=a,"] {
            assert!(policy.matches(text.as_bytes()), "{text}");
        }
        let many = (0..32).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        for text in
            ["", "vendor=", "vendor=A", "vendor=a,vendor=a", "vendor=a,X=1", "vendor=a,x", "vendor =a", "1x=1,vendor=a"]
        {
            assert!(!policy.matches(text.as_bytes()), "{text}");
        }
        assert!(!policy.matches(format!("vendor=a,{many}").as_bytes()));
    }
}
