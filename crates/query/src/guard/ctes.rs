//! CTEs that name each other twice, over and over: a short text of a plan that doubles with each.

use std::collections::HashMap;

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Word};

/// How often CTEs are used, each use with those that it has within.
#[derive(Debug, Default)]
pub(super) struct Ctes {
    known: HashMap<String, usize>,
    outer: Vec<Scope>,
    scope: Scope,
}

/// What is in parentheses, as far as it was read.
#[derive(Debug, Default)]
struct Scope {
    /// Uses of CTEs.
    uses: usize,
    /// CTEs are defined.
    is_with: bool,
    expects_name: bool,
    /// The last CTE whose definition began.
    name: Option<String>,
    /// What is in the parentheses is this CTE.
    defines: Option<String>,
}

// === impl Ctes ===

impl Ctes {
    /// How often CTEs are used in the part that uses them most.
    pub(super) fn most_uses(tokens: &[&Token]) -> usize {
        let mut ctes = Self::default();
        let mut most = 0;
        let mut before = None;
        for (at, token) in tokens.iter().enumerate() {
            ctes.read(before, token, tokens.get(at + 1).copied());
            most = most.max(ctes.scope.uses);
            before = Some(*token);
        }
        most
    }

    fn read(&mut self, before: Option<&Token>, token: &Token, next: Option<&Token>) {
        match token {
            Token::Word(word) => self.word(before, word, next),
            Token::Comma => self.scope.expects_name = self.scope.is_with,
            Token::LParen => {
                let is_body = matches!(
                    before,
                    Some(Token::Word(Word { keyword: Keyword::AS | Keyword::MATERIALIZED, quote_style: None, .. }))
                );
                let defines = self.scope.name.clone().filter(|_| self.scope.is_with && is_body);
                let scope = Scope { defines, ..Scope::default() };
                self.outer.push(std::mem::replace(&mut self.scope, scope));
            }
            Token::RParen => {
                let Some(outer) = self.outer.pop() else { return };
                let closed = std::mem::replace(&mut self.scope, outer);
                match closed.defines {
                    // A name that hides another counts as the larger of the two.
                    Some(name) => {
                        let known = self.known.entry(name).or_default();
                        *known = (*known).max(closed.uses).max(1);
                    }
                    None => self.scope.uses = self.scope.uses.saturating_add(closed.uses),
                }
            }
            _ => {}
        }
    }

    fn word(&mut self, before: Option<&Token>, word: &Word, next: Option<&Token>) {
        let name = word.value.to_ascii_lowercase();
        let keyword = if word.quote_style.is_none() { word.keyword } else { Keyword::NoKeyword };
        match keyword {
            Keyword::RECURSIVE if self.scope.expects_name => {}
            _ if self.scope.expects_name => {
                self.scope.expects_name = false;
                self.scope.name = Some(name);
            }
            Keyword::WITH => {
                self.scope.is_with = true;
                self.scope.expects_name = true;
            }
            Keyword::SELECT => self.scope.is_with = false,
            // The table of a column, or a column, is no use of the table.
            _ if next == Some(&Token::Period) || before == Some(&Token::Period) => {}
            _ => {
                let uses = self.known.get(&name).copied().unwrap_or_default();
                self.scope.uses = self.scope.uses.saturating_add(uses);
            }
        }
    }
}
