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
    /// The same, in a transaction only.
    Savepoint(&'static str),
    /// Begins a transaction, which does nothing but change what is told of it.
    Begin,
    /// Ends one.
    End(&'static str),
    /// Makes one that failed good again.
    BackToSavepoint,
}

// === impl Kind ===

impl Kind {
    /// What kind of statement it is; those that would change something are refused.
    pub(crate) fn of(sql: &str) -> PgWireResult<Self> {
        let words = words(sql);
        let mut words = words.iter().map(String::as_str);
        let word = words.next().unwrap_or_default();
        Ok(match word {
            "SET" => Self::Ignored("SET"),
            "RESET" => Self::Ignored("RESET"),
            "DISCARD" => Self::Ignored("DISCARD ALL"),
            "DEALLOCATE" => Self::Ignored("DEALLOCATE"),
            // There are neither cursors of SQL nor notifications: all of them are closed.
            "CLOSE" => Self::Ignored("CLOSE CURSOR ALL"),
            "UNLISTEN" => Self::Ignored("UNLISTEN"),
            "BEGIN" | "START" => Self::Begin,
            "COMMIT" | "END" => Self::End("COMMIT"),
            "ROLLBACK" if words.any(|word| word == "TO") => Self::BackToSavepoint,
            "ROLLBACK" | "ABORT" => Self::End("ROLLBACK"),
            "SAVEPOINT" => Self::Savepoint("SAVEPOINT"),
            "RELEASE" => Self::Savepoint("RELEASE"),
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
    statements.into_iter().filter(|sql| !words(sql).is_empty()).map(str::to_owned).collect()
}

/// Words and signs in capitals; comments are passed over.
pub(crate) fn words(sql: &str) -> Vec<String> {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else { return vec!["SELECT".to_owned()] };
    let tokens = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_)));
    tokens.map(|token| token.to_string().to_ascii_uppercase()).collect()
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
        assert!(split(" ; -- nothing").is_empty());
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
            ("CLOSE ALL", Kind::Ignored("CLOSE CURSOR ALL")),
            ("unlisten *", Kind::Ignored("UNLISTEN")),
            ("BEGIN READ ONLY", Kind::Begin),
            ("start transaction", Kind::Begin),
            ("commit", Kind::End("COMMIT")),
            ("ROLLBACK", Kind::End("ROLLBACK")),
            ("savepoint a", Kind::Savepoint("SAVEPOINT")),
            ("RELEASE SAVEPOINT a", Kind::Savepoint("RELEASE")),
            ("rollback work to savepoint a", Kind::BackToSavepoint),
        ] {
            assert_eq!(Kind::of(sql).unwrap(), kind, "{sql}");
        }
        for sql in [
            "COPY (SELECT 1) TO '/tmp/x'",
            "CREATE TABLE x AS SELECT 1",
            "INSERT INTO spans VALUES (1)",
            "LISTEN x",
            "drop table spans",
            "",
        ] {
            assert!(Kind::of(sql).is_err(), "{sql}");
        }
    }
}
