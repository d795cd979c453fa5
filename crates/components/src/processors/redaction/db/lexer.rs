//! Tokens of SQL, as `github.com/DataDog/go-sqllexer` cuts them (MIT License).

/// Reads one token after the other, to replace some of them.
pub(super) struct Lexer<'q> {
    pub(super) query: &'q [u8],
    pub(super) at: usize,
    /// MySQL quotes texts with double quotes, and begins comments with `#`.
    pub(super) mysql: bool,
}

/// What becomes of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Kept,
    /// A literal.
    Hidden,
    /// A name, perhaps with digits in it.
    Name,
    /// `$func$` with SQL in it.
    Function,
    End,
}

/// Words that end a name before a dot, upper case; those that stand for a literal are hidden.
const KEYWORDS: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "ALTER",
    "DROP",
    "JOIN",
    "GRANT",
    "REVOKE",
    "COMMIT",
    "BEGIN",
    "TRUNCATE",
    "MERGE",
    "EXECUTE",
    "EXEC",
    "EXPLAIN",
    "STRAIGHT_JOIN",
    "USE",
    "CLONE",
    "FROM",
    "INTO",
    "TABLE",
    "EXISTS",
    "ONLY",
    "ADD",
    "ALL",
    "AND",
    "ANY",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CHECK",
    "COLUMN",
    "CONSTRAINT",
    "DATABASE",
    "DECLARE",
    "DEFAULT",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "ESCAPE",
    "FOREIGN",
    "GROUP",
    "HAVING",
    "IN",
    "INDEX",
    "INNER",
    "IS",
    "KEY",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "ON",
    "OR",
    "ORDER",
    "OUT",
    "OUTER",
    "PRIMARY",
    "PROCEDURE",
    "REPLACE",
    "RETURNS",
    "RIGHT",
    "ROLLBACK",
    "ROWNUM",
    "SET",
    "SOME",
    "TOP",
    "UNION",
    "UNIQUE",
    "VALUES",
    "VIEW",
    "WHERE",
    "CUBE",
    "ROLLUP",
    "LITERAL",
    "WINDOW",
    "VACCUM",
    "ANALYZE",
    "ILIKE",
    "USING",
    "ASSERTION",
    "DOMAIN",
    "CLUSTER",
    "COPY",
    "PLPGSQL",
    "TRIGGER",
    "TEMPORARY",
    "UNLOGGED",
    "RECURSIVE",
    "RETURNING",
    "OFFSET",
    "OF",
    "SKIP",
    "IF",
    "PROC",
    "WITH",
    "AS",
];
const LITERALS: [&str; 3] = ["TRUE", "FALSE", "NULL"];

// === impl Lexer ===

