//! Statements that would take planning too long or too deep, refused by counting before anything is parsed.

#[cfg(test)]
mod chains;
mod ctes;
mod levels;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Word};

use crate::error::{Position, QueryError};
use ctes::Ctes;
use levels::Levels;

/// What is counted, and how many there may be. Planning copies and rewrites a plan dozens of times, so that its size counts many times;
/// people's queries stay far below.
#[derive(Debug, Default)]
struct Counts {
    tokens: usize,
    /// Parts of set operations, subqueries and CTEs.
    selects: usize,
    /// UNIONs and their like, which join what begins with FROM as well.
    sets: usize,
    /// By word or comma.
    joins: usize,
    /// Operators between values; each makes a chain of them one deeper.
    operators: usize,
    /// Types of types, in angle brackets.
    nested_types: usize,
    levels: Levels,
    /// The last word may be a type of types.
    is_type: bool,
}

const MOST_TOKENS: usize = 20_000;
/// Open parentheses, brackets and CASEs.
const MOST_LEVELS: usize = 64;
const MOST_SELECTS: usize = 100;
const MOST_JOINS: usize = 32;
const MOST_OPERATORS: usize = 1_000;
const MOST_NESTED_TYPES: usize = 64;
/// The time that names take grows with the cube of a chain: `a || a || …` takes 0.6 s at 120, 2 s at 180 and 5 s at 250.
const MOST_CHAIN: usize = 128;
const MOST_LOGICAL: usize = 500;
const MOST_USES: usize = 1_000;
/// 256 copies of what is innermost.
const MOST_DOUBLED: usize = 8;

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
    let tokens: Vec<&Token> = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    tokens.iter().try_for_each(|token| counts.count(token))?;
    let depth = counts.levels.deepest();
    within([
        (Ctes::most_uses(&tokens), MOST_USES, "uses of CTEs within CTEs"),
        (depth.chain, MOST_CHAIN, "operators and words in a chain"),
        (depth.logical, MOST_LOGICAL, "ANDs and ORs in a chain"),
        (depth.doubled, MOST_DOUBLED, "levels of BETWEEN, coalesce, nvl and WITH"),
    ])
}

// === impl Counts ===

