//! Queries in DataFusion's terms, where PostgreSQL's differ: settings, functions that tell of the connection, types of parameters, and the
//! two catalogues that clients read before anything else.
//!
//! A query that has nothing of this stays as it was written, and none is read here that is too large to be planned. What takes the place of
//! something names no stored table and no tenant, so that whoever asks sees what was to be seen before.

mod catalog;
mod functions;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, LimitClause, ObjectName, Query, Select, SelectItem, Statement, TableFactor, Value, VisitMut,
    VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use pgwire::api::Type;
use pgwire::error::{PgWireError, PgWireResult};
use spanmill_query::{QueryError, QueryService};

use crate::error::{code, failed, refused};
use crate::settings::{Session, shown};
use crate::statement::words;
use crate::types::named;

/// A query in DataFusion's terms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Translated {
    pub(crate) sql: String,
    /// Places in it are places in what the client wrote.
    is_as_written: bool,
    /// How many parameters it has.
    pub(crate) parameters: usize,
    /// Types that parameters are cast to, or that are clear from where they stand, by their numbers.
    pub(crate) casts: BTreeMap<usize, Type>,
    /// Parameters that are arrays, since `ANY` asks for one.
    pub(crate) arrays: BTreeSet<usize>,
    /// The query with an element in the place of each such array: what is compared tells its type.
    pub(crate) with_elements: String,
}

/// Goes through a query.
struct Translator<'a> {
    session: &'a Session,
    is_changed: bool,
    casts: BTreeMap<usize, Type>,
    arrays: BTreeSet<usize>,
    /// Names that the query gives to parts of itself.
    own: BTreeSet<String>,
}

/// Puts elements in the place of arrays.
struct Elements;

/// Brings a query into DataFusion's terms.
pub(crate) fn translate(service: &QueryService, session: &Session, sql: &str) -> PgWireResult<Translated> {
    if let Some(name) = shown(sql) {
        let Some((name, value)) = session.setting(&name) else { return Err(unknown(&name)) };
        let sql = format!("SELECT {} AS \"{name}\"", text(value));
        return Ok(Translated { with_elements: sql.clone(), sql, ..Translated::default() });
    }
    let words = words(sql);
    let as_written = Translated {
        sql: sql.to_owned(),
        is_as_written: true,
        parameters: parameters(&words)?,
        with_elements: sql.to_owned(),
        ..Translated::default()
    };
    if as_written.parameters == 0 && !words.iter().any(|word| is_of_interest(word)) {
        return Ok(as_written);
    }
    service.check(sql).map_err(|error| failed(&error, Some(sql)))?;
    let sql = catalog::introspection(&words).unwrap_or(sql);
    // What cannot be read is DataFusion's to refuse.
    let Ok(mut statements) = Parser::parse_sql(&GenericDialect {}, sql) else { return Ok(as_written) };
    let Some(statement @ Statement::Query(_)) = statements.first_mut() else { return Ok(as_written) };
    let (casts, arrays, own) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let mut translator = Translator { session, is_changed: false, casts, arrays, own };
    if let ControlFlow::Break(error) = statement.visit(&mut translator) {
        return Err(error);
    }
    let Translator { is_changed, casts, arrays, .. } = translator;
    let sql = if is_changed { statement.to_string() } else { as_written.sql };
    let _ = statement.visit(&mut Elements);
    let with_elements = if arrays.is_empty() { sql.clone() } else { statement.to_string() };
    Ok(Translated { sql, is_as_written: !is_changed, casts, arrays, with_elements, ..as_written })
}

/// How many parameters there are: the highest number of any.
fn parameters(words: &[String]) -> PgWireResult<usize> {
    let mut most = 0;
    for name in words.iter().filter_map(|word| word.strip_prefix('$')) {
        // Text between dollars is a text.
        if name.contains('$') {
            continue;
        }
        let number = name.parse::<u16>().ok().filter(|number| *number > 0);
        let number = number.ok_or_else(|| refused(code::BAD_PARAMETER, "parameters are named $1, $2 and so on"))?;
        most = most.max(usize::from(number));
    }
    Ok(most)
}

fn is_of_interest(word: &str) -> bool {
    word.starts_with("PG_") || functions::NAMES.contains(&word) || word == "REGTYPE"
}

/// The number of a parameter.
fn number(expression: &Expr) -> Option<usize> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => name.strip_prefix('$')?.parse().ok(),
            _ => None,
        },
        Expr::Nested(inner) => number(inner),
        _ => None,
    }
}

