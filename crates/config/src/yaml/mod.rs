//! YAML text to a tree with places.
//!
//! The text is read twice: by a parser that tells the line of every value, from which the tree is built, and by libyaml's grammar
//! (`serde_yaml`), which is the one that the Collector's parser has and therefore says what is YAML at all.

mod builder;
mod scalar;
mod timestamp;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use saphyr_parser::{Event, Parser};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{Node, Place};
use builder::Builder;
pub(crate) use scalar::plain;

/// The longest text, in bytes. The largest known configurations have some hundred kilobytes.
pub(crate) const MAX_TEXT: usize = 16 * 1024 * 1024;
/// The deepest nesting of lists and maps.
pub(crate) const MAX_DEPTH: usize = 100;
/// The most values in one text, with aliases counted as often as they are used.
pub(crate) const MAX_VALUES: usize = 1_000_000;

/// Why a text is no YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub(crate) struct YamlError {
    pub(crate) place: Place,
    pub(crate) message: String,
}

/// Reads the first document of `text`; `source` is what places are said to be in. An empty text is nothing.
pub(crate) fn parse(text: &str, source: &str) -> Result<Node, YamlError> {
    let source: Arc<str> = Arc::from(source);
    let error = |line: usize, message: String| YamlError { place: Place::new(Arc::clone(&source), line), message };
    if text.len() > MAX_TEXT {
        return Err(error(1, format!("longer than {MAX_TEXT} bytes")));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::new(Arc::clone(&source));
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|scan| error(scan.marker().line(), format!("invalid YAML: {}", scan.info())))?;
        let line = span.start.line();
        match event {
            Event::DocumentEnd | Event::StreamEnd => break,
            event => builder.on_event(event, line).map_err(|message| error(line, message))?,
        }
    }
    let node = builder.finish().map_err(|message| error(1, message))?;
    // Second, as the time that libyaml takes grows with the square of the depth, which is known to be small by now.
    check_grammar(text).map_err(|(line, message)| error(line, message))?;
    Ok(node)
}

/// Refuses what libyaml refuses; gives line and message.
fn check_grammar(text: &str) -> Result<(), (usize, String)> {
    let Some(document) = serde_yaml::Deserializer::from_str(text).next() else { return Ok(()) };
    match IgnoredAny::deserialize(document) {
        Ok(_) => Ok(()),
        Err(error) => {
            let line = error.location().map_or(1, |location| location.line());
            Err((line, format!("invalid YAML: {error}")))
        }
    }
}
