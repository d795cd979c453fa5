//! The words of a path.

use super::super::names;

/// A word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Comma,
    Slash,
    SlashSlash,
    At,
    Dot,
    DotDot,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Star,
    Plus,
    Minus,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Bang,
    Dollar,
    Union,
    Name,
    String,
    Number,
    /// A name followed by `::`.
    Axis,
    End,
}

/// Reads words. What the last name, text or number was stays known until the next one.
#[derive(Debug)]
pub(super) struct Scanner<'p> {
    rest: &'p str,
    pub(super) item: Item,
    pub(super) prefix: String,
    pub(super) name: String,
    pub(super) text: String,
    pub(super) number: f64,
    /// Whether a name is followed by a parenthesis.
    pub(super) is_call: bool,
}

type Result<T> = std::result::Result<T, String>;

fn is_name(c: char) -> bool {
    c != ':' && names::continues(c)
}

// === impl Scanner ===

impl<'p> Scanner<'p> {
    pub(super) fn new(path: &'p str) -> Result<Self> {
        // Zero ends a path.
        let rest = path.split('\0').next().unwrap_or(path);
        let mut scanner = Self {
            rest,
            item: Item::End,
            prefix: String::new(),
            name: String::new(),
            text: String::new(),
            number: 0.0,
            is_call: false,
        };
        scanner.next()?;
        Ok(scanner)
    }

    pub(super) fn next(&mut self) -> Result<()> {
        self.blanks();
        let Some(first) = self.rest.chars().next() else {
            self.item = Item::End;
            return Ok(());
        };
        let after = self.rest.get(first.len_utf8()..).unwrap_or("");
        let second = after.chars().next();
        let (item, len) = match (first, second) {
            (',', _) => (Item::Comma, 1),
            ('@', _) => (Item::At, 1),
            ('(', _) => (Item::Open, 1),
            (')', _) => (Item::Close, 1),
            ('|', _) => (Item::Union, 1),
            ('*', _) => (Item::Star, 1),
            ('[', _) => (Item::OpenBracket, 1),
            (']', _) => (Item::CloseBracket, 1),
            ('+', _) => (Item::Plus, 1),
            ('-', _) => (Item::Minus, 1),
            ('=', _) => (Item::Eq, 1),
            ('$', _) => (Item::Dollar, 1),
            ('<', Some('=')) => (Item::Le, 2),
            ('<', _) => (Item::Lt, 1),
            ('>', Some('=')) => (Item::Ge, 2),
            ('>', _) => (Item::Gt, 1),
            ('!', Some('=')) => (Item::Ne, 2),
            ('!', _) => (Item::Bang, 1),
            ('/', Some('/')) => (Item::SlashSlash, 2),
            ('/', _) => (Item::Slash, 1),
            ('.', Some('.')) => (Item::DotDot, 2),
            ('.', Some(digit)) if digit.is_ascii_digit() => return self.number(),
            ('.', _) => (Item::Dot, 1),
            (quote @ ('"' | '\''), _) => {
                let (text, after) = after.split_once(quote).ok_or("a text is not closed")?;
                self.text = text.to_owned();
                self.item = Item::String;
                self.rest = after;
                return Ok(());
            }
            (digit, _) if digit.is_ascii_digit() => return self.number(),
            (letter, _) if is_name(letter) => return self.name(),
            (other, _) => return Err(format!("{other:?} does not belong there")),
        };
        self.item = item;
        self.rest = self.rest.get(len..).unwrap_or("");
        Ok(())
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn number(&mut self) -> Result<()> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut len = digits(self.rest);
        if self.rest.get(len..).is_some_and(|rest| rest.starts_with('.')) {
            len += 1 + digits(self.rest.get(len + 1..).unwrap_or(""));
        }
        let (number, after) = self.rest.split_at(len);
        self.number = number.parse().map_err(|_| format!("{number:?} is no number"))?;
        self.item = Item::Number;
        self.rest = after;
        Ok(())
    }

    fn word(&mut self) -> &'p str {
        let (word, after) = self.rest.split_at(self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len()));
        self.rest = after;
        word
    }

    fn name(&mut self) -> Result<()> {
        self.item = Item::Name;
        self.name = self.word().to_owned();
        self.prefix.clear();
        let wrong = || Err("a qualified name is not valid".to_owned());
        if let Some(after) = self.rest.strip_prefix("::") {
            self.rest = after;
            self.item = Item::Axis;
        } else if let Some(after) = self.rest.strip_prefix(':') {
            self.rest = after;
            self.prefix = std::mem::take(&mut self.name);
            if let Some(after) = after.strip_prefix('*') {
                self.rest = after;
                self.name = "*".to_owned();
            } else if after.starts_with(is_name) {
                self.name = self.word().to_owned();
            } else {
                return wrong();
            }
        } else {
            self.blanks();
            if let Some(after) = self.rest.strip_prefix("::") {
                self.rest = after;
                self.item = Item::Axis;
            } else if self.rest.starts_with(':') {
                return wrong();
            }
        }
        self.blanks();
        self.is_call = self.rest.starts_with('(');
        Ok(())
    }
}
