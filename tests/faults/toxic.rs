//! Toxic input over the wire: mutations, bombs, crowds. Every answer is a defined one, nothing hangs, memory stays bounded, and good traffic beside
//! it is served and delivered. `SPANMILL_MUTATIONS=1000000` sends a million.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use rustix::process::{Resource, getrlimit, setrlimit};
use spanmill_tests::collector::Collector;
use spanmill_tests::mutate::mutated;
use spanmill_tests::{amount, figure, grpc, ports, raw, skipped, spans};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::Code;

/// How many mutated requests are sent unless told otherwise.
const MUTATIONS: u64 = 20_000;

/// How many senders there are of each sort.
const SENDERS: u64 = 4;

/// How many mutated requests of a sender stand between two good ones.
const BETWEEN_GOOD: u64 = 50;

/// How much memory the process may have taken at its highest.
const MEMORY: u64 = 400 << 20;

const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";
const JSON: &str = "content-type: application/json\r\n";

/// Answers by their statuses.
type Tally = BTreeMap<String, u64>;

/// Scenario: requests changed at random in a few places come from a dozen senders at once: bodies over gRPC; bodies over HTTP, as protobuf and as
/// JSON, some of them compressed before they are changed, some after; whole requests of HTTP, headers included. Good ones come in between.
/// Guarantees: each is answered, and with a status that OTLP has for it, or the connection is closed where what came is no HTTP; the process lives
/// and its memory is bounded; each good request is taken, and its spans are written.
#[tokio::test(flavor = "multi_thread")]
async fn mutations() {
    let count = amount("SPANMILL_MUTATIONS", MUTATIONS);
    let began = Instant::now();
    let mut server = Server::start("");
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let each = count / SENDERS;
        senders.spawn(over_grpc(server.sender(sender), each * 2 / 5));
        senders.spawn(over_http(server.sender(100 + sender), each * 2 / 5));
        senders.spawn(as_bytes(server.sender(200 + sender), each / 5));
    }
    let mut tally = Tally::new();
    while let Some(sent) = senders.join_next().await {
        for (status, count) in sent.expect("a sender gets answers") {
            *tally.entry(status).or_default() += count;
        }
    }
    let peak = server.collector.process.peak_memory().unwrap_or(0);
    let good = server.stop();
    let took = began.elapsed().as_secs();
    figure(
        "toxic",
        &format!(
            "{count} mutated requests in {took} s, peak memory {} MiB: {tally:?}; {good} good ones delivered",
            peak >> 20
        ),
    );
    assert!(peak < MEMORY, "{peak} bytes");
}

/// Scenario: bombs of a gibibyte in every compression, and one of 64 MiB that are a thousand times as many as were sent; good requests between them.
/// Guarantees: each is refused as too large within 100 ms (the best of five: the machine has other things to do), and memory stays bounded.
#[tokio::test(flavor = "multi_thread")]
async fn bombs() {
    let mut server = Server::start("");
    let zeros = vec![0_u8; 16 << 20];
    let densest = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("a vector can be written");
        encoder.finish().expect("a vector can be written")
    };
    let bombs: [(&str, Vec<u8>); 6] = [
        ("gzip", gzipped(&zeros).repeat(64)),
        ("gzip", densest(&zeros.repeat(4))),
        ("zstd", zstd::bulk::compress(&zeros, 1).unwrap().repeat(64)),
        ("zstd", zstd::bulk::compress(&zeros.repeat(4), 1).unwrap()),
        ("deflate", zlibbed(&zeros.repeat(16))),
        ("snappy", vec![0xff, 0xff, 0xff, 0xff, 0x0f, 0]),
    ];
    let mut sender = server.sender(0);
    for (encoding, bomb) in &bombs {
        let request = raw::request(&format!("{PROTOBUF}content-encoding: {encoding}\r\n"), bomb);
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let (status, took) = raw::timed(sender.connection.send(&request)).await;
            assert_eq!(status, 413, "{encoding}");
            best = best.min(took);
            sender.good_over_http().await;
        }
        figure("toxic", &format!("a {encoding} bomb of {} bytes is refused in {} ms", bomb.len(), best.as_millis()));
        // A tenth of a second on a machine of its own; others build and test beside this.
        assert!(best < Duration::from_millis(300), "{encoding}: {best:?}");
    }
    let peak = server.collector.process.peak_memory().unwrap_or(0);
    assert!(peak < MEMORY, "{peak} bytes");
    server.stop();
}

