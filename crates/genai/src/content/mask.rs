//! Secrets and personal data, found by pattern.

use std::borrow::Cow;

use regex::Regex;

use super::detect;
use super::digest::{is_hash, is_name};
use super::json::{Edit, document, rewrite};
use super::options::{ContentError, Mask};
use super::place::{DEEPEST, Place};

/// What is masked, compiled.
#[derive(Debug, Default)]
pub(super) struct Masks {
    masks: Vec<Compiled>,
    /// Where references lead to: these are not to be broken.
    store: String,
}

#[derive(Debug)]
struct Compiled {
    name: String,
    pattern: Regex,
    replacement: String,
    /// What of a match really is one: its parts to mask, as ranges.
    parts: fn(&str) -> Vec<std::ops::Range<usize>>,
    /// Whether identifiers may look like it.
    digits: bool,
}

/// Masks the texts of a document.
struct MaskEdit<'a> {
    masks: &'a Masks,
    counts: &'a mut [u64],
}

/// How long the name of what was put aside is.
const NAME: usize = 64;

// === impl Masks ===

impl Masks {
    pub(super) fn new(masks: &[Mask], store: &str) -> Result<Self, ContentError> {
        let mut compiled: Vec<Compiled> = Vec::new();
        // The user's own come first: they know best.
        let own = |mask: &&Mask| matches!(mask, Mask::Own { .. });
        for mask in masks.iter().filter(own).chain(masks.iter().filter(|mask| !own(mask))) {
            let mask = Compiled::new(mask)?;
            if compiled.iter().any(|known| known.name == mask.name) {
                return Err(ContentError::new("mask", format!("{:?} stands there twice", mask.name)));
            }
            compiled.push(mask);
        }
        Ok(Self { masks: compiled, store: store.to_owned() })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.masks.iter().map(|mask| mask.name.as_str())
    }

    /// The text of an attribute without what is to be masked; nothing if there is nothing. Counts by mask.
    pub(super) fn apply(&self, text: &str, place: Place<'_>, counts: &mut [u64]) -> Option<String> {
        let Some(raw) = document(text).filter(|_| place.depth < DEEPEST) else {
            return self.apply_plain(text, place, counts);
        };
        rewrite(raw, place, &mut MaskEdit { masks: self, counts })
    }

    fn apply_plain(&self, text: &str, place: Place<'_>, counts: &mut [u64]) -> Option<String> {
        match self.reference(text) {
            Some((before, reference, after)) => {
                let (first, rest) = (self.apply_words(before, place, counts), self.apply_plain(after, place, counts));
                let changed = first.is_some() || rest.is_some();
                let (first, rest) = (first.as_deref().unwrap_or(before), rest.as_deref().unwrap_or(after));
                changed.then(|| format!("{first}{reference}{rest}"))
            }
            None => self.apply_words(text, place, counts),
        }
    }

    /// What stands before, in, and after the first reference in a text.
    fn reference<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str, &'t str)> {
        let at = text.find(&self.store).filter(|_| !self.store.is_empty())?;
        let end = at + self.store.len() + 1 + NAME;
        let name = text.get(end - NAME..end).filter(|name| is_name(name));
        name.and_then(|_| Some((text.get(..at)?, text.get(at..end)?, text.get(end..)?)))
    }

    fn apply_words(&self, text: &str, place: Place<'_>, counts: &mut [u64]) -> Option<String> {
        if is_hash(text) {
            return None;
        }
        let identifier = place.is_identifier(text);
        let readable = unescaped(text);
        let mut masked: Cow<'_, str> = Cow::Borrowed(&readable);
        let mut found = false;
        for (mask, count) in self.masks.iter().zip(counts) {
            if identifier && mask.digits {
                continue;
            }
            if let Some((text, times)) = mask.replace(&masked) {
                (masked, found) = (Cow::Owned(text), true);
                *count += times;
            }
        }
        found.then(|| if matches!(readable, Cow::Owned(_)) { restored(&masked) } else { masked.into_owned() })
    }
}

// === impl Compiled ===

