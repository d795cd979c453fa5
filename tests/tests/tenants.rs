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
use spanmill_tests::flight::Flight;
use spanmill_tests::grpc;
use spanmill_tests::http::{Answer, Client};
use spanmill_tests::ports;
use spanmill_tests::process::folder;
use spanmill_tests::spans::{request_with, text};
use spanmill_tests::wait::{PATIENCE, until};

const SHOP: &str = "key-of-the-shop-0123456789";
const SEARCH: &str = "key-of-the-search-0123456789";

/// Users of Flight SQL and PostgreSQL's protocol: their passwords, the options that say for whom they act, and how many spans they see.
const USERS: [(&str, &str, &str, usize); 3] = [
    ("ann", "secret-of-ann", "tenant: shop", 30),
    ("bob", "secret-of-bob", "tenant: search", 40),
    ("root", "secret-of-root", "operator: true", 70),
];

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

fn config([http, sql, jaeger, flight, postgres]: [u16; 5], folder: &std::path::Path) -> String {
    let folder = folder.display();
    let user = |(name, password, whose, _)| format!("{{username: {name}, password: {password}, {whose}}}");
    let users = USERS.map(user).join(", ");
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
    flight_sql: {{endpoint: '127.0.0.1:{flight}', auth: {{users: [{users}]}}}}
    postgres: {{endpoint: '127.0.0.1:{postgres}', auth: {{users: [{users}]}}}}
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

/// What is asked of both protocols, and the count that is all that an answer may tell.
const COUNTS: [&str; 4] = [
    "SELECT 'n=' || count(*) || ';' FROM spans",
    "SELECT 'n=' || count(*) || ';' FROM spans WHERE tenant = 'search' OR tenant <> 'search' OR tenant IS NULL",
    "SELECT 'n=' || count(*) || ';' FROM spans WHERE CAST(replace(replace(session_id, 'shop-', ''), 'secret-of-search', '1') AS BIGINT) > 0",
    "SELECT 'n=' || sum(calls) || ';' FROM usage_1m",
];

/// All that there is to browse in.
const CATALOGS: [&str; 5] = ["tables", "columns", "views", "schemata", "df_settings"];

const SERVICES: &str =
    "SELECT DISTINCT service FROM spans WHERE service <> 'search-engine' OR service = 'search-engine' ORDER BY 1";

async fn users_see_their_own_alone(flight: u16, postgres: u16) {
    let mut browsed = Vec::new();
    for (user, password, _, seen) in USERS {
        let is_operator = user == "root";
        let asker = Flight::connect(flight, password).await;
        let config = format!("host=127.0.0.1 port={postgres} user={user} password={password} dbname=spanmill");
        let (client, connection) = tokio_postgres::connect(&config, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let services: Vec<&str> = [("shop-frontend", "bob"), ("search-engine", "ann")]
            .iter()
            .filter(|(_, not)| *not != user)
            .map(|(service, _)| *service)
            .collect();

        for sql in COUNTS {
            let wanted = format!("n={seen};");
            let answer = asker.ask(sql).await.unwrap();
            assert!(answer.contains(&wanted), "{user}: {sql}: {answer}");
            let prepared = client.prepare(sql).await.unwrap();
            let rows = client.query(&prepared, &[]).await.unwrap();
            assert_eq!(rows[0].get::<_, String>(0), wanted, "{user}: {sql}");
        }
        // Would fail at rows of others, and say what they hold.
        let failing =
            "SELECT 'n=' || count(*) || ';' FROM spans WHERE CAST(replace(session_id, 'shop-', '') AS BIGINT) > 0";
        let said = match (asker.ask(failing).await, client.simple_query(failing).await) {
            (Ok(answer), Ok(_)) => answer,
            (Err(error), Err(_)) => error.to_string(),
            different => panic!("{user}: {different:?}"),
        };
        assert_eq!(said.contains("n=30;"), user == "ann", "{user}: {said}");
        assert_eq!(said.contains("secret-of-search"), user != "ann", "{user}: {said}");

        let answer = asker.ask(SERVICES).await.unwrap();
        for service in ["shop-frontend", "search-engine"] {
            assert_eq!(answer.contains(service), services.contains(&service), "{user}: {service}: {answer}");
        }
        let rows = client.query(SERVICES, &[]).await.unwrap();
        let mut told: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        told.reverse();
        assert_eq!(told, services, "{user}");
        for sql in ["EXPLAIN SELECT * FROM spans", "EXPLAIN ANALYZE SELECT * FROM spans"] {
            assert_eq!(asker.ask(sql).await.is_ok(), is_operator, "{user}: {sql}");
            assert_eq!(client.simple_query(sql).await.is_ok(), is_operator, "{user}: {sql}");
            assert_eq!(client.prepare(sql).await.is_ok(), is_operator, "{user}: {sql}");
        }
        let mut tables = vec![asker.tables().await.unwrap()];
        for catalog in CATALOGS {
            let sql = format!("SELECT * FROM information_schema.{catalog} ORDER BY 1, 2, 3");
            tables.push(asker.ask(&sql).await.unwrap());
            tables.push(format!("{:?}", client.simple_query(&sql).await.unwrap()));
        }
        browsed.push(tables);
        drop(client);
        connection.await.unwrap().unwrap();
    }
    for tables in &browsed {
        assert!(tables == &browsed[0], "catalogs are the same for everybody");
        assert!(!tables.iter().any(|told| told.contains("search-engine") || told.contains("secret-of")));
    }
    let [ann, bob, root] = USERS.map(|(_, password, ..)| Flight::connect(flight, password));
    let (ann, bob, root) = (ann.await, bob.await, root.await);
    let ticket = ann.ticket(COUNTS[0]).await.unwrap();
    for other in [&bob, &root, &Flight::connect(flight, SHOP).await] {
        let refused = other.shown(ticket.clone()).await.unwrap_err();
        assert!(matches!(refused.code(), tonic::Code::PermissionDenied | tonic::Code::Unauthenticated), "{refused}");
    }
    assert!(ann.shown(ticket).await.unwrap().contains("n=30;"));
    let stolen = format!("host=127.0.0.1 port={postgres} user=root password=secret-of-ann dbname=spanmill");
    assert!(tokio_postgres::connect(&stolen, tokio_postgres::NoTls).await.is_err());
}

/// Scenario: two tenants with a key each send spans, all of which claim to be of the other, to a store whose ports ask for the key; one of
/// them asks for everything in many ways, as do users of both tenants and an operator by other protocols, before the spans are in files,
/// after the process was killed, and when they are in files.
/// Guarantees: it sees its own rows, and neither rows, counts nor values of the other, in answers or in errors; without a key there is no
/// answer, and none to the ticket of another user; the operator sees all.
#[test]
fn nobody_sees_what_is_of_others() {
    let (ports, folder, client) = (ports::several(), folder("tenants"), Client::new());
    let ([http, sql, jaeger, flight, postgres], config) = (ports, config(ports, folder.path()));
    let start = || Collector::spanmill(&config, &ports);
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
    let see = || {
        sees_its_own_alone(&shop, jaeger);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(users_see_their_own_alone(flight, postgres));
    };
    see();
    spanmill.process.signal(Signal::KILL);
    spanmill.process.await_end();
    spanmill = start();
    see();
    spanmill.stop();
    spanmill = start();
    see();
    spanmill.stop();
}
