use std::time::Duration;

use spanmill_config::Section;

use super::config::Config;
use super::target::Target;
use super::transport::{Grpc, check};
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

/// Scenario: RESOURCE_EXHAUSTED with a `RetryInfo` that names a delay, and with one that names none.
/// Guarantees: it is tried again, after that delay, or as the exporter likes.
#[test]
fn exhausted_with_a_hint() {
    let delay = Duration::from_secs(3);
    for (hint, expected) in [(delay, Some(delay)), (Duration::ZERO, None)] {
        let status = Received { code: 8, message: "slow down".to_owned(), retry_after: Some(hint) };
        let error = check(&status).unwrap_err();
        assert_eq!((error.retryable, error.retry_after), (true, expected));
    }
}

/// Scenario: endpoints as people write them, and ones that Go refuses.
/// Guarantees: they mean what they mean to Go's gRPC; what is refused says why.
#[test]
fn endpoints() {
    let host = |address: &str, is_https| Ok(Target::Host { address: address.to_owned(), is_https });
    for (text, expected) in [
        ("h:4317", host("h:4317", false)),
        ("http://h:4317", host("h:4317", false)),
        ("https://h:4317", host("h:4317", true)),
        ("dns:///h:4317", host("h:4317", false)),
        ("dns://8.8.8.8/h:4317", host("h:4317", false)),
        ("passthrough:///[::1]:1", host("[::1]:1", false)),
        (":4317", host("localhost:4317", false)),
        ("unix:///tmp/a.sock", Ok(Target::Unix("/tmp/a.sock".into()))),
        ("unix://", Err("unix socket path cannot be empty")),
        ("", Err("requires a non-empty \"endpoint\"")),
        ("http://", Err("requires a non-empty \"endpoint\"")),
        ("https://h", Err("missing port in address")),
        ("http://h:4317/v1/traces", Err("invalid port \"4317/v1/traces\"")),
        ("unix:/tmp/a.sock", Err("invalid port")),
        ("etcd:///h:1", Err("no resolver")),
    ] {
        match (Target::parse(text), expected) {
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{text}: {error}"),
            (got, expected) => assert_eq!(got, expected.map_err(str::to_owned), "{text}"),
        }
    }
}

/// Scenario: `http://` and `https://`, with `tls::insecure` and without.
/// Guarantees: as with Go, `http://` does not turn TLS off, and `https://` does not let it be turned off.
#[test]
fn schemes_and_tls() {
    for (yaml, scheme) in [
        ("{endpoint: 'h:4317'}", "https"),
        ("{endpoint: 'http://h:4317'}", "https"),
        ("{endpoint: 'http://h:4317', tls: {insecure: true}}", "http"),
        ("{endpoint: 'https://h:4317', tls: {insecure: true}}", "https"),
        ("{endpoint: 'unix:///tmp/a.sock', tls: {insecure: true}}", "http"),
    ] {
        let section = Section::from_yaml("exporters::otlp_grpc", yaml).unwrap();
        let grpc = Grpc::new(&Config::read(&section).unwrap(), &section).unwrap();
        assert_eq!(grpc.origin().scheme_str(), Some(scheme), "{yaml}");
    }
}