impl Compiled {
    fn new(mask: &Mask) -> Result<Self, ContentError> {
        match mask {
            Mask::Builtin(name) => {
                let known = detect::BUILTIN.iter().find(|known| known.name == *name);
                let known = known.ok_or_else(|| {
                    let names: Vec<&str> = detect::BUILTIN.iter().map(|known| known.name).collect();
                    ContentError::new("mask", format!("{name:?} is none of {}", names.join(", ")))
                })?;
                let pattern =
                    Regex::new(known.pattern).map_err(|error| ContentError::new("mask", error.to_string()))?;
                let replacement = format!("[masked:{}]", known.label);
                Ok(Self { name: name.clone(), pattern, replacement, parts: known.parts, digits: known.digits })
            }
            Mask::Own { name, pattern, replacement } => {
                let error = |message: String| ContentError::new("mask", format!("{name}: {message}"));
                if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) {
                    return Err(error(format!("the name {name:?} is not made of letters, digits, _, - and .")));
                }
                let pattern = Regex::new(pattern).map_err(|wrong| error(format!("pattern: {wrong}")))?;
                let replacement = replacement.clone().unwrap_or_else(|| format!("[masked:{name}]"));
                if pattern.is_match("") || pattern.is_match(&replacement) {
                    return Err(error("the pattern must not match nothing, nor its own replacement".to_owned()));
                }
                Ok(Self { name: name.clone(), pattern, replacement, parts: detect::all, digits: false })
            }
        }
    }

    fn replace(&self, text: &str) -> Option<(String, u64)> {
        let (mut out, mut copied, mut times) = (String::new(), 0, 0);
        for found in self.pattern.find_iter(text) {
            for part in (self.parts)(found.as_str()) {
                let (start, end) = (found.start() + part.start, found.start() + part.end);
                out.push_str(text.get(copied..start).unwrap_or_default());
                out.push_str(&self.replacement);
                (copied, times) = (end, times + 1);
            }
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        (times > 0).then_some((out, times))
    }
}

// === impl MaskEdit ===

impl Edit for MaskEdit<'_> {
    fn key(&mut self, key: &str) -> Option<String> {
        let nowhere = Place::attribute("");
        self.masks.apply_plain(key, nowhere, self.counts)
    }

    fn text(&mut self, text: &str, _: usize, place: Place<'_>) -> Option<String> {
        // Texts are often JSON again.
        self.masks.apply(text, Place { depth: place.depth + 1, ..place }, self.counts)
    }
}

/// A text with what JSON can spell otherwise: texts that are no whole JSON often are the beginning of some, or hold some, and an escape must
/// not hide what is to be masked, nor be taken for a letter of it. JSON in JSON has several backslashes where there was one. Escapes that
/// have to stay are put in other characters: see [`restored`].
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') || text.contains(|character| hidden(character).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        rest = escape.trim_start_matches('\\');
        let code = rest.strip_prefix('u').and_then(|rest| u32::from_str_radix(rest.get(..4)?, 16).ok());
        // Control characters, quotes and backslashes stay escaped: the text may be JSON to somebody.
        let character = code.and_then(char::from_u32).filter(|it| !it.is_control() && !matches!(it, '"' | '\\'));
        if let Some(character) = character {
            plain.push(character);
            rest = rest.get(5..).unwrap_or_default();
        } else if !rest.starts_with('/') {
            plain.extend(std::iter::repeat_n(stand_in(b'\\'), escape.len() - rest.len()));
            if let Some(letter @ (b'n' | b'r' | b't' | b'b' | b'f')) = rest.as_bytes().first() {
                plain.push(stand_in(*letter));
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// A text with its escapes as they were.
fn restored(text: &str) -> String {
    text.chars().map(|character| hidden(character).unwrap_or(character)).collect()
}

/// What stands for a character of an escape: one for private use, which no word has.
fn stand_in(escape: u8) -> char {
    char::from_u32(PRIVATE + u32::from(escape)).unwrap_or(' ')
}

/// What a character stands for.
fn hidden(character: char) -> Option<char> {
    u32::from(character).checked_sub(PRIVATE).and_then(|code| u8::try_from(code).ok()).map(char::from)
}

/// Where a plane for private use begins.
const PRIVATE: u32 = 0xf_0000;
