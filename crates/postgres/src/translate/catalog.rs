//! The little of `pg_catalog` that there is: `pg_type` and `pg_namespace`, of which drivers learn types.

use std::fmt::{Display, Write};
use std::sync::LazyLock;

use datafusion::sql::sqlparser::ast::{Expr, Ident, SetExpr, Statement, TableAlias, TableAliasColumnDef, TableFactor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use pgwire::api::Type;
use pgwire::error::PgWireResult;

use super::text;
use crate::error::{code, refused};
use crate::types::ALL;

/// What asyncpg asks before it reads or writes arrays. Its own query goes through composite types, domains and ranges, of which there are none.
const INTROSPECTION: &str = "\
SELECT t.oid, 'pg_catalog' AS ns, t.typname AS name, CAST(t.typtype AS BYTEA) AS kind, CAST(NULL AS BIGINT) AS basetype, \
t.typelem AS elemtype, CAST(',' AS BYTEA) AS elemdelim, CAST(NULL AS BIGINT) AS range_subtype, \
CAST(NULL AS TEXT) AS attrtypoids, CAST(NULL AS TEXT) AS attrnames, 0 AS depth, CAST(NULL AS TEXT) AS basetype_name, \
t.typelem::regtype AS elemtype_name, CAST(NULL AS TEXT) AS range_subtype_name \
FROM pg_type t WHERE t.oid = ANY($1::oid[])";

/// Rows of tables, and names of their columns.
type Rows = (&'static [&'static str], String);

static TYPES: LazyLock<Rows> = LazyLock::new(|| {
    let mut rows = Vec::new();
    for (element, array) in &ALL {
        let category = if *element == Type::RECORD { 'P' } else { 'U' };
        for (kind, of, its_array, category) in [(element, 0, array.oid(), category), (array, element.oid(), 0, 'A')] {
            let name = text(kind.name());
            let typtype = if category == 'P' { 'p' } else { 'b' };
            let length = if of == 0 { length(kind) } else { -1 };
            rows.push(format!(
                "({}, {name}, 11, 10, {length}, '{typtype}', '{category}', ',', 0, {of}, {its_array}, 0, -1, false)",
                kind.oid()
            ));
        }
    }
    let columns = &[
        "oid",
        "typname",
        "typnamespace",
        "typowner",
        "typlen",
        "typtype",
        "typcategory",
        "typdelim",
        "typrelid",
        "typelem",
        "typarray",
        "typbasetype",
        "typtypmod",
        "typnotnull",
    ];
    (columns, rows.join(", "))
});

static NAMESPACES: LazyLock<Rows> = LazyLock::new(|| {
    let rows = "(11, 'pg_catalog', 10), (2200, 'public', 10), (13000, 'information_schema', 10)";
    (&["oid", "nspname", "nspowner"], rows.to_owned())
});

/// A query that asks the same as one of a driver's that is too much for what there is here.
pub(super) fn introspection(words: &[String]) -> Option<&'static str> {
    let begin = ["WITH", "RECURSIVE", "TYPEINFO_TREE"];
    words.iter().take(begin.len()).eq(begin).then_some(INTROSPECTION)
}

/// What takes the place of a table of `pg_catalog`.
pub(super) fn table(name: &str, alias: Option<&TableAlias>) -> PgWireResult<Option<TableFactor>> {
    let (columns, rows) = match name {
        "pg_type" => &*TYPES,
        "pg_namespace" => &*NAMESPACES,
        _ => {
            let problem = format!(
                "pg_catalog.{name} is not there: pg_catalog has pg_type and pg_namespace alone, so that \\d of psql and the like \
                 do not work. SHOW TABLES, SHOW COLUMNS FROM a_table and information_schema tell what there is"
            );
            return Err(refused(code::UNKNOWN_TABLE, problem));
        }
    };
    let mut alias = alias.cloned().unwrap_or_else(|| TableAlias {
        explicit: true,
        name: Ident::new(name),
        columns: Vec::new(),
        at: None,
    });
    if alias.columns.is_empty() {
        alias.columns = columns.iter().map(|column| TableAliasColumnDef::from_name(*column)).collect();
    }
    let sql = format!("VALUES {rows}");
    let parsed = Parser::parse_sql(&GenericDialect {}, &sql).map(|mut statements| statements.pop());
    match parsed {
        Ok(Some(Statement::Query(query))) if matches!(*query.body, SetExpr::Values(_)) => {
            Ok(Some(TableFactor::Derived { lateral: false, subquery: query, alias: Some(alias), sample: None }))
        }
        _ => Ok(None),
    }
}

/// The name of the type with a number.
pub(super) fn type_name(number: &Expr) -> String {
    case(number, both().map(|kind| (kind.oid().to_string(), text(&name(kind)))))
}

/// The number of the type with a name.
pub(super) fn type_number(name_of: &Expr) -> String {
    case(name_of, both().map(|kind| (text(kind.name()), kind.oid().to_string())))
}

fn both() -> impl Iterator<Item = &'static Type> {
    ALL.iter().flat_map(|(element, array)| [element, array])
}

/// As `regtype` writes it.
fn name(kind: &Type) -> String {
    match kind.name().strip_prefix('_') {
        Some(element) => format!("{element}[]"),
        None => kind.name().to_owned(),
    }
}

fn case(of: &dyn Display, cases: impl Iterator<Item = (String, String)>) -> String {
    let mut sql = format!("CASE {of}");
    for (when, then) in cases {
        // Writing to a string does not fail.
        let _ = write!(sql, " WHEN {when} THEN {then}");
    }
    sql + " END"
}

/// `typlen`: bytes of a value; those of no fixed length have -1.
fn length(kind: &Type) -> i8 {
    match *kind {
        Type::BOOL | Type::CHAR => 1,
        Type::INT2 => 2,
        Type::INT4 | Type::OID | Type::FLOAT4 | Type::DATE => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ => 8,
        Type::INTERVAL | Type::UUID => 16,
        Type::NAME => 64,
        _ => -1,
    }
}
