//! The header that carries credentials.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The one header of that name. Of several each reader would believe another one: what stands before us may have looked at the last.
pub(super) fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, String> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    match values.next() {
        Some(_) => Err(format!("several {name} headers, of which none is believed")),
        None => Ok(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: no header of a name, one, and two, also equal ones.
    /// Guarantees: one is found, two are refused.
    #[test]
    fn one_is_found() {
        let name = HeaderName::from_static("x-api-key");
        let mut headers = HeaderMap::new();
        assert_eq!(only(&headers, &name), Ok(None));
        let value = HeaderValue::from_static("a");
        headers.append(name.clone(), value.clone());
        assert_eq!(only(&headers, &name), Ok(Some(&value)));
        headers.append(name.clone(), value);
        assert_eq!(only(&headers, &name).unwrap_err(), "several x-api-key headers, of which none is believed");
    }
}
