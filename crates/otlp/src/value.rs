use crate::wire::{delimited_len, put_delimited, put_varint, varint_len};

/// An attribute value to be written (`opentelemetry.proto.common.v1.AnyValue`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// No value at all.
    Empty,
    /// UTF-8 text.
    Str(&'a str),
    /// Text as it was found, not checked to be UTF-8.
    Text(&'a [u8]),
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A double, kept a double even when whole.
    Double(f64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An array of strings.
    Strs(&'a [&'a str]),
    /// An array of values.
    Array(&'a [Value<'a>]),
    /// A map, in the order given.
    Map(&'a [(&'a str, Value<'a>)]),
    /// An encoded `AnyValue`, copied as it is. It must be valid, as what [`ValueRef::raw`](crate::ValueRef::raw) gives.
    Raw(&'a [u8]),
}

/// Appends the encoded `AnyValue`, without tag and length.
#[inline]
pub fn put_any_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match *value {
        Value::Empty => {}
        Value::Str(text) => put_delimited(out, 0x0a, text.as_bytes()),
        Value::Text(text) => put_delimited(out, 0x0a, text),
        Value::Bool(flag) => out.extend_from_slice(&[0x10, u8::from(flag)]),
        Value::Int(number) => {
            out.push(0x18);
            put_varint(out, number as u64);
        }
        Value::Double(number) => {
            out.push(0x21);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Bytes(bytes) => put_delimited(out, 0x3a, bytes),
        Value::Strs(items) => {
            out.push(0x2a);
            put_varint(out, items.iter().map(|item| delimited_len(delimited_len(item.len()))).sum::<usize>() as u64);
            for item in items {
                out.push(0x0a);
                put_varint(out, delimited_len(item.len()) as u64);
                put_delimited(out, 0x0a, item.as_bytes());
            }
        }
        Value::Array(items) => {
            out.push(0x2a);
            put_varint(out, array_len(items) as u64);
            for item in items {
                out.push(0x0a);
                put_varint(out, any_value_len(item) as u64);
                put_any_value(out, item);
            }
        }
        Value::Map(entries) => {
            out.push(0x32);
            put_varint(out, map_len(entries) as u64);
            for (key, item) in entries {
                put_key_value(out, 0x0a, key, item);
            }
        }
        Value::Raw(encoded) => out.extend_from_slice(encoded),
    }
}

/// Appends a `KeyValue` as a field whose encoded tag byte is `tag`.
#[inline]
pub fn put_key_value(out: &mut Vec<u8>, tag: u8, key: &str, value: &Value<'_>) {
    let value_len = any_value_len(value);
    let len = delimited_len(key.len()) + delimited_len(value_len);
    if len < 0x80 {
        let start = out.len();
        out.resize(start + 2 + len, 0);
        let place = out.get_mut(start..).unwrap_or(&mut []);
        if put_small(place, [tag, len as u8, 0x0a, key.len() as u8], key.as_bytes(), value).is_some() {
            return;
        }
        out.truncate(start);
    }
    out.push(tag);
    put_varint(out, len as u64);
    put_delimited(out, 0x0a, key.as_bytes());
    out.push(0x12);
    put_varint(out, value_len as u64);
    put_any_value(out, value);
}

/// Fills `place`, which has just the size, with a `KeyValue` all of whose lengths have one byte: most of what is written.
/// Gives none where the value is of a rarer type.
#[inline]
fn put_small(place: &mut [u8], head: [u8; 4], key: &[u8], value: &Value<'_>) -> Option<()> {
    let (start, rest) = place.split_first_chunk_mut::<4>()?;
    let (key_bytes, rest) = rest.split_at_mut_checked(key.len())?;
    let ([tag, len], rest) = rest.split_first_chunk_mut::<2>()?;
    *start = head;
    key_bytes.copy_from_slice(key);
    (*tag, *len) = (0x12, rest.len() as u8);
    match (*value, rest) {
        (Value::Str(text), [tag, len, rest @ ..]) if rest.len() == text.len() => {
            (*tag, *len) = (0x0a, text.len() as u8);
            rest.copy_from_slice(text.as_bytes());
        }
        (Value::Bool(flag), [tag, rest]) => (*tag, *rest) = (0x10, u8::from(flag)),
        (Value::Int(number), [tag, rest @ .., last]) => {
            let mut left = number as u64;
            *tag = 0x18;
            for byte in rest {
                *byte = left as u8 | 0x80;
                left >>= 7;
            }
            *last = left as u8;
        }
        (Value::Double(number), [tag, rest @ ..]) => {
            *tag = 0x21;
            *rest.first_chunk_mut()? = number.to_le_bytes();
        }
        _ => return None,
    }
    Some(())
}

#[inline]
fn any_value_len(value: &Value<'_>) -> usize {
    match *value {
        Value::Empty => 0,
        Value::Str(text) => delimited_len(text.len()),
        Value::Text(bytes) | Value::Bytes(bytes) => delimited_len(bytes.len()),
        Value::Bool(_) => 2,
        Value::Int(number) => 1 + varint_len(number as u64),
        Value::Double(_) => 9,
        Value::Strs(items) => delimited_len(items.iter().map(|item| delimited_len(delimited_len(item.len()))).sum()),
        Value::Array(items) => delimited_len(array_len(items)),
        Value::Map(entries) => delimited_len(map_len(entries)),
        Value::Raw(encoded) => encoded.len(),
    }
}

fn array_len(items: &[Value<'_>]) -> usize {
    items.iter().map(|item| delimited_len(any_value_len(item))).sum()
}

fn map_len(entries: &[(&str, Value<'_>)]) -> usize {
    let entry_len =
        |(key, item): &(&str, Value<'_>)| delimited_len(delimited_len(key.len()) + delimited_len(any_value_len(item)));
    entries.iter().map(entry_len).sum()
}
