//! A server and the client of tokio-postgres, and one that speaks the protocol by hand.

mod drivers;
mod transactions;
mod types;

use std::time::Duration;

use spanmill_config::Secret;
use spanmill_loadgen::shape::{Shape, request};
use spanmill_otlp::Traces;
use spanmill_query::{Access, Limits, QueryService, User};
use spanmill_store::{Options, Owner, Store};
use spanmill_tls::{Acceptor, ClientTls, ServerTls};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

struct Server {
    port: u16,
    store: Store,
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl Server {
    async fn start(access: Option<Access>) -> Self {
        Self::start_with(None, access).await
    }

    async fn start_with(tls: Option<Acceptor>, access: Option<Access>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path().to_str().unwrap());
        options.max_past = Duration::from_secs(1 << 33);
        let store = Store::open(options, "writer").await.unwrap();
        store.add(&Traces::parse(request(Shape::Small, 100, 1)).unwrap(), None);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = QueryService::new(store.clone(), Limits { time: Duration::from_secs(60), ..Limits::default() });
        let task = tokio::spawn(crate::serve(listener, tls, service, access, std::future::pending()));
        Self { port, store, task, _folder: folder }
    }

    async fn client(&self, user: &str, password: &str) -> Result<Client, tokio_postgres::Error> {
        self.connect(user, password).await.map(|(client, _)| client)
    }

    /// A client, and its connection: to abort that closes it in the middle of everything.
    async fn connect(&self, user: &str, password: &str) -> Result<(Client, AbortHandle), tokio_postgres::Error> {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user(user).password(password).dbname("spanmill");
        let (client, connection) = config.connect(NoTls).await?;
        Ok((client, tokio::spawn(connection).abort_handle()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn code(error: &tokio_postgres::Error) -> &SqlState {
    error.code().unwrap_or_else(|| panic!("the server says why: {error}"))
}

/// Scenario: queries as text and prepared ones, with parameters of several types, nulls, times and numbers among the columns.
/// Guarantees: types of parameters and columns are told before any value, and values arrive as what they are.
#[tokio::test(flavor = "multi_thread")]
async fn queries_with_and_without_parameters() {
    let server = Server::start(None).await;
    let client = server.client("anyone", "").await.unwrap();
    let count: i64 = client.query_one("SELECT count(*) FROM spans", &[]).await.unwrap().get(0);
    assert_eq!(count, 100);

    let few = client
        .prepare("SELECT name, input_tokens, start_time, duration_ns / 1e9 AS seconds, NULL AS nothing FROM spans WHERE input_tokens < $1 AND name <> $2")
        .await
        .unwrap();
    let kinds: Vec<&str> = few.params().iter().map(|kind| kind.name()).collect();
    assert_eq!(kinds, ["int8", "text"]);
    let kinds: Vec<&str> = few.columns().iter().map(|column| column.type_().name()).collect();
    assert_eq!(kinds[..4], ["text", "int8", "timestamptz", "float8"]);
    let rows = client.query(&few, &[&2_000_i64, &"nothing"]).await.unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.get::<_, i64>("input_tokens") < 2_000));
    assert!(rows.iter().all(|row| row.get::<_, f64>("seconds") > 0.0));
    let none: Option<i64> =
        client.query_one("SELECT max(input_tokens) FROM spans WHERE 1 = 0", &[]).await.unwrap().get(0);
    assert_eq!(none, None);

    // More than may run at once.
    let many = vec!["SELECT 'x;y' AS b"; 3 * Limits::default().concurrent].join(";");
    let messages = client.simple_query(&format!("SELECT 1 AS a; {many}")).await.unwrap();
    let rows: Vec<&str> = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        })
        .collect();
    assert!(rows[0] == "1" && rows[1..].iter().all(|text| *text == "x;y"), "{rows:?}");
    assert_eq!(rows.len(), 1 + 3 * Limits::default().concurrent);
}

