//! What drivers, pools and toolkits ask before and after what they are for.

use super::*;

fn texts(messages: &[SimpleQueryMessage]) -> Vec<String> {
    let row = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|at| row.get(at).unwrap_or("-")).collect::<Vec<_>>().join("|"))
        }
        _ => None,
    };
    messages.iter().filter_map(row).collect()
}

/// Scenario: settings are shown, as text and prepared, in all the forms that drivers use; one that there is not.
/// Guarantees: each is told under PostgreSQL's name for it, the last is refused; DataFusion's own and lists of tables are shown as before.
#[tokio::test(flavor = "multi_thread")]
async fn settings_are_shown() {
    let server = Server::start(None).await;
    let client = server.client("anyone", "").await.unwrap();
    for (sql, name, value) in [
        ("SHOW TRANSACTION ISOLATION LEVEL", "transaction_isolation", "read committed"),
        ("show transaction_isolation;", "transaction_isolation", "read committed"),
        ("SHOW server_version", "server_version", "16.6"),
        ("SHOW search_path", "search_path", "public"),
        ("SHOW client_encoding", "client_encoding", "UTF8"),
        ("SHOW standard_conforming_strings", "standard_conforming_strings", "on"),
        ("SHOW TIME ZONE", "TimeZone", "Etc/UTC"),
        ("show timezone", "TimeZone", "Etc/UTC"),
        ("SHOW SESSION AUTHORIZATION", "session_authorization", "anyone"),
    ] {
        assert_eq!(texts(&client.simple_query(sql).await.unwrap()), [value], "{sql}");
        let row = client.query_one(sql, &[]).await.unwrap();
        assert_eq!((row.columns()[0].name(), row.get::<_, &str>(0)), (name, value), "{sql}");
    }
    let error = client.query("SHOW no_such_setting", &[]).await.unwrap_err();
    assert_eq!(*code(&error), SqlState::UNDEFINED_OBJECT);
    assert!(!client.query("SHOW TABLES", &[]).await.unwrap().is_empty());
    assert_eq!(client.query("SHOW datafusion.execution.batch_size", &[]).await.unwrap().len(), 1);
}

/// Scenario: what asyncpg's pool sends when a connection comes back.
/// Guarantees: it is answered, and the connection stays good.
#[tokio::test(flavor = "multi_thread")]
async fn pools_reset_connections() {
    let server = Server::start(None).await;
    let client = server.client("anyone", "").await.unwrap();
    client.batch_execute("SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;").await.unwrap();
    client.batch_execute("DISCARD ALL").await.unwrap();
    assert_eq!(client.query_one("SELECT 1", &[]).await.unwrap().get::<_, i64>(0), 1);
}

/// Scenario: functions that tell of the connection and its server, with and without their schema; a name that has a quote in it.
/// Guarantees: each tells what it does in PostgreSQL, in a column of its name; quotes stay in texts.
#[tokio::test(flavor = "multi_thread")]
async fn functions_tell_of_the_connection() {
    let server = Server::start(None).await;
    let client = server.client("o'hara", "").await.unwrap();
    let sql = "SELECT pg_catalog.version(), current_schema(), current_schema, current_user, session_user, current_database(), \
               pg_is_in_recovery(), quote_ident('a'), quote_ident('A\"b'), current_setting('server_version_num')::int, \
               current_setting('none.such', true), set_config('jit', 'off', false), pg_catalog.lower('X')";
    let told = texts(&client.simple_query(sql).await.unwrap());
    let (version, rest) = told[0].split_once('|').unwrap();
    assert!(version.starts_with("PostgreSQL 16"), "{version}");
    assert_eq!(rest, "public|public|o'hara|o'hara|spanmill|f|a|\"A\"\"b\"|160006|-|off|x");
    let statement = client.prepare("SELECT current_schema(), current_user, pg_backend_pid() AS pid").await.unwrap();
    let names: Vec<&str> = statement.columns().iter().map(|column| column.name()).collect();
    assert_eq!(names, ["current_schema", "current_user", "pid"]);
    assert!(client.query_one(&statement, &[]).await.unwrap().get::<_, i32>(2) > 0);
    let error = client.query("SELECT current_setting('none.such')", &[]).await.unwrap_err();
    assert_eq!(*code(&error), SqlState::UNDEFINED_OBJECT);
}

/// Scenario: psycopg2 and psycopg look for the type hstore, SQLAlchemy for schemas, asyncpg for the types of arrays; psql looks for tables,
/// and a query calls a part of itself as a table of PostgreSQL's.
/// Guarantees: the first are told of types and schemas; psql is told why not; the query's own name is its own.
#[tokio::test(flavor = "multi_thread")]
async fn catalogues() {
    let server = Server::start(None).await;
    let client = server.client("anyone", "").await.unwrap();
    let hstore = "SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid WHERE typname = ";
    assert!(texts(&client.simple_query(&format!("{hstore}'hstore'")).await.unwrap()).is_empty());
    assert_eq!(texts(&client.simple_query(&format!("{hstore}'float8'")).await.unwrap()), ["701|1022"]);
    let psycopg = "SELECT typname AS name, oid, typarray AS array_oid, oid::regtype::text AS regtype, typdelim AS delimiter \
                   FROM pg_type t WHERE t.oid = to_regtype($1) ORDER BY t.oid";
    assert!(client.query(psycopg, &[&"hstore"]).await.unwrap().is_empty());
    let row = client.query_one(psycopg, &[&"_int8"]).await.unwrap();
    assert_eq!((row.get::<_, &str>("name"), row.get::<_, &str>("regtype")), ("_int8", "int8[]"));
    let schemas = "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname = $1";
    assert_eq!(client.query(schemas, &[&"public"]).await.unwrap().len(), 1);

    let asyncpg = "WITH RECURSIVE typeinfo_tree(oid) AS (SELECT pg_range.x FROM pg_range) SELECT oid = ANY($1::oid[]) FROM typeinfo_tree";
    let rows = client.query(asyncpg, &[&vec![1022_u32, 1009]]).await.unwrap();
    let mut told: Vec<(i64, String, i64)> =
        rows.iter().map(|row| (row.get("oid"), row.get("name"), row.get("elemtype"))).collect();
    told.sort();
    assert_eq!(told, [(1009, "_text".to_owned(), 25), (1022, "_float8".to_owned(), 701)]);

    let psql = "SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relname ~ '^(spans)$'";
    let error = client.simple_query(psql).await.unwrap_err();
    assert_eq!(*code(&error), SqlState::UNDEFINED_TABLE);
    assert!(error.as_db_error().unwrap().message().contains("SHOW TABLES"), "{error:?}");
    let own = "WITH pg_class AS (SELECT 7 AS n) SELECT n, current_user FROM pg_class";
    assert_eq!(texts(&client.simple_query(own).await.unwrap()), ["7|anyone"]);
}

/// Scenario: statements that would be too much to read and to change, with a function that is changed.
/// Guarantees: they are refused as others are, and the server lives.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_statements() {
    let server = Server::start(None).await;
    let client = server.client("anyone", "").await.unwrap();
    let error = client.simple_query(&format!("SELECT version(), {}1", "1 + ".repeat(20_000))).await.unwrap_err();
    assert_eq!(*code(&error), SqlState::STATEMENT_TOO_COMPLEX);
    let sum = format!("SELECT length(version()) > 0, {}1", "1 + ".repeat(100));
    assert_eq!(texts(&client.simple_query(&sum).await.unwrap()), ["t|101"]);
}
