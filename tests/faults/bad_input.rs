//! Whatever is sent: a defined answer, no crash, and the next good request is served.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;

use bytes::Bytes;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::Value;
use spanmill_tests::collector::Collector;
use spanmill_tests::http::{Answer, Client};
use spanmill_tests::mutate::mutated;
use spanmill_tests::{figure, grpc, ports, spans};
use tonic::Code;

/// How many mutated requests are sent over each of gRPC and HTTP.
const MUTATIONS: u64 = 10_000;

/// How many mutated requests stand between two good ones.
const BETWEEN_GOOD: u64 = 250;

/// What is wrong, the headers and body that are sent, and the statuses that are right.
type Mistake = (&'static str, &'static [Header], Vec<u8>, &'static [u16]);

type Header = (&'static str, &'static str);

const PROTOBUF: Header = ("content-type", "application/x-protobuf");
const GZIP: Header = ("content-encoding", "gzip");
const JSON: Header = ("content-type", "application/json");

/// Scenario: requests that are wrong in one way each: truncated, random, of wrong types, nested too deep, in a wrong or false
/// encoding, far too large once decompressed, for a wrong path or with a wrong method. After each, a good one.
/// Guarantees: each gets the status that OTLP has for it, with the error in the request's own encoding; each good one is served; memory stays bounded.
#[test]
fn http_answers_each_mistake() {
    let mut server = Server::start();
    let client = Client::new();
    let good = spans::request("good", 1, 2);
    let random: Vec<u8> = std::iter::repeat_with(|| 0xff).take(512).collect();
    let zeros = vec![0_u8; 256 << 20];
    let json_nesting = format!(r#"{{"resourceSpans":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let cases: Vec<Mistake> = vec![
        ("truncated protobuf", &[PROTOBUF], good[..good.len() - 3].to_vec(), &[400]),
        ("random bytes", &[PROTOBUF], random, &[400]),
        ("protobuf nested deep", &[PROTOBUF], nested(10_000), &[400]),
        ("JSON that ends early", &[JSON], br#"{"resourceSpans":[{"#.to_vec(), &[400]),
        ("JSON that is no object", &[JSON], b"[1,2,3]".to_vec(), &[400]),
        ("JSON of a wrong type", &[JSON], br#"{"resourceSpans":5}"#.to_vec(), &[400]),
        ("JSON with an id that is not hex", &[JSON], json_span(r#""traceId":"xyz""#), &[400]),
        ("JSON with a time that is no number", &[JSON], json_span(r#""startTimeUnixNano":"soon""#), &[400]),
        ("JSON nested deep", &[JSON], json_nesting.into_bytes(), &[400]),
        ("text", &[("content-type", "text/plain")], good.clone(), &[415]),
        ("no content type", &[], good.clone(), &[415]),
        ("gzip that is none", &[PROTOBUF, GZIP], good.clone(), &[400]),
        ("zstd that is none", &[PROTOBUF, ("content-encoding", "zstd")], good.clone(), &[400]),
        ("an unknown encoding", &[PROTOBUF, ("content-encoding", "sdch")], good.clone(), &[400, 415]),
        ("gzip of 256 MiB", &[PROTOBUF, GZIP], gzipped(&zeros), &[413]),
        ("deflate of 256 MiB", &[PROTOBUF, ("content-encoding", "deflate")], zlibbed(&zeros), &[413]),
        (
            "zstd of 256 MiB",
            &[PROTOBUF, ("content-encoding", "zstd")],
            zstd::bulk::compress(&zeros, 1).expect("zeros can be compressed"),
            &[413],
        ),
    ];
    for (seed, (what, headers, body, expected)) in (2..).zip(&cases) {
        let answer =
            client.post(&server.url("/v1/traces"), headers, body).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(expected.contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
        if answer.status == 400 && headers.len() == 1 {
            assert_eq!(answer.content_type, headers[0].1, "{what}");
            assert!(!answer.body.is_empty(), "{what}: an error says what is wrong");
        }
        server.serves_over_http(&client, seed);
    }
    assert_eq!(client.get(&server.url("/v1/traces"), &[]).expect("an answer").status, 405, "a wrong method");
    let lost = client.post(&server.url("/v1/nothing"), &[PROTOBUF], &good).expect("an answer");
    assert_eq!(lost.status, 404, "a wrong path");
    server.serves_over_http(&client, 1_000);
    let peak = server.collector.process.peak_memory();
    if let Some(peak) = peak {
        figure("bad_input::http", &format!("peak memory {} MB after bombs of 256 MiB", peak >> 20));
        assert!(peak < 400 << 20, "{peak} bytes");
    }
    server.stop();
}

/// Scenario: gRPC messages that are truncated, random or nested too deep, and a method that does not exist; after each a good one.
/// Guarantees: each gets a status that tells the client not to try again; each good one is served.
#[tokio::test(flavor = "multi_thread")]
async fn grpc_answers_each_mistake() {
    let mut server = Server::start();
    let client = grpc::Client::connect(server.grpc).await;
    let good = spans::request("good", 1, 2);
    let wrong: [(&str, Vec<u8>); 3] =
        [("truncated", good[..good.len() - 3].to_vec()), ("random", vec![0xff; 512]), ("nested deep", nested(10_000))];
    for (seed, (what, message)) in (2..).zip(wrong) {
        let status = client.export(Bytes::from(message)).await.expect_err(what);
        assert!(matches!(status.code(), Code::InvalidArgument | Code::Internal), "{what}: {status:?}");
        assert!(!status.message().is_empty(), "{what}: {status:?}");
        server.serves_over_grpc(&client, seed).await;
    }
    let status = client.call("/no.such.Service/Method", Bytes::from(good)).await.expect_err("no such method");
    assert_eq!(status.code(), Code::Unimplemented);
    server.serves_over_grpc(&client, 1_000).await;
    server.stop();
}

/// Scenario: 10,000 requests over HTTP, protobuf and JSON in turn, each a valid one changed at random in a few places, go through
/// `genai`, `filter` and a `file` exporter; every 250th is a good one.
/// Guarantees: each is taken or refused as bad, nothing else; every good span is written; what is written is valid JSON.
#[test]
fn ten_thousand_mutations_over_http() {
    let mut server = Server::start();
    let client = Client::new();
    let mut random = Rng::with_seed(0x5eed_0001);
    let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
    for number in 0..MUTATIONS {
        let (content_type, seeds) = if number % 2 == 0 { (PROTOBUF, protobuf_seeds()) } else { (JSON, json_seeds()) };
        let seed = &seeds[random.usize(..seeds.len())];
        let body = mutated(seed, &mut random);
        let answer = client.post(&server.url("/v1/traces"), &[content_type], &body);
        let answer = answer.unwrap_or_else(|error| panic!("request {number}: {error}"));
        let Answer { status, .. } = answer;
        assert!(matches!(status, 200 | 400), "request {number}: {status} {}", answer.text());
        *statuses.entry(status).or_default() += 1;
        if number % BETWEEN_GOOD == 0 {
            server.serves_over_http(&client, number);
        }
    }
    server.stop();
    figure("bad_input::http", &format!("{MUTATIONS} mutated requests answered {statuses:?}"));
}

/// Scenario: the same over gRPC.
/// Guarantees: the same.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_mutations_over_grpc() {
    let mut server = Server::start();
    let client = grpc::Client::connect(server.grpc).await;
    let mut random = Rng::with_seed(0x5eed_0002);
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    let seeds = protobuf_seeds();
    for number in 0..MUTATIONS {
        let seed = &seeds[random.usize(..seeds.len())];
        let code = match client.export(Bytes::from(mutated(seed, &mut random))).await {
            Ok(_) => Code::Ok,
            Err(status) => status.code(),
        };
        assert!(matches!(code, Code::Ok | Code::InvalidArgument | Code::Internal), "request {number}: {code:?}");
        *codes.entry(format!("{code:?}")).or_default() += 1;
        if number % BETWEEN_GOOD == 0 {
            server.serves_over_grpc(&client, number).await;
        }
    }
    server.stop();
    figure("bad_input::grpc", &format!("{MUTATIONS} mutated requests answered {codes:?}"));
}

/// Spanmill with all that looks into spans, and what good spans it has been sent.
struct Server {
    collector: Collector,
    grpc: u16,
    http: u16,
    sent: BTreeSet<u64>,
}

// === impl Server ===

impl Server {
    fn start() -> Self {
        let [grpc, http] = ports::several();
        let config = format!(
            "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{grpc}'}}, http: {{endpoint: '127.0.0.1:{http}'}}}}}}}}
processors:
  genai: {{}}
  filter: {{error_mode: ignore, traces: {{span: ['attributes[\"drop\"] == true and IsMatch(name, \"^x.*y$\")']}}}}
exporters: {{file: {{path: out.jsonl}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [genai, filter], exporters: [file]}}}}
"
        );
        Self { collector: Collector::spanmill(&config, &[grpc, http]), grpc, http, sent: BTreeSet::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http)
    }

    fn serves_over_http(&mut self, client: &Client, seed: u64) {
        let answer = client.export(self.http, &good(seed));
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.sent.insert(seed);
    }

    async fn serves_over_grpc(&mut self, client: &grpc::Client, seed: u64) {
        client.export(Bytes::from(good(seed))).await.expect("a good request is served");
        self.sent.insert(seed);
    }

    /// Stops it and looks for the good spans in what it has written, every line of which must be JSON.
    fn stop(&mut self) {
        self.collector.stop();
        let file = self.collector.process.file("out.jsonl");
        let lines = fs::read_to_string(&file).expect("the output is text");
        for line in lines.lines() {
            let parsed: Result<Value, _> = serde_json::from_str(line);
            assert!(parsed.is_ok(), "{parsed:?} in {line}");
        }
        let written = spans::ids(&file);
        for seed in &self.sent {
            let id = (format!("{:032x}", good_trace(*seed)), format!("{:016x}", 2));
            assert!(written.contains(&id), "the spans of good request {seed} are missing");
        }
    }
}

/// A good request of two spans, apart from those that are mutated.
fn good(seed: u64) -> Vec<u8> {
    spans::request("good", 0x600d_0000_0000 | seed, 2)
}

fn good_trace(seed: u64) -> u64 {
    (0x600d_0000_0000 | seed) | 1 << 63
}

/// What is mutated: a small request, and one that an application sent.
fn protobuf_seeds() -> Vec<Vec<u8>> {
    let recorded =
        fs::read(xtask::cache::root().join("tests/data/nan-token-count.pb")).expect("the recording is there");
    vec![spans::request("mutated", 1, 3), recorded]
}

fn json_seeds() -> Vec<Vec<u8>> {
    let ids = r#""traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat""#;
    let times =
        r#""startTimeUnixNano":"1790000000000000000","endTimeUnixNano":1790000005250000000,"kind":"SPAN_KIND_CLIENT""#;
    let attributes = r#""attributes":[{"key":"gen_ai.request.model","value":{"stringValue":"claude-sonnet-4-5"}},
        {"key":"gen_ai.usage.input_tokens","value":{"intValue":"812"}},{"key":"ratio","value":{"doubleValue":0.25}},
        {"key":"flags","value":{"arrayValue":{"values":[{"boolValue":true},{"kvlistValue":{"values":[]}}]}}}]"#;
    let events =
        r#""events":[{"timeUnixNano":"1790000001000000000","name":"first \u00fc \ud83d\ude00"}],"status":{"code":2}"#;
    vec![json_span(ids), json_span(&[ids, times, attributes, events].join(","))]
}

fn json_span(fields: &str) -> Vec<u8> {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#).into_bytes()
}

/// A request with one span that has one attribute: a list in a list in a list, `depth` deep.
fn nested(depth: usize) -> Vec<u8> {
    let mut value = Vec::new();
    for _ in 0..depth {
        let list = field(1, &value);
        value = field(5, &list);
    }
    let attribute = [field(1, b"deep"), field(2, &value)].concat();
    let span = [field(1, &[1; 16]), field(2, &[2; 8]), field(9, &attribute)].concat();
    field(1, &field(2, &field(2, &span)))
}

/// A length-delimited protobuf field.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encoding::encode_varint(u64::try_from(content.len()).expect("a length fits"), &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("a vector can be written");
    encoder.finish().expect("a vector can be written")
}

fn zlibbed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("a vector can be written");
    encoder.finish().expect("a vector can be written")
}
