//! How deep a statement is, before it is parsed.
//!
//! The parser makes a tree that is one deeper for each sign or word of a chain such as `a + b + c`, `NOT NOT a`, `a IS NULL IS NULL` or
//! `INTERVAL INTERVAL 'x'`. What copies, compares, names or drops it calls itself for each. So every word of the language counts that is
//! no value, whatever the grammar makes of it: a chain that is not thought of here is bounded all the same.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Word};

/// What is open: the statement itself, what is in parentheses, or a CASE.
#[derive(Debug, Default)]
pub(super) struct Levels {
    /// Around the innermost.
    outer: Vec<Level>,
    level: Level,
    before: Before,
}

/// How deep something is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Depth {
    /// Operators and words in a chain. Each makes names longer that are written once for each.
    pub(super) chain: usize,
    /// ANDs and ORs in a chain. They bind least, so that what is between them are chains of their own, and cost little.
    pub(super) logical: usize,
    /// What planning writes twice, within what it writes twice: sixteen of them are 65,536 copies.
    pub(super) doubled: usize,
}

#[derive(Debug, Default)]
struct Level {
    kind: Kind,
    /// Planning writes the first of what is in it twice.
    is_doubled: bool,
    /// What commas, or words between clauses, part from each other.
    item: Item,
    deepest: Depth,
    /// Commas join tables.
    is_from: bool,
    /// What is in parentheses is a CTE, whose names planning looks for twice.
    is_with: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Parentheses,
    Case,
}

/// One of a list, as far as it was read.
#[derive(Debug, Default)]
struct Item {
    /// Since the last AND or OR.
    own: Depth,
    /// The deepest of what was closed since then.
    inner: Depth,
    /// The deepest before that.
    past: Depth,
    /// BETWEENs that wait for their AND.
    betweens: usize,
    /// The body of a lambda has ANDs of its own.
    is_lambda: bool,
}

/// What came before a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Before {
    /// Nothing, or a sign or word that wants more.
    #[default]
    Open,
    /// A value, so that a word that comes next does not stand for one.
    Value,
    /// What was in parentheses.
    Closed,
    /// A name whose call is written twice.
    Doubling,
    /// A period: a name comes next, whatever it is.
    Period,
    /// `DISTINCT`, whose `FROM` begins no clause.
    Distinct,
    /// `WITHIN`, whose `GROUP` begins none.
    Within,
}

/// Functions whose first argument planning copies: `coalesce(a, b)` becomes `CASE WHEN a IS NOT NULL THEN a ELSE b END`.
const DOUBLING: [&str; 4] = ["coalesce", "nvl", "ifnull", "nvl2"];

// === impl Levels ===

