//! A server and the client of arrow-flight.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use arrow_flight::FlightInfo;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{CommandGetDbSchemas, CommandGetTables, SqlInfo};
use futures_util::TryStreamExt;
use spanmill_config::Secret;
use spanmill_loadgen::shape::{Shape, request};
use spanmill_otlp::Traces;
use spanmill_query::{Access, Limits, QueryService, User};
use spanmill_store::{Options, Owner, Store};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

struct Server {
    port: u16,
    store: Store,
    task: JoinHandle<()>,
    _folder: TempDir,
}

type Client = FlightSqlServiceClient<Channel>;

impl Server {
    async fn start(access: Option<Access>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path().to_str().unwrap());
        options.max_past = Duration::from_secs(1 << 33);
        let store = Store::open(options, "writer").await.unwrap();
        store.add(&Traces::parse(request(Shape::Small, 100, 1)).unwrap(), None);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = QueryService::new(store.clone(), Limits { time: Duration::from_secs(2), ..Limits::default() });
        let task = tokio::spawn(crate::serve(listener, service, access, std::future::pending()));
        Self { port, store, task, _folder: folder }
    }

    async fn client(&self) -> Client {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", self.port)).unwrap();
        FlightSqlServiceClient::new(endpoint.connect().await.unwrap())
    }

    async fn client_of(&self, user: &str, password: &str) -> Client {
        let mut client = self.client().await;
        let token = client.handshake(user, password).await.unwrap();
        client.set_token(String::from_utf8(token.to_vec()).unwrap());
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn rows(client: &mut Client, info: FlightInfo) -> Vec<RecordBatch> {
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    client.do_get(ticket).await.unwrap().try_collect().await.unwrap()
}

fn number(rows: &[RecordBatch]) -> i64 {
    rows[0].column(0).as_primitive::<Int64Type>().value(0)
}

/// Scenario: a statement, a prepared one with a parameter, and what tables there are.
/// Guarantees: columns are told before the rows come; the parameter takes its place; all tables are listed with their columns.
#[tokio::test(flavor = "multi_thread")]
async fn queries_and_tables() {
    let server = Server::start(None).await;
    let mut client = server.client().await;
    let info = client.execute("SELECT count(*) AS n FROM spans".to_owned(), None).await.unwrap();
    assert_eq!(info.clone().try_decode_schema().unwrap().field(0).name(), "n");
    assert_eq!(number(&rows(&mut client, info).await), 100);

    let sql = "SELECT count(*) AS n FROM spans WHERE input_tokens >= $1";
    let mut prepared = client.prepare(sql.to_owned(), None).await.unwrap();
    for (least, expected) in [(0, 100), (1 << 40, 0)] {
        let value = Int64Array::from(vec![least]);
        prepared.set_parameters(RecordBatch::try_from_iter([("1", Arc::new(value) as _)]).unwrap()).unwrap();
        let info = prepared.execute().await.unwrap();
        assert_eq!(number(&rows(&mut client, info).await), expected);
    }
    prepared.close().await.unwrap();

    let info = client.get_tables(CommandGetTables { include_schema: true, ..Default::default() }).await.unwrap();
    let tables = rows(&mut client, info).await;
    let names: Vec<_> = tables[0].column(2).as_string::<i32>().iter().flatten().map(str::to_owned).collect();
    for name in ["calls", "content", "events", "links", "spans", "traces", "usage_1m"] {
        assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
    }
    let info = client.get_db_schemas(CommandGetDbSchemas::default()).await.unwrap();
    assert_eq!(rows(&mut client, info).await[0].column(1).as_string::<i32>().value(0), "public");
    let info = client.get_catalogs().await.unwrap();
    assert_eq!(rows(&mut client, info).await[0].column(0).as_string::<i32>().value(0), "spanmill");
    let info = client.get_sql_info(vec![SqlInfo::FlightSqlServerName]).await.unwrap();
    assert_eq!(rows(&mut client, info).await[0].num_rows(), 1);
}

/// Scenario: statements that are wrong, write, or take too long, and an answer of too many rows.
/// Guarantees: each is an error that says why; none has an effect.
#[tokio::test(flavor = "multi_thread")]
async fn only_queries_within_limits() {
    let server = Server::start(None).await;
    let mut client = server.client().await;
    for (sql, reason) in [
        ("SELECT nothing FROM spans", "nothing"),
        ("DROP TABLE spans", "DROP"),
        ("COPY (SELECT 1) TO 'stolen.csv'", "COPY"),
        ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "DDL"),
    ] {
        let error = client.execute(sql.to_owned(), None).await.unwrap_err().to_string();
        assert!(error.to_lowercase().contains(&reason.to_lowercase()), "{sql}: {error}");
        let mut prepared = client.prepare(sql.to_owned(), None).await.unwrap();
        assert!(prepared.execute().await.is_err(), "{sql}");
    }
    assert!(!std::path::Path::new("stolen.csv").exists());
    assert!(client.execute_update("DELETE FROM spans".to_owned(), None).await.is_err());
    for endless in [
        "SELECT sum(a.duration_ns + b.duration_ns * c.duration_ns - d.duration_ns + e.duration_ns) FROM spans a, spans b, spans c, spans d, spans e",
        "SELECT a.name FROM spans a, spans b, spans c, spans d",
    ] {
        let info = client.execute(endless.to_owned(), None).await.unwrap();
        // Without any row it is told at once, else after those that there were.
        let error = match client.do_get(info.endpoint[0].ticket.clone().unwrap()).await {
            Ok(rows) => rows.try_collect::<Vec<_>>().await.unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(error.contains("2s") || error.contains("rows"), "{error}");
    }
}

/// Scenario: a server that wants a name and a password is asked without, with wrong ones, and with the right ones.
/// Guarantees: the first two are turned away whatever they ask; the third gets a token that opens.
#[tokio::test(flavor = "multi_thread")]
async fn name_and_password() {
    let server = Server::start(Some(Access::new([User::operator("grafana", Secret::new("secret"))]))).await;
    let mut client = server.client().await;
    assert!(client.execute("SELECT 1".to_owned(), None).await.is_err());
    assert!(client.handshake("grafana", "wrong").await.is_err());
    client.set_token("wrong".to_owned());
    assert!(client.get_catalogs().await.is_err());
    let mut client = server.client_of("grafana", "secret").await;
    let info = client.execute("SELECT 7 AS n".to_owned(), None).await.unwrap();
    assert_eq!(number(&rows(&mut client, info).await), 7);
}

/// Scenario: users of two tenants and an operator, and spans of both tenants and of nobody: each asks by statements, prepared ones and a
/// password alone, browses, wants plans, and shows tickets and handles that another was given.
/// Guarantees: those of a tenant see its rows, the operator all; only the operator is told plans; what another was given is refused.
#[tokio::test(flavor = "multi_thread")]
async fn users_see_the_rows_of_their_tenant() {
    let user = |name: &str, tenant: Option<&str>| User {
        tenant: tenant.map(Into::into),
        ..User::operator(name, Secret::new(format!("secret-of-{name}")))
    };
    let users = [user("ann", Some("shop")), user("bob", Some("search")), user("root", None)];
    let server = Server::start(Some(Access::new(users))).await;
    for (tenant, spans) in [("shop", 30), ("search", 40)] {
        let traces = Traces::parse(request(Shape::Small, spans, spans as u64)).unwrap();
        server.store.add_as(&traces, &Owner::Known(Some(tenant.into())), None);
    }
    let all = "SELECT count(*) AS n FROM spans";
    let wanted = "SELECT count(*) AS n FROM spans WHERE tenant = $1 OR tenant <> $1 OR tenant IS NULL";
    let mut tables = Vec::new();
    for (name, seen) in [("ann", 30), ("bob", 40), ("root", 170)] {
        let mut client = server.client_of(name, &format!("secret-of-{name}")).await;
        let info = client.execute(all.to_owned(), None).await.unwrap();
        assert_eq!(number(&rows(&mut client, info).await), seen, "{name}");
        let mut prepared = client.prepare(wanted.to_owned(), None).await.unwrap();
        let value = StringArray::from(vec!["search"]);
        prepared.set_parameters(RecordBatch::try_from_iter([("1", Arc::new(value) as _)]).unwrap()).unwrap();
        let info = prepared.execute().await.unwrap();
        assert_eq!(number(&rows(&mut client, info).await), seen, "{name}");
        let explained = client.execute(format!("EXPLAIN ANALYZE {all}"), None).await;
        assert_eq!(explained.is_ok(), name == "root", "{explained:?}");
        let info = client.get_tables(CommandGetTables { include_schema: true, ..Default::default() }).await.unwrap();
        tables.push(rows(&mut client, info).await);

        let mut client = server.client().await;
        client.set_token(format!("secret-of-{name}"));
        let info = client.execute(all.to_owned(), None).await.unwrap();
        assert_eq!(number(&rows(&mut client, info).await), seen, "{name}");
    }
    assert!(tables.iter().all(|told| *told == tables[0]), "tables are told apart");

    let (mut ann, mut bob) =
        (server.client_of("ann", "secret-of-ann").await, server.client_of("bob", "secret-of-bob").await);
    let statement = ann.execute(all.to_owned(), None).await.unwrap();
    let prepared = ann.prepare(all.to_owned(), None).await.unwrap().execute().await.unwrap();
    for info in [statement, prepared] {
        let ticket = info.endpoint[0].ticket.clone().unwrap();
        let refused = bob.do_get(ticket.clone()).await.unwrap_err().to_string();
        assert!(refused.contains("another user's"), "{refused}");
        assert_eq!(number(&ann.do_get(ticket).await.unwrap().try_collect::<Vec<_>>().await.unwrap()), 30);
    }
}
