//! Questions with names.

mod front;
mod texts;

use std::borrow::Cow;
use std::sync::LazyLock;

use datafusion::common::ScalarValue;
use jiff::Timestamp;
use serde::Serialize;
use spanmill_config::Duration;

use crate::error::QueryError;
use crate::moment::Moment;
use crate::parameter::Parameters;
use crate::service::Request;

/// A question with a name: SQL with parameters.
#[derive(Debug, Clone, Serialize)]
pub struct Question {
    /// Its name.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What it answers, and how.
    pub answers: String,
    /// What can be given. All take `since`, `until`, `tenant`, `max_rows` and `timeout` beside these.
    pub parameters: Vec<Parameter>,
    /// Where its period begins, unless that is given.
    pub since: &'static str,
    /// The SQL.
    pub sql: &'static str,
}

/// A parameter of a question.
#[derive(Debug, Clone, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What is to be given.
    pub kind: ParameterKind,
    /// Its value where none is given; none stands for null.
    pub default: Option<&'static str>,
    /// What it means.
    pub about: &'static str,
}

/// What is to be given for a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A width of time, such as `5m`.
    Width,
}

static ALL: LazyLock<Vec<Question>> =
    LazyLock::new(|| texts::TEXTS.iter().filter_map(|(name, text)| front::read(name, text)).collect());

/// Names that differ in more than this share are not what was meant.
const NEAR: f64 = 0.6;

/// Seconds since 1970 between which times of nanoseconds are, as functions such as `date_trunc` have them, and a year less. No span is older or newer.
const FIRST: i64 = i64::MIN / 1_000_000_000 + 366 * 86_400;
const LAST: i64 = i64::MAX / 1_000_000_000 - 366 * 86_400;

// === impl Question ===

impl Question {
    /// All of them, by name.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// The one of that name.
    pub fn named(name: &str) -> Result<&'static Self, QueryError> {
        Self::all().iter().find(|question| question.name == name).ok_or_else(|| {
            let mut near: Vec<(f64, &'static str)> = Self::all()
                .iter()
                .map(|question| (strsim::jaro_winkler(name, question.name), question.name))
                .filter(|(likeness, _)| *likeness > NEAR)
                .collect();
            near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
            let near = near.into_iter().take(3).map(|(_, name)| name).collect();
            QueryError::UnknownQuestion { name: name.to_owned(), near }
        })
    }

    /// The query that answers it, with what was given as texts; times count from `now`.
    pub fn request<'a>(
        &self,
        given: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
        now: Timestamp,
    ) -> Result<Request, QueryError> {
        let mut request = Request { sql: self.sql.to_owned(), ..Request::default() };
        let (mut since, mut until) = (moment("since", self.since, now)?, now);
        let mut values = Vec::new();
        for parameter in &self.parameters {
            values.push((parameter.name.to_owned(), parameter.value(parameter.default)?));
        }
        let mut seen = Vec::new();
        for (name, text) in given {
            if seen.contains(&name) {
                return Err(QueryError::Request(format!("{name} is given twice")));
            }
            seen.push(name.clone());
            // A field that was left empty in a form is not given.
            if text.is_empty() && self.knows(&name) {
                continue;
            }
            match &*name {
                "since" => since = moment("since", &text, now)?,
                "until" => until = moment("until", &text, now)?,
                "tenant" => request.tenant = Some(text.into_owned()),
                "max_rows" => {
                    request.max_rows = Some(text.parse().map_err(|_| wrong("max_rows", "a whole number", &text))?)
                }
                "timeout" => {
                    let timeout = text.parse::<Duration>().ok().and_then(Duration::positive);
                    request.timeout = Some(timeout.ok_or_else(|| wrong("timeout", "a time such as 30s", &text))?);
                }
                other => {
                    let known = self.parameters.iter().zip(&mut values).find(|(parameter, _)| parameter.name == other);
                    let Some((parameter, (_, value))) = known else { return Err(self.unknown_parameter(other)) };
                    *value = parameter.value(Some(&text))?;
                }
            }
        }
        if since >= until {
            return Err(QueryError::Request(format!("since: {since} is not before {until}, where the period ends")));
        }
        for (name, time) in [("since", since), ("until", until)] {
            let time = time.clamp(Timestamp::constant(FIRST, 0), Timestamp::constant(LAST, 0));
            let time = ScalarValue::TimestampMicrosecond(Some(time.as_microsecond()), Some("UTC".into()));
            values.push((name.to_owned(), time));
        }
        request.parameters = Parameters::Named(values);
        Ok(request)
    }

    fn known(&self) -> impl Iterator<Item = &'static str> {
        let own = self.parameters.iter().map(|parameter| parameter.name);
        ["since", "until"].into_iter().chain(own).chain(["tenant", "max_rows", "timeout"])
    }

    fn knows(&self, name: &str) -> bool {
        self.known().any(|known| known == name)
    }

    fn unknown_parameter(&self, name: &str) -> QueryError {
        let known: Vec<&str> = self.known().collect();
        QueryError::Request(format!("{} has no parameter {name:?}; it has {}", self.name, known.join(", ")))
    }
}