/// A text, as SQL writes it.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn unknown(name: &str) -> PgWireError {
    refused(code::UNKNOWN_SETTING, format!("unrecognized configuration parameter \"{name}\""))
}

/// An expression that is written here.
fn expression(sql: &str) -> PgWireResult<Expr> {
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(sql).and_then(|mut parser| parser.parse_expr());
    parsed.map_err(|error| refused(code::SYNTAX, error.to_string()))
}

/// The last part of a name, and the schema before it; in small letters where it is not quoted.
fn parts(name: &ObjectName) -> Option<(Option<String>, String)> {
    let parts: Option<Vec<String>> = name.0.iter().map(|part| part.as_ident().map(folded)).collect();
    match parts?.as_slice() {
        [name] => Some((None, name.clone())),
        [schema, name] | [_, schema, name] => Some((Some(schema.clone()), name.clone())),
        _ => None,
    }
}

fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_ascii_lowercase() }
}

// === impl Translated ===

impl Translated {
    /// Why it has no answer, and where that is, if the client knows the place.
    pub(crate) fn failed(&self, error: &QueryError) -> PgWireError {
        failed(error, self.is_as_written.then_some(&self.sql))
    }
}

// === impl Translator ===

impl Translator<'_> {
    /// What takes the place of an expression.
    fn instead(&mut self, expr: &Expr) -> PgWireResult<Option<Expr>> {
        match expr {
            Expr::Function(function) => functions::instead(function, self.session),
            Expr::Identifier(name) if name.quote_style.is_none() && folded(name) == "current_schema" => {
                expression("'public'").map(Some)
            }
            Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } => {
                self.arrays.extend(number(right));
                Ok(None)
            }
            Expr::Cast { expr, data_type, .. } => {
                let to = data_type.to_string();
                if let (Some(number), Some(kind)) = (number(expr), named(&to)) {
                    self.casts.entry(number).or_insert(kind);
                }
                let to = to.to_ascii_lowercase();
                Ok(match to.trim_start_matches("pg_catalog.").trim_matches('"') {
                    "regtype" => Some(expression(&catalog::type_name(expr))?),
                    // DataFusion has none of them.
                    "uuid" | "json" | "jsonb" | "name" => Some(expression(&format!("CAST({expr} AS TEXT)"))?),
                    "oid" => Some(expression(&format!("CAST({expr} AS BIGINT)"))?),
                    "oid[]" => Some(expression(&format!("CAST({expr} AS BIGINT[])"))?),
                    _ => None,
                })
            }
            _ => Ok(None),
        }
    }

    fn table(&mut self, factor: &TableFactor) -> PgWireResult<Option<TableFactor>> {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return Ok(None) };
        let Some((schema, name)) = parts(name) else { return Ok(None) };
        match schema.as_deref() {
            Some("pg_catalog") => catalog::table(&name, alias.as_ref()),
            None if name.starts_with("pg_") && !self.own.contains(&name) => catalog::table(&name, alias.as_ref()),
            _ => Ok(None),
        }
    }
}

impl VisitorMut for Translator<'_> {
    type Break = PgWireError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<PgWireError> {
        let names = query.with.iter().flat_map(|with| &with.cte_tables).map(|table| folded(&table.alias.name));
        self.own.extend(names);
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause {
            let counts = limit.iter().chain(offset.iter().map(|offset| &offset.value)).filter_map(number);
            self.casts.extend(counts.map(|number| (number, Type::INT8)));
        }
        ControlFlow::Continue(())
    }

    /// What takes the place of a function keeps its name, once: DataFusion has no two columns of one name.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<PgWireError> {
        let mut seen = BTreeSet::new();
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && let Some(name) = functions::name(expr)
                && seen.insert(name.clone())
            {
                let (expr, alias) = (expr.clone(), Ident::with_quote('"', name));
                *item = SelectItem::ExprWithAlias { expr, alias };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<PgWireError> {
        match self.instead(expr) {
            Ok(Some(instead)) => (*expr, self.is_changed) = (instead, true),
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<PgWireError> {
        match self.table(factor) {
            Ok(Some(instead)) => (*factor, self.is_changed) = (instead, true),
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

// === impl Elements ===

impl VisitorMut for Elements {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::AnyOp { left, compare_op, right, .. } | Expr::AllOp { left, compare_op, right } = expr
            && number(right).is_some()
        {
            *expr = Expr::BinaryOp { left: left.clone(), op: compare_op.clone(), right: right.clone() };
        }
        ControlFlow::Continue(())
    }
}
