use std::collections::HashMap;

use spanmill_config::{ComponentId, Section};
use spanmill_otlp::Traces;
use spanmill_pipeline::Telemetry;
use spanmill_store::{Options, QueryOptions};

use super::*;

fn exporter(options: &str) -> Result<Arc<dyn Node>, ConfigError> {
    let id: ComponentId = "spanstore".parse().unwrap();
    let section = Section::from_yaml("exporters::spanstore", options).unwrap();
    create(Context { id: &id, section: &section, telemetry: &Telemetry::default() })
}

fn host() -> Host {
    Host::new(HashMap::new(), tokio::sync::mpsc::unbounded_channel().0)
}

async fn count(folder: &std::path::Path) -> i64 {
    let store = Store::open_to_read(Options::new(folder.to_str().unwrap())).await.unwrap();
    let answer = store.query("SELECT count(*) FROM spans", &QueryOptions::default()).await.unwrap();
    let rows: Vec<arrow::array::RecordBatch> = futures_util::TryStreamExt::try_collect(answer.rows).await.unwrap();
    let rows: &arrow::array::RecordBatch = rows.first().unwrap();
    arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(rows.column(0)).value(0)
}

fn batch(seed: u64) -> Batch {
    Traces::parse(spanmill_loadgen::shape::request(spanmill_loadgen::shape::Shape::Small, 100, seed)).unwrap().into()
}

/// Scenario: spans are accepted, and the exporter stops; it starts again, takes more, and stops.
/// Guarantees: all of them are in files afterwards, each once.
#[tokio::test(flavor = "multi_thread")]
async fn accepted_spans_are_in_files_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    for wal in ["", "\nwal: {enabled: false}"] {
        let path = folder.path().join(format!("store{}", wal.len()));
        let yaml = format!("path: {}{wal}", path.display());
        for round in 0..2 {
            let exporter = exporter(&yaml).unwrap();
            exporter.start(&host()).await.unwrap();
            for at in 0..5 {
                exporter.consume(batch(round * 5 + at)).await.unwrap();
            }
            exporter.shutdown().await.unwrap();
            assert_eq!(count(&path).await, (round as i64 + 1) * 500);
        }
    }
}

/// Scenario: the port for SQL is taken when the exporter starts; then it is free.
/// Guarantees: the first start fails and leaves nothing behind, so that the second one has the log and succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_frees_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let yaml = format!("path: {}\nsql: {{endpoint: '127.0.0.1:{port}'}}", folder.path().display());
    let error = exporter(&yaml).unwrap().start(&host()).await.unwrap_err().to_string();
    assert!(error.contains("cannot listen"), "{error}");
    drop(taken);
    let exporter = exporter(&yaml).unwrap();
    exporter.start(&host()).await.unwrap();
    exporter.shutdown().await.unwrap();
}

/// Scenario: options that cannot be.
/// Guarantees: each is refused by name.
#[test]
fn wrong_options_are_refused() {
    for (options, word) in [
        ("{}", "path"),
        ("path: s3://bucket/x", "wal::directory"),
        ("path: x\nhot: {max_bytes: 1KiB}", "hot::max_bytes"),
        ("path: x\ncompression_level: 30", "compression_level"),
        ("path: x\nhot: {max_age: 0s}", "hot::max_age"),
        ("path: x\nretention: {max_age: -1s}", "retention::max_age"),
        ("path: x\nflight_sql: {endpoint: '0.0.0.0:4321'}", "flight_sql::endpoint"),
        ("path: x\nflight_sql: {endpoint: '0.0.0.0:4321', auth: {username: a, password: ''}}", "flight_sql::auth"),
        ("path: x\npostgres: {endpoint: '0.0.0.0:5432'}", "postgres::endpoint"),
        ("path: x\npostgres: {endpoint: 'localhost:5432', auth: {}}", "postgres::auth"),
        ("path: x\npaths: y", "paths"),
    ] {
        let error = exporter(options).err().expect(options).to_string();
        assert!(error.contains(word), "{options}: {error}");
    }
}

/// Scenario: users of a port as they may be, and as they may not.
/// Guarantees: each user of several acts for a tenant or is an operator, by its own words; a single one is an operator, as before; whose
/// spans are whose is told by clients once a user acts for a tenant.
#[test]
fn users_have_a_tenant_or_are_operators() {
    let config = |auth: &str| {
        let yaml = format!("path: x\npostgres: {{endpoint: '0.0.0.0:5432', auth: {auth}}}");
        Config::read(&Section::from_yaml("exporters::spanstore", &yaml).unwrap())
    };
    for (auth, tenants, believed) in [
        ("{username: a, password: b}", vec![None], TenantsConfig::Attributes),
        ("{users: [{username: a, password: b, operator: true}]}", vec![None], TenantsConfig::Attributes),
        (
            "{users: [{username: a, password: b, tenant: shop}, {username: c, password: b, operator: true}]}",
            vec![Some("shop"), None],
            TenantsConfig::Clients,
        ),
    ] {
        let config = config(auth).expect(auth);
        let access = config.postgres.as_ref().unwrap().access().unwrap();
        assert_eq!(access.users().map(|user| user.tenant.as_deref()).collect::<Vec<_>>(), tenants, "{auth}");
        assert_eq!(config.tenants(), believed, "{auth}");
    }
    for (auth, place) in [
        ("{users: [{username: a, password: b}]}", "users::0"),
        ("{users: [{username: a, password: b, tenant: ''}]}", "users::0"),
        ("{users: [{username: a, password: b, tenant: shop, operator: true}]}", "users::0"),
        ("{users: [{username: a, tenant: shop}]}", "users::0"),
        ("{users: [{password: a, tenant: shop}]}", "users::0"),
        (
            "{users: [{username: a, password: b, tenant: shop}, {username: a, password: c, operator: true}]}",
            "users::1::username",
        ),
        ("{username: a, password: b, users: [{username: c, password: d, operator: true}]}", "either"),
        ("{username: a, password: b, tenant: shop}", "tenant"),
    ] {
        let error = config(auth).expect_err(auth).to_string();
        assert!(error.contains("postgres::auth") && error.contains(place), "{auth}: {error}");
    }
}
