//! SQL without its literals, as `github.com/DataDog/go-sqllexer` does it (MIT License), which the Collector uses: literals become question
//! marks, digits in names too, and everything else stays as it is.
use super::lexer::{Lexer, Token};

/// Functions in functions; what is deeper is hidden whole.
const DEEPEST: u8 = 4;

/// The query with question marks in the place of literals.
pub(super) fn sanitize(query: &[u8], mysql: bool) -> Vec<u8> {
    sanitize_at(query, mysql, 0)
}

fn sanitize_at(query: &[u8], mysql: bool, depth: u8) -> Vec<u8> {
    let mut lexer = Lexer { query, at: 0, mysql };
    let mut out = Vec::with_capacity(query.len());
    loop {
        let start = lexer.at;
        let token = lexer.scan();
        let text = query.get(start..lexer.at).unwrap_or_default();
        match token {
            Token::End => break,
            Token::Kept => out.extend_from_slice(text),
            Token::Hidden => out.push(b'?'),
            Token::Name => put_name(&mut out, text),
            Token::Function if depth >= DEEPEST => out.push(b'?'),
            Token::Function => {
                let mark = b"$func$";
                let body = text.get(mark.len()..text.len() - mark.len()).unwrap_or_default();
                out.extend_from_slice(mark);
                out.extend_from_slice(&sanitize_at(body, mysql, depth + 1));
                out.extend_from_slice(mark);
            }
        }
    }
    super::trim(&out).to_vec()
}

/// A name with a question mark in the place of each number in it.
fn put_name(out: &mut Vec<u8>, name: &[u8]) {
    let mut in_number = false;
    for byte in name {
        let digit = byte.is_ascii_digit();
        if !digit {
            out.push(*byte);
        } else if !in_number {
            out.push(b'?');
        }
        in_number = digit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(query: &str) -> String {
        String::from_utf8(sanitize(query.as_bytes(), false)).unwrap()
    }

    /// Scenario: statements with literals of all forms, names with digits, comments and parameters.
    /// Guarantees: literals and digits go, everything else keeps its form.
    #[test]
    fn statements() {
        for (given, expected) in [
            ("SELECT * FROM users WHERE id = 42", "SELECT * FROM users WHERE id = ?"),
            (
                "select a1, b from t2 where s='x\\'y' and n IN (1, -2.5e+3, 0x1F, 017)",
                "select a?, b from t? where s=? and n IN (?, ?, ?, ?)",
            ),
            ("INSERT INTO t VALUES (NULL, true, 'unfinished", "INSERT INTO t VALUES (?, ?, ?"),
            ("SELECT \"id1\".\"b\" FROM x -- 5\n;", "SELECT \"id?\".\"b\" FROM x -- 5\n;"),
            ("SELECT $1, :name, @p1, @@v2 /* 5 */ FROM f1(7)", "SELECT ?, :name, @p1, @@v2 /* 5 */ FROM f1(?)"),
            ("SELECT $$secret$$, $func$select 1$func$", "SELECT ?, $func$select ?$func$"),
            ("a=?b", "a=?b"),
            ("  x  ", "x"),
            ("FROM.5e3", "FROM.?"),
        ] {
            assert_eq!(plain(given), expected, "{given}");
        }
        assert_eq!(sanitize(b"select `a1` from t where b = \"c\" # 5", true), b"select `a?` from t where b = ? # 5");
        assert_eq!(plain("select \"c"), "select \"c");
    }

    proptest::proptest! {
        /// Scenario: any bytes.
        /// Guarantees: the lexer ends, and never panics.
        #[test]
        fn any_bytes(query in proptest::collection::vec(proptest::num::u8::ANY, 0..200), mysql: bool) {
            sanitize(&query, mysql);
        }
    }
}
