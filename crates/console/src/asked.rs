//! What is asked.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};
use spanmill_query::{Moment, Parameters, Question, Request};

use crate::error::ConsoleError;

/// What is asked, and what an answer may take.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The question.
    pub what: What,
    /// Names and values of parameters, `since`, `until` and `service` among them.
    pub parameters: Vec<(String, String)>,
    /// So many rows at most.
    pub limit: usize,
    /// So much time at most.
    pub timeout: Duration,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// One with a name.
    Named(String),
    /// SQL.
    Sql(String),
}

/// Words that statements begin with; the rest may be on the next line.
const STATEMENTS: [&str; 7] = ["select", "with", "values", "explain", "show", "describe", "table"];

// === impl What ===

impl What {
    /// One word without signs of SQL is a name, unless a statement begins so; everything else is SQL.
    pub fn read(text: &str) -> Self {
        let text = text.trim().trim_end_matches(';').trim_end();
        let of_name = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_');
        let begins_statement = STATEMENTS.iter().any(|word| word.eq_ignore_ascii_case(text));
        if !text.is_empty() && text.chars().all(of_name) && !begins_statement {
            return Self::Named(text.to_owned());
        }
        Self::Sql(text.to_owned())
    }

    /// Whether it is SQL with this parameter in it.
    pub fn has_placeholder(&self, name: &str) -> bool {
        let Self::Sql(sql) = self else { return false };
        let goes_on = |rest: &str| rest.starts_with(|sign: char| sign.is_alphanumeric() || sign == '_');
        sql.split('$').skip(1).any(|rest| rest.strip_prefix(name).is_some_and(|rest| !goes_on(rest)))
    }
}

// === impl Asked ===

impl Asked {
    /// The same, with the limit given to a question that has a parameter for it, unless that was given already.
    #[must_use]
    pub fn with_own_limit(mut self) -> Self {
        let What::Named(name) = &self.what else { return self };
        let has_limit = |question: &&Question| question.parameters.iter().any(|parameter| parameter.name == "limit");
        // One more tells whether there are more.
        if Question::named(name).ok().filter(has_limit).is_some() && self.pairs().all(|(name, _)| name != "limit") {
            self.parameters.push(("limit".to_owned(), self.limit.saturating_add(1).to_string()));
        }
        self
    }

    /// The query that answers it.
    pub(crate) fn request(&self) -> Result<Request, ConsoleError> {
        let now = Timestamp::now();
        let mut request = match &self.what {
            What::Named(name) => {
                let given =
                    self.parameters.iter().map(|(name, value)| (Cow::Borrowed(&**name), Cow::Borrowed(&**value)));
                Question::named(name)?.request(given, now)?
            }
            What::Sql(sql) => self.of_sql(sql, now)?,
        };
        // One more tells whether there are more.
        request.max_rows = Some((self.limit as u64).saturating_add(1));
        request.timeout = Some(self.timeout);
        Ok(request)
    }

    /// The parameters of a named question, as a server takes them.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The parameters of SQL as JSON. What reads as a number or a truth is one, and the period is given as times.
    pub(crate) fn json(&self, now: Timestamp) -> Result<Map<String, Value>, ConsoleError> {
        let mut values = Map::new();
        for (name, text) in self.pairs().filter(|(name, _)| *name != "tenant") {
            let value = match name {
                "since" | "until" => {
                    let moment: Moment =
                        text.parse().map_err(|error| ConsoleError::Usage(format!("--{name}: {error}")))?;
                    Value::String(moment.at(now).to_string())
                }
                _ => match serde_json::from_str(text) {
                    Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => value,
                    _ => Value::String(text.to_owned()),
                },
            };
            if values.insert(name.to_owned(), value).is_some() {
                return Err(ConsoleError::Usage(format!("{name} is given twice")));
            }
        }
        if self.what.has_placeholder("until") {
            values.entry("until").or_insert_with(|| Value::String(now.to_string()));
        }
        Ok(values)
    }

    /// Whose rows only exist.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.pairs().find(|(name, _)| *name == "tenant").map(|(_, tenant)| tenant)
    }

    fn of_sql(&self, sql: &str, now: Timestamp) -> Result<Request, ConsoleError> {
        let parameters = Parameters::from_json(&Value::Object(self.json(now)?))?;
        let tenant = self.tenant().map(str::to_owned);
        Ok(Request { sql: sql.to_owned(), parameters, tenant, ..Request::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: names and statements, with and without semicolons.
    /// Guarantees: a word is a name, anything more is SQL.
    #[test]
    fn names_and_statements() {
        assert_eq!(What::read(" slow-small; "), What::Named("slow-small".to_owned()));
        assert_eq!(What::read("SELECT 1;"), What::Sql("SELECT 1".to_owned()));
        assert_eq!(What::read("select"), What::Sql("select".to_owned()));
        assert_eq!(What::read(""), What::Sql(String::new()));
    }

    /// Scenario: SQL with `$until`, with and without it given, and SQL with a parameter that only begins so.
    /// Guarantees: the period ends now unless another end is given; nobody else has the parameter.
    #[test]
    fn the_period_ends_now() {
        let now = Timestamp::UNIX_EPOCH;
        let until = |sql: &str, given: &[&str]| {
            let parameters = given.iter().map(|time| ("until".to_owned(), (*time).to_owned())).collect();
            let asked = Asked { what: What::read(sql), parameters, limit: 1, timeout: Duration::from_secs(1) };
            asked.json(now).unwrap().get("until").map(|time| time.as_str().unwrap().to_owned())
        };
        assert_eq!(until("SELECT $since, $until", &[]).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(until("SELECT $until", &["2026-01-01"]).as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(until("SELECT $untilled, $since", &[]), None);
    }

    /// Scenario: a limit for a question that has one of its own, with and without it given, and for SQL.
    /// Guarantees: the question finds one row more, so that it is seen whether there are more; what was given stays.
    #[test]
    fn limits_of_questions() {
        let asked = |question: &str, parameters: &[(&str, &str)]| {
            let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let asked = Asked { what: What::read(question), parameters, limit: 100, timeout: Duration::from_secs(1) };
            asked.with_own_limit().parameters
        };
        assert_eq!(asked("slow-small", &[]), [("limit".to_owned(), "101".to_owned())]);
        assert_eq!(asked("slow-small", &[("limit", "7")]), [("limit".to_owned(), "7".to_owned())]);
        assert!(asked("SELECT 1", &[]).is_empty());
    }
}