impl Counts {
    fn count(&mut self, token: &Token) -> Result<(), QueryError> {
        self.tokens += 1;
        self.joins += usize::from(self.levels.read(token));
        let was_type = std::mem::take(&mut self.is_type);
        match token {
            Token::Word(Word { keyword, quote_style: None, .. }) => self.keyword(*keyword),
            Token::Word(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::Placeholder(_)
            | Token::Comma
            | Token::Period
            | Token::SemiColon
            | Token::LParen
            | Token::RParen
            | Token::LBracket
            | Token::RBracket
            | Token::LBrace
            | Token::RBrace => {}
            Token::Lt => {
                self.operators += 1;
                self.nested_types += usize::from(was_type);
            }
            Token::VerticalBarRightAngleBracket => self.selects += 1,
            _ => self.operators += 1,
        }
        within([
            (self.tokens, MOST_TOKENS, "words and signs"),
            (self.levels.open_levels(), MOST_LEVELS, "levels of parentheses"),
            (self.selects, MOST_SELECTS, "selects"),
            (self.sets, MOST_SELECTS, "set operations"),
            (self.joins, MOST_JOINS, "joins"),
            (self.operators, MOST_OPERATORS, "operators"),
            (self.nested_types, MOST_NESTED_TYPES, "types of types"),
        ])
    }

    fn keyword(&mut self, keyword: Keyword) {
        match keyword {
            Keyword::SELECT | Keyword::VALUES | Keyword::TABLE => self.selects += 1,
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS => self.sets += 1,
            Keyword::JOIN | Keyword::STRAIGHT_JOIN | Keyword::APPLY => self.joins += 1,
            Keyword::AND | Keyword::OR | Keyword::NOT => self.operators += 1,
            Keyword::ARRAY | Keyword::STRUCT | Keyword::MAP => self.is_type = true,
            _ => {}
        }
    }
}

fn within<const N: usize>(counted: [(usize, usize, &'static str); N]) -> Result<(), QueryError> {
    match counted.into_iter().find(|(count, most, _)| count > most) {
        Some((_, most, what)) => Err(QueryError::TooComplex { what, most }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CTEs, each of which names the one before twice.
    fn laughs(count: usize) -> String {
        let each = (0..count).map(|n| format!(", c{} AS (SELECT a.x FROM c{n} a, \"c{n}\" b)", n + 1));
        format!("WITH c0 AS (SELECT 1 x){} SELECT count(*) FROM c{count}", each.collect::<String>())
    }

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
            (format!("SELECT {}'1 day'", "INTERVAL ".repeat(200)), "chain"),
            (format!("SELECT 1{}", " + 1".repeat(200)), "chain"),
            (format!("SELECT (1 IS NULL){}", " IS NULL".repeat(200)), "chain"),
            (format!("SELECT {}1{}", "(".repeat(50), " IS NULL IS NULL IS NULL)".repeat(50)), "chain"),
            (format!("SELECT CAST(1 AS INT{})", "[]".repeat(200)), "chain"),
            (format!("SELECT where{}", " + where".repeat(200)), "chain"),
            (format!("SELECT TRUE{}", " AND TRUE".repeat(600)), "ANDs"),
            (format!("SELECT x{}", " -> x AND x".repeat(200)), "chain"),
            (format!("SELECT a{}", " BETWEEN b AND c".repeat(20)), "BETWEEN"),
            (format!("SELECT {}a{}", "(".repeat(20), " BETWEEN b AND c)".repeat(20)), "BETWEEN"),
            (format!("SELECT {}a{}", "coalesce(".repeat(20), ", b)".repeat(20)), "BETWEEN"),
            (laughs(25), "uses"),
            (format!("{}1{}", "WITH b AS (SELECT 1), a AS (".repeat(20), ") SELECT 1".repeat(20)), "WITH"),
            (format!("SELECT * FROM spans{}", ", spans".repeat(50)), "joins"),
            (format!("SELECT CAST(1 AS {}INT)", "STRUCT<a INT, b ".repeat(70)), "types"),
            (format!("FROM spans {}", "|> SELECT a, b ".repeat(101)), "selects"),
        ];
        for (sql, what) in hostile {
            let error = check(&sql, 256 << 10).unwrap_err().to_string();
            assert!(error.contains(what), "{what}: {error}");
        }
        check(&chain(" UNION ALL ", 50), 256 << 10).unwrap();
        check(&format!("SELECT 1 IN ({}1)", "1,".repeat(5_000)), 256 << 10).unwrap();
        check(&laughs(8), 256 << 10).unwrap();
        let columns = vec!["coalesce(s.name, 'x') || ' ' || s.model AS label"; 200].join(", ");
        check(&format!("SELECT {columns} FROM spans s"), 256 << 10).unwrap();
        check(&format!("WITH {} SELECT 1", vec!["a AS (SELECT 1)"; 50].join(", ")), 256 << 10).unwrap();
        check(&format!("SELECT 1 WHERE {} TRUE", "a BETWEEN 1 AND 2 AND ".repeat(200)), 256 << 10).unwrap();
        check(&format!("SELECT CASE {} END", "WHEN a > 1 THEN b ".repeat(300)), 256 << 10).unwrap();
        check(&format!("SELECT 1 FROM a {}", "LEFT JOIN b ON a.x = b.x AND a.y = b.y ".repeat(32)), 256 << 10).unwrap();
        check(&format!("SELECT a IS DISTINCT FROM b{}", ", c".repeat(100)), 256 << 10).unwrap();
        assert!(matches!(check("SELECT 1", 5), Err(QueryError::TooLong { .. })));
        let Err(QueryError::Sql { position, .. }) = check("SELECT\n 'open", 100) else {
            panic!("a text that does not end")
        };
        assert_eq!(position, Some(Position { line: 2, column: 2 }));
    }
}
