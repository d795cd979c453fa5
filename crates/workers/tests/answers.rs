//! Queries that workers help to answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use arrow::util::pretty::pretty_format_batches;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use spanmill_config::Secret;
use spanmill_loadgen::Template;
use spanmill_loadgen::shape::Shape;
use spanmill_otlp::Traces;
use spanmill_pipeline::Port;
use spanmill_query::{Limits, QueryService, Request};
use spanmill_store::{Cluster, Options, Store};
use spanmill_tls::{ClientTls, ServerTls};
use spanmill_workers::{Fleet, PeerOptions, ServeOptions, WorkersOptions, serve};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const REQUESTS: u64 = 12;
const SPANS: u64 = REQUESTS * 64;

/// Questions whose answers have one order.
const QUESTIONS: [&str; 8] = [
    "SELECT count(*) FROM spans",
    "SELECT request_model, count(*) AS calls, sum(input_tokens), min(start_time), max(duration_ns) FROM spans GROUP BY 1 ORDER BY 1",
    "SELECT span_id, start_time FROM spans ORDER BY start_time DESC, span_id LIMIT 5",
    "SELECT p95(duration_hist), sum(calls) FROM usage_1m",
    "SELECT attr(attributes, 'gen_ai.response.id') AS id FROM spans WHERE input_tokens > 1000 ORDER BY id LIMIT 3",
    "SELECT count(*) FROM spans a JOIN spans b ON a.trace_id = b.trace_id AND a.span_id < b.span_id",
    "SELECT time_bucket(INTERVAL '1 hour', start_time) AS hour, count(DISTINCT trace_id) FROM spans GROUP BY hour ORDER BY hour",
    "SELECT service, count(*) FROM spans WHERE duration_ns > (SELECT avg(duration_ns) FROM spans) GROUP BY service ORDER BY service",
];

/// A store with rows in several files, and some in memory alone.
async fn filled() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(options(&folder), "writer").await.unwrap();
    let template = Template::new(Shape::ALL.into_iter().next().unwrap(), 64, 1);
    for number in 0..REQUESTS {
        store.add(&Traces::parse(template.fresh(number)).unwrap(), None);
        if number % 4 == 3 && number + 1 < REQUESTS {
            store.seal().await.unwrap();
        }
    }
    (store, folder)
}

fn options(folder: &TempDir) -> Options {
    let century = Duration::from_secs(100 * 365 * 86_400);
    let address = folder.path().to_str().unwrap();
    Options { max_past: century, max_future: century, query_threads: 1, ..Options::new(address) }
}

/// An authority that signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for that name or address, and its key.
    fn issue(&self, name: &str) -> (Secret, Secret) {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        (Secret::new(params.signed_by(&key, &self.0).unwrap().pem()), Secret::new(key.serialize_pem()))
    }

    /// A client that trusts this authority, and presents what `of` issued.
    fn client(&self, of: Option<&Self>) -> ClientTls {
        let (cert_pem, key_pem) = of.map(|of| of.issue("client")).unwrap_or_default();
        ClientTls { ca_pem: Secret::new(self.0.pem()), cert_pem, key_pem, ..ClientTls::default() }
    }
}

fn showing(token: Option<&str>) -> PeerOptions {
    PeerOptions { token: token.map(Secret::new), tls: None }
}

/// A worker on a port of its own.
async fn worker(folder: &TempDir, peers: PeerOptions, tls: Option<&ServerTls>) -> (String, JoinHandle<()>) {
    serving(folder, ServeOptions { peers, ..ServeOptions::default() }, tls).await
}

async fn serving(folder: &TempDir, options: ServeOptions, tls: Option<&ServerTls>) -> (String, JoinHandle<()>) {
    let store = Store::open_to_read(self::options(folder)).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let port = Port::new(listener, tls.map(|tls| tls.acceptor(&["h2"]).unwrap()));
    let serving = tokio::spawn(async move { serve(port, store, &options, std::future::pending()).await.unwrap() });
    (address, serving)
}

/// A fleet that has asked once who is there.
async fn fleet(endpoints: Vec<String>, peers: PeerOptions) -> Fleet {
    let fleet = Fleet::new(WorkersOptions { endpoints, peers, bytes_each: 1 }).unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    fleet.clone().watch(stop).await;
    fleet
}

