//! Requests that two servers might read differently: one of them in front, that decides who may send, and this one behind it.

use std::time::Duration;

use tokio::time::timeout;

use super::Setup;
use super::wire::Raw;

/// Long enough for anything that will happen at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// What each request begins with.
const HEAD: &str = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";

/// What a request would be smuggled as.
const SECOND: &str = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";

/// Scenario: requests with two lengths, folded headers, bare carriage returns, spaces where none may be, lengths that are no numbers, and codings
/// that do not end in `chunked`; a second request lies in what one of the readings takes for the body.
/// Guarantees: 400, the connection is closed, and the second is not served.
#[tokio::test]
async fn ambiguous_requests_are_refused() {
    let setup = Setup::start("", "").await;
    let cases = [
        ("two lengths", format!("{HEAD}content-length: 2\r\ncontent-length: 40\r\n\r\n{{}}{SECOND}")),
        ("two lengths in one", format!("{HEAD}content-length: 2, 40\r\n\r\n{{}}{SECOND}")),
        ("a signed length", format!("{HEAD}content-length: +2\r\n\r\n{{}}{SECOND}")),
        ("a negative length", format!("{HEAD}content-length: -2\r\n\r\n{{}}{SECOND}")),
        ("a hexadecimal length", format!("{HEAD}content-length: 0x2\r\n\r\n{{}}{SECOND}")),
        ("no length", format!("{HEAD}content-length: \r\n\r\n{{}}{SECOND}")),
        (
            "a coding that is not the last",
            format!("{HEAD}transfer-encoding: chunked, gzip\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{SECOND}"),
        ),
        ("an unknown coding", format!("{HEAD}transfer-encoding: xchunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{SECOND}")),
        (
            "a space before a colon",
            format!("{HEAD}transfer-encoding : chunked\r\ncontent-length: 2\r\n\r\n{{}}{SECOND}"),
        ),
        ("a folded header", format!("{HEAD}x-folded: a\r\n b\r\ncontent-length: 2\r\n\r\n{{}}{SECOND}")),
        ("a folded coding", format!("{HEAD}transfer-encoding:\r\n chunked\r\ncontent-length: 2\r\n\r\n{{}}{SECOND}")),
        (
            "a bare carriage return",
            format!("{HEAD}x-bare: a\rtransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n{{}}{SECOND}"),
        ),
        ("a zero in a header", format!("{HEAD}x-zero: a\0b\r\ncontent-length: 2\r\n\r\n{{}}{SECOND}")),
        (
            "a coding over HTTP/1.0",
            format!("{}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{SECOND}", HEAD.replace("1.1", "1.0")),
        ),
    ];
    for (what, bytes) in cases {
        let mut raw = Raw::connect(&setup.http).await;
        raw.send(bytes).await;
        let statuses = timeout(PATIENCE, raw.statuses()).await.unwrap_or_else(|_| panic!("{what}: it stays open"));
        assert_eq!(statuses, [400], "{what}");
    }
    assert!(setup.refused("http", "protocol") >= 14, "{}", setup.refused("http", "protocol"));
    setup.serves().await;
}

/// Scenario: a request has a length and chunks; chunks have extensions, sizes beyond 64 bits, or no end; lines end without a carriage return.
/// Guarantees: chunks go before a length, and nothing is served that follows them (RFC 9112, section 6.3); sizes that are none are refused, and the connection is closed; extensions are passed over, without end they are refused.
#[tokio::test]
async fn chunks_are_read_as_the_rules_say() {
    let setup = Setup::start("", "").await;
    let chunked = format!("{HEAD}transfer-encoding: chunked\r\n");
    let long = "x".repeat(1 << 20);
    let cases = [
        (format!("{chunked}content-length: 5\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"), vec![200]),
        (format!("{HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"), vec![200]),
        (format!("{chunked}\r\n2;name=value\r\n{{}}\r\n0\r\n\r\n"), vec![200, 404]),
        (format!("{chunked}\r\n2;{long}\r\n{{}}\r\n0\r\n\r\n"), vec![400]),
        (format!("{chunked}\r\n10000000000000002\r\n{{}}\r\n0\r\n\r\n"), vec![400]),
        (format!("{chunked}\r\n-2\r\n{{}}\r\n0\r\n\r\n"), vec![400]),
        (format!("{chunked}\r\n2\r\n{{}}0\r\n\r\n"), vec![400]),
        (format!("{chunked}\r\n2\r\n{{}}\r\n0\r\nx-trailer: {long}\r\n\r\n"), vec![400]),
    ];
    for (bytes, expected) in cases {
        let mut raw = Raw::connect(&setup.http).await;
        raw.send(&bytes).await;
        if expected.contains(&200) {
            raw.send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        }
        let statuses = timeout(PATIENCE, raw.statuses()).await.unwrap_or_else(|_| panic!("{bytes:.200}: stays open"));
        assert_eq!(statuses, expected, "{bytes:.200}");
    }
    setup.serves().await;
}

/// Scenario: headers that are too long, too many, or without end; over HTTP/1.
/// Guarantees: 431, and counted; good requests are served.
#[tokio::test]
async fn headers_are_bounded() {
    let setup = Setup::start("", "").await;
    let long = format!("{HEAD}x-long: {}\r\ncontent-length: 2\r\n\r\n{{}}", "x".repeat(70 << 10));
    let many = format!("{HEAD}{}content-length: 2\r\n\r\n{{}}", "x-many: 1\r\n".repeat(100));
    let endless = format!("{HEAD}x-long: {}", "x".repeat(2 << 20));
    for bytes in [long, many, endless] {
        let mut raw = Raw::connect(&setup.http).await;
        raw.send(&bytes).await;
        raw.send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        let statuses = timeout(PATIENCE, raw.statuses()).await.unwrap();
        assert_eq!(statuses.first(), Some(&431), "{bytes:.100}");
    }
    assert_eq!((setup.refused("http", "header_size"), setup.refused("http", "protocol")), (1, 2));
    setup.serves().await;
}
