//! SQL that nobody would write: words of the language, names of tables and columns, functions and odd values, in any order and nesting.
//! `SPANMILL_SOUP=100000 cargo test --release -p spanmill-query --test soup` asks for longer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use spanmill_query::{Limits, QueryService, Request};

const WORDS: &[&str] = &[
    "SELECT",
    "SELECT",
    "FROM",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "OFFSET",
    "JOIN",
    "LEFT JOIN",
    "CROSS JOIN",
    "ON",
    "USING",
    "UNION ALL",
    "EXCEPT",
    "INTERSECT",
    "WITH",
    "RECURSIVE",
    "AS",
    "DISTINCT",
    "HAVING",
    "OVER",
    "PARTITION BY",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AND",
    "OR",
    "NOT",
    "IN",
    "EXISTS",
    "BETWEEN",
    "LIKE",
    "ILIKE",
    "SIMILAR TO",
    "IS NULL",
    "NULL",
    "TRUE",
    "CAST(",
    "INTERVAL",
    "EXPLAIN",
    "ANALYZE",
    "VALUES",
    "UNNEST(",
    "LATERAL",
    "COPY",
    "CREATE TABLE",
    "INSERT INTO",
    "SET",
    "SHOW TABLES",
    "DESCRIBE",
    "(",
    "(",
    ")",
    ")",
    ",",
    ",",
    "*",
    "+",
    "-",
    "/",
    "%",
    "=",
    "<>",
    "<",
    ">=",
    "||",
    "::",
    "->",
    "->>",
    "~",
    "[",
    "]",
    "{",
    "}",
    ";",
    "--",
    "/*",
    "'",
    "\"",
    "$1",
    "$name",
    "?",
    "\0",
    "é",
    "🦀",
];

const NAMES: &[&str] = &[
    "spans",
    "events",
    "links",
    "content",
    "usage_1m",
    "calls",
    "traces",
    "spanmill.public.spans",
    "information_schema.tables",
    "nothing",
    "trace_id",
    "span_id",
    "start_time",
    "duration_ns",
    "input_tokens",
    "cost",
    "attributes",
    "resource_attributes",
    "service",
    "tenant",
    "a",
    "b",
    "\"quoted\"",
];

const CALLS: &[&str] = &[
    "count(*)",
    "sum(input_tokens)",
    "avg(duration_ns)",
    "attr(attributes, 'a')",
    "p95(duration_histogram)",
    "time_bucket('1m', start_time)",
    "now()",
    "regexp_like(name, '(a*)*b')",
    "regexp_replace(name, '(', 'x')",
    "repeat('x', 100000)",
    "generate_series(1, 1000000000)",
    "arrow_cast(name, 'Int64')",
    "to_timestamp('x')",
    "array_agg(name)",
    "string_agg(name, ',')",
    "make_array(1, 2)",
    "named_struct('a', 1)",
    "row_number() OVER (ORDER BY start_time)",
    "date_trunc('hour', start_time)",
    "lpad(name, 2147483647)",
    "chr(0)",
    "1/0",
    "substr(name, -9223372036854775808)",
    "power(10, 400)",
];

const VALUES: &[&str] = &[
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "1e400",
    "0x10",
    "''",
    "'text'",
    "'2026-11-26T10:00:00Z'",
    "X'ff'",
    "NULL",
    "'\u{0}'",
    "INTERVAL '1 hour'",
    "TIMESTAMP '2026-13-45'",
];

fn one<'w>(random: &mut fastrand::Rng, words: &[&'w str]) -> &'w str {
    words[random.usize(..words.len())]
}