// === impl Parameter ===

impl Parameter {
    fn value(&self, text: Option<&str>) -> Result<ScalarValue, QueryError> {
        let refused = |what| wrong(self.name, what, text.unwrap_or_default());
        Ok(match self.kind {
            ParameterKind::Text | ParameterKind::Width => ScalarValue::Utf8(text.map(str::to_owned)),
            ParameterKind::Integer => {
                let number = text.map(str::parse).transpose();
                ScalarValue::Int64(number.map_err(|_| refused("a whole number"))?)
            }
            ParameterKind::Number => {
                let number = text.map(str::parse).transpose();
                ScalarValue::Float64(number.map_err(|_| refused("a number"))?)
            }
        })
    }
}

// === impl ParameterKind ===

impl ParameterKind {
    /// How it is called in files.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "integer" => Some(Self::Integer),
            "number" => Some(Self::Number),
            "width" => Some(Self::Width),
            _ => None,
        }
    }
}

fn moment(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, QueryError> {
    text.parse::<Moment>().map(|moment| moment.at(now)).map_err(|error| QueryError::Request(format!("{name}: {error}")))
}

fn wrong(name: &str, wanted: &str, text: &str) -> QueryError {
    QueryError::Request(format!("{name}: {text:?} is not {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: the files of all questions.
    /// Guarantees: each is read, is documented, and uses every parameter it names.
    #[test]
    fn files_are_whole() {
        assert_eq!(Question::all().len(), texts::TEXTS.len());
        for question in Question::all() {
            assert!(!question.title.is_empty() && question.answers.len() > 40, "{}", question.name);
            for parameter in question.parameters.iter().map(|parameter| parameter.name).chain(["since", "until"]) {
                assert!(question.sql.contains(&format!("${parameter}")), "{}: ${parameter}", question.name);
            }
        }
    }

    /// Scenario: a name that is misspelt, parameters that do not exist, periods that end before they begin.
    /// Guarantees: each is refused, and the reason helps.
    #[test]
    fn mistakes() {
        let Err(QueryError::UnknownQuestion { near, .. }) = Question::named("slowsmall") else { panic!("found") };
        assert_eq!(near[0], "slow-small");
        let ask = |name: &'static str, value: &'static str| {
            let given = [(Cow::Borrowed(name), Cow::Borrowed(value))];
            Question::named("slow-small").unwrap().request(given, Timestamp::now()).unwrap_err().to_string()
        };
        assert!(ask("servce", "x").contains("service"));
        assert!(ask("servce", "").contains("service"));
        assert!(ask("limit", "many").contains("whole number"));
        assert!(ask("since", "2999-01-01").contains("before"));
        assert!(ask("since", "yesterday").contains("7d"));
        let twice =
            [("service", "a"), ("service", "b")].map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
        let error = Question::named("slow-small").unwrap().request(twice, Timestamp::now()).unwrap_err();
        assert_eq!(error.to_string(), "service is given twice");
    }

    /// Scenario: parameters of all kinds with an empty text.
    /// Guarantees: each is as if it had not been given; one that does not exist is refused nevertheless.
    #[test]
    fn nothing_is_given() {
        let values = |given: Option<(&'static str, &'static str)>| {
            let given = given.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
            let request = Question::named("slow-small").unwrap().request(given, Timestamp::UNIX_EPOCH).unwrap();
            format!("{request:?}")
        };
        for name in ["service", "limit", "since", "until", "tenant", "max_rows", "timeout"] {
            assert_eq!(values(Some((name, ""))), values(None), "{name}");
        }
        assert_ne!(values(Some(("tenant", "shop"))), values(None));
        assert_ne!(values(Some(("service", "shop"))), values(None));
    }
}
