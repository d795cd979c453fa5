//! What a `Content-Type` says, as Go's `mime` reads it.

/// The media type before the parameters, in lower case; none where any part of the header is malformed.
pub(crate) fn media_type(header: &str) -> Option<String> {
    let (name, parameters) = header.split_at(header.find(';').unwrap_or(header.len()));
    let name = name.trim().to_ascii_lowercase();
    let (kind, subtype) = name.split_once('/').unwrap_or((&name, "x"));
    if !is_token(kind) || !is_token(subtype) {
        return None;
    }
    let mut rest = parameters.trim_start();
    let mut seen = Vec::new();
    while !rest.is_empty() {
        let inner = rest.strip_prefix(';')?.trim_start();
        if inner.is_empty() {
            // One semicolon at the end is nothing.
            break;
        }
        let (key, after) = inner.split_at(inner.find(|c| !is_token_char(c)).unwrap_or(inner.len()));
        let (value, after) = value(after.trim_start().strip_prefix('=')?.trim_start())?;
        let key = key.to_ascii_lowercase();
        if key.is_empty() || seen.iter().any(|(known, other)| *known == key && *other != value) {
            return None;
        }
        seen.push((key, value));
        rest = after.trim_start();
    }
    Some(name)
}

/// A token or a quoted string at the beginning, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find(|c| !is_token_char(c)).unwrap_or(text.len()));
        return (!token.is_empty()).then(|| (token.to_owned(), rest));
    };
    let (mut value, mut chars) = (String::new(), quoted.chars());
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            '\r' | '\n' => return None,
            other => value.push(other),
        }
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token_char)
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c)
}

#[cfg(test)]
mod tests {
    use super::media_type;

    /// Scenario: headers as clients write them, and malformed ones.
    /// Guarantees: case, blanks and good parameters do not matter; what Go cannot parse is nothing.
    #[test]
    fn headers() {
        for good in [
            "application/json",
            " Application/JSON ",
            "application/json;",
            "application/json; charset=utf-8",
            "application/json;a=\"b; \\\"c\" ; d=e",
            "application/json; a=b; A=b",
        ] {
            assert_eq!(media_type(good).as_deref(), Some("application/json"), "{good}");
        }
        for bad in [
            "",
            "/json",
            "application/",
            "application/json, text/plain",
            "application/json; charset",
            "application/json; =b",
            "application/json; a=",
            "application/json; a=\"b",
            "application/json; a=b; a=c",
            "application/json;;",
        ] {
            assert_eq!(media_type(bad), None, "{bad}");
        }
    }
}
