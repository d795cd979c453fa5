//! The question at the end, put to the store in SQL.

use std::path::Path;

use spanmill_console::{Answer, Asked, ConsoleError, Output, OutputFormat, Source, What};
use spanmill_store::Options;

use super::error::DemoError;

/// Why calls were slow although they were small, and what they were like.
pub(super) const SQL: &str = "\
SELECT slow_small_cause AS cause, count(*) AS calls, avg(duration_s) AS seconds, avg(ttft_s) AS first_token,
       avg(input_tokens) AS tokens_in, avg(output_tokens) AS tokens_out, sum(cost) AS dollars
FROM calls
WHERE slow_small
GROUP BY cause
ORDER BY calls DESC, cause";

/// Asks the store in that folder.
pub(super) fn ask(store: &Path) -> Result<Answer, DemoError> {
    let source = Source::store(Options::new(store.to_string_lossy()), None)?;
    let asked = Asked {
        what: What::Sql(SQL.to_owned()),
        parameters: Vec::new(),
        limit: 100,
        timeout: std::time::Duration::from_secs(60),
    };
    Ok(source.ask(&asked)?)
}

/// The answer in that form.
pub(super) fn written(answer: &Answer, format: OutputFormat, colours: bool) -> Result<String, ConsoleError> {
    let mut text = Vec::new();
    Output { format, width: None, colours }.write(answer, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