impl Lexer<'_> {
    pub(super) fn scan(&mut self) -> Token {
        let next = self.byte(1);
        match self.byte(0) {
            0 => Token::End,
            b' ' | b'\t' | b'\n' | b'\r' => self.skip_while(is_space),
            _ if is_letter(self.character()) => self.name(),
            b'"' if self.mysql => self.text(b'"'),
            b'"' => self.quoted(b'"'),
            b'`' if self.mysql => self.quoted(b'`'),
            b'\'' => self.text(b'\''),
            b'-' if next == b'-' => self.comment(2),
            b'#' if self.mysql => self.comment(1),
            b'/' if next == b'*' => self.long_comment(),
            b'+' | b'-' if next.is_ascii_digit() || next == b'.' => {
                self.at += 1;
                self.number()
            }
            b'0' if matches!(next, b'x' | b'X') => {
                self.at += 2;
                self.skip_while(|byte| byte.is_ascii_hexdigit());
                Token::Hidden
            }
            b'0' if matches!(next, b'0'..=b'7') => {
                self.at += 2;
                self.skip_while(|byte| matches!(byte, b'0'..=b'7'));
                Token::Hidden
            }
            b'0'..=b'9' => {
                self.at += 1;
                self.number()
            }
            b'*' => self.keep(1),
            b'$' if next.is_ascii_digit() => {
                self.at += 2;
                self.skip_while(|byte| byte.is_ascii_digit());
                Token::Hidden
            }
            b'$' => self.dollar_quoted(),
            b'@' => self.at_sign(next),
            byte if is_operator(byte) => self.operator(byte),
            // Punctuation, and whatever else there is.
            _ => self.keep(1),
        }
    }

    /// The byte that many ahead; zero, which ends everything, behind the end.
    fn byte(&self, ahead: usize) -> u8 {
        self.query.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The character that begins here; a replacement where none does.
    fn character(&self) -> char {
        character_at(self.query, self.at)
    }

    fn keep(&mut self, bytes: usize) -> Token {
        self.at = (self.at + bytes).min(self.query.len());
        Token::Kept
    }

    fn skip_while(&mut self, met: impl Fn(u8) -> bool) -> Token {
        while self.at < self.query.len() && met(self.byte(0)) {
            self.at += 1;
        }
        Token::Kept
    }

    /// The rest of a number, with an exponent perhaps.
    fn number(&mut self) -> Token {
        loop {
            match self.byte(0) {
                b'0'..=b'9' | b'.' => self.at += 1,
                b'e' | b'E' => {
                    self.at += 1;
                    if matches!(self.byte(0), b'+' | b'-') {
                        self.at += 1;
                    }
                }
                _ => return Token::Hidden,
            }
        }
    }

    /// A literal in quotes; one that does not end is one, too.
    fn text(&mut self, quote: u8) -> Token {
        self.at += 1;
        let mut escaped = false;
        while self.byte(0) != 0 {
            let byte = self.byte(0);
            self.at += 1;
            if !escaped && byte == quote {
                break;
            }
            escaped = !escaped && byte == b'\\';
        }
        Token::Hidden
    }

    /// A name in quotes, or several with dots between them. One that does not end is kept as it is.
    fn quoted(&mut self, quote: u8) -> Token {
        self.at += 1;
        loop {
            match self.byte(0) {
                0 => return Token::Kept,
                byte if byte == quote && self.byte(1) == b'.' && self.byte(2) == quote => self.at += 3,
                byte => {
                    self.at += 1;
                    if byte == quote {
                        return Token::Name;
                    }
                }
            }
        }
    }

    fn name(&mut self) -> Token {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let word = self.query.get(start..self.at).unwrap_or_default();
        let is_word = |known: &str| known.as_bytes().eq_ignore_ascii_case(word);
        let next = self.byte(0);
        if next == 0 || is_space(next) || b"(),;.:[]{}".contains(&next) {
            if LITERALS.iter().any(|known| is_word(known)) {
                return Token::Hidden;
            }
            if KEYWORDS.iter().any(|known| is_word(known)) {
                return Token::Kept;
            }
        }
        while is_of_name(self.character()) && self.at < self.query.len() {
            self.at += self.character().len_utf8();
        }
        // Functions keep their names.
        if self.byte(0) == b'(' { Token::Kept } else { Token::Name }
    }

    fn comment(&mut self, mark: usize) -> Token {
        self.keep(mark);
        self.skip_while(|byte| byte != b'\n' && byte != 0)
    }

    fn long_comment(&mut self) -> Token {
        self.at += 2;
        while self.byte(0) != 0 {
            if (self.byte(0), self.byte(1)) == (b'*', b'/') {
                return self.keep(2);
            }
            self.at += 1;
        }
        Token::Kept
    }

    /// `$tag$ ... $tag$`. One that does not end is kept as it is.
    fn dollar_quoted(&mut self) -> Token {
        let start = self.at;
        self.at += 1;
        self.skip_while(|byte| byte != b'$');
        self.keep(1);
        let tag = self.query.get(start..self.at).unwrap_or_default();
        let rest = self.query.get(self.at..).unwrap_or_default();
        match rest.windows(tag.len()).position(|window| window == tag) {
            Some(length) => {
                self.at += length + tag.len();
                if tag == b"$func$" { Token::Function } else { Token::Hidden }
            }
            None => self.keep(rest.len()),
        }
    }

    /// Variables, parameters, and operators on JSON.
    fn at_sign(&mut self, next: u8) -> Token {
        let is_of_word = |lexer: &Self| is_alphanumeric(lexer.character());
        let ahead = |by: usize| is_alphanumeric(character_at(self.query, self.at + by));
        let word_begins = match next {
            b'@' if ahead(2) => 3,
            b'@' | b'?' | b'>' => return self.keep(2),
            _ if ahead(1) => 2,
            _ => return self.operator(b'@'),
        };
        // The first character is taken byte by byte, as there.
        self.keep(word_begins);
        while is_of_word(self) && self.at < self.query.len() {
            self.at += 1;
        }
        Token::Kept
    }

    fn operator(&mut self, first: u8) -> Token {
        let mut last = first;
        self.at += 1;
        let next = self.byte(0);
        let json: &[u8] = match (first, next) {
            (b'-', b'>') => b"->>",
            (b'#', b'>') => b"#>>",
            (b'#', b'-') | (b'?', b'|' | b'&') | (b'<', b'@') => return self.keep(1),
            _ => b"",
        };
        if !json.is_empty() {
            return self.keep(if self.byte(1) == b'>' { 2 } else { 1 });
        }
        // In `=?` the question mark is a parameter.
        while is_operator(self.byte(0)) && !(last == b'=' && matches!(self.byte(0), b'?' | b'@')) {
            last = self.byte(0);
            self.at += 1;
        }
        Token::Kept
    }
}

fn character_at(text: &[u8], at: usize) -> char {
    let rest = text.get(at..).unwrap_or_default();
    let Some(first) = rest.first() else { return '\0' };
    if first.is_ascii() {
        return char::from(*first);
    }
    let decode = |length: usize| std::str::from_utf8(rest.get(..length)?).ok()?.chars().next();
    (2..=4).find_map(decode).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_letter(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn is_alphanumeric(character: char) -> bool {
    is_letter(character) || character.is_numeric()
}

fn is_of_name(character: char) -> bool {
    is_letter(character)
        || character.is_ascii_digit()
        || matches!(character, '"' | '.' | '?' | '$' | '#' | '/' | '@' | '!')
}

fn is_operator(byte: u8) -> bool {
    b"+-*/=<>!&|^%~?@:#".contains(&byte)
}
