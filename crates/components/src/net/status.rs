//! gRPC statuses: as headers, as `google.rpc.Status`, and as HTTP codes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::{HeaderMap, HeaderValue, StatusCode};
use spanmill_otlp::{Message, Payload};
use spanmill_pipeline::{Code, ConsumeError};

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// A status read from a response: its code, message and the delay of `RetryInfo`, which is zero where that names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) code: u32,
    pub(crate) message: String,
    pub(crate) retry_after: Option<Duration>,
}

/// The HTTP code for an error, as the Collector's receiver answers it.
pub(crate) fn http_status(code: Code) -> StatusCode {
    match code {
        Code::InvalidArgument => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::Unimplemented => StatusCode::NOT_FOUND,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An encoded `google.rpc.Status`, with `RetryInfo` where a delay is known.
pub(crate) fn encode(error: &ConsumeError) -> Vec<u8> {
    let mut out = Vec::new();
    varint_field(&mut out, 1, error.code as u64);
    bytes_field(&mut out, 2, error.message.as_bytes());
    if let Some(delay) = error.retry_after {
        let mut duration = Vec::new();
        varint_field(&mut duration, 1, delay.as_secs());
        varint_field(&mut duration, 2, u64::from(delay.subsec_nanos()));
        let mut info = Vec::new();
        bytes_field(&mut info, 1, &duration);
        let mut any = Vec::new();
        bytes_field(&mut any, 1, RETRY_INFO.as_bytes());
        bytes_field(&mut any, 2, &info);
        bytes_field(&mut out, 3, &any);
    }
    out
}

/// The headers of a response that is nothing but an error.
pub(crate) fn headers(error: &ConsumeError) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from(error.code as u16));
    if let Ok(message) = HeaderValue::from_str(&percent_encode(&error.message)) {
        headers.insert("grpc-message", message);
    }
    if error.retry_after.is_some()
        && let Ok(details) = HeaderValue::from_str(&STANDARD_NO_PAD.encode(encode(error)))
    {
        headers.insert("grpc-status-details-bin", details);
    }
    headers
}

/// As gRPC's HTTP/2 mapping asks: everything but printable ASCII, and `%`, is escaped.
fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn varint_field(out: &mut Vec<u8>, number: u8, value: u64) {
    if value != 0 {
        out.push(number << 3);
        prost::encoding::encode_varint(value, out);
    }
}

fn bytes_field(out: &mut Vec<u8>, number: u8, body: &[u8]) {
    if !body.is_empty() {
        out.push(number << 3 | 2);
        prost::encoding::encode_varint(body.len() as u64, out);
        out.extend_from_slice(body);
    }
}

// === impl Received ===

impl Received {
    /// From the headers or trailers of a gRPC response; none where they hold no status.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let code = headers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
        let message = headers.get("grpc-message").map(|value| percent_decode(value.as_bytes())).unwrap_or_default();
        let details = headers.get("grpc-status-details-bin").and_then(|value| {
            let text = value.as_bytes().iter().copied().filter(|byte| *byte != b'=').collect::<Vec<u8>>();
            STANDARD_NO_PAD.decode(text).ok()
        });
        let retry_after = details.and_then(|details| Self::decode(&details)?.retry_after);
        Some(Self { code, message, retry_after })
    }

    /// From an encoded `google.rpc.Status`.
    pub(crate) fn decode(encoded: &[u8]) -> Option<Self> {
        let mut status = Self { code: 0, message: String::new(), retry_after: None };
        for field in Message::standalone(encoded).fields() {
            match (field.number, field.payload) {
                (1, Payload::Varint(code)) => status.code = u32::try_from(code).ok()?,
                (2, Payload::Bytes(message)) => status.message = String::from_utf8_lossy(message).into_owned(),
                (3, Payload::Bytes(any)) => status.retry_after = status.retry_after.or_else(|| retry_delay(any)),
                _ => {}
            }
        }
        Some(status)
    }
}

/// The delay in an `Any` that holds a `RetryInfo`. That it is there says that another try is worth it, also where it does not say when.
fn retry_delay(any: &[u8]) -> Option<Duration> {
    let any = Message::standalone(any);
    if any.last(1) != Some(Payload::Bytes(RETRY_INFO.as_bytes())) {
        return None;
    }
    let duration = inner(&inner(&any, 2), 1);
    // Both are signed; what is negative is no delay.
    let number = |field| match duration.last(field) {
        Some(Payload::Varint(value)) => u64::try_from(value.cast_signed()).unwrap_or(0),
        _ => 0,
    };
    Some(Duration::new(number(1), u32::try_from(number(2)).unwrap_or(0).min(999_999_999)))
}

/// A message in a message; an empty one where it is not there.
fn inner<'m>(message: &Message<'m>, field: u32) -> Message<'m> {
    match message.last(field) {
        Some(Payload::Bytes(bytes)) => Message::standalone(bytes),
        _ => Message::standalone(&[]),
    }
}

fn percent_decode(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| after.get(..2)).flatten();
        let value = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match value {
            Some(value) => {
                out.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: an error with a delay and a message that headers cannot carry as it is.
    /// Guarantees: what a client reads from the headers is what was put in.
    #[test]
    fn survives_headers() {
        let delay = Duration::from_millis(2500);
        let error = ConsumeError::retryable("queue f\u{fc}ll: 100%").with_retry_after(delay);
        let read = Received::from_headers(&headers(&error)).unwrap();
        assert_eq!(read, Received { code: 14, message: "queue f\u{fc}ll: 100%".into(), retry_after: Some(delay) });
    }

    /// Scenario: statuses without `RetryInfo`, with another detail, and with a `RetryInfo` that is empty, has no delay, one of zero, a negative
    /// one, and one of two seconds.
    /// Guarantees: that it is there is told from that it is not; what is no delay is zero.
    #[test]
    fn retry_info() {
        let detail = |name: &str, info: &[u8]| {
            let (mut any, mut status) = (Vec::new(), vec![8, 8]);
            bytes_field(&mut any, 1, name.as_bytes());
            bytes_field(&mut any, 2, info);
            bytes_field(&mut status, 3, &any);
            Received::decode(&status).unwrap().retry_after
        };
        assert_eq!(Received::decode(&[8, 8]).unwrap().retry_after, None);
        assert_eq!(detail("type.googleapis.com/google.rpc.DebugInfo", b"\x0a\x02\x08\x02"), None);
        let negative = b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        for info in [&b""[..], b"\x0a\x00", b"\x0a\x02\x08\x00", negative] {
            assert_eq!(detail(RETRY_INFO, info), Some(Duration::ZERO), "{info:?}");
        }
        assert_eq!(detail(RETRY_INFO, b"\x0a\x02\x08\x02"), Some(Duration::from_secs(2)));
    }
}
