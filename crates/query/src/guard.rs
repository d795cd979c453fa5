//! Statements that would take planning too long or too deep, refused by counting before anything is parsed.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Word};

use crate::error::{Position, QueryError};

/// What is counted, and how many there may be. Planning copies and rewrites a plan dozens of times, so that its size counts many times;
/// people's queries stay far below.
#[derive(Debug, Default)]
struct Counts {
    tokens: usize,
    /// Open parentheses, brackets and CASEs.
    depth: usize,
    /// Parts of set operations, subqueries and CTEs.
    selects: usize,
    joins: usize,
    /// Operators between values; each makes a chain of them one deeper.
    operators: usize,
}

const MOST_TOKENS: usize = 20_000;
const MOST_DEPTH: usize = 64;
const MOST_SELECTS: usize = 100;
const MOST_JOINS: usize = 32;
const MOST_OPERATORS: usize = 1_000;

/// Refuses what is too large to be planned in time.
pub(crate) fn check(sql: &str, most_bytes: usize) -> Result<(), QueryError> {
    if sql.len() > most_bytes {
        return Err(QueryError::TooLong { bytes: sql.len(), most: most_bytes });
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize().map_err(|error| {
        let position = Position { line: error.location.line, column: error.location.column };
        QueryError::Sql { message: error.message, position: Some(position) }
    })?;
    let mut counts = Counts::default();
    tokens.iter().try_for_each(|token| counts.count(token))
}

// === impl Counts ===

impl Counts {
    fn count(&mut self, token: &Token) -> Result<(), QueryError> {
        match token {
            Token::Whitespace(_) => return Ok(()),
            Token::LParen | Token::LBracket | Token::LBrace => self.depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => self.depth = self.depth.saturating_sub(1),
            Token::Word(Word { keyword, quote_style: None, .. }) => self.keyword(*keyword),
            Token::Word(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::Placeholder(_)
            | Token::Comma
            | Token::Period
            | Token::SemiColon => {}
            _ => self.operators += 1,
        }
        self.tokens += 1;
        let counted = [
            (self.tokens, MOST_TOKENS, "words and signs"),
            (self.depth, MOST_DEPTH, "levels of parentheses"),
            (self.selects, MOST_SELECTS, "selects"),
            (self.joins, MOST_JOINS, "joins"),
            (self.operators, MOST_OPERATORS, "operators"),
        ];
        match counted.into_iter().find(|(count, most, _)| count > most) {
            Some((_, most, what)) => Err(QueryError::TooComplex { what, most }),
            None => Ok(()),
        }
    }

    fn keyword(&mut self, keyword: Keyword) {
        match keyword {
            Keyword::CASE => self.depth += 1,
            Keyword::END => self.depth = self.depth.saturating_sub(1),
            Keyword::SELECT | Keyword::VALUES | Keyword::TABLE => self.selects += 1,
            Keyword::JOIN => self.joins += 1,
            Keyword::AND | Keyword::OR | Keyword::NOT => self.operators += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: hostile statements, each of another kind, and large honest ones.
    /// Guarantees: the former are refused by what they have too much of, the latter pass.
    #[test]
    fn hostile_and_honest() {
        let chain = |joint: &str, count| vec!["SELECT 1"; count].join(joint);
        let hostile = [
            (chain(" UNION ALL ", 10_000), "selects"),
            (format!("SELECT {}1{}", "(".repeat(100), ")".repeat(100)), "parentheses"),
            (format!("SELECT {}1", "1 + ".repeat(5_000)), "operators"),
            (format!("SELECT {} 1 {}", "CASE WHEN ".repeat(80), "END".repeat(80)), "parentheses"),
            (format!("SELECT * FROM spans {}", "CROSS JOIN spans ".repeat(50)), "joins"),
            (format!("SELECT {}TRUE", "NOT ".repeat(5_000)), "operators"),
            (format!("SELECT 1 IN ({}1)", "1,".repeat(20_000)), "words"),
        ];
        for (sql, what) in hostile {
            let error = check(&sql, 256 << 10).unwrap_err().to_string();
            assert!(error.contains(what), "{what}: {error}");
        }
        check(&chain(" UNION ALL ", 50), 256 << 10).unwrap();
        check(&format!("SELECT 1 IN ({}1)", "1,".repeat(5_000)), 256 << 10).unwrap();
        assert!(matches!(check("SELECT 1", 5), Err(QueryError::TooLong { .. })));
        let Err(QueryError::Sql { position, .. }) = check("SELECT\n 'open", 100) else {
            panic!("a text that does not end")
        };
        assert_eq!(position, Some(Position { line: 2, column: 2 }));
    }
}