async fn answer(service: &QueryService, sql: &str) -> String {
    let mut rows = service.run(Request::of(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let batches = rows.collect().await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    pretty_format_batches(&batches).unwrap().to_string()
}

/// Scenario: questions of many kinds, about rows in files and in memory, to one process and to one with two workers.
/// Guarantees: the answers are the same, and the workers did have a part in them.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_the_same() {
    let (store, folder) = filled().await;
    let alone = QueryService::new(store.clone(), Limits::default());
    let (one, two) = (worker(&folder, showing(None), None).await, worker(&folder, showing(None), None).await);
    let fleet = fleet(vec![one.0, two.0], showing(None)).await;
    assert_eq!(fleet.len(), 2);
    let together = alone.clone().with_cluster(Arc::new(fleet));
    for question in QUESTIONS {
        assert_eq!(answer(&together, question).await, answer(&alone, question).await, "{question}");
    }
    assert!(answer(&alone, QUESTIONS[0]).await.contains(&SPANS.to_string()));
    let plan = answer(&together, &format!("EXPLAIN ANALYZE {}", QUESTIONS[1])).await;
    assert!(plan.contains("Network"), "{plan}");
}

/// Scenario: two workers; one ends, nobody has noticed, and questions are asked; then the other ends as well.
/// Guarantees: every answer is right: the first question is tried once more with the one that is left, later ones by the process alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_worker_costs_a_second_try() {
    let (store, folder) = filled().await;
    let alone = QueryService::new(store.clone(), Limits::default());
    let (one, two) = (worker(&folder, showing(None), None).await, worker(&folder, showing(None), None).await);
    let fleet = fleet(vec![one.0, two.0], showing(None)).await;
    let together = alone.clone().with_cluster(Arc::new(fleet.clone()));
    let right = answer(&alone, QUESTIONS[1]).await;
    assert_eq!(answer(&together, QUESTIONS[1]).await, right);
    one.1.abort();
    // Connections end with the tasks that serve them.
    drop(one.1.await);
    for left in [1, 0] {
        assert_eq!(answer(&together, QUESTIONS[1]).await, right);
        // Where the lost one had no part in it, the next look finds out.
        fleet.look().await;
        assert_eq!((fleet.len(), fleet.losses()), (left, 2 - left as u64));
        two.1.abort();
    }
    assert_eq!(answer(&together, QUESTIONS[1]).await, right);
}

/// Scenario: a worker that wants a token; fleets with the right one, a wrong one and none.
/// Guarantees: only the right one finds it; the others answer alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_wanted() {
    let (store, folder) = filled().await;
    let (address, _serving) = worker(&folder, showing(Some("secret")), None).await;
    for (token, there) in [(Some("secret"), 1), (Some("guess"), 0), (None, 0)] {
        let fleet = fleet(vec![address.clone()], showing(token)).await;
        assert_eq!(fleet.len(), there, "{token:?}");
        let service = QueryService::new(store.clone(), Limits::default()).with_cluster(Arc::new(fleet));
        assert!(answer(&service, QUESTIONS[0]).await.contains(&SPANS.to_string()));
    }
}

/// Scenario: two workers with TLS that want certificates of one authority and a token. Fleets with both; with TLS that wants another authority or
/// another name; with a certificate of a stranger, none, no token; and in the clear.
/// Guarantees: only the first finds them, and its answers, for which workers ask each other as well, are those of one process.
#[tokio::test(flavor = "multi_thread")]
async fn only_those_with_the_right_certificates_meet() {
    let (store, folder) = filled().await;
    let (ours, strangers) = (Authority::new("ours"), Authority::new("strangers"));
    let beside = tempfile::tempdir().unwrap();
    let clients = beside.path().join("clients.pem");
    std::fs::write(&clients, ours.0.pem()).unwrap();
    let secure = |tls| PeerOptions { token: Some(Secret::new("secret")), tls: Some(tls) };
    let mut endpoints = Vec::new();
    for _ in 0..2 {
        let (cert_pem, key_pem) = ours.issue("127.0.0.1");
        let client_ca_file = clients.display().to_string();
        let tls = ServerTls { cert_pem, key_pem, client_ca_file, ..ServerTls::default() };
        endpoints.push(worker(&folder, secure(ours.client(Some(&ours))), Some(&tls)).await.0);
    }
    let other_name = ClientTls { server_name_override: "elsewhere".to_owned(), ..ours.client(Some(&ours)) };
    for (what, peers) in [
        ("another authority", secure(strangers.client(Some(&ours)))),
        ("another name", secure(other_name)),
        ("a stranger's certificate", secure(ours.client(Some(&strangers)))),
        ("no certificate", secure(ours.client(None))),
        ("no token", PeerOptions { token: None, ..secure(ours.client(Some(&ours))) }),
        ("in the clear", showing(Some("secret"))),
    ] {
        assert_eq!(fleet(endpoints.clone(), peers).await.len(), 0, "{what}");
    }
    let fleet = fleet(endpoints, secure(ours.client(Some(&ours)))).await;
    assert_eq!(fleet.len(), 2);
    let alone = QueryService::new(store, Limits::default());
    let together = alone.clone().with_cluster(Arc::new(fleet.clone()));
    for question in QUESTIONS {
        assert_eq!(answer(&together, question).await, answer(&alone, question).await, "{question}");
    }
    let plan = answer(&together, &format!("EXPLAIN ANALYZE {}", QUESTIONS[5])).await;
    assert!(plan.contains("Network"), "{plan}");
    assert_eq!(fleet.losses(), 0);
}

/// Scenario: somebody connects to a worker, begins to speak HTTP/2, and then says nothing more, as a machine does that lost its power.
/// Guarantees: the worker closes the connection, with which everything ends that was asked over it.
#[tokio::test]
async fn who_vanished_is_missed() {
    let (_store, folder) = filled().await;
    let options = ServeOptions { patience: Duration::from_millis(200), ..ServeOptions::default() };
    let (address, _serving) = serving(&folder, options, None).await;
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut said = Vec::new();
    // To wait for it is the test: where it is kept open, this does not end.
    let closed = tokio::time::timeout(Duration::from_secs(30), connection.read_to_end(&mut said)).await;
    assert!(closed.is_ok() && !said.is_empty());
}
