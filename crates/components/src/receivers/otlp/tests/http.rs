use std::time::Duration;

use bytes::Bytes;
use http::Request;
use spanmill_otlp::{Limits, Signal, json};
use spanmill_pipeline::{Code, ConsumeError};

use super::wire::Http;
use super::{COMPRESSIONS, Setup, signals, spans, spans_of_len};
use crate::net::compression::Compression;
use crate::net::status::Received;

const MIB: usize = 1 << 20;
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// Scenario: the same request as protobuf and as JSON, in every compression, on one connection that is kept alive.
/// Guarantees: each is answered 200 with an empty response in its own encoding; what comes out is what was put in; all spans
/// are counted.
#[tokio::test]
async fn takes_every_compression_and_encoding() {
    let setup = Setup::start("", "").await;
    let mut client = Http::connect(&setup.http).await;
    let request = spans(300, 200);
    let mut text = Vec::new();
    json::from_protobuf(Signal::Traces, &request, &mut text).unwrap();
    // JSON says that there is a resource and a scope, even though they are empty.
    let from_json = Bytes::from(json::to_protobuf(Signal::Traces, &text, &Limits::default()).unwrap());
    let bodies = [(PROTOBUF, request.clone(), &b""[..], request), (JSON, text.into(), b"{}", from_json)];
    for (name, compression) in COMPRESSIONS {
        let name = if name == "identity" { "" } else { name };
        for (content_type, body, expected, encoded) in &bodies {
            let sent = Request::post("/v1/traces").header("content-type", *content_type);
            let compressed = compression.compress(body, None).unwrap();
            let answer = client.send(sent.header("content-encoding", name), compressed).await;
            assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, *expected), "{name}: {answer:?}");
            assert_eq!(answer.header("content-type"), *content_type);
            assert!(setup.backend.take() == [encoded.clone()], "{name}");
        }
    }
    let sent = 2 * 300 * COMPRESSIONS.len() as u64;
    assert_eq!(setup.count("otelcol_receiver_accepted_spans", "http"), sent);
}

/// Scenario: bodies of exactly the limit of 1 MiB and of one byte more, in every compression; then 16 MiB of zeros, compressed.
/// Guarantees: the first is taken; the others are 413.
#[tokio::test]
async fn size_is_limited_after_decompression() {
    let setup = Setup::start("", "max_request_body_size: 1048576").await;
    for (name, compression) in COMPRESSIONS {
        for (len, status) in [(MIB, 200), (MIB + 1, 413)] {
            let name = if name == "identity" { "" } else { name };
            let body = compression.compress(&spans_of_len(len), None).unwrap();
            // An answer to a body that was not read to its end closes the connection.
            let answer = Http::connect(&setup.http).await.protobuf(name, body).await;
            assert_eq!(answer.status, status, "{name}, {len} bytes: {answer:?}");
        }
    }
    let bomb = Compression::Gzip.compress(&Bytes::from(vec![0; 16 * MIB]), None).unwrap();
    let answer = Http::connect(&setup.http).await.protobuf("gzip", bomb).await;
    assert_eq!(answer.status, 413);
    assert_eq!(Received::decode(&answer.body).unwrap().code, 8);
}

/// Scenario: wrong methods, paths, content types and encodings.
/// Guarantees: each gets its status, as from the Collector.
#[tokio::test]
async fn wrong_requests_get_clear_statuses() {
    let setup = Setup::start("", "compression_algorithms: ['', gzip]").await;
    let mut client = Http::connect(&setup.http).await;
    let cases: [(&str, &str, &str, &str, u16); 18] = [
        ("GET", "/v1/traces", PROTOBUF, "", 405),
        ("PUT", "/v1/traces", JSON, "", 405),
        ("POST", "/v1/traces", "text/plain", "", 415),
        ("POST", "/v1/traces", "", "", 415),
        ("POST", "/v1/spans", PROTOBUF, "", 404),
        ("POST", "/v1/metrics", PROTOBUF, "", 404),
        ("POST", "/v1/traces", PROTOBUF, "br", 400),
        ("POST", "/v1/traces", PROTOBUF, "zstd", 400),
        ("POST", "/v1/traces", PROTOBUF, "identity", 400),
        ("POST", "/v1/traces", PROTOBUF, "none", 400),
        ("POST", "/v1/spans", PROTOBUF, "br", 400),
        ("POST", "/v1/traces", "application/x-protobuf; charset", "", 415),
        ("POST", "/v1/traces", "application/x-protobuf; charset=utf-8", "", 200),
        ("POST", "//v1/traces", PROTOBUF, "", 200),
        ("POST", "/v1/%74races", PROTOBUF, "", 200),
        ("POST", "/v1%2Ftraces", PROTOBUF, "", 404),
        ("POST", "/v1/traces%zz", PROTOBUF, "", 400),
        ("POST", "/v1//traces?a=b", PROTOBUF, "", 307),
    ];
    for (method, path, content_type, encoding, expected) in cases {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", content_type).header("content-encoding", encoding);
        let answer = client.send(request, spans(1, 1)).await;
        assert_eq!(answer.status, expected, "{method} {path} {content_type} {encoding}: {answer:?}");
        if expected == 307 {
            assert_eq!(answer.header("location"), "/v1/traces?a=b");
        }
    }
    assert_eq!(setup.backend.take().len(), 3);
}