/// Scenario: what drivers send around queries, a portal that is fetched in parts; statements that write; wrong SQL, and a query after each.
/// Guarantees: the first are answered, the others refused with PostgreSQL's codes and the place; the connection stays good.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_and_refusals() {
    let server = Server::start(None).await;
    let mut client = server.client("anyone", "").await.unwrap();
    client.batch_execute("SET application_name = 'test'; BEGIN READ ONLY; COMMIT").await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let one: i64 = transaction.query_one("SELECT 1", &[]).await.unwrap().get(0);
    assert_eq!(one, 1);
    // A cursor of the protocol: rows are fetched in parts.
    let portal = transaction.bind("SELECT name FROM spans", &[]).await.unwrap();
    let mut parts = Vec::new();
    for _ in 0..3 {
        parts.push(transaction.query_portal(&portal, 40).await.unwrap().len());
    }
    assert_eq!(parts, [40, 40, 20]);
    transaction.commit().await.unwrap();
    for (sql, wanted) in [
        ("COPY (SELECT 1) TO '/tmp/stolen.csv'", SqlState::READ_ONLY_SQL_TRANSACTION),
        ("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'", SqlState::READ_ONLY_SQL_TRANSACTION),
        ("EXPLAIN COPY (SELECT 1) TO '/tmp/stolen.csv'", SqlState::SYNTAX_ERROR),
        ("SELECT nothing FROM spans", SqlState::SYNTAX_ERROR),
        ("SELECT $a", SqlState::INVALID_PARAMETER_VALUE),
    ] {
        let error = client.query(sql, &[]).await.unwrap_err();
        assert_eq!(*code(&error), wanted, "{sql}: {error}");
        client.query_one("SELECT 1", &[]).await.unwrap();
    }
    let error = client.query("SELECT name, nothing FROM spans", &[]).await.unwrap_err();
    let place = error.as_db_error().unwrap().position();
    assert_eq!(place, Some(&tokio_postgres::error::ErrorPosition::Original(14)), "{error:?}");
}

/// Scenario: a server with a user; the right password, wrong ones, and another user.
/// Guarantees: only the first is let in; the others are told that the password is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_wanted() {
    let server = Server::start(Some(Access::new([User::operator("grafana", Secret::new("secret"))]))).await;
    server.client("grafana", "secret").await.unwrap().query_one("SELECT 1", &[]).await.unwrap();
    for (user, password) in [("grafana", "Secret"), ("grafana", ""), ("postgres", "secret")] {
        let error = server.client(user, password).await.expect_err("nobody is let in");
        assert!(!error.is_closed(), "{user}: {error}");
    }
}

/// Scenario: users of two tenants and an operator, and spans of both tenants and of nobody: each asks by text, by prepared statements and
/// cursors, sets another role, browses and wants plans.
/// Guarantees: those of a tenant see its rows, the operator all; only the operator is told plans.
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
    let all = "SELECT count(*)::text AS n FROM spans";
    let wanted = "SELECT name FROM spans WHERE tenant = $1 OR tenant <> $1 OR tenant IS NULL";
    let mut tables = Vec::new();
    for (name, seen) in [("ann", 30), ("bob", 40), ("root", 170)] {
        let mut client = server.client(name, &format!("secret-of-{name}")).await.unwrap();
        client.batch_execute("SET ROLE root; SET SESSION AUTHORIZATION root").await.unwrap();
        let text = client.simple_query(&format!("{all}; {all}")).await.unwrap();
        let counts = text.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        assert_eq!(counts.collect::<Vec<_>>(), [seen.to_string(), seen.to_string()], "{name}");
        assert_eq!(client.query(wanted, &[&"search"]).await.unwrap().len(), seen, "{name}");
        let transaction = client.transaction().await.unwrap();
        let portal = transaction.bind(wanted, &[&"search"]).await.unwrap();
        let parts = (transaction.query_portal(&portal, 25).await, transaction.query_portal(&portal, 1_000).await);
        assert_eq!(parts.0.unwrap().len() + parts.1.unwrap().len(), seen, "{name}");
        transaction.commit().await.unwrap();
        for explain in ["EXPLAIN SELECT * FROM spans", "EXPLAIN ANALYZE SELECT * FROM spans"] {
            let (text, prepared) = (client.simple_query(explain).await, client.query(explain, &[]).await);
            assert_eq!((text.is_ok(), prepared.is_ok()), (name == "root", name == "root"), "{name}: {explain}");
        }
        let told = "SELECT table_name, table_type FROM information_schema.tables ORDER BY 1";
        let told = client.query(told, &[]).await.unwrap();
        tables.push(told.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(String, String)>>());
    }
    assert!(!tables[0].is_empty() && tables.iter().all(|told| *told == tables[0]), "{tables:?}");
    assert!(server.client("ann", "secret-of-bob").await.is_err());
}

