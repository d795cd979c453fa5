//! Types of parameters and columns, and values of them.

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type};

use super::*;

/// A value in the binary format, of whatever type is wanted.
#[derive(Debug)]
struct Raw(Vec<u8>);

impl ToSql for Raw {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

/// Scenario: parameters with casts, parameters whose types the client announces, and those of functions that take no nulls.
/// Guarantees: types are told as PostgreSQL would; a column that is a parameter is described as what its rows hold.
#[tokio::test(flavor = "multi_thread")]
async fn types_of_parameters() {
    let server = Server::start(None).await;
    let client = server.client("anyone", "").await.unwrap();
    let sql =
        "SELECT $1::int4, $2::timestamptz, $3::bool, $4::text, $5::interval, $6::text[], CAST($7 AS float8), $8::date";
    let statement = client.prepare(sql).await.unwrap();
    let kinds: Vec<&str> = statement.params().iter().map(Type::name).collect();
    let wanted = ["int4", "timestamptz", "bool", "text", "interval", "_text", "float8", "date"];
    assert_eq!(kinds, wanted);
    let kinds: Vec<&str> = statement.columns().iter().map(|column| column.type_().name()).collect();
    assert_eq!(kinds, wanted);

    let statement = client.prepare_typed("SELECT $1, $2 AS b, $3 AS c", &[Type::INT4, Type::FLOAT8]).await.unwrap();
    let kinds: Vec<&str> = statement.columns().iter().map(|column| column.type_().name()).collect();
    assert_eq!(kinds, ["int4", "float8", "text"]);
    let row = client.query_one(&statement, &[&7_i32, &0.5_f64, &"x"]).await.unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, f64>(1), row.get::<_, &str>(2)), (7, 0.5, "x"));

    let hours = "SELECT count(*) FROM (SELECT date_trunc($1, start_time) AS hour FROM spans)";
    assert_eq!(client.query_one(hours, &[&"hour"]).await.unwrap().get::<_, i64>(0), 100);
    let now = client.prepare("SELECT now(), current_timestamp, now() - INTERVAL '1 hour' AS ago").await.unwrap();
    assert!(now.columns().iter().all(|column| *column.type_() == Type::TIMESTAMPTZ), "{now:?}");
    let some = client.query("SELECT name FROM spans LIMIT $1 OFFSET $2", &[&7_i64, &3_i64]).await.unwrap();
    assert_eq!(some.len(), 7);
}

/// Scenario: values of dates, decimal numbers, identifiers, bytes, intervals and arrays, in the binary format.
/// Guarantees: each is what was sent; `ANY` takes arrays, whose types the query tells; a wrong value is refused and the connection stays good.
#[tokio::test(flavor = "multi_thread")]
async fn binary_values() {
    let server = Server::start(None).await;
    let client = server.client("anyone", "").await.unwrap();
    let interval = [&3_600_000_001_i64.to_be_bytes()[..], &2_i32.to_be_bytes(), &1_i32.to_be_bytes()].concat();
    // 12.5
    let numeric: Vec<u8> = [2_u16, 0, 0, 1, 12, 5000].iter().flat_map(|part| part.to_be_bytes()).collect();
    for (kind, bytes, wanted) in [
        (Type::DATE, 1_i32.to_be_bytes().to_vec(), "2000-01-02"),
        (Type::NUMERIC, numeric, "12.5"),
        (Type::UUID, (0..16).collect(), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (Type::INTERVAL, interval, "1 mons 2 days 1 hours 0.000001000 secs"),
        (Type::TIMESTAMP, 0_i64.to_be_bytes().to_vec(), "2000-01-01T00:00:00"),
    ] {
        let statement = client.prepare_typed("SELECT CAST($1 AS TEXT)", std::slice::from_ref(&kind)).await.unwrap();
        let row = client.query_one(&statement, &[&Raw(bytes)]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), wanted, "{kind}");
        let error = client.query_one(&statement, &[&Raw(vec![1])]).await.unwrap_err();
        assert_eq!(*code(&error), SqlState::INVALID_TEXT_REPRESENTATION, "{kind}");
    }
    let statement = client.prepare_typed("SELECT $1 = x'6162'", &[Type::BYTEA]).await.unwrap();
    assert!(client.query_one(&statement, &[&&b"ab"[..]]).await.unwrap().get::<_, bool>(0));

    for (compared, kind) in [("name", "_text"), ("input_tokens", "_int8"), ("start_time", "_timestamptz")] {
        let statement =
            client.prepare(&format!("SELECT count(*) FROM spans WHERE {compared} = ANY($1)")).await.unwrap();
        assert_eq!(statement.params()[0].name(), kind, "{compared}");
    }
    let all: i64 = client.query_one("SELECT count(*) FROM spans", &[]).await.unwrap().get(0);
    let names: Vec<String> =
        client.query("SELECT DISTINCT name FROM spans", &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let any = client.query_one("SELECT count(*) FROM spans WHERE name = ANY($1)", &[&names]).await.unwrap();
    assert_eq!(any.get::<_, i64>(0), all);
    let sql = "SELECT $1::float8[], 3 = ANY($2::int8[]), 4 = ANY($2::int8[])";
    let row = client.query_one(sql, &[&vec![0.5, 1.5], &vec![Some(3_i64), None]]).await.unwrap();
    assert_eq!((row.get::<_, Vec<f64>>(0), row.get::<_, bool>(1)), (vec![0.5, 1.5], true));
}
