//! Functions of PostgreSQL that tell of the connection and its server, and a few that clients call without asking.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectNamePart, Value,
};
use pgwire::error::PgWireResult;

use super::{catalog, expression, folded, parts, text, unknown};
use crate::settings::{Session, VERSION};

/// In capitals, as words of a statement are compared.
pub(super) const NAMES: &[&str] = &[
    "VERSION",
    "CURRENT_SCHEMA",
    "CURRENT_USER",
    "CURRENT_ROLE",
    "SESSION_USER",
    "USER",
    "CURRENT_DATABASE",
    "CURRENT_CATALOG",
    "PG_BACKEND_PID",
    "PG_IS_IN_RECOVERY",
    "PG_ADVISORY_UNLOCK_ALL",
    "CURRENT_SETTING",
    "SET_CONFIG",
    "QUOTE_IDENT",
    "TO_REGTYPE",
];

/// How a column is called that is such a function.
pub(super) fn name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Function(function) => ours(function),
        Expr::Identifier(name) if name.quote_style.is_none() => {
            Some(folded(name)).filter(|name| name == "current_schema")
        }
        Expr::Cast { expr, .. } | Expr::Nested(expr) => name(expr),
        _ => None,
    }
}

fn ours(function: &Function) -> Option<String> {
    let (schema, name) = parts(&function.name)?;
    let is_plain = function.over.is_none() && function.filter.is_none() && function.within_group.is_empty();
    let is_known = NAMES.iter().any(|known| known.eq_ignore_ascii_case(&name));
    (is_plain && is_known && schema.is_none_or(|schema| schema == "pg_catalog")).then_some(name)
}

/// What takes the place of a call.
pub(super) fn instead(function: &Function, session: &Session) -> PgWireResult<Option<Expr>> {
    let (Some(name), Some(arguments)) = (ours(function), arguments(function)) else {
        return Ok(without_schema(function));
    };
    let sql = match (name.as_str(), arguments.as_slice()) {
        ("version", []) => text(&format!("PostgreSQL {VERSION} (spanmill {}, read-only)", env!("CARGO_PKG_VERSION"))),
        ("current_schema", []) => text("public"),
        ("current_user" | "current_role" | "session_user" | "user", []) => text(&session.user),
        ("current_database" | "current_catalog", []) => text(&session.database),
        ("pg_backend_pid", []) => format!("CAST({} AS INT)", session.pid),
        ("pg_is_in_recovery", []) => "FALSE".to_owned(),
        ("pg_advisory_unlock_all", []) => text(""),
        ("current_setting", [name, missing @ ..]) => {
            let Some(name) = literal(name) else { return Ok(None) };
            match session.setting(name) {
                Some((_, value)) => text(value),
                None if missing.first().is_some_and(|missing| missing.to_string().eq_ignore_ascii_case("true")) => {
                    "CAST(NULL AS TEXT)".to_owned()
                }
                None => return Err(unknown(name)),
            }
        }
        // As `SET`, it changes nothing.
        ("set_config", [_, value, _]) => format!("CAST({value} AS TEXT)"),
        ("quote_ident", [name]) => format!(
            "CASE WHEN regexp_like({name}, '^[a-z_][a-z0-9_]*$') THEN {name} \
             ELSE concat('\"', replace({name}, '\"', '\"\"'), '\"') END"
        ),
        ("to_regtype", [name]) => catalog::type_number(name),
        _ => return Ok(None),
    };
    expression(&sql).map(Some)
}

/// `pg_catalog.count(x)` is `count(x)`.
fn without_schema(function: &Function) -> Option<Expr> {
    let (schema, name) = parts(&function.name)?;
    if schema? != "pg_catalog" {
        return None;
    }
    let mut function = function.clone();
    function.name.0 = vec![ObjectNamePart::Identifier(Ident::new(name))];
    Some(Expr::Function(function))
}

fn arguments(function: &Function) -> Option<Vec<&Expr>> {
    match &function.args {
        FunctionArguments::None => Some(Vec::new()),
        FunctionArguments::List(list) => list.args.iter().map(argument).collect(),
        FunctionArguments::Subquery(_) => None,
    }
}

fn argument(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        Expr::Nested(inner) => literal(inner),
        Expr::Cast { expr, .. } => literal(expr),
        _ => None,
    }
}
