//! What the Collector's YAML parser takes for a time where it has no quotes.
//!
//! It becomes a value of Go's `time.Time`, which no option takes; so it is refused here, rather than read as the text it looks like.

use jiff::fmt::strtime::BrokenDownTime;

/// The parser's formats (`allowedTimestampFormats` of `go.yaml.in/yaml/v3`).
const FORMATS: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dt%H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d"];

/// Whether a scalar without quotes is a time.
pub(super) fn is_timestamp(text: &str) -> bool {
    // All begin with a year of four digits; most texts do not.
    let is_year = |year: &[u8]| matches!(year, [digits @ .., b'-'] if digits.iter().all(u8::is_ascii_digit));
    if !text.as_bytes().get(..5).is_some_and(is_year) {
        return false;
    }
    let zoned = text.strip_suffix('Z').map(|time| format!("{time}+00:00"));
    let text = zoned.as_deref().unwrap_or(text);
    FORMATS.iter().any(|format| BrokenDownTime::parse(format, text).is_ok_and(|time| time.to_date().is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: what the Go Collector takes for times, and what it takes for text.
    /// Guarantees: the same.
    #[test]
    fn as_go_has_it() {
        let times = [
            "2001-01-01",
            "2001-1-1",
            "2001-01-01 10:00:00",
            "2001-01-01t10:00:00+01:00",
            "2001-01-01T10:00:00.123456789Z",
            "2001-01-1T1:2:3Z",
            "2024-02-29",
        ];
        let texts = [
            "2001-01",
            "2001-02-30",
            "2001-13-01",
            "2001-01-01T10:00Z",
            "2001-01-01T10:00:00",
            "2001-01-01 10:00:00 Z",
            "2001-01-01 10:00:00Z",
            "2001-01-01Z",
            "2001-01-01 ",
            "12001-01-01",
            "201-01-01",
            "2001-01-01-preview",
            "",
        ];
        assert_eq!(times.map(is_timestamp), [true; 7]);
        assert_eq!(texts.map(is_timestamp), [false; 13]);
    }
}
