//! Bytes that are no request: each is refused with what is wrong and where; nothing panics.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail by panicking")]

use bytes::Bytes;
use spanmill_otlp::{Limits, Malformed, Opaque, Reason, Signal, Traces};

fn parse(bytes: &[u8]) -> Result<Traces, Malformed> {
    Traces::parse(Bytes::copy_from_slice(bytes))
}

/// A request with one span of these bytes, which begin at offset 6.
fn span(body: &[u8]) -> Vec<u8> {
    let len = body.len() as u8;
    [&[0x0a, len + 4, 0x12, len + 2, 0x12, len], body].concat()
}

/// An attribute of a span; its value begins at offset 12.
fn value(body: &[u8]) -> Vec<u8> {
    let len = body.len() as u8;
    span(&[&[0x4a, len + 4, 0x0a, 0x00, 0x12, len], body].concat())
}

/// A value of so many arrays, one in the other.
fn nested(depth: usize) -> Vec<u8> {
    let varint = |mut number: usize| {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let wrap = |tag: u8, body: &[u8]| [&[tag][..], &varint(body.len()), body].concat();
    let value = (0..depth).fold(Vec::new(), |inner, _| wrap(0x2a, &wrap(0x0a, &inner)));
    let span = wrap(0x4a, &wrap(0x12, &value));
    wrap(0x0a, &wrap(0x12, &wrap(0x12, &span)))
}

/// Scenario: one malformed request of each sort.
/// Guarantees: the reason and the offset.
#[test]
fn reasons_and_offsets() {
    for (bytes, offset, reason) in [
        (b"\x0a".to_vec(), 1, Reason::Truncated),
        (b"\x0a\x05\x00".to_vec(), 0, Reason::Truncated),
        (b"\x0a\x80".to_vec(), 1, Reason::Truncated),
        (b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01".to_vec(), 0, Reason::VarintTooLong),
        (b"\x00\x01".to_vec(), 0, Reason::FieldNumber),
        (b"\x80\x80\x80\x80\x10\x00".to_vec(), 0, Reason::FieldNumber),
        (b"\x0b".to_vec(), 0, Reason::WireType),
        (b"\x0f".to_vec(), 0, Reason::WireType),
        (b"\x08\x01".to_vec(), 0, Reason::WrongWireType),
        (b"\x0a\x02\x08\x01".to_vec(), 2, Reason::WrongWireType),
        (b"\x0a\x02\x12\x01".to_vec(), 2, Reason::Truncated),
        (b"\x0a\x02\x18\x01".to_vec(), 2, Reason::WrongWireType),
        (span(b"\x0a\x01x"), 6, Reason::IdLength),
        (span(b"\x12\x10xxxxxxxxxxxxxxxx"), 6, Reason::IdLength),
        (span(b"\x22\x07xxxxxxx"), 6, Reason::IdLength),
        (span(b"\x28\x01"), 6, Reason::WrongWireType),
        (span(b"\x38\x01"), 6, Reason::WrongWireType),
        (span(b"\x39\x01\x02"), 6, Reason::Truncated),
        (span(b"\x85\x01\x01"), 6, Reason::Truncated),
        (span(b"\x30\x01\x78\x01"), 8, Reason::WrongWireType),
        (span(b"\x7a\x02\x1a\x00"), 8, Reason::WrongWireType),
        (span(b"\x5a\x02\x08\x01"), 8, Reason::WrongWireType),
        (span(b"\x6a\x03\x0a\x01x"), 8, Reason::IdLength),
        (span(b"\x4a\x02\x08\x01"), 8, Reason::WrongWireType),
        (span(b"\x4a\x02\x10\x01"), 8, Reason::WrongWireType),
        (value(b"\x08\x01"), 12, Reason::WrongWireType),
        (value(b"\x12\x00"), 12, Reason::WrongWireType),
        (value(b"\x18"), 13, Reason::Truncated),
        (value(b"\x18\xff"), 13, Reason::Truncated),
        (value(b"\x21\x01"), 12, Reason::Truncated),
        (value(b"\x0a\x02x"), 12, Reason::Truncated),
        (value(b"\x2a\x02\x08\x01"), 14, Reason::WrongWireType),
        (value(b"\x32\x04\x0a\x02\x08\x01"), 16, Reason::WrongWireType),
        (nested(65), nested(65).len() - 4, Reason::TooDeep),
    ] {
        let error = parse(&bytes).err();
        assert_eq!(error, Some(Malformed { offset, reason }), "{bytes:02x?}");
    }
    parse(&nested(64)).unwrap();
}

/// Scenario: requests at and over each limit.
/// Guarantees: over it they are refused.
#[test]
fn limits() {
    let two = [span(b""), span(b"")].concat();
    let parse = |limits| Traces::parse_with(Bytes::from(two.clone()), &limits).err().map(|error| error.reason);
    assert_eq!(parse(Limits { max_spans: 2, ..Limits::default() }), None);
    assert_eq!(parse(Limits { max_spans: 1, ..Limits::default() }), Some(Reason::TooManySpans));
    assert_eq!(parse(Limits { max_bytes: two.len(), ..Limits::default() }), None);
    assert_eq!(parse(Limits { max_bytes: two.len() - 1, ..Limits::default() }), Some(Reason::TooLarge));
    let shallow = Limits { max_depth: 1, ..Limits::default() };
    assert!(Traces::parse_with(nested(1).into(), &shallow).is_ok());
    assert!(Traces::parse_with(nested(2).into(), &shallow).is_err());
}

/// Scenario: metrics and logs requests, whole and cut short.
/// Guarantees: items are counted; malformed framing is refused with its offset.
#[test]
fn opaque_requests() {
    let count = |signal, bytes: &'static [u8]| Opaque::parse(signal, Bytes::from_static(bytes));
    assert_eq!(count(Signal::Logs, b"\x0a\x06\x12\x04\x12\x00\x12\x00").unwrap().item_count(), 2);
    let points = b"\x0a\x0c\x12\x0a\x12\x08\x2a\x06\x0a\x00\x0a\x00\x0a\x00";
    assert_eq!(count(Signal::Metrics, points).unwrap().item_count(), 3);
    let error = count(Signal::Logs, b"\x0a\x04\x12\x02\x12\x01").unwrap_err();
    assert_eq!((error.offset, error.reason), (4, Reason::Truncated));
    let error = count(Signal::Metrics, b"\x0a\x04\x12\x02\x10\x00").unwrap_err();
    assert_eq!((error.offset, error.reason), (4, Reason::WrongWireType));
}

/// Scenario: fields that nobody knows, variable-length integers longer than they need be, keys that occur twice, and a
/// resource in two pieces, beside an edit.
/// Guarantees: what was not edited keeps its very bytes.
#[test]
fn oddities_survive_beside_edits() {
    let first = b"\x2a\x81\x00a\xf8\x7f\x07\x4a\x03\x0a\x01k\x4a\x03\x0a\x01k";
    let second = b"\x2a\x01b\xa2\x7d\x02zz";
    let resource = [&b"\x0a\x82\x00\x10\x05"[..], b"\x0a\x03\xf8\x7f\x01"].concat();
    let spans = [&[0x12, first.len() as u8][..], first, &[0x12, second.len() as u8], second].concat();
    let body = [&resource[..], &[0x12, spans.len() as u8], &spans[..], b"\xf8\x7f\x2a"].concat();
    let bytes = [&b"\xf8\x7f\x01\x0a"[..], &[body.len() as u8], &body].concat();
    let mut traces = parse(&bytes).unwrap();
    let second_ix = traces.span_ixs().nth(1).unwrap();
    traces.set_name(second_ix, "c");
    let encoded = traces.encode();
    let holds = |part: &[u8]| encoded.windows(part.len()).any(|window| window == part);
    assert!(holds(first) && holds(&resource) && holds(b"\xa2\x7d\x02zz\x2a\x01c") && holds(b"\xf8\x7f\x2a"));
    assert!(!holds(b"\x2a\x01b"));
    assert!(encoded.starts_with(b"\xf8\x7f\x01\x0a"));
}