/// Scenario: a client cancels a query that would run for long; another goes away in the middle of one.
/// Guarantees: the first is told so; both make room for others at once.
#[tokio::test(flavor = "multi_thread")]
async fn queries_are_cancelled() {
    let server = Server::start(None).await;
    let client = server.client("anyone", "").await.unwrap();
    let long = "SELECT count(*) FROM spans a, spans b, spans c, spans d, spans e WHERE a.duration_ns + b.duration_ns + c.duration_ns + d.duration_ns <> e.duration_ns";
    let (token, begin) = (client.cancel_token(), std::time::Instant::now());
    let (error, ()) = tokio::join!(async { client.simple_query(long).await.unwrap_err() }, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        token.cancel_query(NoTls).await.unwrap();
    });
    assert_eq!(*code(&error), SqlState::QUERY_CANCELED);
    assert!(begin.elapsed() < Duration::from_secs(20), "it was cancelled, and not stopped by its time");
    for _ in 0..2 * Limits::default().concurrent {
        let (client, connection) = server.connect("anyone", "").await.unwrap();
        let asked = tokio::time::timeout(Duration::from_millis(200), client.simple_query(long)).await;
        assert!(asked.is_err(), "{asked:?}");
        connection.abort();
    }
    let asked = tokio::time::timeout(Duration::from_secs(20), client.query_one("SELECT 1", &[])).await;
    assert_eq!(asked.expect("there is room").unwrap().get::<_, i64>(0), 1);
}

/// Scenario: clients that speak no PostgreSQL, ask for encryption, or announce a message of a gigabyte before they are known.
/// Guarantees: nobody is waited for or read from; encryption is declined; others are answered.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_sent_away() {
    let server = Server::start(Some(Access::new([User::operator("grafana", Secret::new("secret"))]))).await;
    let startup = [&33_u32.to_be_bytes()[..], &196_608_u32.to_be_bytes(), b"user\0grafana\0database\0x\0\0"].concat();
    let startup = [&(startup.len() as u32).to_be_bytes(), &startup[4..]].concat();
    let gigabyte = [&startup[..], b"Q", &0x3fff_ff00_u32.to_be_bytes(), b"SELECT"].concat();
    let ssl = [8_u32.to_be_bytes(), 80_877_103_u32.to_be_bytes()].concat();
    for (said, answer) in [
        (&b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..], &b""[..]),
        (&[0, 0, 0, 4], b""),
        (&[&ssl[..], &ssl, &ssl].concat(), b"NNN"),
        (&gigabyte, b"too long"),
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        stream.write_all(said).await.unwrap();
        let mut heard = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut heard)).await;
        // A connection that is closed with something unread is reset.
        let _ = end.expect("the server hangs up");
        assert!(heard.windows(answer.len().max(1)).any(|part| part == answer) || answer.is_empty(), "{heard:?}");
    }
    server.client("grafana", "secret").await.unwrap().query_one("SELECT 1", &[]).await.unwrap();
}

/// Scenario: a port with TLS. Clients ask for TLS as the protocol has it, for GSSAPI first, or not at all; one cancels without TLS.
/// Guarantees: after `S` the connection is secure and a client is let in; without TLS it is told why not, and a cancellation is taken all the
/// same.
#[tokio::test]
async fn tls() {
    let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert_pem, key_pem) = (Secret::new(identity.cert.pem()), Secret::new(identity.signing_key.serialize_pem()));
    let options = ServerTls { cert_pem: cert_pem.clone(), key_pem, ..ServerTls::default() };
    let server = Server::start_with(Some(options.acceptor(&["postgresql"]).unwrap()), None).await;
    let message = |code: u32, rest: &[u8]| {
        let length = u32::try_from(rest.len() + 8).unwrap();
        [&length.to_be_bytes()[..], &code.to_be_bytes(), rest].concat()
    };
    let (ssl, gssapi, startup) =
        (message(80_877_103, b""), message(80_877_104, b""), message(196_608, b"user\0anyone\0\0"));
    let connect = async || TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();

    let mut stream = connect().await;
    stream.write_all(&gssapi).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'N');
    stream.write_all(&ssl).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'S');
    let connector = ClientTls { ca_pem: cert_pem, ..ClientTls::default() }.connector(&[]).unwrap();
    let mut stream = connector.connect("localhost", stream).await.unwrap();
    stream.write_all(&startup).await.unwrap();
    let mut answer = [0; 9];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, *b"R\0\0\0\x08\0\0\0\0", "welcome");

    let mut stream = connect().await;
    stream.write_all(&startup).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("C28000") && answer.contains("TLS only"), "{answer:?}");

    let mut stream = connect().await;
    stream.write_all(&message(80_877_102, &[0; 8])).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty(), "{answer:?}");
}
