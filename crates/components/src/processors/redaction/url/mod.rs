//! URLs without what makes each one its own: parts of the path that look like identifiers become a star.

mod cluster;
mod gibberish;

use std::collections::HashSet;

use spanmill_otlp::SpanRef;

use super::config::Urls;
use cluster::cluster;

/// Sanitises attributes that hold URLs, and names of HTTP spans.
#[derive(Debug)]
pub(super) struct UrlSanitizer {
    attributes: HashSet<Vec<u8>, ahash::RandomState>,
    names: bool,
}

/// What makes a span one of HTTP, by old and by new conventions.
const HTTP_KEYS: [&[u8]; 9] = [
    b"http.route",
    b"http.request.method",
    b"http.request.method_original",
    b"http.response.status_code",
    b"url.full",
    b"http.scheme",
    b"http.target",
    b"http.method",
    b"http.url",
];

// === impl UrlSanitizer ===

impl UrlSanitizer {
    pub(super) fn new(config: &Urls) -> Self {
        let attributes = config.attributes.iter().map(|key| key.clone().into_bytes()).collect();
        Self { attributes, names: config.sanitize_span_name.unwrap_or(true) }
    }

    /// The URL in an attribute; none where that holds no URL.
    pub(super) fn attribute(&self, key: &[u8], url: &[u8]) -> Option<Vec<u8>> {
        self.attributes.contains(key).then(|| cluster(url))
    }

    /// Another name for an HTTP span; none where it keeps its own.
    pub(super) fn name(&self, span: SpanRef<'_>) -> Option<Vec<u8>> {
        let name = span.name();
        // 2 is a server, 3 a client.
        if !self.names || !matches!(span.kind(), 2 | 3) {
            return None;
        }
        if !name.contains(&b'/') && !span.attributes().any(|attribute| HTTP_KEYS.contains(&attribute.key)) {
            return None;
        }
        let sanitized = cluster(name);
        // A name of which nothing is left would say less than the original.
        (sanitized != name && !is_nothing_but_stars(&sanitized)).then_some(sanitized)
    }
}

fn is_nothing_but_stars(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).peekable();
    parts.peek().is_some() && parts.all(|part| part == b"*")
}
