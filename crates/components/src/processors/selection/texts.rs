//! Sets of texts and patterns.

use std::collections::HashSet;

use regex::bytes::Regex;
use spanmill_ottl::compile_re2_groups;

use super::config::PropertiesConfig;

/// Texts that are looked for.
#[derive(Debug)]
pub(in super::super) enum Texts {
    /// Any of these.
    Strict(HashSet<Vec<u8>>),
    /// What any of these occurs in.
    Regexp(Vec<Regex>),
}

// === impl Texts ===

impl Texts {
    /// Compiles texts as `match_type` says, or says what is wrong.
    pub(super) fn compile<'a>(
        config: &PropertiesConfig,
        texts: impl IntoIterator<Item = &'a String>,
    ) -> Result<Self, String> {
        match config.match_type.as_str() {
            "strict" => Ok(Self::Strict(texts.into_iter().map(|text| text.clone().into_bytes()).collect())),
            "regexp" => {
                if config.regexp.as_ref().is_some_and(|regexp| regexp.cacheenabled && regexp.cachemaxnumentries < 0) {
                    return Err("the size of the cache (regexp::cachemaxnumentries) must not be negative".to_owned());
                }
                let compile = |text: &String| match compile_re2_groups(text) {
                    Ok((pattern, _)) => Ok(pattern),
                    Err(error) => Err(format!("invalid pattern {text:?}: {error}")),
                };
                texts.into_iter().map(compile).collect::<Result<_, _>>().map(Self::Regexp)
            }
            other => Err(format!("unrecognized match_type: '{other}', valid types are: [regexp strict]")),
        }
    }

    pub(super) fn contain(&self, text: &[u8]) -> bool {
        match self {
            Self::Strict(texts) => texts.contains(text),
            Self::Regexp(patterns) => patterns.iter().any(|pattern| pattern.is_match(text)),
        }
    }
}
