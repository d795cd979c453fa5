//! Tenants: each sees what it has sent, and nothing of others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use bytes::Bytes;
use rustix::process::Signal;
use serde_json::{Value, json};
use spanmill_tests::collector::Collector;
use spanmill_tests::grpc;
use spanmill_tests::http::{Answer, Client};
use spanmill_tests::ports;
use spanmill_tests::process::folder;
use spanmill_tests::spans::{request_with, text};
use spanmill_tests::wait::{PATIENCE, until};

const SHOP: &str = "key-of-the-shop-0123456789";
const SEARCH: &str = "key-of-the-search-0123456789";

/// Somebody who asks.
struct Asker {
    client: Client,
    sql: u16,
    key: Option<&'static str>,
}

// === impl Asker ===

impl Asker {
    fn headers(&self) -> Vec<(&'static str, &'static str)> {
        self.key.map(|key| ("x-api-key", key)).into_iter().collect()
    }

    fn post(&self, body: &str) -> Answer {
        self.client.post(&format!("http://127.0.0.1:{}/v1/sql", self.sql), &self.headers(), body.as_bytes()).unwrap()
    }

    fn get(&self, path: &str) -> Answer {
        self.client.get_with(&format!("http://127.0.0.1:{}{path}", self.sql), &self.headers()).unwrap()
    }

    fn rows(&self, sql: &str) -> Vec<Value> {
        self.post(sql).json()["rows"].as_array().unwrap_or_else(|| panic!("rows of {sql}")).clone()
    }
}

fn config(http: u16, sql: u16, jaeger: u16, folder: &std::path::Path) -> String {
    let folder = folder.display();
    format!(
        "
extensions:
  api_keys: {{keys: [{{tenant: shop, api_key: {SHOP}}}, {{tenant: search, api_key: {SEARCH}}}]}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{http}', auth: {{authenticator: api_keys}}}}}}}}
processors: {{genai: {{}}}}
exporters:
  spanstore:
    path: '{folder}'
    sql: {{endpoint: '127.0.0.1:{sql}', auth: {{authenticator: api_keys}}}}
    jaeger: {{endpoint: '127.0.0.1:{jaeger}', auth: {{authenticator: api_keys}}}}
service:
  extensions: [api_keys]
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [genai], exporters: [spanstore]}}}}
"
    )
}

