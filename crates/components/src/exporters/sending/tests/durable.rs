//! Queues on disk: what survives, what is set aside, and what a queue holds after a restart. On the real clock, since a real disk has one.

use std::any::Any;
use std::path::Path;

use bytes::Bytes;
use serde_json::Value;
use spanmill_config::ComponentId;
use spanmill_pipeline::Layout;
use spanmill_wal::{Fsync, Options as LogOptions, Wal};

use super::*;
use crate::storage::Storage;

/// The extension, without its configuration.
struct Disk(Arc<Storage>);

#[async_trait]
impl Component for Disk {
    fn capability(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::clone(&self.0) as Arc<dyn Any + Send + Sync>)
    }
}

/// A host with a storage extension of the name `disk` that writes to a folder.
pub(super) fn host(folder: &Path) -> Host {
    host_with(folder, LogOptions::default().max_bytes)
}

/// The same with logs of so many bytes at most.
pub(super) fn host_with(folder: &Path, max_bytes: u64) -> Host {
    let options = LogOptions { fsync: Fsync::Never, segment_bytes: 1 << 20, max_bytes, ..LogOptions::default() };
    let storage = Storage { directory: folder.to_owned(), options, max_dead_letter_bytes: 1 << 20 };
    let id: ComponentId = "disk".parse().unwrap();
    let extension: Arc<dyn Component> = Arc::new(Disk(Arc::new(storage)));
    let layout = Layout { extensions: vec![id.clone()], ..Layout::default() };
    Host::new(HashMap::from([(id, extension)]), mpsc::unbounded_channel().0).with_layout(Arc::new(layout))
}

pub(super) async fn open(
    folder: &Path,
    queue: &str,
    answers: impl IntoIterator<Item = Result<Answer, SendError>>,
) -> Rig {
    let yaml = format!("{{sending_queue: {{storage: disk, num_consumers: 1, {queue}}}}}");
    Rig::start_in(&host(folder), &yaml, answers, OPEN).await
}

pub(super) fn letters(folder: &Path, suffix: &str) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(folder.join("exporter_test/dead_letters")).into_iter().flatten();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().ends_with(suffix));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Scenario: a backend is away while requests of two signals come, until the process stops; in the next run it is there, and in a third one
/// nothing new comes.
/// Guarantees: every request is acknowledged, is sent in the next run in the same order and with the same bytes, and never again.
#[tokio::test]
async fn survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let rig = open(folder.path(), "", std::iter::repeat_n(away(), 2)).await;
    for count in 1..=3 {
        rig.consume(spans(count)).await.unwrap();
    }
    rig.consume(records(4)).await.unwrap();
    rig.exporter.shutdown().await.unwrap();
    assert_eq!((rig.spans(), rig.gauge("queue_size")), ([0, 0, 0], 4));

    let mut rig = open(folder.path(), "", []).await;
    for count in 1..=3 {
        let one = rig.next().await;
        assert_eq!((one.signal, one.items, one.bytes), (Signal::Traces, count, spans(count).encode().len()));
    }
    let last = rig.next().await;
    assert_eq!((last.signal, last.items, last.bytes), (Signal::Logs, 4, records(4).bytes().len()));
    rig.exporter.shutdown().await.unwrap();
    assert_eq!((rig.spans(), rig.gauge("queue_size")), ([6, 0, 0], 0));

    let mut rig = open(folder.path(), "", []).await;
    rig.exporter.shutdown().await.unwrap();
    assert!(rig.times().is_empty());
}

/// Scenario: queues that count requests, items and bytes are filled before a backend that is away, and opened again.
/// Guarantees: what is left counts in the next run as in the first: a request more is refused, with an error that allows to come again.
#[tokio::test]
async fn what_is_left_counts() {
    let len = spans(5).encode().len();
    for (sizer, capacity) in [("requests", 2), ("items", 10), ("bytes", 2 * len)] {
        let folder = tempfile::tempdir().unwrap();
        let queue = format!("sizer: {sizer}, queue_size: {capacity}");
        let rig = open(folder.path(), &queue, [away(), away()]).await;
        rig.consume(spans(5)).await.unwrap();
        rig.consume(spans(5)).await.unwrap();
        rig.exporter.shutdown().await.unwrap();

        let yaml = format!("{{sending_queue: {{storage: disk, num_consumers: 1, {queue}}}}}");
        let mut rig = Rig::start_in(&host(folder.path()), &yaml, [], 0).await;
        assert_eq!(rig.gauge("queue_size"), i64::try_from(capacity).unwrap(), "{sizer}");
        let error = rig.consume(spans(1)).await.unwrap_err();
        assert_eq!((error.retryable, &*error.message), (true, "sending queue is full"), "{sizer}");
        rig.release(2);
        rig.next().await;
        rig.next().await;
        rig.exporter.shutdown().await.unwrap();
        assert_eq!((rig.spans(), rig.gauge("queue_size")), ([10, 0, 1], 0), "{sizer}");
    }
}

