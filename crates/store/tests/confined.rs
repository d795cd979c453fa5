//! What those who act for a tenant can learn of others, by queries that fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use spanmill_otlp::Traces;
use spanmill_store::{Options, Store};

const HOUR: u64 = 3_600_000_000_000;

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// Three spans of each of two tenants, in an hour of their own. What the other one has is no number.
fn request(hour: u64) -> Traces {
    let resource_spans = [("shop", "17"), ("search", "secret")].map(|(tenant, value)| {
        let spans = (1..=3_u8).map(|id| Span {
            trace_id: vec![id; 16],
            span_id: vec![tenant.len() as u8 ^ id; 8],
            name: value.to_owned(),
            start_time_unix_nano: hour * HOUR + u64::from(id),
            end_time_unix_nano: hour * HOUR + u64::from(id) * 7,
            attributes: vec![text("gen_ai.input.messages", value), text("user.id", value)],
            ..Span::default()
        });
        let attributes = vec![text("tenant.id", tenant), text("service.name", value)];
        ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { spans: spans.collect(), ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }
    });
    let request = ExportTraceServiceRequest { resource_spans: resource_spans.to_vec() };
    Traces::parse(request.encode_to_vec().into()).unwrap()
}

/// Each fails at a row of the other tenant, or would, if it saw one.
const PRYING: &[&str] = &[
    "SELECT name FROM spans ORDER BY cast(name AS int)",
    "SELECT name FROM spans ORDER BY cast(name AS int) LIMIT 2",
    "SELECT name FROM spans ORDER BY 1 / (CASE WHEN name = 'secret' THEN 0 ELSE 1 END), start_time",
    "SELECT key FROM content ORDER BY cast(value AS int)",
    "SELECT row_number() OVER (ORDER BY cast(name AS int)) FROM spans",
    "SELECT lag(name) OVER (PARTITION BY cast(name AS int) ORDER BY start_time) FROM spans",
    "SELECT sum(cast(name AS int)) FROM spans",
    "SELECT max(cast(name AS int)) FROM spans GROUP BY service ORDER BY 1",
    "SELECT cast(service AS int) FROM spans GROUP BY 1",
    "SELECT DISTINCT cast(name AS int) FROM spans",
    "SELECT name FROM spans WHERE cast(name AS int) > 0",
    "SELECT one.name FROM spans AS one JOIN spans AS two ON cast(one.name AS int) = cast(two.name AS int)",
    "SELECT name FROM spans WHERE start_time IN (SELECT start_time FROM spans WHERE cast(name AS int) > 0)",
    "SELECT (SELECT min(cast(name AS int)) FROM spans)",
    "SELECT cast(service AS int) FROM spans UNION SELECT cast(name AS int) FROM spans ORDER BY 1",
    "SELECT array_agg(name ORDER BY cast(name AS int)) FROM spans",
];

/// Each needs rows in order.
const SORTED: &[&str] = &[
    "SELECT start_unix_nano FROM spans ORDER BY start_unix_nano",
    "SELECT start_unix_nano FROM spans ORDER BY start_unix_nano DESC",
    "SELECT row_number() OVER (ORDER BY start_unix_nano) FROM spans",
    "SELECT name FROM spans ORDER BY service, name, span_id",
];

/// Scenario: rows of two tenants in memory, in one file, in two, and in both, asked by one and by two threads; queries that fail at what the
/// other tenant has, and queries that sort.
/// Guarantees: each has an answer, of one's own rows alone: nothing of the query is computed of others', not even to fail.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_computed_of_others() {
    for threads in [1, 2] {
        for (files, hot) in [(0, true), (1, false), (2, false), (2, true)] {
            let folder = tempfile::tempdir().unwrap();
            let options = Options { query_threads: threads, ..Options::new(folder.path().to_str().unwrap()) };
            let store = Store::open(options, "writer").await.unwrap();
            for hour in 0..files {
                store.add(&request(480_000 + hour), None);
                store.seal().await.unwrap();
            }
            if hot {
                store.add(&request(480_009), None);
            }
            let own = store.confined(Some("shop".into()));
            for sql in PRYING.iter().chain(SORTED) {
                let state = format!("{sql}: {files} files, hot {hot}, {threads} threads");
                let rows = own.session(None).unwrap().sql(sql).await.unwrap().collect().await;
                let rows = rows.unwrap_or_else(|error| panic!("{state}: {error}"));
                let count: usize = rows.iter().map(|batch| batch.num_rows()).sum();
                assert!(count > 0, "{state}");
                if SORTED.contains(sql) {
                    assert_eq!(count as u64, 3 * (files + u64::from(hot)), "{state}");
                }
                assert!(!format!("{rows:?}").contains("secret"), "{state}");
            }
        }
    }
}
