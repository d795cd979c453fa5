//! Arrays of one dimension: `array_in` and `array_recv` of PostgreSQL's `arrayfuncs.c`.

use pgwire::api::Type;

use super::ValueError;

/// Elements as they came; none is null.
type Items = Vec<Option<Vec<u8>>>;

/// Why it is no array.
pub(super) enum ArrayError {
    Malformed,
    Dimensions,
}

// === impl ArrayError ===

impl ArrayError {
    pub(super) fn of(self, kind: &Type) -> ValueError {
        match self {
            Self::Malformed => ValueError::Invalid(kind.clone()),
            Self::Dimensions => ValueError::Dimensions,
        }
    }
}

/// Dimensions, whether there are nulls, the elements' type; of each dimension its length and first index; then lengths and elements.
pub(super) fn binary(mut bytes: &[u8]) -> Result<Items, ArrayError> {
    let number = |bytes: &mut &[u8]| take(bytes, 4).and_then(|four| four.try_into().ok()).map(i32::from_be_bytes);
    let mut head = || number(&mut bytes).ok_or(ArrayError::Malformed);
    let (dimensions, _nulls, _element) = (head()?, head()?, head()?);
    let count = match dimensions {
        0 => 0,
        1 => {
            let (count, _first) = (head()?, head()?);
            count
        }
        _ => return Err(ArrayError::Dimensions),
    };
    let mut items = Vec::new();
    for _ in 0..count {
        let length = number(&mut bytes).ok_or(ArrayError::Malformed)?;
        items.push(match usize::try_from(length) {
            Ok(length) => Some(take(&mut bytes, length).ok_or(ArrayError::Malformed)?.to_vec()),
            Err(_) => None,
        });
    }
    if bytes.is_empty() { Ok(items) } else { Err(ArrayError::Malformed) }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

/// `{a,"b c",NULL}`.
pub(super) fn text(bytes: &[u8]) -> Result<Items, ArrayError> {
    let inner = bytes.trim_ascii().strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
    let mut rest = inner.ok_or(ArrayError::Malformed)?.iter().copied().peekable();
    let mut items = Vec::new();
    loop {
        while rest.next_if(u8::is_ascii_whitespace).is_some() {}
        let (mut item, mut is_quoted) = (Vec::new(), false);
        match rest.peek() {
            None if items.is_empty() => return Ok(items),
            Some(b'{') => return Err(ArrayError::Dimensions),
            Some(b'"') => {
                is_quoted = true;
                rest.next();
                loop {
                    match rest.next().ok_or(ArrayError::Malformed)? {
                        b'"' => break,
                        b'\\' => item.push(rest.next().ok_or(ArrayError::Malformed)?),
                        byte => item.push(byte),
                    }
                }
                while rest.next_if(u8::is_ascii_whitespace).is_some() {}
            }
            _ => {
                while let Some(byte) = rest.next_if(|byte| *byte != b',') {
                    match byte {
                        b'"' | b'{' | b'}' => return Err(ArrayError::Malformed),
                        b'\\' => item.push(rest.next().ok_or(ArrayError::Malformed)?),
                        byte => item.push(byte),
                    }
                }
                item.truncate(item.trim_ascii_end().len());
                if item.is_empty() {
                    return Err(ArrayError::Malformed);
                }
            }
        }
        let is_null = !is_quoted && item.eq_ignore_ascii_case(b"null");
        items.push((!is_null).then_some(item));
        match rest.next() {
            None => return Ok(items),
            Some(b',') => {}
            Some(_) => return Err(ArrayError::Malformed),
        }
    }
}
