//! What stands at the beginning of a question's file.
//!
//! ```sql
//! -- title: Slow although small
//! -- since: 24h
//! -- service: text; only this service
//! -- limit: integer = 50; so many calls
//! --
//! -- What it answers, and how.
//! SELECT …
//! ```

use super::{Parameter, ParameterKind, Question};

/// Reads a file; none where it does not begin so.
pub(super) fn read(name: &'static str, text: &'static str) -> Option<Question> {
    let sql = text.lines().find(|line| !line.starts_with("--"))?;
    let begin = sql.as_ptr() as usize - text.as_ptr() as usize;
    let (front, sql) = text.split_at_checked(begin)?;
    let (mut title, mut since, mut parameters) = (None, None, Vec::new());
    let mut lines = front.lines().map(|line| line.trim_start_matches("--").trim());
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let (key, value) = line.split_once(": ")?;
        match key {
            "title" => title = Some(value),
            "since" => since = Some(value),
            name => parameters.push(parameter(name, value)?),
        }
    }
    let answers = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    Some(Question { name, title: title?, answers, parameters, since: since?, sql })
}

fn parameter(name: &'static str, text: &'static str) -> Option<Parameter> {
    let (kind, about) = text.split_once("; ")?;
    let (kind, default) = match kind.split_once(" = ") {
        Some((kind, default)) => (kind, Some(default)),
        None => (kind, None),
    };
    Some(Parameter { name, kind: ParameterKind::parse(kind)?, default, about })
}