/// Scenario: malformed protobuf, malformed JSON, and a body that is not compressed as its header says.
/// Guarantees: 400 with a `google.rpc.Status` in the request's own encoding that says where the fault lies.
#[tokio::test]
async fn malformed_bodies_are_400_in_the_requests_encoding() {
    let setup = Setup::start("", "").await;
    let mut client = Http::connect(&setup.http).await;
    let good = spans(1, 10);
    for (encoding, body, message) in
        [("", good.slice(..good.len() - 3), "malformed request at byte"), ("gzip", good, "invalid gzip data")]
    {
        let answer = client.protobuf(encoding, body).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, PROTOBUF));
        let status = Received::decode(&answer.body).unwrap();
        assert!(status.code == 3 && status.message.contains(message), "{status:?}");
    }
    for body in [r#"{"resourceSpans": 7}"#, r#"{"resourceSpans": ["#, "", "nonsense"] {
        let answer = client.json(body).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, JSON), "{body}");
        let status: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(status["code"], 3);
        assert!(status["message"].as_str().unwrap().contains("line 1"), "{body}: {status}");
    }
    assert!(setup.backend.take().is_empty());
}

/// Scenario: JSON nested far deeper than anything real, as arrays and as attribute values.
/// Guarantees: 400, and the next request is served.
#[tokio::test]
async fn deep_json_is_refused() {
    let setup = Setup::start("", "").await;
    let mut client = Http::connect(&setup.http).await;
    let value = r#"{"arrayValue":{"values":["#.repeat(100_000);
    let attribute = format!(r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"k","value":{value}"#);
    for body in ["[".repeat(1_000_000), attribute] {
        assert_eq!(client.json(body).await.status, 400);
    }
    assert_eq!(client.protobuf("", spans(1, 1)).await.status, 200);
}

/// Scenario: empty requests of both encodings, to all paths that a pipeline stands behind.
/// Guarantees: success, and no pipeline sees them.
#[tokio::test]
async fn empty_requests_succeed() {
    let setup = Setup::start("", "").await;
    let mut client = Http::connect(&setup.http).await;
    for (signal, path) in signals() {
        let expected = if signal == Signal::Metrics { 404 } else { 200 };
        for (content_type, body) in [(PROTOBUF, ""), (JSON, "{}")] {
            let answer = client.send(Request::post(path).header("content-type", content_type), body).await;
            assert_eq!(answer.status, expected, "{path} {content_type}");
        }
    }
    assert!(setup.backend.take().is_empty());
}

/// Scenario: the pipeline refuses, for now or for good, with every code that there is a rule for.
/// Guarantees: the status is the Collector's; what can be retried has `Retry-After`, rounded up, and what cannot has not.
#[tokio::test]
async fn the_pipelines_answer_reaches_the_client() {
    let setup = Setup::start("", "").await;
    let mut client = Http::connect(&setup.http).await;
    let retry = |code| ConsumeError::retryable("r").with_code(code);
    let stop = |code| ConsumeError::permanent("p").with_code(code);
    let cases = [
        (retry(Code::Unavailable), 503, "1"),
        (retry(Code::Unavailable).with_retry_after(Duration::from_millis(2500)), 503, "3"),
        (retry(Code::ResourceExhausted), 429, "1"),
        (retry(Code::Cancelled), 503, "1"),
        (retry(Code::DeadlineExceeded), 503, "1"),
        (retry(Code::Aborted), 503, "1"),
        (retry(Code::OutOfRange), 503, "1"),
        (retry(Code::DataLoss), 503, "1"),
        (retry(Code::Internal), 503, "1"),
        (stop(Code::Internal), 500, ""),
        (stop(Code::Unknown), 500, ""),
        (stop(Code::InvalidArgument), 400, ""),
        (stop(Code::Unauthenticated), 401, ""),
        (stop(Code::PermissionDenied), 403, ""),
        (stop(Code::Unimplemented), 404, ""),
        (stop(Code::ResourceExhausted), 413, ""),
    ];
    for (error, status, delay) in cases.clone() {
        setup.backend.answers(Err(error.clone()));
        let answer = client.protobuf("", spans(3, 1)).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (status, delay), "{error:?}");
        let body = client.json(r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}"#).await;
        assert_eq!(body.status, status);
    }
    assert_eq!(setup.count("otelcol_receiver_refused_spans", "http"), 4 * cases.len() as u64);
}

