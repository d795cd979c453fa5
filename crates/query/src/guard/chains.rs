//! Every chain that the grammar has, as long as it may be and longer.

use std::time::Duration;

use spanmill_store::{Options, Store};

use super::check;
use crate::error::QueryError;
use crate::limits::Limits;
use crate::service::{QueryService, Request};

/// What stands before, what is repeated, what stands in the middle, what closes each, and what stands behind.
type Chain = (&'static str, &'static str, &'static str, &'static str, &'static str);

const CHAINS: &[Chain] = &[
    // Before a value.
    ("SELECT ", "interval ", "'1 day'", "", ""),
    ("SELECT ", "NOT ", "true", "", ""),
    ("SELECT ", "- ", "1", "", ""),
    ("SELECT ", "+ ", "1", "", ""),
    ("SELECT ", "~ ", "1", "", ""),
    ("SELECT ", "@ ", "1", "", ""),
    ("SELECT ", "! ", "1", "", ""),
    ("SELECT ", "date ", "'2026-01-01'", "", ""),
    ("SELECT ", "prior ", "1", "", ""),
    ("SELECT ", "distinct ", "1", "", ""),
    ("SELECT ", "binary ", "1", "", ""),
    ("", "explain ", "SELECT 1", "", ""),
    ("", "explain analyze ", "SELECT 1", "", ""),
    ("", "explain (verbose, costs) ", "SELECT 1", "", ""),
    ("", "describe ", "spans", "", ""),
    ("", "prepare p(int, int) as ", "SELECT 1", "", ""),
    ("", "create view v as ", "SELECT 1", "", ""),
    ("", "with x as (select 1) ", "select 1", "", ""),
    // Behind a value.
    ("SELECT 1 ", "is null ", "", "", ""),
    ("SELECT true ", "is not true ", "", "", ""),
    ("SELECT now() ", "at time zone 'UTC' ", "", "", ""),
    ("SELECT name ", "collate \"C\" ", "", "", " FROM spans"),
    ("SELECT 1", "::int", "", "", ""),
    ("SELECT now()", "::timestamp with time zone", "", "", ""),
    ("SELECT 1", "::int[]", "", "", ""),
    ("SELECT make_array(1)", "[1]", "", "", ""),
    ("SELECT make_array(1)", "[1:2]", "", "", ""),
    ("SELECT name", ".a", "", "", " FROM spans"),
    ("SELECT name", "[1].a", "", "", " FROM spans"),
    ("SELECT attributes", " -> 'a'", "", "", " FROM spans"),
    ("SELECT attributes", " ->> 'a'", "", "", " FROM spans"),
    ("SELECT attributes", ":a", "", "", " FROM spans"),
    ("SELECT abs(1)", "(1)", "", "", ""),
    ("SELECT 1 ", "isnull ", "", "", ""),
    // Between values.
    ("SELECT 1", " + 1", "", "", ""),
    ("SELECT duration_ns", " + duration_ns", "", "", " FROM spans"),
    ("SELECT name", " || name", "", "", " FROM spans"),
    ("SELECT 1", " or true", "", "", ""),
    ("SELECT count(*) FROM spans WHERE name = 'a'", " or name = 'b'", "", "", ""),
    ("SELECT true", " and true", "", "", ""),
    ("SELECT true", " xor true", "", "", ""),
    ("SELECT 1", " is distinct from 1", "", "", ""),
    ("SELECT stream", " between false and stream", "", "", " FROM spans"),
    ("SELECT name", " like name escape 'x'", "", "", " FROM spans"),
    ("SELECT name", " not ilike name", "", "", " FROM spans"),
    ("SELECT name", " similar to name", "", "", " FROM spans"),
    ("SELECT 1", " in (1)", "", "", ""),
    ("SELECT 1", " = any(make_array(1))", "", "", ""),
    ("SELECT x", " -> x", "", "", ""),
    ("SELECT array_filter([1], x", " -> x and x", "", "", ")"),
    ("SELECT limit", " + limit", "", "", ""),
    ("SELECT where", " + where", "", "", ""),
    ("SELECT 1", " as a", "", "", ""),
    ("SELECT 1", ", 1 + 1", "", "", ""),
    // Around a value.
    ("SELECT ", "(", "1", ")", ""),
    ("SELECT ", "abs(", "1", ")", ""),
    ("SELECT ", "end(", "1", ")", ""),
    ("SELECT ", "coalesce(", "user_id", ", name)", " FROM spans"),
    ("SELECT ", "nvl2(", "user_id", ", name, name)", " FROM spans"),
    ("SELECT ", "[", "1", "]", ""),
    ("SELECT ", "{'a': ", "1", "}", ""),
    ("SELECT ", "case when true then ", "1", " end", ""),
    ("SELECT ", "cast(", "1", " as int)", ""),
    ("SELECT ", "exists (select ", "1", ")", ""),
    ("SELECT ", "(select ", "1", ")", ""),
    ("SELECT ", "(", "stream", " between false and true)", " FROM spans"),
    ("SELECT ", "(", "1", " is null is null is null is null is null)", ""),
    ("SELECT cast(1 as ", "array<", "int", ">", ")"),
    ("SELECT cast(1 as ", "struct<a int, b ", "int", ">", ")"),
    ("SELECT cast(1 as int", "[]", "", "", ")"),
    ("SELECT cast(1 as ", "nullable(", "int", ")", ")"),
    // Tables and queries.
    ("SELECT 1", " union all select 1", "", "", ""),
    ("SELECT 1", " except select 1", "", "", ""),
    ("FROM spans", " union from spans", "", "", ""),
    ("TABLE spans", " intersect table spans", "", "", ""),
    ("VALUES (1)", " union values (1)", "", "", ""),
    ("VALUES (1)", ", (1)", "", "", ""),
    ("SELECT * FROM ", "(", "spans", ")", ""),
    ("SELECT 1 FROM ", "(select 1 from ", "spans", ") x", ""),
    ("SELECT 1 FROM spans", " cross join spans", "", "", ""),
    ("SELECT 1 FROM spans", ", spans", "", "", ""),
    ("SELECT 1 FROM spans", " join spans", "", " on true", ""),
    ("SELECT 1 FROM spans", " cross apply abs(1)", "", "", ""),
    ("SELECT 1 FROM spans", " lateral view explode(a) t as a, b", "", "", ""),
    ("SELECT 1 FROM spans", " pivot(sum(a) for b in (1, 2))", "", "", ""),
    ("SELECT 1 FROM spans", " tablesample (1)", "", "", ""),
    ("FROM spans", " |> where true and true", "", "", ""),
    ("FROM spans", " |> extend 1 as a, 2 as b", "", "", ""),
    ("", "with a as (", "select 1", ") select 1", ""),
    ("", "with b as (select 1), a as (", "select 1", ") select 1", ""),
    ("SELECT 1", "; select 1", "", "", ""),
    ("SELECT sum(1) over (order by 1", " rows between 1 preceding and current row", "", "", ")"),
    ("SELECT 1 FROM spans QUALIFY 1", " + row_number() over ()", "", "", ""),
    ("SELECT 1 GROUP BY ", "rollup(", "1", ")", ""),
    // Texts and comments.
    ("SELECT ", "'a' ", "", "", ""),
    ("SELECT ", "/* ", "1", " */", "1"),
    ("SELECT ", "-- x\n", "1", "", ""),
    ("SELECT 1", ";", "", "", ""),
    ("", "\"a\" ", "", "", ""),
];

fn written((before, each, middle, close, after): Chain, count: usize) -> String {
    format!("{before}{}{middle}{}{after}", each.repeat(count), close.repeat(count))
}

/// The most repetitions that are let through, up to what the text may have.
fn most(chain: Chain, text: usize) -> usize {
    let (mut good, mut bad) = (0, text / (chain.1.len() + chain.3.len()) + 1);
    while bad - good > 1 {
        let count = good.midpoint(bad);
        match check(&written(chain, count), text) {
            Ok(()) => good = count,
            Err(_) => bad = count,
        }
    }
    good
}

/// Scenario: a hundred chains, each as long as it is let through, a little shorter, and as long as a text may be, in one process.
/// Guarantees: each has an answer or an error; what is let through has it in time, and nothing overflows the stack.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_have_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { query_threads: 2, ..Options::new(folder.path().to_str().unwrap()) };
    let store = Store::open(options, "writer").await.unwrap();
    let minute = Duration::from_secs(60);
    let limits = Limits { time: minute, wait: minute, ..Limits::default() };
    let service = QueryService::new(store, limits.clone());
    let (mut answered, mut refused) = (0, 0);
    for chain in CHAINS {
        let most = most(*chain, limits.text);
        for count in [most, most / 2, limits.text / (chain.1.len() + chain.3.len()) - 8] {
            let sql = written(*chain, count);
            let began = std::time::Instant::now();
            let answer = async {
                let mut rows = service.run(Request::of(sql.as_str())).await?;
                while rows.next().await.transpose()?.is_some() {}
                Ok::<(), QueryError>(())
            };
            match answer.await {
                Ok(()) => answered += 1,
                Err(QueryError::Time(_)) => panic!("{count} times {:?} takes {:?}", chain.1, began.elapsed()),
                Err(_) => refused += 1,
            }
            println!("{count:>7} {:>6} ms {:?}", began.elapsed().as_millis(), chain.1);
        }
        let described = service.describe(Request::of(written(*chain, most))).await;
        assert!(!matches!(described, Err(QueryError::Time(_))), "{most} times {:?}", chain.1);
    }
    assert!(answered > 50 && refused > 50, "{answered} {refused}");
}