/// Scenario: a backend refuses one of three requests for good.
/// Guarantees: the refused one lies in the folder with its bytes and the reason, is counted, and is not sent again; the others are sent.
#[tokio::test]
async fn refused_requests_are_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = open(folder.path(), "", [Ok(Answer::default()), refused()]).await;
    for count in 1..=3 {
        rig.consume(spans(count)).await.unwrap();
        rig.next().await;
    }
    rig.exporter.shutdown().await.unwrap();
    assert_eq!(rig.spans(), [4, 2, 0]);
    let labels = [("exporter", "test")];
    assert_eq!(rig.telemetry.counter("spanmill_exporter_dead_letter_items", "", &labels).get(), 2);
    assert_eq!(letters(folder.path(), ".traces.otlp"), [spans(2).encode().to_vec()]);
    let [reason] = letters(folder.path(), ".json").try_into().unwrap();
    let reason: Value = serde_json::from_slice(&reason).unwrap();
    assert_eq!((&reason["exporter"], &reason["items"]), (&"test".into(), &2.into()));
    assert_eq!((&reason["code"], &reason["message"]), (&"InvalidArgument".into(), &"bad data".into()));

    let mut rig = open(folder.path(), "", []).await;
    rig.exporter.shutdown().await.unwrap();
    assert!(rig.times().is_empty());
}

/// Scenario: a request is refused for good while nothing can be written to the folder for such, until the exporter stops; and in the next run the
/// same for a while.
/// Guarantees: it is neither dropped nor counted as failed: it stays in the queue, and is set aside once that can be.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_set_aside_stays() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("exporter_test/dead_letters");
    let mut rig = open(folder.path(), "", [refused()]).await;
    std::fs::write(&in_the_way, "").unwrap();
    rig.consume(spans(2)).await.unwrap();
    rig.next().await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    rig.exporter.shutdown().await.unwrap();
    assert_eq!((rig.spans(), rig.gauge("queue_size")), ([0, 0, 0], 1));
    std::fs::remove_file(&in_the_way).unwrap();

    let mut rig = Rig::start_in(&host(folder.path()), "{sending_queue: {storage: disk}}", [refused()], 0).await;
    std::fs::write(&in_the_way, "").unwrap();
    rig.release(1);
    rig.next().await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(rig.spans(), [0, 0, 0]);
    std::fs::remove_file(&in_the_way).unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    let counter =
        |name| rig.telemetry.counter(&format!("spanmill_exporter_dead_letter_{name}"), "", &[("exporter", "test")]);
    assert_eq!((counter("items").get(), counter("dropped_items").get()), (2, 0));
    assert_eq!(letters(folder.path(), ".otlp"), [spans(2).encode().to_vec()]);
    rig.exporter.shutdown().await.unwrap();
    assert_eq!((rig.spans(), rig.gauge("queue_size")), ([0, 2, 0], 0));
}

/// Scenario: a byte in the middle of a queue of several files changes between two runs.
/// Guarantees: the file that is set aside and the requests that are lost with it are counted; the others are sent.
#[tokio::test]
async fn what_the_disk_loses_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let rig = open(folder.path(), "", std::iter::repeat_n(away(), 2)).await;
    for _ in 0..25 {
        rig.consume(large(100_000)).await.unwrap();
    }
    rig.exporter.shutdown().await.unwrap();
    let log = std::fs::read_dir(folder.path().join("exporter_test/log")).unwrap();
    let mut files: Vec<_> = log.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.metadata().unwrap().len() > 500_000);
    files.sort();
    let mut bytes = std::fs::read(&files[0]).unwrap();
    bytes[450_000] ^= 1;
    std::fs::write(&files[0], bytes).unwrap();

    let mut rig = open(folder.path(), "", []).await;
    let counter =
        |name| rig.telemetry.counter(&format!("spanmill_exporter_queue_{name}"), "", &[("exporter", "test")]).get();
    let lost = counter("lost_records");
    assert!(lost > 0);
    assert_eq!(counter("quarantined_segments"), 1);
    rig.exporter.shutdown().await.unwrap();
    assert_eq!(rig.times().len() as u64 + lost, 25);
}

/// Scenario: a queue that counts bytes holds something that is no request, between two that are.
/// Guarantees: it is set aside, the others are sent, and the queue has all its room again once it is empty.
#[tokio::test]
async fn what_is_no_request_takes_no_room() {
    let folder = tempfile::tempdir().unwrap();
    let queue = format!("sizer: bytes, queue_size: {}", spans(9).encode().len());
    let rig = open(folder.path(), &queue, std::iter::repeat_n(away(), 2)).await;
    rig.consume(spans(1)).await.unwrap();
    rig.exporter.shutdown().await.unwrap();
    let log = Wal::open(folder.path().join("exporter_test/log"), LogOptions::default()).await.unwrap();
    log.append(1, Bytes::from_static(b"no request")).await.unwrap();
    log.close().await.unwrap();

    let mut rig = open(folder.path(), &queue, []).await;
    rig.consume(spans(2)).await.unwrap();
    assert_eq!([rig.next().await.items, rig.next().await.items], [1, 2]);
    // As large as the queue.
    let taken = async {
        while rig.consume(spans(9)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), taken).await.unwrap();
    assert_eq!(rig.next().await.items, 9);
    assert_eq!(letters(folder.path(), ".otlp"), [b"no request"]);
    rig.exporter.shutdown().await.unwrap();
}

