//! The detector `env`: attributes from the environment.

use super::detected::Detected;

/// From `OTEL_RESOURCE_ATTRIBUTES`, or `OTEL_RESOURCE` where that is empty.
pub(super) fn detect() -> Result<Detected, String> {
    let text = |name: &str| std::env::var(name).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match text("OTEL_RESOURCE_ATTRIBUTES").or_else(|| text("OTEL_RESOURCE")) {
        None => Ok(Detected::default()),
        Some(text) => parse(&text),
    }
}

/// `key=value` by commas; values are escaped as in a query.
fn parse(text: &str) -> Result<Detected, String> {
    let mut found = Detected::default();
    let parts: Vec<&str> = text.split(',').collect();
    for (at, part) in parts.iter().enumerate() {
        if part.trim().is_empty() && at > 0 && at + 1 == parts.len() {
            // One comma may end the list.
            break;
        }
        let pair = part.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        let pair = pair.filter(|(key, value)| {
            (1..=256).contains(&key.len()) && value.len() <= 256 && key.is_ascii() && value.is_ascii()
        });
        let (key, value) = pair.ok_or_else(|| format!("invalid resource format, invalid text: {part:?}"))?;
        let value = unescape(value).ok_or_else(|| format!("invalid resource format in attribute: {part:?}"))?;
        found.set(key, value);
    }
    Ok(found)
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_first_chunk::<2>()?;
                let digits =
                    std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                rest = after;
            }
            other => out.push(*other),
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: lists with spaces, escapes, empty values, a comma at the end, and a key that is there twice.
    /// Guarantees: keys and values as the Collector reads them.
    #[test]
    fn lists() {
        let parsed = |text: &str| parse(text).unwrap().texts();
        assert_eq!(parsed("a=b"), ["a=b"]);
        assert_eq!(parsed(" key = some text , other=%20x+y%C3%BC, "), ["key=some text", "other= x yü"]);
        assert_eq!(parsed("a=,b=c=d"), ["a=", "b=c=d"]);
        assert_eq!(parsed("a=1,a=2"), ["a=2"]);
    }

    /// Scenario: texts that are no list.
    /// Guarantees: refused, with what is wrong.
    #[test]
    fn refusals() {
        for text in ["a", "=b", "a=b,c", "a=b,,c=d", "a=%2", "a=%zz", "ü=a", &format!("a={}", "x".repeat(257))] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