fn sees_its_own_alone(shop: &Asker, jaeger: u16) {
    let everything = until("what was sent can be asked for", PATIENCE, || {
        let rows = shop.rows("SELECT tenant, name, trace_id, service FROM spans");
        (rows.len() == 30).then_some(rows)
    });
    assert!(
        everything.iter().all(|row| row["tenant"] == "shop" && row["service"] == "shop-frontend"),
        "{everything:?}"
    );
    // Another's name, in any place where one can be written.
    for sql in [
        "SELECT * FROM spans WHERE tenant = 'search'",
        "SELECT * FROM spans WHERE tenant <> 'shop' OR tenant IS NULL",
        "SELECT * FROM spans WHERE service = 'search-engine'",
        "SELECT * FROM calls WHERE tenant = 'search'",
        "SELECT * FROM traces WHERE trace_id LIKE '%000002'",
        "SELECT * FROM content WHERE tenant <> 'shop'",
        "SELECT * FROM usage_1m WHERE tenant <> 'shop'",
        "SELECT * FROM spanmill.public.spans WHERE tenant = 'search'",
        "WITH a AS (SELECT * FROM spans UNION ALL SELECT * FROM spans) SELECT * FROM a WHERE tenant = 'search'",
    ] {
        assert_eq!(shop.rows(sql), Vec::<Value>::new(), "{sql}");
    }
    for sql in [
        "SELECT count(*) AS n FROM spans",
        "SELECT count(DISTINCT span_id) AS n FROM spans",
        "SELECT sum(calls) AS n FROM usage_1m",
        "SELECT count(*) AS n FROM (SELECT * FROM spans LIMIT 1000)",
    ] {
        assert_eq!(shop.rows(sql)[0]["n"], 30, "{sql}");
    }
    let asked = shop.post(&json!({"sql": "SELECT * FROM spans", "tenant": "search"}).to_string());
    assert_eq!(asked.json()["rows"], json!([]));
    assert_eq!(
        shop.get("/v1/questions/cost-by-tenant?tenant=search&since=2026-01-01T00:00:00Z").json()["rows"],
        json!([])
    );
    // What is computed fails at rows of others only, and would tell what they hold.
    for sql in [
        "SELECT count(*) AS n FROM spans WHERE CAST(replace(session_id, 'shop-', '') AS BIGINT) > 0",
        "SELECT count(*) AS n FROM spans WHERE arrow_cast(replace(session_id, 'shop-', ''), 'Int64') > 0 LIMIT 1",
        "SELECT count(*) AS n FROM spans WHERE 1 / (CASE WHEN service = 'search-engine' THEN 0 ELSE 1 END) = 1",
    ] {
        let answer = shop.post(sql);
        assert!(!answer.text().contains("secret"), "{sql}: {}", answer.text());
        assert_eq!(answer.json()["rows"][0]["n"], 30, "{sql}");
    }
    let top = shop.rows(
        "SELECT * FROM spans WHERE CAST(replace(session_id, 'shop-', '') AS BIGINT) > 0 ORDER BY start_time DESC LIMIT 5",
    );
    assert_eq!(top.len(), 5);
    for sql in ["EXPLAIN SELECT * FROM spans", "EXPLAIN ANALYZE SELECT * FROM spans"] {
        assert_eq!(shop.post(sql).status, 400, "{sql}");
    }
    let own = everything[0]["trace_id"].as_str().unwrap();
    let foreign = format!("{:032x}", 2_u64 | 1 << 63);
    assert_eq!(
        (shop.get(&format!("/api/traces/{own}")).status, shop.get(&format!("/api/traces/{foreign}")).status),
        (200, 404)
    );

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        const SERVICES: &str = "/jaeger.storage.v2.TraceReader/GetServices";
        let jaeger = grpc::Client::connect(jaeger).await;
        let refused = jaeger.call(SERVICES, Bytes::new()).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Unauthenticated);
        let services = jaeger.call_with(SERVICES, Bytes::new(), &[("x-api-key", SHOP)]).await.unwrap();
        let services = String::from_utf8_lossy(&services).into_owned();
        assert!(services.contains("shop-frontend") && !services.contains("search-engine"), "{services}");
    });
}

/// Scenario: two tenants with a key each send spans, all of which claim to be of the other, to a store whose ports ask for the key; one of
/// them asks for everything in many ways, before the spans are in files, after the process was killed, and when they are in files.
/// Guarantees: it sees its own rows, and neither rows, counts nor values of the other, in answers or in errors; without a key there is no
/// answer.
#[test]
fn nobody_sees_what_is_of_others() {
    let ([http, sql, jaeger], folder, client) = (ports::several(), folder("tenants"), Client::new());
    let config = config(http, sql, jaeger, folder.path());
    let start = || Collector::spanmill(&config, &[http, sql, jaeger]);
    let mut spanmill = start();
    let send = |key: &str, service: &str, seed, count, session: &str, claims: &str| {
        let more = [
            text("session.id", session),
            text("tenant.id", claims),
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "anthropic"),
        ];
        let url = format!("http://127.0.0.1:{http}/v1/traces");
        let headers = [("content-type", "application/x-protobuf"), ("x-api-key", key)];
        client.post(&url, &headers, &request_with(service, seed, count, &more)).unwrap().status
    };
    assert_eq!(send(SEARCH, "search-engine", 2, 40, "secret-of-search", "shop"), 200);
    assert_eq!(send(SHOP, "shop-frontend", 1, 30, "shop-17", "search"), 200);
    assert_eq!(send("another-key-0123456789", "shop-frontend", 3, 1, "shop-17", "shop"), 401);
    let asker = |key| Asker { client: client.clone(), sql, key };
    let (shop, nobody, wrong) = (asker(Some(SHOP)), asker(None), asker(Some("another-key-0123456789")));
    for stranger in [&nobody, &wrong] {
        assert_eq!(stranger.post("SELECT 1").status, 401);
        assert_eq!(stranger.get("/v1/questions").status, 401);
        assert_eq!(stranger.get("/api/traces/1").status, 401);
    }
    sees_its_own_alone(&shop, jaeger);
    spanmill.process.signal(Signal::KILL);
    spanmill.process.await_end();
    spanmill = start();
    sees_its_own_alone(&shop, jaeger);
    spanmill.stop();
    spanmill = start();
    sees_its_own_alone(&shop, jaeger);
    spanmill.stop();
}
