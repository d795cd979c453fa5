//! Headers that say who somebody is: credentials, tenants.

use http::{HeaderMap, HeaderName, HeaderValue};
use spanmill_pipeline::auth::AuthError;
use thiserror::Error;

/// There are several headers of one name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("several {0} headers, of which none is believed")]
pub(crate) struct Several<'n>(pub(crate) &'n HeaderName);

/// The one header of that name. Of several each reader would believe another one: what stands before us may have looked at the last.
pub(crate) fn only<'h, 'n>(
    headers: &'h HeaderMap,
    name: &'n HeaderName,
) -> Result<Option<&'h HeaderValue>, Several<'n>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    match values.next() {
        Some(_) => Err(Several(name)),
        None => Ok(first),
    }
}

// === impl Several ===

impl From<Several<'_>> for AuthError {
    fn from(several: Several<'_>) -> Self {
        several.to_string().into()
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
        assert_eq!(
            only(&headers, &name).unwrap_err().to_string(),
            "several x-api-key headers, of which none is believed"
        );
    }
}
