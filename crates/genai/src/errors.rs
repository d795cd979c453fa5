//! Which class an error belongs to: from its type, an exception, a status code, or its message.

use crate::vocabulary::{ErrorClass, Errors, Words};

/// What a span says about its error.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Signs<'a> {
    /// `error.type`.
    pub(crate) kind: Option<&'a str>,
    /// `exception.type` of the last exception.
    pub(crate) exception: Option<&'a str>,
    /// The HTTP status.
    pub(crate) status: Option<i64>,
    /// Messages: of the exception, of the status, of the instrumentation.
    pub(crate) texts: [Option<&'a str>; 3],
}

/// Messages are looked at this far.
const FAR: usize = 4_096;

// === impl Signs ===

impl Signs<'_> {
    /// The class; none where nothing says that there was an error of a known class.
    pub(crate) fn classify(&self, errors: &Errors) -> Option<ErrorClass> {
        let texts = || self.texts.iter().flatten().map(|text| head(text));
        let types = || [self.kind, self.exception].into_iter().flatten().map(last_segment);
        let lower: Vec<String> = texts().map(str::to_ascii_lowercase).collect();
        in_texts(&lower, &errors.texts)
            .or_else(|| types().find_map(|kind| errors.types.get(kind).copied()))
            .or_else(|| self.kind.and_then(|kind| status(errors, kind.parse().ok()?)))
            .or_else(|| status(errors, self.status?))
            .or_else(|| {
                texts().find_map(|text| {
                    let found = errors.status_in_text.captures_iter(text).find_map(|captures| {
                        let code = captures.get(1).or_else(|| captures.get(2))?;
                        status(errors, code.as_str().parse().ok()?)
                    });
                    found.or_else(|| in_names(errors, text, &errors.types))
                })
            })
            .or_else(|| types().find_map(|kind| errors.general_types.get(kind).copied()))
            .or_else(|| texts().find_map(|text| in_names(errors, text, &errors.general_types)))
            .or_else(|| in_texts(&lower, &errors.weak_texts))
    }
}

/// The class of an HTTP status.
pub(crate) fn status(errors: &Errors, code: i64) -> Option<ErrorClass> {
    let code = u16::try_from(code).ok()?;
    errors.statuses.get(&code).copied().or(match code {
        400..=499 => Some(ErrorClass::InvalidRequest),
        500..=599 => Some(ErrorClass::Server),
        _ => None,
    })
}

fn in_names(errors: &Errors, text: &str, names: &Words<ErrorClass>) -> Option<ErrorClass> {
    errors.type_in_text.find_iter(text).find_map(|found| names.get(found.as_str()).copied())
}

/// The class of the first phrase that stands in a text as whole words.
fn in_texts(texts: &[String], phrases: &[(Box<str>, ErrorClass)]) -> Option<ErrorClass> {
    let stands = |text: &str, phrase: &str| {
        text.match_indices(phrase).any(|(at, _)| {
            let before = text.get(..at).and_then(|head| head.chars().next_back());
            let after = text.get(at + phrase.len()..).and_then(|tail| tail.chars().next());
            ![before, after].into_iter().flatten().any(|c| c.is_alphanumeric() || c == '_')
        })
    };
    phrases.iter().find(|(phrase, _)| texts.iter().any(|text| stands(text, phrase))).map(|(_, class)| *class)
}

fn last_segment(kind: &str) -> &str {
    let name = kind.split([':', '(', ' ']).find(|part| !part.is_empty()).unwrap_or(kind);
    name.rsplit(['.', '/']).next().unwrap_or(name)
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(FAR);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}