/// An expression that the parser takes; its types may be anything.
fn expression(random: &mut fastrand::Rng, depth: u8) -> String {
    const OPERATORS: &[&str] = &["=", "<>", "<", ">=", "+", "-", "*", "/", "%", "||", "AND", "OR", "LIKE", "~"];
    match random.u8(..if depth == 0 { 3 } else { 8 }) {
        0 => one(random, &NAMES[10..20]).to_owned(),
        1 => one(random, VALUES).to_owned(),
        2 => one(random, CALLS).to_owned(),
        3 => format!(
            "CAST({} AS {})",
            expression(random, depth - 1),
            one(random, &["BIGINT", "DOUBLE", "VARCHAR", "TIMESTAMP", "BOOLEAN"])
        ),
        4 => format!("CASE WHEN {} THEN {} END", expression(random, depth - 1), expression(random, depth - 1)),
        5 => format!("({})", query(random, depth - 1)),
        _ => {
            format!("({} {} {})", expression(random, depth - 1), one(random, OPERATORS), expression(random, depth - 1))
        }
    }
}

/// A query that the parser takes.
fn query(random: &mut fastrand::Rng, depth: u8) -> String {
    let from = match random.u8(..if depth == 0 { 1 } else { 3 }) {
        0 => one(random, &NAMES[..7]).to_owned(),
        1 => format!("({}) AS a", query(random, depth - 1)),
        _ => format!("{} JOIN {} USING (trace_id)", one(random, &NAMES[..4]), one(random, &NAMES[..4])),
    };
    let mut text = format!("SELECT {} AS a, {} AS b FROM {from}", expression(random, depth), expression(random, depth));
    if random.bool() {
        text.push_str(&format!(" WHERE {}", expression(random, depth)));
    }
    if random.u8(..4) == 0 {
        text.push_str(" GROUP BY ALL");
    }
    if random.bool() {
        text.push_str(&format!(" ORDER BY {}", expression(random, 0)));
    }
    if random.bool() {
        text.push_str(&format!(" LIMIT {}", one(random, &["0", "3", "1000", "9223372036854775807"])));
    }
    text
}

/// Words in any order, or a query, or a query with a word in it that does not belong there.
fn soup(random: &mut fastrand::Rng) -> String {
    let mut text = match random.u8(..4) {
        0 => String::new(),
        1 | 2 => return query(random, 2),
        _ => query(random, 1),
    };
    for _ in 0..random.usize(1..24) {
        let list = [WORDS, WORDS, NAMES, NAMES, CALLS, VALUES][random.usize(..6)];
        let at = (0..=random.usize(..=text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(at, &format!(" {} ", one(random, list)));
    }
    text
}

/// Scenario: thousands of random statements, some of which are queries, of which some run.
/// Guarantees: each has an answer or an error that blames the statement or a limit; none takes longer than its time, and none ends in a panic.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soup_has_an_answer() {
    let statements = std::env::var("SPANMILL_SOUP").map_or(3_000, |text| text.parse().unwrap());
    let filled = support::morning().await;
    let limits = Limits { time: Duration::from_secs(2), ..Limits::default() };
    let service = QueryService::new(filled.store.clone(), limits);
    let (mut answered, mut refused, mut broken) = (0, 0, Vec::new());
    for seed in 0..statements {
        let sql = soup(&mut fastrand::Rng::with_seed(seed));
        let tenant = seed.is_multiple_of(3).then(|| Arc::from("nobody"));
        let began = Instant::now();
        let answer = async {
            let mut rows = service.confined(tenant.clone()).run(Request::of(sql.as_str())).await?;
            let mut count = 0;
            while let Some(batch) = rows.next().await.transpose()? {
                count += batch.num_rows();
            }
            Ok::<usize, spanmill_query::QueryError>(count)
        };
        match answer.await {
            Ok(_) => answered += 1,
            Err(error) => {
                refused += 1;
                let status = error.status();
                if status == StatusCode::INTERNAL_SERVER_ERROR {
                    broken.push(format!("seed {seed}: {sql}\n{error}"));
                }
            }
        }
        assert!(began.elapsed() < Duration::from_secs(10), "seed {seed}: {:?}: {sql}", began.elapsed());
    }
    assert!(
        broken.is_empty(),
        "{} statements are said to be the store's fault:\n{}",
        broken.len(),
        broken.join("\n\n")
    );
    assert!(answered > 0 && refused > 0, "{answered} {refused}");
    println!("{statements} statements: {answered} answered, {refused} refused");
}
