//! What is wrong with a configuration, and where.

use std::fmt;

use crate::Place;
use crate::redact::without_url_secrets;

/// One or several problems of a configuration; shown one a line.
///
/// A problem reads `config.yaml:12: receivers::otlp::protocols::grpc: unknown key "endpont", did you mean "endpoint"?
/// (valid keys: endpoint, tls)`. Place, path and hints are left out where they are not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

/// One problem of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the offending value (or the nearest one that encloses it) was written.
    pub place: Option<Place>,
    /// The path of the offending section or value, like `receivers::otlp::protocols::grpc`; empty for the whole file.
    pub path: String,
    /// What is wrong, in lower case, without the path.
    pub message: String,
    /// The nearest valid name, when a name was not recognised.
    pub suggestion: Option<String>,
    /// What would be valid, like `valid keys: endpoint, tls`.
    pub hint: Option<String>,
    /// The Collector sees it only when it makes the component, so that one which is not used may have it.
    pub at_creation: bool,
}

// === impl Problem ===

impl Problem {
    /// A problem without a place and without hints. Credentials and queries of URLs in the message are not shown.
    pub fn new(path: impl Into<String>, message: impl fmt::Display) -> Self {
        Self {
            place: None,
            path: path.into(),
            message: without_url_secrets(&message.to_string()).into_owned(),
            suggestion: None,
            hint: None,
            at_creation: false,
        }
    }

    /// The same problem with a place.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, ", did you mean {suggestion:?}?")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

// === impl ConfigError ===

impl ConfigError {
    /// An error without a place. Prefer [`Section::error`](crate::Section::error), which finds the place by the path.
    pub fn new(path: impl Into<String>, message: impl fmt::Display) -> Self {
        Problem::new(path, message).into()
    }

    /// All problems as one error, or `Ok` when there are none. One that was found several times, for each pipeline that has a component say, is
    /// told once.
    ///
    /// # Errors
    ///
    /// Fails when `problems` is not empty.
    pub fn all(problems: Vec<Problem>) -> Result<(), Self> {
        let mut told: Vec<Problem> = Vec::with_capacity(problems.len());
        for problem in problems {
            if !told.contains(&problem) {
                told.push(problem);
            }
        }
        if told.is_empty() { Ok(()) } else { Err(Self { problems: told }) }
    }

    /// The same problems as such that the Collector sees only when it makes the component.
    #[must_use]
    pub fn at_creation(mut self) -> Self {
        for problem in &mut self.problems {
            problem.at_creation = true;
        }
        self
    }

    /// The problems, in the order they were found; there is at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Takes the problems out, to collect those of several sections.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: the same problem twice, with another one between.
    /// Guarantees: it is told once, where it was found first.
    #[test]
    fn each_problem_is_told_once() {
        let [first, second] = ["a", "b"].map(|path| Problem::new(path, "wrong"));
        let error = ConfigError::all(vec![first.clone(), second, first]).unwrap_err();
        assert_eq!(error.to_string(), "a: wrong\nb: wrong");
        assert_eq!(ConfigError::all(Vec::new()), Ok(()));
    }
}
