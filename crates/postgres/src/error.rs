//! Errors in PostgreSQL's terms.

use pgwire::error::{ErrorInfo, PgWireError};
use spanmill_query::{Position, QueryError};

/// Codes of errors: appendix A of PostgreSQL's manual.
pub(crate) mod code {
    pub(crate) const READ_ONLY: &str = "25006";
    pub(crate) const UNSUPPORTED: &str = "0A000";
    pub(crate) const BAD_PARAMETER: &str = "22023";
    pub(crate) const PROTOCOL: &str = "08P01";
    pub(crate) const UNKNOWN_PARAMETER: &str = "42P02";
    pub(crate) const BAD_VALUE: &str = "22P02";
    pub(crate) const OUT_OF_RANGE: &str = "22003";
    pub(crate) const UNKNOWN_USER: &str = "28000";
    pub(crate) const UNKNOWN_SETTING: &str = "42704";
    pub(crate) const UNKNOWN_TABLE: &str = "42P01";
    pub(crate) const NO_TRANSACTION: &str = "25P01";
    pub(crate) const FAILED_TRANSACTION: &str = "25P02";
    pub(crate) const TOO_MUCH: &str = "54000";
    pub(crate) const SYNTAX: &str = "42601";
    const TOO_COMPLEX: &str = "54001";
    const CANCELED: &str = "57014";
    const BUSY: &str = "53300";
    const MEMORY: &str = "53200";
    const INTERNAL: &str = "XX000";

    use spanmill_query::QueryError;

    pub(super) fn of(error: &QueryError) -> &'static str {
        match error {
            QueryError::Sql { .. } => SYNTAX,
            QueryError::TooLong { .. } => TOO_MUCH,
            QueryError::TooComplex { .. } => TOO_COMPLEX,
            QueryError::Memory(_) => MEMORY,
            QueryError::Time(_) => CANCELED,
            QueryError::Busy => BUSY,
            QueryError::Request(_) => BAD_PARAMETER,
            _ => INTERNAL,
        }
    }
}

/// An error that ends a statement, and not the connection.
pub(crate) fn refused(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message.into())))
}

/// Why a statement has no answer, and where in it that is, if it is there as the client wrote it.
pub(crate) fn failed(error: &QueryError, as_written: Option<&str>) -> PgWireError {
    let mut info = ErrorInfo::new("ERROR".to_owned(), code::of(error).to_owned(), error.to_string());
    let place = error.position().zip(as_written).map(|(place, sql)| characters_before(sql, place));
    info.position = place.map(|characters| characters.saturating_add(1).to_string());
    PgWireError::UserError(Box::new(info))
}

fn characters_before(sql: &str, Position { line, column }: Position) -> usize {
    let before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let lines: usize = sql.split_inclusive('\n').take(before).map(|line| line.chars().count()).sum();
    lines.saturating_add(usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: places on the first and on a later line, behind characters of several bytes.
    /// Guarantees: they are counted in characters, from the beginning of the statement.
    #[test]
    fn places_are_counted_in_characters() {
        let at = |line, column| characters_before("SELECT 'äö',\n  x", Position { line, column });
        assert_eq!((at(1, 1), at(1, 12), at(2, 3), at(9, 1)), (0, 11, 15, 16));
    }
}
