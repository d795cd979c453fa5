//! A line of the prompt: SQL, or a question's name with its parameters, as the command line has them.

use spanmill_console::What;
use spanmill_query::Question;

/// What is asked, and the parameters that stand behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) what: What,
    pub(super) parameters: Vec<(String, String)>,
    /// So many rows at most.
    pub(super) limit: Option<usize>,
}

// === impl Typed ===

impl Typed {
    /// Reads a line. What begins with a question's name and has options is that question.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let mut words = line.trim().trim_end_matches(';').split_whitespace();
        let (name, rest) = (words.next().unwrap_or_default(), words.clone().next());
        if rest.is_none_or(|rest| !rest.starts_with("--")) || Question::named(name).is_err() {
            return Ok(Self { what: What::read(line), parameters: Vec::new(), limit: None });
        }
        let (mut parameters, mut limit) = (Vec::new(), None);
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else {
                return Err(format!("{word:?} is no option; --since 1h is one"));
            };
            let (option, value) = option.split_once('=').unwrap_or((option, ""));
            let value = if value.is_empty() { words.next() } else { Some(value) };
            let value = value.ok_or_else(|| format!("--{option} wants a value"))?;
            if option == "limit" {
                limit = Some(value.parse().map_err(|_| format!("--limit: {value:?} is no number"))?);
                continue;
            }
            // A parameter may be named as an option as well.
            let pair = if option == "param" { value.split_once('=') } else { Some((option, value)) };
            let (option, value) = pair.ok_or_else(|| format!("--param {value}: a name and a value are wanted"))?;
            parameters.push((option.to_owned(), value.to_owned()));
        }
        Ok(Self { what: What::Named(name.to_owned()), parameters, limit })
    }

    /// Whether nothing has to follow: questions end with their line, SQL with a semicolon.
    pub(super) fn is_whole(line: &str) -> bool {
        let line = line.trim();
        line.is_empty()
            || line.starts_with('\\')
            || line.ends_with(';')
            || Self::read(line).map_or(true, |typed| matches!(typed.what, What::Named(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: questions with and without options, SQL on one line and on several, mistakes.
    /// Guarantees: a question is whole by itself and has its options; SQL waits for its semicolon.
    #[test]
    fn lines() {
        let read = |line: &str| Typed::read(line).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let asked = read("cost-by-user --since 1h --service=shop --param model=m --limit 5");
        assert_eq!(asked.what, What::Named("cost-by-user".to_owned()));
        assert_eq!(asked.parameters, [pair("since", "1h"), pair("service", "shop"), pair("model", "m")]);
        assert_eq!(asked.limit, Some(5));
        assert!(Typed::read("cost-by-user --since").unwrap_err().contains("value"));
        assert_eq!(read("SELECT 1;").what, What::Sql("SELECT 1".to_owned()));
        for whole in ["cost-by-user --since 1h", "cost-by-user", "SELECT\n1;", "\\q", ""] {
            assert!(Typed::is_whole(whole), "{whole}");
        }
        for part in ["select", "SELECT 1", "SELECT -- one"] {
            assert!(!Typed::is_whole(part), "{part}");
        }
    }
}