impl Levels {
    /// Reads on; true if tables were joined by a comma.
    pub(super) fn read(&mut self, token: &Token) -> bool {
        let before = std::mem::replace(&mut self.before, Before::Open);
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                self.level.item.own.chain += match token {
                    // Slices of slices take longer to name than anything else.
                    Token::LBracket => 2,
                    Token::LParen if before != Before::Closed => 0,
                    _ => 1,
                };
                self.open(Kind::Parentheses, before == Before::Doubling || self.level.is_with);
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                while self.level.kind == Kind::Case && !self.outer.is_empty() {
                    self.close();
                }
                self.close();
                self.before = Before::Closed;
            }
            Token::Comma => {
                self.level.part();
                return self.level.is_from;
            }
            Token::SemiColon => {
                self.level.part();
                self.level.is_from = false;
                self.before = Before::Value;
            }
            Token::Period => {
                self.level.item.own.chain += 1;
                self.before = Before::Period;
            }
            Token::Word(word) => self.word(word, before),
            Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::DollarQuotedString(_)
            | Token::Placeholder(_) => self.before = Before::Value,
            Token::Arrow => {
                self.level.item.own.chain += 1;
                self.level.item.is_lambda = true;
            }
            _ => self.level.item.own.chain += 1,
        }
        false
    }

    /// What is open.
    pub(super) fn open_levels(&self) -> usize {
        self.outer.len()
    }

    /// The deepest of all that was read.
    pub(super) fn deepest(mut self) -> Depth {
        while !self.outer.is_empty() {
            self.close();
        }
        self.level.part();
        self.level.deepest
    }

    fn word(&mut self, word: &Word, before: Before) {
        self.before = Before::Value;
        if word.quote_style.is_some() || before == Before::Period {
            return;
        }
        if DOUBLING.iter().any(|name| word.value.eq_ignore_ascii_case(name)) {
            self.before = Before::Doubling;
        }
        let is_between_clauses = matches!(before, Before::Value | Before::Closed);
        match word.keyword {
            Keyword::NoKeyword | Keyword::NULL | Keyword::TRUE | Keyword::FALSE => return,
            Keyword::CASE => {
                self.level.item.own.chain += 1;
                self.open(Kind::Case, false);
            }
            Keyword::END if self.level.kind == Kind::Case => {
                self.close();
                return;
            }
            Keyword::AND if self.level.item.betweens > 0 => {
                self.level.item.betweens -= 1;
                self.level.item.own.chain += 1;
            }
            Keyword::AND | Keyword::OR => self.level.item.logical(),
            Keyword::BETWEEN => self.level.item.between(),
            Keyword::WHEN | Keyword::THEN | Keyword::ELSE if is_between_clauses && self.level.kind == Kind::Case => {
                self.level.part();
            }
            Keyword::FROM if before != Before::Distinct => self.level.clause(true, is_between_clauses),
            Keyword::GROUP if before == Before::Within => self.level.item.own.chain += 1,
            Keyword::JOIN | Keyword::ON | Keyword::USING => {
                let is_from = self.level.is_from;
                self.level.clause(is_from, is_between_clauses);
            }
            Keyword::WITH => {
                self.level.item.own.chain += 1;
                self.level.is_with = true;
            }
            Keyword::SELECT => {
                self.level.clause(false, is_between_clauses);
                self.level.is_with = false;
            }
            Keyword::WHERE
            | Keyword::GROUP
            | Keyword::HAVING
            | Keyword::ORDER
            | Keyword::LIMIT
            | Keyword::UNION
            | Keyword::EXCEPT
            | Keyword::INTERSECT => self.level.clause(false, is_between_clauses),
            _ => self.level.item.own.chain += 1,
        }
        // A name may be a word of the language as well; then a call of it is still one.
        if self.before == Before::Value {
            self.before = match word.keyword {
                Keyword::DISTINCT => Before::Distinct,
                Keyword::WITHIN => Before::Within,
                _ => Before::Open,
            };
        }
    }

    fn open(&mut self, kind: Kind, is_doubled: bool) {
        let level = Level { kind, is_doubled, ..Level::default() };
        self.outer.push(std::mem::replace(&mut self.level, level));
    }

    fn close(&mut self) {
        let Some(outer) = self.outer.pop() else { return };
        let mut closed = std::mem::replace(&mut self.level, outer);
        closed.part();
        closed.deepest.doubled += usize::from(closed.is_doubled);
        self.level.item.inner = self.level.item.inner.max(closed.deepest);
    }
}

// === impl Level ===

impl Level {
    /// What comes next is not deeper for what was before.
    fn part(&mut self) {
        self.deepest = self.deepest.max(std::mem::take(&mut self.item).depth());
    }

    /// A word that may begin a clause, unless it stands where a value is to be.
    fn clause(&mut self, is_from: bool, is_between_clauses: bool) {
        match is_between_clauses {
            true => self.part(),
            false => self.item.own.chain += 1,
        }
        self.is_from = is_from;
    }
}

// === impl Item ===

impl Item {
    fn depth(&self) -> Depth {
        self.past.max(self.own.plus(self.inner))
    }

    fn logical(&mut self) {
        if self.is_lambda {
            self.own.chain += 1;
            return;
        }
        let logical = self.own.logical + 1;
        self.past = self.depth();
        self.own = Depth { logical, ..Depth::default() };
        self.inner = Depth { logical: self.inner.logical, ..Depth::default() };
    }

    /// `a BETWEEN b AND c` becomes `a >= b AND a <= c`.
    fn between(&mut self) {
        self.own.chain += 1;
        self.own.doubled += 1;
        self.betweens += 1;
    }
}

// === impl Depth ===

impl Depth {
    fn max(self, other: Self) -> Self {
        Self {
            chain: self.chain.max(other.chain),
            logical: self.logical.max(other.logical),
            doubled: self.doubled.max(other.doubled),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            chain: self.chain + other.chain,
            logical: self.logical + other.logical,
            doubled: self.doubled + other.doubled,
        }
    }
}
