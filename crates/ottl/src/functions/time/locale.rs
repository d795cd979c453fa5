//! Names of days, months and halves of the day in other languages, translated for Go's layouts.
//!
//! `data/locales.txt` has a line a language: its tags, then short days, long days, short months, long months and halves of
//! the day, as the CLDR (version 48) has them, separated by tabs and bars.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::layout::{LONG_DAYS, LONG_MONTHS, SHORT_DAYS, SHORT_MONTHS};

static LOCALES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("../data/locales.txt").lines().filter_map(|line| line.split_once('\t'));
    lines.flat_map(|(tags, names)| tags.split(' ').map(move |tag| (tag, names))).collect()
});

/// The names of a language; none where it has no such names.
#[derive(Debug)]
pub(super) struct Locale {
    short_days: Vec<&'static str>,
    long_days: Vec<&'static str>,
    short_months: Vec<&'static str>,
    long_months: Vec<&'static str>,
    day_periods: Vec<&'static str>,
}

/// Why a text was not translated.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TranslateError {
    /// It has nothing that this element of the layout can stand for.
    Mismatch(String),
    /// The language lacks such names.
    Unsupported,
}

/// A text on its way.
struct Translation<'t> {
    value: &'t [u8],
    at: usize,
    out: String,
}

// === impl Locale ===

impl Locale {
    /// The names for a tag such as `de-AT`.
    pub(super) fn find(tag: &str) -> Option<Self> {
        let mut fields = LOCALES.get(tag)?.split('\t').map(|names| match names {
            "" => Vec::new(),
            names => names.split('|').collect::<Vec<_>>(),
        });
        let mut next = || fields.next().unwrap_or_default();
        Some(Self {
            short_days: next(),
            long_days: next(),
            short_months: next(),
            long_months: next(),
            day_periods: next(),
        })
    }

    /// A text with the names that a layout asks for in English.
    pub(super) fn translate(&self, layout: &str, value: &str) -> Result<String, TranslateError> {
        let mut translation = Translation { value: value.as_bytes(), at: 0, out: String::new() };
        let mut rest = layout;
        let mut before = None;
        while let Some(first) = rest.chars().next() {
            let lower_behind = |len: usize| rest.as_bytes().get(len).is_some_and(u8::is_ascii_lowercase);
            let names: Option<(&str, &[&str], &[&str])> = match first {
                'J' if rest.starts_with("January") => Some(("January", &self.long_months, &LONG_MONTHS)),
                'J' if rest.starts_with("Jan") && !lower_behind(3) => Some(("Jan", &self.short_months, &SHORT_MONTHS)),
                'M' if rest.starts_with("Monday") => Some(("Monday", &self.long_days, &LONG_DAYS)),
                'M' if rest.starts_with("Mon") && !lower_behind(3) => Some(("Mon", &self.short_days, &SHORT_DAYS)),
                'P' if matches!(rest.as_bytes().get(1), Some(b'M' | b'm')) => {
                    Some(("PM", &self.day_periods, &["AM", "PM"]))
                }
                'p' if matches!(rest.as_bytes().get(1), Some(b'M' | b'm')) => {
                    Some(("pm", &self.day_periods, &["am", "pm"]))
                }
                _ => None,
            };
            let element = if let Some((element, own, english)) = names {
                if own.is_empty() {
                    return Err(TranslateError::Unsupported);
                }
                translation.name(own, english).ok_or_else(|| TranslateError::Mismatch(element.to_owned()))?;
                element.len()
            } else if let Some(element) = ["_2006", "_2", "__2"].into_iter().find(|element| rest.starts_with(element))
                && translation.left().len() >= element.len()
            {
                translation.padded(element.len()).ok_or_else(|| TranslateError::Mismatch(element.to_owned()))?;
                element.len()
            } else if matches!(first, '3' | '4' | '5') && before != Some('0') {
                translation.digits().ok_or_else(|| TranslateError::Mismatch(first.to_string()))?;
                1
            } else {
                // Byte by byte, as Go's does it.
                for _ in 0..first.len_utf8() {
                    translation.byte();
                }
                first.len_utf8()
            };
            before = rest.get(..element).and_then(|element| element.chars().last());
            rest = rest.get(element..).unwrap_or("");
        }
        let left = String::from_utf8_lossy(translation.left()).into_owned();
        Ok(translation.out + &left)
    }
}

// === impl Translation ===

impl Translation<'_> {
    fn left(&self) -> &[u8] {
        self.value.get(self.at..).unwrap_or(&[])
    }

    /// Blanks are kept as spaces.
    fn blanks(&self) -> usize {
        let blank = |byte: &&u8| matches!(**byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xa0);
        self.left().iter().take_while(blank).count()
    }

    /// The longest name that the text goes on with.
    fn name(&mut self, own: &[&str], english: &[&str]) -> Option<()> {
        let blanks = self.blanks();
        let rest = self.left().get(blanks..).filter(|rest| !rest.is_empty())?;
        let mut best: Option<(usize, &str)> = None;
        for (name, english) in own.iter().zip(english) {
            let better = best.is_none_or(|(len, _)| name.len() > len);
            let candidate = rest.get(..name.len()).and_then(|part| std::str::from_utf8(part).ok());
            if better && candidate.is_some_and(|candidate| equal_fold(candidate, name)) {
                best = Some((name.len(), english));
            }
        }
        let (len, english) = best?;
        self.out.extend(std::iter::repeat_n(' ', blanks));
        self.out.push_str(english);
        self.at += blanks + len;
        Some(())
    }

    /// A day or year that blanks may precede.
    fn padded(&mut self, max: usize) -> Option<()> {
        let blanks = self.blanks();
        let rest = self.left().get(blanks..).filter(|rest| !rest.is_empty())?;
        let len = rest.iter().take(max).take_while(|byte| !matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xa0)).count();
        let text = String::from_utf8_lossy(rest.get(..len).unwrap_or(&[])).into_owned();
        self.out.extend(std::iter::repeat_n(' ', blanks));
        self.out.push_str(&text);
        self.at += blanks + len;
        Some(())
    }

    /// One or two digits that blanks may precede.
    fn digits(&mut self) -> Option<()> {
        let blanks = self.blanks();
        let rest = self.left().get(blanks..).unwrap_or(&[]);
        let digits: String =
            rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).map(|byte| char::from(*byte)).collect();
        if digits.is_empty() {
            return None;
        }
        self.out.extend(std::iter::repeat_n(' ', blanks));
        self.out.push_str(&digits);
        self.at += blanks + digits.len();
        Some(())
    }

    /// A byte that the layout has a literal for. Go writes it as the character of that number, and goes on by its length.
    fn byte(&mut self) {
        if let Some(byte) = self.left().first() {
            let c = char::from(*byte);
            self.out.push(c);
            self.at += c.len_utf8();
        }
    }
}

/// Whether two texts differ in case only.
fn equal_fold(a: &str, b: &str) -> bool {
    let fold = |text: &str| -> String {
        text.chars().map(|c| c.to_uppercase().next().unwrap_or(c)).flat_map(char::to_lowercase).collect()
    };
    a == b || fold(a) == fold(b)
}
