//! Behaviour pinned as sqllogictest files: types, functions, limits, refusals. `UPDATE_SLT=1` writes what is answered into them.
//!
//! The form is that of <https://sqlite.org/sqllogictest>, as far as the files use it: `statement ok`, `statement error TEXT` and
//! `query TYPES [rowsort]`, with a row a line and its values parted by tabs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::fmt::Write;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use spanmill_query::{QueryService, Request, type_name};

fn letters(batch: &RecordBatch) -> String {
    let letter = |kind: &arrow::datatypes::DataType| match type_name(kind).as_str() {
        "smallint" | "integer" | "bigint" | "bigint unsigned" => 'I',
        "double" | "real" => 'R',
        "boolean" => 'B',
        "timestamptz" | "timestamp" | "date" => 'P',
        "text" => 'T',
        _ => '?',
    };
    batch.schema().fields().iter().map(|field| letter(field.data_type())).collect()
}

fn lines(batch: &RecordBatch, sorted: bool) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let line = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("\t");
    let mut lines: Vec<String> = (0..batch.num_rows()).map(line).collect();
    if sorted {
        lines.sort();
    }
    lines
}

/// What the record says once it is run.
async fn run(service: &QueryService, record: &str) -> String {
    let Some((head, rest)) = record.split_once('\n') else { return record.to_owned() };
    if head.starts_with('#') {
        return format!("{head}\n{}", Box::pin(run(service, rest)).await);
    }
    let sql = rest.split("\n----").next().unwrap();
    let request = Request { sql: sql.to_owned(), ..Request::default() };
    let answer = async {
        let mut rows = service.run(request).await?;
        let batches = rows.collect().await?;
        Ok::<_, spanmill_query::QueryError>(arrow::compute::concat_batches(&rows.schema(), &batches).unwrap())
    };
    match answer.await {
        Err(error) => format!("statement error {}\n{sql}", error.to_string().lines().next().unwrap_or_default()),
        Ok(_) if head == "statement ok" => record.to_owned(),
        Ok(batch) => {
            let sorted = head.ends_with(" rowsort");
            let mut text = format!("query {}{}\n{sql}\n----", letters(&batch), if sorted { " rowsort" } else { "" });
            for line in lines(&batch, sorted) {
                let _ = write!(text, "\n{line}");
            }
            text
        }
    }
}

/// Scenario: each file of statements, about the recorded morning.
/// Guarantees: every statement answers, or is refused, as the file says.
#[tokio::test(flavor = "multi_thread")]
async fn files() {
    let filled = support::morning().await;
    let service = support::service(&filled.store);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut answered = Vec::new();
        for record in text.trim_end().split("\n\n") {
            answered.push(run(&service, record.trim_end()).await);
        }
        let answered = answered.join("\n\n") + "\n";
        if std::env::var_os("UPDATE_SLT").is_some() {
            std::fs::write(&file, answered).unwrap();
            continue;
        }
        for (expected, found) in text.trim_end().split("\n\n").zip(answered.trim_end().split("\n\n")) {
            assert_eq!(found, expected, "{}", file.display());
        }
    }
}
