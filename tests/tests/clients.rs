//! Clients of the store: drivers for Python, and psql.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use spanmill_tests::oracle::interpreter;
use spanmill_tests::python::programs;
use spanmill_tests::served::Served;
use spanmill_tests::{ports, skipped};

const SERVICES: &str = "SELECT service, count(*) AS n FROM spans GROUP BY service ORDER BY service";
const SLOW_SMALL: &str = "SELECT count(*) FROM spans WHERE duration_ns > 5000000000 AND input_tokens < 2000";

/// Scenario: Python asks a server over Flight SQL by the ADBC driver, with name and password: queries, one with parameters, all rows, the
/// tables, statements that write; then with a wrong password.
/// Guarantees: the answers are those of the other interfaces; writing and wrong passwords are refused.
#[test]
fn adbc_asks_over_flight_sql() {
    let Some(python) = interpreter("clients::adbc_asks_over_flight_sql") else { return };
    let port = ports::free();
    let options = format!("flight_sql: {{endpoint: '127.0.0.1:{port}', auth: {{username: pandas, password: secret}}}}");
    let mut served = Served::start(&options, &[port], 500);
    let said = said_by(&python, "adbc.py", &[&format!("grpc://127.0.0.1:{port}"), "pandas", "secret"]);
    assert_eq!(said["services"], Value::from(served.ask(SERVICES)));
    assert_eq!((&said["slow_small"], &said["rows"]), (&served.ask(SLOW_SMALL)[0][0], &served.spans));
    assert!(said["columns"].as_u64().unwrap() > 50, "{said}");
    let tables: Vec<&str> = said["tables"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(["calls", "spans", "traces", "usage_1m"].iter().all(|name| tables.contains(name)), "{tables:?}");
    assert_eq!(said["refused"].as_array().map(Vec::len), Some(3), "{said}");
    assert_ne!(said["wrong_password"], "let in");
    served.collector.stop();
}

/// Scenario: Python asks over PostgreSQL's protocol by psycopg, with name and password: text and binary answers, parameters of several types,
/// statements that write; then with a wrong password.
/// Guarantees: the answers are those of the other interfaces, with the types of the columns; writing and wrong passwords are refused.
#[test]
fn psycopg_asks_over_postgres() {
    let Some(python) = interpreter("clients::psycopg_asks_over_postgres") else { return };
    let (mut served, port) = postgres();
    let said = said_by(&python, "postgres.py", &[&port.to_string(), "grafana", "secret"]);
    assert_eq!(said["services"], Value::from(served.ask(SERVICES)));
    assert_eq!((&said["slow_small"], &said["rows"]), (&served.ask(SLOW_SMALL)[0][0], &served.spans));
    assert_eq!(said["binary"], said["text"], "{said}");
    assert_eq!(said["since"], served.spans, "{said}");
    assert_eq!(said["types"], serde_json::json!(["str", "int", "datetime", "float", "bool", "NoneType"]), "{said}");
    assert_eq!(said["refused"], serde_json::json!(["25006", "25006", "42601"]), "{said}");
    assert_ne!(said["wrong_password"], "let in");
    served.collector.stop();
}

/// Scenario: psql is given queries as Grafana sends them, its macros that filter by time written out, and a panel by the minute.
/// Guarantees: it is answered; the filter keeps all spans of the demo, and the minutes hold each of them once.
#[test]
fn psql_asks_what_grafana_asks() {
    if Command::new("psql").arg("--version").output().is_err() {
        skipped("clients::psql_asks_what_grafana_asks", "no psql on the path");
        return;
    }
    let (mut served, port) = postgres();
    let filter = "start_time BETWEEN '2020-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z'";
    let psql = |sql: &str| {
        let output = Command::new("psql")
            .args(["--no-psqlrc", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1", "--command", sql])
            .arg(format!("host=127.0.0.1 port={port} user=grafana dbname=spanmill"))
            .env("PGPASSWORD", "secret")
            .output()
            .expect("psql starts");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    // $__timeFilter(start_time)
    let all: Value = psql(&format!("SELECT count(*) FROM spans WHERE {filter}")).trim().parse::<u64>().unwrap().into();
    assert_eq!(all, served.spans);
    // A panel over time, in Grafana's format of series.
    let series = psql(&format!(
        "SELECT time_bucket('1m', start_time) AS \"time\", count(*) AS n, avg(duration_ns / 1e6) FROM spans WHERE {filter} GROUP BY 1 ORDER BY 1"
    ));
    let counted: u64 = series.lines().map(|line| line.split('|').nth(1).unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(Value::from(counted), served.spans, "{series}");
    // $__timeGroupAlias(start_time, '5m')
    let groups = psql(&format!(
        "SELECT floor(extract(epoch from start_time)/300)*300 AS \"time\", count(*) AS n FROM spans WHERE {filter} GROUP BY 1 ORDER BY 1"
    ));
    let counted: u64 = groups.lines().map(|line| line.split('|').nth(1).unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(Value::from(counted), served.spans, "{groups}");
    let starts = groups.lines().map(|line| line.split('|').next().unwrap().parse::<f64>().unwrap());
    assert!(starts.into_iter().all(|start| start > 1.5e9 && start % 300.0 == 0.0), "{groups}");
    // $__timeEpoch(start_time)
    let epoch = psql("SELECT extract(epoch from start_time) AS \"time\", name FROM spans LIMIT 1");
    assert!(epoch.split('|').next().unwrap().parse::<f64>().unwrap() > 1.5e9, "{epoch}");
    // What people write beside macros.
    let recent = psql("SELECT count(*) FROM spans WHERE start_time > now() - INTERVAL '100 years'");
    assert_eq!(Value::from(recent.trim().parse::<u64>().unwrap()), served.spans);
    // $__unixEpochFilter of a column that counts seconds
    let epochs = psql(
        "SELECT start_unix_nano / 1000000000 AS \"time\", name FROM spans WHERE start_unix_nano / 1000000000 >= 1577836800 AND start_unix_nano / 1000000000 <= 4102444800 LIMIT 3",
    );
    let seconds = epochs.lines().map(|line| line.split('|').next().unwrap().parse::<f64>().unwrap());
    assert!(seconds.filter(|seconds| *seconds > 1.5e9).count() == 3, "{epochs}");
    assert!(psql("SHOW TABLES").contains("spans"));
    served.collector.stop();
}

/// A server that answers over PostgreSQL's protocol, and its port there.
fn postgres() -> (Served, u16) {
    let port = ports::free();
    let options = format!("postgres: {{endpoint: '127.0.0.1:{port}', auth: {{username: grafana, password: secret}}}}");
    (Served::start(&options, &[port], 500), port)
}

/// What a program in Python says in JSON.
fn said_by(python: &Path, program: &str, arguments: &[&str]) -> Value {
    let output = Command::new(python).arg(programs().join(program)).args(arguments).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("Python says JSON")
}