/// Scenario: ten thousand connections are open and say nothing, half of them over HTTP, half to gRPC's port; good requests come.
/// Guarantees: they are served and delivered; what an idle connection costs is told.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_idle_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < 20_000) {
        skipped("toxic", "too few files may be open");
        return;
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a limit below the highest can be set");
    let mut server = Server::start("");
    let before = server.collector.process.peak_memory().unwrap_or(0);
    let mut idle = Vec::new();
    for _ in 0..5_000 {
        for port in [server.http, server.grpc] {
            idle.push(TcpStream::connect(("127.0.0.1", port)).await.expect("a connection is accepted"));
        }
    }
    let mut sender = server.sender(0);
    for _ in 0..100 {
        sender.good_over_http().await;
        sender.good_over_grpc().await;
    }
    let each = (server.collector.process.peak_memory().unwrap_or(0) - before) / idle.len() as u64;
    figure("toxic", &format!("{} idle connections, {each} bytes each; good traffic served", idle.len()));
    drop(idle);
    server.stop();
}

/// Scenario: thirty-two senders send requests of 60 MiB at once, again and again, to a process that
/// has a limit of 200 MiB and may hold 64 MiB of requests.
/// Guarantees: what is not taken is refused for now, and so told; some are taken; the process stays below 256 MiB.
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_limited() {
    let limiter = "memory_limiter: {check_interval: 1s, limit_mib: 200, spike_limit_mib: 40}";
    let mut server = Server::limited("limits: {max_in_flight_bytes: 64MiB}", limiter);
    let large = spans::text("large", &"x".repeat(60 << 20));
    let body = Arc::new(raw::request(PROTOBUF, &spans::request_with("mutated", 7, 1, &[large])));
    let mut senders = JoinSet::new();
    for _ in 0..32 {
        let (body, port) = (Arc::clone(&body), server.http);
        senders.spawn(async move {
            let mut connection = raw::Connection::new(port);
            let mut tally = Tally::new();
            for _ in 0..4 {
                *tally.entry(connection.send(&body).await.to_string()).or_default() += 1;
            }
            tally
        });
    }
    let mut tally = Tally::new();
    while let Some(sent) = senders.join_next().await {
        for (status, count) in sent.expect("a sender gets answers") {
            *tally.entry(status).or_default() += count;
        }
    }
    let peak = server.collector.process.peak_memory().unwrap_or(0);
    server.stop();
    figure("toxic", &format!("128 requests of 60 MiB from 32 senders: {tally:?}, peak memory {} MiB", peak >> 20));
    assert!(tally.keys().all(|status| ["200", "503"].contains(&&**status)) && tally.contains_key("200"), "{tally:?}");
    assert!(peak < 256 << 20, "{peak} bytes");
}

async fn over_grpc(mut sender: Sender, count: u64) -> Tally {
    let seed = spans::request("mutated", 1, 3);
    let mut tally = Tally::new();
    for number in 0..count {
        let body = Bytes::from(mutated(&seed, &mut sender.random));
        let code = sender.grpc().await.export(body).await.map_or_else(|status| status.code(), |_| Code::Ok);
        assert!(matches!(code, Code::Ok | Code::InvalidArgument), "{code:?}");
        *tally.entry(format!("gRPC {code:?}")).or_default() += 1;
        if number % BETWEEN_GOOD == 0 {
            sender.good_over_grpc().await;
        }
    }
    tally
}

async fn over_http(mut sender: Sender, count: u64) -> Tally {
    let (protobuf, json) = (spans::request("mutated", 1, 3), JSON_SEED.as_bytes());
    let mut tally = Tally::new();
    for number in 0..count {
        let (content_type, seed) = if number % 2 == 0 { (PROTOBUF, &protobuf[..]) } else { (JSON, json) };
        let random = &mut sender.random;
        let (encoding, body) = match random.u8(..6) {
            0 => compressed(&mutated(seed, random), random),
            1 => {
                let (encoding, body) = compressed(seed, random);
                (encoding, mutated(&body, random))
            }
            _ => ("", mutated(seed, random)),
        };
        let request = raw::request(&format!("{content_type}content-encoding: {encoding}\r\n"), &body);
        let status = sender.connection.send(&request).await;
        // A length that snappy or zstd announces may become anything.
        assert!(matches!(status, 200 | 400 | 413), "{status}");
        *tally.entry(format!("HTTP {status}")).or_default() += 1;
        if number % BETWEEN_GOOD == 0 {
            sender.good_over_http().await;
        }
    }
    tally
}

async fn as_bytes(mut sender: Sender, count: u64) -> Tally {
    let whole = raw::request(JSON, JSON_SEED.as_bytes());
    let chunks = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\n{JSON}transfer-encoding: chunked\r\n\r\n{:x}\r\n{JSON_SEED}\r\n0\r\n\r\n",
        JSON_SEED.len()
    );
    let multiplexed =
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x05\x01\x05\0\0\0\x01\x83\x86\x84\x41\x8a".to_vec();
    let seeds = [whole, chunks.into_bytes(), multiplexed];
    let mut tally = Tally::new();
    for number in 0..count {
        let seed = &seeds[sender.random.usize(..seeds.len())];
        let bytes = mutated(seed, &mut sender.random);
        let port = if sender.random.u8(..4) == 0 { sender.grpc_port } else { sender.http };
        let statuses = raw::exchange(port, &bytes).await;
        // What is no HTTP at all is not answered.
        let known = [200, 307, 400, 404, 405, 408, 413, 414, 415, 417, 431, 501, 505];
        assert!(statuses.iter().all(|status| known.contains(status)), "{statuses:?}");
        let first = statuses.first().map_or_else(|| "closed".to_owned(), u16::to_string);
        *tally.entry(format!("bytes {first}")).or_default() += 1;
        if number % BETWEEN_GOOD == 0 {
            sender.good_over_http().await;
        }
    }
    tally
}

