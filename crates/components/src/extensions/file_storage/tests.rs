use std::os::unix::fs::PermissionsExt;

use spanmill_config::{ComponentId, Section};
use spanmill_pipeline::Telemetry;
use spanmill_wal::Fsync;

use super::*;

fn made(yaml: &str) -> Result<Arc<dyn Component>, String> {
    let section = Section::from_yaml("extensions::file_storage", yaml).unwrap();
    let id: ComponentId = "file_storage".parse().unwrap();
    let telemetry = Telemetry::default();
    let context = Context { id: &id, section: &section, telemetry: &telemetry };
    create(context).map_err(|error| error.to_string())
}

fn storage(yaml: &str) -> Arc<Storage> {
    made(yaml).unwrap().capability().unwrap().downcast().unwrap()
}

/// Scenario: a folder that is not there, with and without leave to make it.
/// Guarantees: without, the configuration is refused in the Collector's words; with, it is made when the service starts, with the given rights,
/// and nothing is made before.
#[tokio::test]
async fn the_folder_is_made_on_request() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/b");
    let error = made(&format!("{{directory: {}}}", folder.display())).err().unwrap();
    assert!(
        error.contains("directory must exist: ") && error.contains("enable the create_directory option"),
        "{error}"
    );

    let yaml = format!("{{directory: {}, create_directory: true, directory_permissions: '0700'}}", folder.display());
    let extension = made(&yaml).unwrap();
    assert!(!folder.exists());
    let host = Host::new(std::collections::HashMap::new(), tokio::sync::mpsc::unbounded_channel().0);
    extension.start(&host).await.unwrap();
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

/// Scenario: a folder holds a queue that nobody uses; the extension starts beside one of the same folder and alone, hears of a change after one
/// more such queue has come, and stops when the configuration keeps queues there, and when it does not.
/// Guarantees: all such queues are told of, at the start, after a change, and by an extension whose folder is not used any more.
#[tokio::test]
async fn queues_that_nobody_uses_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::default();
    let storage =
        || Arc::new(Storage { directory: folder.path().into(), options: options.clone(), max_dead_letter_bytes: 0 });
    let id: ComponentId = "file_storage".parse().unwrap();
    let extension = || {
        let (host, orphans) = (OnceLock::new(), Orphans::default());
        Arc::new(FileStorage { id: id.clone(), storage: storage(), mode: None, host, orphans })
    };
    let orphan = async |name: &str| {
        let queue = folder.path().join(name);
        let wal = spanmill_wal::Wal::open(queue.join(crate::storage::LOG), Options::default()).await.unwrap();
        wal.append(0, bytes::Bytes::from_static(b"a")).await.unwrap();
        wal.close().await.unwrap();
        queue
    };
    let host = |extensions: Vec<Arc<FileStorage>>| {
        let extensions = extensions.into_iter().map(|one| (id.clone(), one as Arc<dyn Component>));
        let layout = spanmill_pipeline::Layout { extensions: vec![id.clone()], ..Default::default() };
        Host::new(extensions.collect(), tokio::sync::mpsc::unbounded_channel().0).with_layout(Arc::new(layout))
    };
    let first = orphan("exporter_otlp_a").await;
    let runs = extension();
    runs.start(&host(vec![Arc::clone(&runs)])).await.unwrap();
    assert_eq!(runs.orphans.told(), std::slice::from_ref(&first));
    let second = orphan("exporter_otlp_b").await;
    runs.configuration_changed().await;
    assert_eq!(runs.orphans.told(), [first.clone(), second.clone()]);
    let third = orphan("exporter_otlp_c").await;
    runs.shutdown().await.unwrap();
    assert_eq!(runs.orphans.told(), [first.clone(), second.clone()]);

    let leaves = extension();
    leaves.start(&host(Vec::new())).await.unwrap();
    let fourth = orphan("exporter_otlp_d").await;
    leaves.shutdown().await.unwrap();
    assert_eq!(leaves.orphans.told(), [first, second, third, fourth]);
}

/// Scenario: wrong values of each checked option.
/// Guarantees: they are refused as the Collector does.
#[test]
fn refused() {
    let parent = tempfile::tempdir().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    for (yaml, expected) in [
        ("max_size: -1", "max size cannot be less than 0"),
        ("compaction: {max_transaction_size: -1}", "max transaction size for compaction cannot be less than 0"),
        ("compaction: {on_start: true, directory: /none/there}", "directory must exist: /none/there"),
        ("create_directory: true, directory_permissions: '9'", "value must be a valid octal representation"),
        ("create_directory: true, directory_permissions: '7777'", "contain invalid bits for file access"),
        ("fsync: sometimes", "expected true, false, always, never, interval, or an interval like 200ms"),
        ("unknown: 1", "unknown"),
    ] {
        let error = made(&format!("{{directory: {}, {yaml}}}", parent.path().display())).err().unwrap();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
    let error = made(&format!("{{directory: {}}}", file.path().display())).err().unwrap();
    assert!(error.contains("is not a directory"), "{error}");
}

/// Scenario: each way to say when requests are forced to the disk, and none.
/// Guarantees: without a word every acknowledged request is on the disk; the Collector's `false` is obeyed.
#[test]
fn fsync_is_the_default() {
    let parent = tempfile::tempdir().unwrap();
    for (said, expected) in [
        ("", Fsync::Always),
        ("fsync: true", Fsync::Always),
        ("fsync: false", Fsync::Never),
        ("fsync: never", Fsync::Never),
        ("fsync: interval", Fsync::Interval(Fsync::DEFAULT_INTERVAL)),
        ("fsync: 50ms", Fsync::Interval(std::time::Duration::from_millis(50))),
    ] {
        let storage = storage(&format!("{{directory: {}, {said}}}", parent.path().display()));
        assert_eq!(storage.options.fsync, expected, "{said}");
    }
}