/// Scenario: a web page of an allowed origin asks whether it may send, then sends; another origin does the same.
/// Guarantees: the first is told so, the second is not; headers and age are those of the configuration.
#[tokio::test]
async fn web_pages_of_allowed_origins_may_send() {
    let cors = "cors: {allowed_origins: ['https://*.example.com'], allowed_headers: [x-team], \
                exposed_headers: [x-trace], max_age: 7200}";
    let setup = Setup::start("", cors).await;
    let mut client = Http::connect(&setup.http).await;
    for (origin, allowed) in [("https://app.example.com", true), ("https://example.org", false)] {
        let ask = Request::options("/v1/traces")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,x-team");
        let answer = client.send(ask, "").await;
        assert!(answer.status.is_success(), "{answer:?}");
        let told = answer.header("access-control-allow-origin") == origin;
        assert_eq!(told, allowed, "{answer:?}");
        if allowed {
            assert_eq!(answer.header("access-control-max-age"), "7200");
            assert!(answer.header("access-control-allow-methods").contains("POST"));
            assert!(answer.header("access-control-allow-headers").to_lowercase().contains("x-team"));
        }
        let send = Request::post("/v1/traces").header("content-type", PROTOBUF).header("origin", origin);
        let answer = client.send(send, spans(1, 1)).await;
        assert_eq!(answer.header("access-control-allow-origin") == origin, allowed, "{answer:?}");
        if allowed {
            assert_eq!(answer.header("access-control-expose-headers"), "x-trace");
        }
    }
}

/// Scenario: paths of one's own, and headers that every answer shall have.
/// Guarantees: the new path serves, the old one does not, and both answers have the header.
#[tokio::test]
async fn paths_and_headers_are_configurable() {
    let options = "traces_url_path: /in/spans, response_headers: {x-served-by: mill}";
    let setup = Setup::start("", options).await;
    let mut client = Http::connect(&setup.http).await;
    for (path, status) in [("/in/spans", 200), ("/v1/traces", 404)] {
        let answer = client.send(Request::post(path).header("content-type", PROTOBUF), spans(1, 1)).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-served-by")), (status, "mill"), "{path}");
    }
}

/// Scenario: the path for traces is empty.
/// Guarantees: it stands for every path but those that are said for others, as in the Collector.
#[tokio::test]
async fn an_empty_path_is_any() {
    let setup = Setup::start("", "traces_url_path: ''").await;
    let mut client = Http::connect(&setup.http).await;
    for (path, status) in [("/", 200), ("/in/spans", 200), ("/v1/metrics", 404)] {
        let answer = client.send(Request::post(path).header("content-type", PROTOBUF), spans(1, 1)).await;
        assert_eq!(answer.status, status, "{path}");
    }
}

/// Scenario: a thousand JSON requests with characters changed, cut off or repeated at random.
/// Guarantees: every one is answered 200 or 400, and the good one after them 200.
#[tokio::test]
async fn noise_is_answered() {
    let setup = Setup::start("", "").await;
    let mut client = Http::connect(&setup.http).await;
    let mut good = Vec::new();
    json::from_protobuf(Signal::Traces, &spans(3, 20), &mut good).unwrap();
    let mut dice = fastrand::Rng::with_seed(11);
    for _ in 0..1000 {
        let mut bytes = good.clone();
        for _ in 0..dice.usize(1..5) {
            let at = dice.usize(..bytes.len());
            match dice.u8(..3) {
                0 => bytes[at] = dice.u8(..),
                1 => bytes.truncate(at.max(1)),
                _ => bytes.extend_from_within(at..),
            }
        }
        let expected = json::to_protobuf(Signal::Traces, &bytes, &Limits::default()).is_ok();
        let answer = client.json(bytes).await;
        assert!(answer.status == 400 || (expected && answer.status == 200), "{answer:?}");
    }
    assert_eq!(client.json(good).await.status, 200);
}
