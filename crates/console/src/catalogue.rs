//! The words that a prompt completes.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use spanmill_query::Question;

use crate::answer::Answer;

/// The words that a prompt completes: keywords, functions, tables, columns and questions.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// Columns by table.
    tables: BTreeMap<String, BTreeSet<String>>,
}

const KEYWORDS: &[&str] = &[
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FILTER",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LAST",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "SELECT",
    "THEN",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
    "WITHIN",
];

const FUNCTIONS: &[&str] = &[
    "abs",
    "approx_percentile_cont",
    "attr",
    "avg",
    "coalesce",
    "count",
    "date_bin",
    "date_trunc",
    "greatest",
    "least",
    "lower",
    "max",
    "min",
    "now",
    "nullif",
    "p50",
    "p95",
    "p99",
    "percentile_hist",
    "regexp_like",
    "round",
    "string_agg",
    "sum",
    "time_bucket",
    "upper",
];

// === impl Catalogue ===

impl Catalogue {
    /// The words of rows of tables and columns.
    pub(crate) fn new(answer: &Answer) -> Self {
        let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for batch in &answer.batches {
            let texts: Vec<_> =
                batch.columns().iter().filter_map(|column| cast(column, &DataType::Utf8).ok()).collect();
            let [names, columns] = texts.as_slice() else { continue };
            for (table, column) in names.as_string::<i32>().iter().zip(columns.as_string::<i32>()) {
                if let (Some(table), Some(column)) = (table, column) {
                    tables.entry(table.to_owned()).or_default().insert(column.to_owned());
                }
            }
        }
        Self { tables }
    }

    /// Where the word that ends at a place of a line begins, and what it may become. Columns of the tables that the line names come
    /// first; the first word may be a question.
    pub fn complete(&self, line: &str, at: usize) -> (usize, Vec<String>) {
        let before = line.get(..at).unwrap_or(line);
        let of_word = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-');
        let begin = before
            .char_indices()
            .rev()
            .take_while(|(_, sign)| of_word(*sign))
            .last()
            .map_or(before.len(), |(at, _)| at);
        let (earlier, word) = before.split_at_checked(begin).unwrap_or((before, ""));
        let lower = word.to_lowercase();
        let fits = |candidate: &&str| candidate.to_lowercase().starts_with(&lower);
        let mut found: Vec<String> = Vec::new();
        let mut add = |candidate: &str| {
            if !found.iter().any(|known| known == candidate) {
                found.push(candidate.to_owned());
            }
        };
        if earlier.trim().is_empty() {
            Question::all().iter().map(|question| question.name).filter(fits).for_each(&mut add);
        }
        let mut named: Vec<&BTreeSet<String>> = Vec::new();
        for table in line.split(|sign: char| !(sign.is_alphanumeric() || sign == '_')) {
            named.extend(self.tables.get(&table.to_lowercase()));
        }
        let columns = if named.is_empty() { self.tables.values().collect() } else { named };
        let last = earlier.split_whitespace().next_back().unwrap_or_default().to_lowercase();
        if !matches!(last.as_str(), "from" | "join") {
            columns.into_iter().flatten().map(String::as_str).filter(fits).for_each(&mut add);
            FUNCTIONS.iter().copied().filter(fits).for_each(&mut add);
        }
        self.tables.keys().map(String::as_str).filter(fits).for_each(&mut add);
        let as_typed = |keyword: &str| {
            if word.chars().any(char::is_uppercase) { keyword.to_owned() } else { keyword.to_lowercase() }
        };
        KEYWORDS.iter().copied().filter(fits).for_each(|keyword| add(&as_typed(keyword)));
        (begin, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let tables = [("spans", columns(&["service", "span_id"])), ("usage_1m", columns(&["service", "minute"]))];
        Catalogue { tables: tables.into_iter().map(|(name, columns)| (name.to_owned(), columns)).collect() }
    }

    /// Scenario: words begun at several places of a line.
    /// Guarantees: questions complete at its beginning only, tables after FROM, columns of the tables that are named; keywords in the case
    /// that was begun.
    #[test]
    fn words() {
        let complete = |line: &str| catalogue().complete(line, line.len());
        let (begin, found) = complete("slow-s");
        assert_eq!((begin, found), (0, vec!["slow-small".to_owned()]));
        assert_eq!(complete("SELECT * FROM s"), (14, vec!["spans".to_owned(), "select".to_owned()]));
        let line = "SELECT mi FROM usage_1m";
        assert_eq!(catalogue().complete(line, 9), (7, vec!["minute".to_owned(), "min".to_owned()]));
        assert!(!complete("SELECT mi FROM spans WHERE mi").1.contains(&"minute".to_owned()));
        assert_eq!(complete("SELECT service FRO").1, ["FROM"]);
        assert_eq!(complete("sel").1, ["select"]);
    }
}
