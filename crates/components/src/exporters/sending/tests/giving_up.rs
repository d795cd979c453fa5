//! An exporter that is given up, and one whose configuration is refused before all has started.

use std::path::Path;

use spanmill_config::{ConfigError, Document};
use spanmill_pipeline::{Factories, Graph, Kind, Outputs, ReceiverFactory, Stability};
use spanmill_wal::{Options as LogOptions, Wal};
use tokio::net::TcpListener;

use super::durable::host;
use super::*;
use crate::exporters::{otlp_grpc, otlp_http};
use crate::extensions::file_storage;
use crate::storage::LOG;

/// Told to stop, and not waited for any longer.
async fn given_up(rig: &Rig) -> Abandoned {
    let stopping = rig.stopping();
    tokio::task::yield_now().await;
    stopping.abort();
    let _ = stopping.await;
    rig.exporter.abandon().await
}

async fn open_held(folder: &Path) -> Rig {
    Rig::start_in(&host(folder), "{sending_queue: {storage: disk, num_consumers: 1}}", [], 0).await
}

/// Scenario: queues in memory, with batches and without, of spans and log records before a backend that never answers, are given up.
/// Guarantees: all that was taken and not sent is told and counted as failed, by its kind.
#[tokio::test(start_paused = true)]
async fn what_was_in_memory_is_told() {
    for batch in ["", ", batch: {min_size: 1, flush_timeout: 1ms}"] {
        let yaml = format!("{{sending_queue: {{num_consumers: 1{batch}}}}}");
        let mut rig = Rig::held(&yaml, []).await;
        rig.consume(spans(3)).await.unwrap();
        rig.release(1);
        rig.next().await;
        rig.consume(spans(4)).await.unwrap();
        rig.next().await;
        rig.consume(spans(5)).await.unwrap();
        rig.consume(records(2)).await.unwrap();
        assert_eq!(given_up(&rig).await, Abandoned::Lost(11), "{batch}");
        assert_eq!(rig.spans(), [3, 9, 0]);
        assert_eq!(rig.counter("send_failed_log_records"), 2);
    }
}

/// Scenario: a queue on disk before a backend that never answers is given up; another one opens the same folder.
/// Guarantees: nothing counts as lost; the folder is free, and all is sent from there.
#[tokio::test]
async fn what_is_on_disk_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = open_held(folder.path()).await;
    rig.consume(spans(3)).await.unwrap();
    rig.consume(spans(4)).await.unwrap();
    rig.next().await;
    assert_eq!(given_up(&rig).await, Abandoned::Kept);
    assert_eq!(rig.spans(), [0, 0, 0]);

    let mut next = open_held(folder.path()).await;
    next.release(2);
    assert_eq!([next.next().await.items, next.next().await.items], [3, 4]);
    next.exporter.shutdown().await.unwrap();
}

/// A receiver that does not start, a while after everything else has.
struct Luckless;

#[async_trait]
impl Component for Luckless {
    async fn start(&self, _: &Host) -> Result<(), ComponentError> {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Err(ComponentError::Other("no luck".to_owned()))
    }
}

fn luckless(_: Context<'_>, _: Outputs) -> Result<Arc<dyn Component>, ConfigError> {
    Ok(Arc::new(Luckless))
}

const FACTORIES: Factories = Factories {
    receivers: &[ReceiverFactory {
        kind: Kind { name: "luckless", aliases: &[], stability: Stability::Stable, signals: &[Signal::Traces] },
        create: luckless,
    }],
    processors: &[],
    exporters: &[otlp_grpc::FACTORY, otlp_http::FACTORY],
    connectors: &[],
    extensions: &[file_storage::FACTORY],
};

fn document(folder: &Path, endpoint: &str, more: &str) -> Document {
    let yaml = format!(
        "
extensions: {{file_storage: {{directory: '{}'}}}}
receivers: {{luckless: }}
exporters:
  otlp_http: {{endpoint: 'http://{endpoint}', sending_queue: {{storage: file_storage}}}}
  otlp/http: {{endpoint: '{endpoint}', sending_queue: {{storage: file_storage}}}}
service: {{extensions: [file_storage], pipelines: {{traces: {{receivers: [luckless], exporters: [otlp_http{more}]}}}}}}
",
        folder.display()
    );
    Document::from_tree(Section::from_yaml("", &yaml).unwrap().node().clone()).unwrap()
}

/// Scenario: a queue on disk holds a request; a configuration with it starts, but for its last component.
/// Guarantees: nothing is sent to a backend that is there; the request is still in the queue.
#[tokio::test]
async fn nothing_is_sent_before_all_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("exporter_otlp_http").join(LOG);
    let wal = Wal::open(&log, LogOptions::default()).await.unwrap();
    wal.append(Signal::Traces as u8, spans(3).encode()).await.unwrap();
    wal.close().await.unwrap();
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let document = document(folder.path(), &backend.local_addr().unwrap().to_string(), "");
    let graph = Graph::build(&document, &FACTORIES, &Telemetry::default()).unwrap();
    let error = graph.start(mpsc::unbounded_channel().0, Duration::from_secs(5)).await.unwrap_err();
    assert!(error.to_string().contains("no luck"), "{error}");
    let came = tokio::time::timeout(Duration::ZERO, backend.accept()).await;
    assert!(came.is_err());

    let wal = Wal::open(&log, LogOptions::default()).await.unwrap();
    assert!(wal.reader("sent").await.unwrap().try_next().await.unwrap().is_some());
}

/// Scenario: two exporters whose queues the Collector would keep in one folder, one of which is not used; then both are.
/// Guarantees: the second is refused before anything starts, with both names and that of the folder.
#[test]
fn folders_that_collide_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let build = |more| {
        let document = document(folder.path(), "127.0.0.1:1", more);
        Graph::build(&document, &FACTORIES, &Telemetry::default()).map_err(|error| error.to_string())
    };
    build("").unwrap();
    let error = build(", otlp/http").unwrap_err();
    let expected = "exporters::otlp/http: \"otlp_http\" exporter and \"otlp/http\" exporter would both have the folder exporter_otlp_http of \
                    file_storage: rename one of them";
    assert!(error.contains(expected), "{error}");
}
