use std::time::Duration;

use spanmill_config::Section;

use super::config::Config;
use super::transport::check;
use crate::net::status::Received;

/// Scenario: every gRPC status a backend may refuse with, without a hint.
/// Guarantees: those that the OTLP specification names are tried again, and no other.
#[test]
fn statuses_to_try_again() {
    let status = |code| Received { code, message: String::new(), retry_after: None };
    let again: Vec<u32> = (1..=20).filter(|code| check(&status(*code)).unwrap_err().retryable).collect();
    assert_eq!(again, [1, 4, 10, 11, 14, 15]);
    assert!(check(&status(0)).is_ok());
}

/// Scenario: RESOURCE_EXHAUSTED with the delay of `RetryInfo`.
/// Guarantees: it is tried again, after that delay.
#[test]
fn exhausted_with_a_hint() {
    let hint = Some(Duration::from_secs(3));
    let error = check(&Received { code: 8, message: "slow down".to_owned(), retry_after: hint }).unwrap_err();
    assert_eq!((error.retryable, error.retry_after), (true, hint));
}

/// Scenario: endpoints as people write them.
/// Guarantees: the scheme decides about TLS; without one `insecure` does, and TLS is the default.
#[test]
fn endpoints() {
    let uri =
        |yaml| Config::read(&Section::from_yaml("exporters::otlp_grpc", yaml).unwrap()).map(|config| config.uri());
    assert_eq!(uri("{endpoint: 'h:4317'}").unwrap(), "https://h:4317");
    assert_eq!(uri("{endpoint: 'h:4317', tls: {insecure: true}}").unwrap(), "http://h:4317");
    assert_eq!(uri("{endpoint: 'http://h:4317'}").unwrap(), "http://h:4317");
    assert_eq!(uri("{endpoint: 'dns:///h:4317', tls: {insecure: true}}").unwrap(), "http://h:4317");
    let error = uri("{}").unwrap_err().to_string();
    assert!(error.contains("requires a non-empty \"endpoint\""), "{error}");
}
