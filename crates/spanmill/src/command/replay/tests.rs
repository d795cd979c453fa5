use std::fs;
use std::path::Path;

use spanmill_config::Section;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A span without anything: resource spans of scope spans of it.
const REQUEST: [u8; 6] = [0x0a, 0x04, 0x12, 0x02, 0x12, 0x00];

fn letters(folder: &Path, count: usize) -> Vec<Letter> {
    for number in 0..count {
        fs::write(folder.join(format!("{number}.traces.otlp")), REQUEST).unwrap();
    }
    Letter::all_in(folder).unwrap()
}

fn document(exporter: &str) -> Document {
    let yaml = format!(
        "{{receivers: {{nop: }}, exporters: {{{exporter}}}, \
           service: {{pipelines: {{traces: {{receivers: [nop], exporters: []}}}}}}}}"
    );
    Document::from_tree(Section::from_yaml("", &yaml).unwrap().node().clone()).unwrap()
}

/// A backend over HTTP that gives all requests the same answer; where it listens.
async fn backend(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 1 << 16];
                while stream.read(&mut request).await.is_ok_and(|bytes| bytes > 0) {
                    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Nobody listens there.
async fn nowhere() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

/// Scenario: exporters with queues in memory and on disk, with a name that has dots and without sections that say so, before a backend that
/// refuses, that is away, and that takes all.
/// Guarantees: only what the backend has taken is removed.
#[tokio::test]
async fn only_what_is_taken_is_removed() {
    for (name, queue) in [
        ("otlp_http/tempo.eu", ", sending_queue: {storage: file_storage}"),
        ("otlp_http/tempo.eu", ", sending_queue: {queue_size: 100, batch: {flush_timeout: 1h}}"),
        ("otlp_http/a.b.c", ", sending_queue: {enabled: true}"),
        ("otlp_http", ""),
    ] {
        let id: ComponentId = name.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let letters = letters(folder.path(), 3);
        let to = |address: String| document(&format!("{name}: {{endpoint: 'http://{address}'{queue}}}"));
        let files = || fs::read_dir(folder.path()).unwrap().count();
        let refusing = to(backend("400 Bad Request").await);
        assert_eq!(replay(&refusing, &id, &letters).await.unwrap(), 3, "{name}{queue}");
        assert_eq!(files(), 3);
        let taking = to(backend("200 OK").await);
        assert_eq!(replay(&taking, &id, &letters).await.unwrap(), 0, "{name}{queue}");
        assert_eq!(files(), 0);
    }
}

/// Scenario: more requests than can be waited for, and a backend that is away, over HTTP and gRPC; the exporter would try for ever.
/// Guarantees: the first one says so, soon; all are where they were.
#[tokio::test]
async fn a_backend_that_is_away_is_told() {
    for (name, endpoint) in [("otlp_http", "http://"), ("otlp_grpc", "")] {
        let id: ComponentId = name.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let letters = letters(folder.path(), 100);
        let retries = "retry_on_failure: {max_elapsed_time: 0}, tls: {insecure: true}";
        let document = document(&format!("{name}: {{endpoint: '{endpoint}{}', {retries}}}", nowhere().await));
        let began = Instant::now();
        assert_eq!(replay(&document, &id, &letters).await.unwrap(), 100);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 100);
    }
}

/// Scenario: a load balancer whose backends have queues, as they do where nothing is said; its backend is away.
/// Guarantees: nothing counts as sent that is in such a queue.
#[tokio::test]
async fn queues_of_backends_are_off() {
    let id: ComponentId = "load_balancing/x.y".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let letters = letters(folder.path(), 2);
    let hosts = format!("resolver: {{static: {{hostnames: ['{}']}}}}", nowhere().await);
    let protocol = "protocol: {otlp: {tls: {insecure: true}}}, sending_queue: {}";
    let document = document(&format!("{id}: {{{hosts}, {protocol}}}"));
    assert_eq!(replay(&document, &id, &letters).await.unwrap(), 2);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