/// Scenario: what was sent cannot be written down, since something lies in the way, and can be later, while nothing more comes.
/// Guarantees: it is tried again by itself.
#[tokio::test]
async fn what_was_sent_is_noted_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = open(folder.path(), "", []).await;
    let log = folder.path().join("exporter_test/log");
    let (file, aside) = (log.join("cursor-sent"), log.join("aside"));
    let next = |file: &Path| std::fs::read(file).unwrap()[8];
    std::fs::rename(&file, &aside).unwrap();
    std::fs::create_dir(&file).unwrap();
    rig.consume(spans(1)).await.unwrap();
    rig.next().await;
    // Long enough for a first attempt.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(next(&aside), 1);
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    let noted = async {
        while next(&file) == 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), noted).await.unwrap();
    assert_eq!(next(&file), 2);
    rig.exporter.shutdown().await.unwrap();
}

/// Scenario: batches are joined from requests on disk, and the exporter stops while the backend is away, with one batch sent.
/// Guarantees: only what was sent is done with; the rest is joined and sent in the next run.
#[tokio::test]
async fn joins_what_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let queue = "batch: {min_size: 4, max_size: 4, flush_timeout: 1h}";
    let answers = std::iter::once(Ok(Answer::default())).chain(std::iter::repeat_with(away).take(9));
    let mut rig = open(folder.path(), queue, answers).await;
    for _ in 0..2 {
        rig.consume(spans(2)).await.unwrap();
    }
    assert_eq!(rig.next().await.items, 4);
    for _ in 0..3 {
        rig.consume(spans(2)).await.unwrap();
    }
    assert_eq!(rig.next().await.items, 4);
    rig.exporter.shutdown().await.unwrap();
    assert_eq!(rig.spans(), [4, 0, 0]);

    let mut rig = open(folder.path(), queue, []).await;
    assert_eq!(rig.next().await.items, 4);
    rig.exporter.shutdown().await.unwrap();
    assert_eq!(rig.next().await.items, 2);
    assert_eq!(rig.spans(), [6, 0, 0]);
}

/// Scenario: a request of six spans in batches of four; the first is sent, and the exporter stops while the backend is away from the rest.
/// Guarantees: the request is not done with: the next run sends all of it again.
#[tokio::test]
async fn what_is_left_over_keeps_the_request() {
    let folder = tempfile::tempdir().unwrap();
    let queue = "batch: {min_size: 4, max_size: 4, flush_timeout: 1h}";
    let mut rig = open(folder.path(), queue, [Ok(Answer::default()), away()]).await;
    rig.consume(spans(6)).await.unwrap();
    assert_eq!(rig.next().await.items, 4);
    rig.exporter.shutdown().await.unwrap();
    assert_eq!((rig.spans(), rig.gauge("queue_size")), ([4, 0, 0], 1));

    let mut rig = open(folder.path(), queue, []).await;
    assert_eq!(rig.next().await.items, 4);
    rig.exporter.shutdown().await.unwrap();
    assert_eq!((rig.spans(), rig.gauge("queue_size")), ([6, 0, 0], 0));
}

/// Scenario: the exporter stops while a backend has a request and does not answer.
/// Guarantees: the answer is waited for as long as anything is sent at the end, and the request stays for the next run.
#[tokio::test]
async fn an_answer_is_not_waited_for_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "{sending_queue: {storage: disk}}";
    let mut rig = Rig::start_in(&host(folder.path()), yaml, [], 0).await;
    rig.consume(spans(3)).await.unwrap();
    rig.next().await;
    let began = std::time::Instant::now();
    rig.exporter.shutdown().await.unwrap();
    assert!(began.elapsed() < 2 * DRAIN, "{:?}", began.elapsed());
    assert_eq!((rig.spans(), rig.gauge("queue_size")), ([0, 0, 0], 1));

    let mut rig = open(folder.path(), "", []).await;
    assert_eq!(rig.next().await.items, 3);
    rig.exporter.shutdown().await.unwrap();
}

/// Scenario: `storage` names no extension.
/// Guarantees: the exporter does not start, and says why in the Collector's words.
#[tokio::test]
async fn storage_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let (rig, started) = Rig::make(&host(folder.path()), "{sending_queue: {storage: none}}", [], OPEN).await;
    assert_eq!(started.unwrap_err().to_string(), "no storage client extension found: none");
    rig.exporter.shutdown().await.unwrap();
}
