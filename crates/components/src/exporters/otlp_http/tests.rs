use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use spanmill_config::Section;
use spanmill_pipeline::Signal;

use super::config::Config;
use super::transport::{Http, answer, refusal, unreachable};

/// Scenario: every HTTP status that a backend may refuse with.
/// Guarantees: 429, 502, 503 and 504 are tried again, as the OTLP specification has it, and no other.
#[test]
fn statuses_to_try_again() {
    let again: Vec<u16> = (400..=599)
        .filter(|status| refusal(StatusCode::from_u16(*status).unwrap(), &HeaderMap::new(), b"").retryable)
        .collect();
    assert_eq!(again, [429, 502, 503, 504]);
}

/// Scenario: `Retry-After` in seconds, as a date long past, and as nonsense.
/// Guarantees: seconds are kept; what names no time to come is left out.
#[test]
fn retry_after() {
    let delay = |text: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static(text));
        refusal(StatusCode::SERVICE_UNAVAILABLE, &headers, b"").retry_after
    };
    assert_eq!(delay("7"), Some(Duration::from_secs(7)));
    assert_eq!(delay("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    assert!(delay("Tue, 31 Dec 2199 23:59:59 GMT").is_some_and(|delay| delay > Duration::from_secs(1_000_000)));
    assert_eq!(delay("soon"), None);
}

/// Scenario: partial success as protobuf, as JSON with the number as text, and bodies that are no answer.
/// Guarantees: rejected items and message are read; what cannot be read is an error, not a success.
#[test]
fn partial_success() {
    let typed =
        |kind: &'static str| HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
    let read = |kind, body: &[u8]| answer(&typed(kind), body);
    let protobuf = read("application/x-protobuf", b"\x0a\x07\x08\x02\x12\x03old").unwrap();
    assert_eq!((protobuf.rejected, protobuf.message.as_str()), (2, "old"));
    let json = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"old"}}"#;
    let json = read("application/json", json).unwrap();
    assert_eq!((json.rejected, json.message.as_str()), (3, "old"));
    assert_eq!(read("application/json", b"{}").unwrap().rejected, 0);
    assert!(read("application/x-protobuf", b"\x0a\x07\x08").is_err());
    assert!(read("application/json", b"{").is_err());
}

/// Scenario: good answers in JSON in which something, or everything, is `null`, which are empty, or name fields as protobuf does.
/// Guarantees: `null` is what is not there, and no failure; what is there is read.
#[test]
fn answers_with_nulls() {
    let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    for (body, rejected, message) in [
        ("null", 0, ""),
        ("", 0, ""),
        ("\n", 0, ""),
        (r#"{"partialSuccess":null}"#, 0, ""),
        (r#"{"partialSuccess":{"rejectedSpans":null,"errorMessage":null}}"#, 0, ""),
        (r#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":null}}"#, 1, ""),
        (r#"{"partial_success":{"rejected_log_records":2,"error_message":"old"}}"#, 2, "old"),
    ] {
        let read = answer(&headers, body.as_bytes()).unwrap();
        assert_eq!((read.rejected, read.message.as_str()), (rejected, message), "{body}");
    }
}

/// Scenario: an endpoint for all signals, one of its own for traces, and none at all.
/// Guarantees: the path is appended to the first alone; without any, the file is refused.
#[test]
fn endpoints() {
    let read = |yaml| Config::read(&Section::from_yaml("exporters::otlp_http", yaml).unwrap());
    let config = read("{endpoint: 'http://h:4318/', traces_endpoint: 'http://t/in'}").unwrap();
    assert_eq!(config.url(Signal::Traces), "http://t/in");
    assert_eq!(config.url(Signal::Logs), "http://h:4318/v1/logs");
    let error = read("{}").unwrap_err().to_string();
    assert!(error.contains("at least one endpoint must be specified"), "{error}");
}

/// Scenario: endpoints without a scheme, for all signals and for one beside a good one for all.
/// Guarantees: they are refused with the option that has them, as they are written there, and say what they have to begin with.
#[test]
fn endpoints_have_a_scheme() {
    let refused = |yaml| {
        let section = Section::from_yaml("exporters::otlp_http", yaml).unwrap();
        Http::new(&Config::read(&section).unwrap(), &section).err().unwrap().to_string()
    };
    let all = refused("{endpoint: 'localhost:4318/'}");
    assert!(all.contains("otlp_http::endpoint: \"localhost:4318/\" is no URL: it must begin with http"), "{all}");
    let one = refused("{endpoint: 'http://h', logs_endpoint: 'localhost:1/in'}");
    assert!(one.contains("otlp_http::logs_endpoint: \"localhost:1/in\" is no URL: it must begin with http"), "{one}");
}

/// Scenario: a backend that is away, under a URL with a token in its query.
/// Guarantees: the error, which goes to the log and to the sender, says why and does not show the URL.
#[tokio::test]
async fn errors_show_no_url() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/?token=SEKRIT", listener.local_addr().unwrap());
    drop(listener);
    let error = reqwest::Client::new().post(url).send().await.unwrap_err();
    let error = unreachable(error);
    assert!(error.retryable && error.message.contains("refused"), "{}", error.message);
    assert!(!error.message.contains("SEKRIT") && !error.message.contains("http://"), "{}", error.message);
}
