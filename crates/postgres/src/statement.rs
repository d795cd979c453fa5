//! What is asked: text is taken apart into statements, and those that drivers send around queries are known.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use pgwire::error::PgWireResult;

use crate::error::{code, refused};

/// One statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The store answers it.
    Query,
    /// Is answered by its own name, and does nothing.
    Ignored(&'static str),
    /// Begins a transaction, which does nothing but change what is told of it.
    Begin,
    /// Ends one.
    End(&'static str),
}

// === impl Kind ===

impl Kind {
    /// What kind of statement it is; those that would change something are refused.
    pub(crate) fn of(sql: &str) -> PgWireResult<Self> {
        let word = first_word(sql);
        Ok(match word.as_str() {
            "SET" => Self::Ignored("SET"),
            "RESET" => Self::Ignored("RESET"),
            "DISCARD" => Self::Ignored("DISCARD ALL"),
            "DEALLOCATE" => Self::Ignored("DEALLOCATE"),
            "BEGIN" | "START" => Self::Begin,
            "COMMIT" | "END" => Self::End("COMMIT"),
            "ROLLBACK" | "ABORT" => Self::End("ROLLBACK"),
            "SELECT" | "WITH" | "VALUES" | "TABLE" | "SHOW" | "EXPLAIN" | "DESCRIBE" | "DESC" | "FROM" | "(" => {
                Self::Query
            }
            _ => return Err(refused(code::READ_ONLY, format!("only queries are answered here, and {word} is none"))),
        })
    }
}

/// The statements of a text, which semicolons part.
pub(crate) fn split(text: &str) -> Vec<String> {
    // What cannot be read is one statement: whoever answers it says what is wrong.
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location() else {
        return vec![text.to_owned()];
    };
    let semicolons = tokens.iter().filter(|token| token.token == Token::SemiColon);
    let mut ends = semicolons.map(|token| (token.span.start.line, token.span.start.column)).peekable();
    let (mut statements, mut place, mut from) = (Vec::new(), (1, 1), 0);
    for (at, character) in text.char_indices() {
        if ends.next_if_eq(&place).is_some() {
            statements.push(text.get(from..at).unwrap_or_default());
            from = at + 1;
        }
        place = if character == '\n' { (place.0 + 1, 1) } else { (place.0, place.1 + 1) };
    }
    statements.push(text.get(from..).unwrap_or_default());
    statements.into_iter().filter(|sql| !first_word(sql).is_empty()).map(str::to_owned).collect()
}

/// In capitals; comments are passed over.
fn first_word(sql: &str) -> String {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else { return "SELECT".to_owned() };
    let first = tokens.into_iter().find(|token| !matches!(token, Token::Whitespace(_)));
    first.map_or_else(String::new, |token| token.to_string().to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: several statements in one text, with semicolons in texts and comments.
    /// Guarantees: each comes out as it was written.
    #[test]
    fn semicolons_part_statements() {
        assert_eq!(
            split("SELECT ';' ;; SELECT \"a;b\" -- no; end\n; "),
            ["SELECT ';' ", " SELECT \"a;b\" -- no; end\n"]
        );
        let strange = r"SELECT 'it''s', E'a\n\'', 'ä' /* ; */";
        assert_eq!(split(&format!("{strange};{strange}\n;x")), [strange, &format!("{strange}\n"), "x"]);
        assert_eq!(split("SELECT 'open"), ["SELECT 'open"]);
        assert!(split(" ; ").is_empty());
    }

    /// Scenario: queries, what drivers send around them, and statements that would change something.
    /// Guarantees: each is known for what it is, whatever stands before it; the last are refused.
    #[test]
    fn kinds() {
        for (sql, kind) in [
            ("/* hi */ select 1", Kind::Query),
            ("with x as (select 1) select * from x", Kind::Query),
            ("(SELECT 1)", Kind::Query),
            ("set extra_float_digits = 3", Kind::Ignored("SET")),
            ("BEGIN READ ONLY", Kind::Begin),
            ("start transaction", Kind::Begin),
            ("commit", Kind::End("COMMIT")),
            ("ROLLBACK", Kind::End("ROLLBACK")),
        ] {
            assert_eq!(Kind::of(sql).unwrap(), kind, "{sql}");
        }
        for sql in [
            "COPY (SELECT 1) TO '/tmp/x'",
            "CREATE TABLE x AS SELECT 1",
            "INSERT INTO spans VALUES (1)",
            "drop table spans",
            "",
        ] {
            assert!(Kind::of(sql).is_err(), "{sql}");
        }
    }
}
