//! Paths of requests, as Go's `ServeMux` reads them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Whether each `%` begins an escape.
pub(crate) fn is_well_escaped(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}

/// Why a path of the configuration cannot be one, as Go's `url.Parse` has it; names of hosts are not looked at.
pub(crate) fn mistake(path: &str) -> Option<&'static str> {
    if path.contains(|character: char| character.is_ascii_control()) {
        return Some("invalid control character in URL");
    }
    let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
    let begins_a_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|other| other.is_ascii_alphanumeric() || "+-.".contains(other))
    };
    let (scheme, path) = path.split_once(':').filter(|(scheme, _)| begins_a_scheme(scheme)).unwrap_or(("", path));
    let path = path.split('?').next().unwrap_or_default();
    let is_opaque = !scheme.is_empty() && !path.starts_with('/');
    if path.starts_with(':') && scheme.is_empty() {
        Some("missing protocol scheme")
    } else if scheme.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
        Some("first path segment in URL cannot contain colon")
    } else if !is_well_escaped(fragment) || !(is_opaque || is_well_escaped(path)) {
        Some("invalid URL escape")
    } else {
        None
    }
}

/// The path without empty segments, `.` and `..`; a slash at its end stays.
pub(crate) fn cleaned(path: &str) -> Cow<'_, str> {
    let is_clean = |segment: &str| !matches!(segment, "" | "." | "..");
    if let Some(rest) = path.strip_prefix('/')
        && (rest.is_empty() || rest.strip_suffix('/').unwrap_or(rest).split('/').all(is_clean))
    {
        return Cow::Borrowed(path);
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    Cow::Owned(format!("/{}{end}", segments.join("/")))
}

/// Whether a clean path is the one that is known, escapes decoded; an escaped slash separates nothing. One that is known with a slash at its end stands for all
/// below it.
pub(crate) fn matches(known: &str, asked: &str) -> bool {
    let known = known.trim_start_matches('/');
    if known == asked.trim_start_matches('/') || known.is_empty() {
        return true;
    }
    let mut asked =
        asked.trim_start_matches('/').split('/').map(|segment| percent_decode_str(segment).collect::<Vec<u8>>());
    let (known, all_below) = known.strip_suffix('/').map_or((known, false), |above| (above, true));
    for segment in known.split('/') {
        if asked.next().as_deref() != Some(segment.as_bytes()) {
            return false;
        }
    }
    asked.next().is_some() == all_below
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: paths of all shapes, asked of the Go Collector 0.161.
    /// Guarantees: they are cleaned to what it redirects to.
    #[test]
    fn clean_as_go_cleans() {
        for (path, expected) in [
            ("/v1/traces", "/v1/traces"),
            ("/v1/traces/", "/v1/traces/"),
            ("//v1/traces", "/v1/traces"),
            ("/v1//traces", "/v1/traces"),
            ("/v1/./traces", "/v1/traces"),
            ("/v1/../v1/traces", "/v1/traces"),
            ("/v1/traces/.", "/v1/traces"),
            ("/v1/traces/..", "/v1"),
            ("/v1/tr%61ces/../x", "/v1/x"),
            ("/", "/"),
            ("//", "/"),
            ("/..", "/"),
            ("", "/"),
        ] {
            assert_eq!(cleaned(path), expected, "{path}");
        }
    }

    /// Scenario: paths of configurations, asked of the Go Collector 0.161.
    /// Guarantees: those that it refuses are refused, with its reason.
    #[test]
    fn mistaken_as_in_go() {
        let (scheme, colon) = ("missing protocol scheme", "first path segment in URL cannot contain colon");
        for (path, expected) in [
            (":invalid", Some(scheme)),
            ("://", Some(scheme)),
            ("1a:b", Some(colon)),
            ("-a:b", Some(colon)),
            ("a b%zz", Some("invalid URL escape")),
            ("/a%zz", Some("invalid URL escape")),
            ("/a#%zz", Some("invalid URL escape")),
            ("/a\u{1}", Some("invalid control character in URL")),
        ] {
            assert_eq!(mistake(path), expected, "{path}");
        }
        let fine = "/v1/traces v1/t a:b/c /a:b?%zz#x a%20b /a?x=%zz http://h/v1 x:y //h:1/a /\u{e4} a.+-:b a/b:c * ?x # http: /:invalid a?b:c";
        assert!(fine.split(' ').chain(["", "a b"]).all(|path| mistake(path).is_none()));
    }

    /// Scenario: escaped letters, an escaped slash, paths below another.
    /// Guarantees: letters are decoded, a slash is none then, and only what ends in a slash stands for what is below it.
    #[test]
    fn match_segment_by_segment() {
        assert!(matches("/v1/traces", "/v1/%74races"));
        assert!(!matches("/v1/traces", "/v1%2ftraces"));
        assert!(!matches("/v1/traces", "/v1/traces/"));
        assert!(!matches("/v1/traces", "/v1"));
        assert!(matches("/in/", "/in/"));
        assert!(matches("/in/", "/in/a/b"));
        assert!(!matches("/in/", "/in"));
        assert!(matches("/", "/anything"));
        assert!(is_well_escaped("/a%20b%2F"));
        assert!(!is_well_escaped("/a%zz") && !is_well_escaped("/a%2"));
    }
}