/// Spanmill with what looks into spans, and what it was sent of good ones.
struct Server {
    collector: Collector,
    grpc: u16,
    http: u16,
    good: Arc<AtomicU64>,
}

/// Somebody who sends to it.
struct Sender {
    random: Rng,
    connection: raw::Connection,
    client: Option<grpc::Client>,
    grpc_port: u16,
    http: u16,
    good: Arc<AtomicU64>,
}

// === impl Server ===

impl Server {
    /// With one more processor in front, where it is given.
    fn start(first: &str) -> Self {
        Self::limited("limits: {}", first)
    }

    /// The same, its receiver with limits.
    fn limited(limits: &str, first: &str) -> Self {
        let [grpc, http] = ports::several();
        let name = first.split(':').next().filter(|name| !name.is_empty()).map(|name| format!("{name}, "));
        let config = format!(
            "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{grpc}'}}, http: {{endpoint: '127.0.0.1:{http}'}}}}, {limits}}}}}
processors:
  {first}
  genai: {{}}
  filter: {{error_mode: ignore, traces: {{span: ['resource.attributes[\"service.name\"] != \"good\"']}}}}
exporters: {{file: {{path: out.jsonl}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [{}genai, filter], exporters: [file]}}}}
",
            name.unwrap_or_default()
        );
        Self { collector: Collector::spanmill(&config, &[grpc, http]), grpc, http, good: Arc::default() }
    }

    fn sender(&self, seed: u64) -> Sender {
        Sender {
            random: Rng::with_seed(0x5eed_0000 | seed),
            connection: raw::Connection::new(self.http),
            client: None,
            grpc_port: self.grpc,
            http: self.http,
            good: Arc::clone(&self.good),
        }
    }

    /// Stops it, looks for the good spans in what it has written, and says how many requests they came in.
    fn stop(&mut self) -> u64 {
        self.collector.stop();
        let sent = self.good.load(Ordering::SeqCst);
        let written = spans::ids(&self.collector.process.file("out.jsonl"));
        for seed in 0..sent {
            let id = (format!("{:032x}", seed | 1 << 63), format!("{:016x}", 2));
            assert!(written.contains(&id), "the spans of good request {seed} of {sent} are missing");
        }
        sent
    }
}

// === impl Sender ===

impl Sender {
    async fn grpc(&mut self) -> &grpc::Client {
        if self.client.is_none() {
            self.client = Some(grpc::Client::connect(self.grpc_port).await);
        }
        self.client.as_ref().expect("it was connected")
    }

    async fn good_over_http(&mut self) {
        let seed = self.good.fetch_add(1, Ordering::SeqCst);
        assert_eq!(self.connection.send(&raw::request(PROTOBUF, &spans::request("good", seed, 2))).await, 200);
    }

    async fn good_over_grpc(&mut self) {
        let seed = self.good.fetch_add(1, Ordering::SeqCst);
        let request = Bytes::from(spans::request("good", seed, 2));
        self.grpc().await.export(request).await.expect("a good request is served");
    }
}

const JSON_SEED: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"mutated"}}]},
"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat",
"startTimeUnixNano":"1790000000000000000","endTimeUnixNano":1790000005250000000,"kind":"SPAN_KIND_CLIENT","attributes":[
{"key":"gen_ai.request.model","value":{"stringValue":"claude-sonnet-4-5"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"812"}},
{"key":"ratio","value":{"doubleValue":0.25}},{"key":"flags","value":{"arrayValue":{"values":[{"boolValue":true},{"kvlistValue":{"values":[]}}]}}}],
"events":[{"timeUnixNano":"1790000001000000000","name":"first \u00fc \ud83d\ude00"}],"status":{"code":2}}]}]}]}"#;

fn compressed(body: &[u8], random: &mut Rng) -> (&'static str, Vec<u8>) {
    match random.u8(..4) {
        0 => ("gzip", gzipped(body)),
        1 => ("deflate", zlibbed(body)),
        2 => ("zstd", zstd::bulk::compress(body, 1).expect("bytes can be compressed")),
        // Not even the container is right.
        _ => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(body).expect("a vector can be written");
            ("snappy", encoder.finish().expect("a vector can be written"))
        }
    }
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
