//! Whether two values are the same, whatever the order of keys in maps: both written in one canonical form.

use std::collections::BTreeMap;

use spanmill_otlp::{AnyValue, ValueRef};

/// Appends the canonical form of a value: equal values, and no others, have the same one. The types tell apart what their numbers do not.
/// Depth is bounded by what the request's scan lets pass.
pub(super) fn put_value(out: &mut Vec<u8>, value: ValueRef<'_>) {
    match value.get() {
        AnyValue::Empty => out.push(0),
        AnyValue::Text(text) => put_bytes(out, 1, text),
        AnyValue::Bool(flag) => out.extend_from_slice(&[2, u8::from(flag)]),
        AnyValue::Int(number) => {
            out.push(3);
            out.extend_from_slice(&number.to_le_bytes());
        }
        AnyValue::Double(number) => {
            out.push(4);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        AnyValue::Bytes(bytes) => put_bytes(out, 5, bytes),
        AnyValue::Array(_) => {
            out.push(6);
            out.extend_from_slice(&value.elements().count().to_le_bytes());
            value.elements().for_each(|element| put_value(out, element));
        }
        AnyValue::Map(_) => {
            out.push(7);
            put_entries(out, value.entries());
        }
    }
}

/// Appends the canonical form of a map. Where a key is repeated its first value counts.
pub(super) fn put_entries<'a>(out: &mut Vec<u8>, entries: impl Iterator<Item = (&'a [u8], ValueRef<'a>)>) {
    let mut sorted: BTreeMap<&[u8], ValueRef<'_>> = BTreeMap::new();
    for (key, value) in entries {
        sorted.entry(key).or_insert(value);
    }
    out.extend_from_slice(&sorted.len().to_le_bytes());
    for (key, value) in sorted {
        put_bytes(out, 1, key);
        put_value(out, value);
    }
}

fn put_bytes(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    out.extend_from_slice(&bytes.len().to_le_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use spanmill_otlp::Value;

    use super::super::literal::Literal;
    use super::*;

    fn form(value: &Value<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        put_value(&mut out, Literal::new(value).value());
        out
    }

    /// Scenario: maps in another order, numbers of another type, lists that are cut elsewhere.
    /// Guarantees: only the first are the same.
    #[test]
    fn forms() {
        let (one, two) = (("a", Value::Int(1)), ("b", Value::Str("x")));
        assert_eq!(form(&Value::Map(&[one, two])), form(&Value::Map(&[two, one])));
        assert_ne!(form(&Value::Int(1)), form(&Value::Double(1.0)));
        assert_ne!(form(&Value::Str("1")), form(&Value::Bytes(b"1")));
        assert_ne!(form(&Value::Strs(&["ab", "c"])), form(&Value::Strs(&["a", "bc"])));
        assert_ne!(form(&Value::Map(&[one])), form(&Value::Map(&[one, two])));
    }
}
