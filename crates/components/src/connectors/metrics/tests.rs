use super::explicit::Explicit;
use super::exponential::Exponential;
use super::*;

/// Bounds of the bucket at an index and scale: above the first, up to the second.
fn bounds(index: i32, scale: i32) -> (f64, f64) {
    let base = |index: i32| (f64::from(index) * 2_f64.powi(-scale)).exp2();
    (base(index), base(index + 1))
}

/// Scenario: values at, between and beyond bounds.
/// Guarantees: each bound belongs to the bucket below it.
#[test]
fn explicit_buckets() {
    let mut histogram = Explicit::new(&[1.0, 10.0].into());
    for value in [0.0, 1.0, 1.5, 10.0, 11.0] {
        histogram.record(value, 1);
    }
    histogram.record(-5.0, 2);
    assert_eq!((*histogram.counts).to_vec(), [4, 2, 1]);
    assert_eq!((histogram.count, histogram.sum), (7, 13.5));
}

/// Scenario: values over a wide range, of both signs, with zero among them, and few buckets.
/// Guarantees: no more buckets than allowed; every value lies in a bucket whose bounds enclose it; count, sum, least and greatest are right.
#[test]
fn exponential_buckets() {
    let mut histogram = Exponential::new(8);
    let values = [0.001, 1.0, 3.5, 4096.0, 1e9, -2.0, -0.5, 0.0];
    for value in values {
        histogram.record(value, 1);
    }
    assert_eq!((histogram.count, histogram.zero_count, histogram.min, histogram.max), (8, 1, -2.0, 1e9));
    assert!(histogram.positive.counts.len() <= 8 && histogram.negative.counts.len() <= 8);
    assert_eq!(histogram.positive.counts.iter().sum::<u64>(), 5);
    let scale = histogram.scale();
    for value in values.into_iter().filter(|value| *value > 0.0) {
        let holds = (0..histogram.positive.counts.len()).any(|at| {
            let (low, high) = bounds(histogram.positive.offset + at as i32, scale);
            histogram.positive.counts[at] > 0 && low < value && value <= high
        });
        assert!(holds, "{value} at scale {scale}");
    }
}

/// Scenario: powers of two, the smallest normal number and one below it, at all scales.
/// Guarantees: the upper bound belongs to the bucket, and nothing overflows.
#[test]
fn exponential_extremes() {
    let mut histogram = Exponential::new(2);
    for value in [f64::MIN_POSITIVE / 2.0, f64::MIN_POSITIVE, 1.0, 2.0, f64::MAX] {
        histogram.record(value, 3);
    }
    assert_eq!(histogram.positive.counts.iter().sum::<u64>(), 15);
    assert!(histogram.positive.counts.len() <= 2);
    let mut one = Exponential::new(160);
    one.record(1.0, 1);
    assert_eq!((one.scale(), one.positive.offset), (20, -1));
}

/// Scenario: zeros and values that are no numbers.
/// Guarantees: counted as zeros, at scale 0.
#[test]
fn exponential_zeros() {
    let mut histogram = Exponential::new(0);
    for value in [0.0, -0.0, f64::NAN, f64::INFINITY] {
        histogram.record(value, 1);
    }
    assert_eq!((histogram.count, histogram.zero_count, histogram.scale()), (4, 4, 0));
}

/// Scenario: patterns of every form, and names.
/// Guarantees: a single star stops at a point, a double one does not.
#[test]
fn globs() {
    for (pattern, matching, other) in [
        ("http.*", "http.method", "http.request.method"),
        ("http.**", "http.request.method", "https.method"),
        ("a?c", "abc", "a.c"),
        ("[a-c]x", "bx", "dx"),
        ("[!a-c]x", "dx", "bx"),
        ("[xyz]", "y", "a"),
        ("{db,http}.name", "db.name", "rpc.name"),
        ("a\\*b", "a*b", "axb"),
        ("a,b}", "a,b}", "a"),
        ("{a,b", "b", "c"),
    ] {
        let glob = Glob::parse(pattern).unwrap();
        assert!(glob.matches(matching.as_bytes()), "{pattern} {matching}");
        assert!(!glob.matches(other.as_bytes()), "{pattern} {other}");
    }
    let deep = "{".repeat(40);
    for pattern in ["[", "[]", "[a", "[a-", "[b-a]", "[a-bc]", &deep] {
        assert!(Glob::parse(pattern).is_err(), "{pattern}");
    }
}

/// Scenario: values of all types as text, and in keys of series.
/// Guarantees: text is the Collector's; equal texts of different types are told apart in typed keys only.
#[test]
fn values_as_text() {
    use spanmill_otlp::{Value, ValueRef, put_any_value};
    let text = |value: Value<'_>| {
        let (mut encoded, mut text, mut typed) = (Vec::new(), Vec::new(), Vec::new());
        put_any_value(&mut encoded, &value);
        push_text(&mut text, ValueRef::new(&encoded));
        push_typed(&mut typed, ValueRef::new(&encoded));
        (String::from_utf8(text).unwrap(), typed)
    };
    for (value, expected) in [
        (Value::Str("ü"), "ü"),
        (Value::Int(0), "0"),
        (Value::Int(i64::MIN), "-9223372036854775808"),
        (Value::Int(1234567890123456789), "1234567890123456789"),
        (Value::Double(0.5), "0.5"),
        (Value::Double(1e21), "1e+21"),
        (Value::Bool(true), "true"),
        (Value::Bytes(b"\x01"), "AQ=="),
        (Value::Empty, ""),
        (Value::Strs(&["a", "b"]), r#"["a","b"]"#),
        (Value::Map(&[("b", Value::Int(1)), ("a", Value::Empty)]), r#"{"a":null,"b":1}"#),
    ] {
        assert_eq!(text(value).0, expected);
    }
    assert_eq!(text(Value::Int(1)).0, text(Value::Str("1")).0);
    assert_ne!(text(Value::Int(1)).1, text(Value::Str("1")).1);
}

/// Scenario: more exemplars than there is room for, and spans without a trace.
/// Guarantees: the first few are kept.
#[test]
fn exemplars_are_bounded() {
    let mut exemplars = Exemplars::default();
    exemplars.offer(2, &[0; 16], &[1; 8], 1.0);
    exemplars.offer(2, &[], &[1; 8], 1.0);
    for value in 0..5 {
        exemplars.offer(2, &[7; 16], &[1; 8], f64::from(value));
    }
    assert_eq!(exemplars.at(9).len(), 2);
    assert_eq!(exemplars.at(9)[0].time_unix_nano, 9);
    exemplars.clear();
    assert!(exemplars.at(9).is_empty());
}
