//! Formats in the manner of C's `strftime` and `strptime`, which stand for layouts of Go. Reading is lenient: numbers may lack
//! their zeros, blanks may precede them, and offsets come in several forms.

use std::sync::{Arc, Mutex, PoisonError};

use super::instant::{Civil, Time};
use super::layout::Layout;
use super::locale::{Locale, TranslateError};
use super::parse;
use super::zone::Zone;

/// Directives and the layouts they stand for.
const DIRECTIVES: &[(char, &str)] = &[
    ('Y', "2006"),
    ('y', "06"),
    ('m', "01"),
    ('o', "_1"),
    ('q', "1"),
    ('b', "Jan"),
    ('h', "Jan"),
    ('B', "January"),
    ('d', "02"),
    ('e', "_2"),
    ('g', "2"),
    ('a', "Mon"),
    ('A', "Monday"),
    ('H', "15"),
    ('l', "3"),
    ('I', "03"),
    ('p', "PM"),
    ('P', "pm"),
    ('M', "04"),
    ('S', "05"),
    ('L', "999"),
    ('f', "999999"),
    ('s', "999999999"),
    ('Z', "MST"),
    ('z', "Z0700"),
    ('w', "-070000"),
    ('i', "-07"),
    ('j', "-07:00"),
    ('k', "-07:00:00"),
    ('D', "01/02/2006"),
    ('x', "01/02/2006"),
    ('F', "2006-01-02"),
    ('T', "15:04:05"),
    ('X', "15:04:05"),
    ('r', "03:04:05 pm"),
    ('R', "15:04"),
    ('n', "\n"),
    ('t', "\t"),
    ('%', "%"),
    ('c', "Mon Jan 02 15:04:05 2006"),
];

/// What is read instead for some of them, in the order in which it is tried.
const LENIENT: &[(char, &[&[&str]])] = &[
    ('m', &[&["1"]]),
    ('o', &[&["1"]]),
    ('q', &[&["1"]]),
    ('d', &[&["2"]]),
    ('e', &[&["2"]]),
    ('g', &[&["2"]]),
    ('I', &[&["3"]]),
    ('M', &[&["4"]]),
    ('S', &[&["5"]]),
    ('D', &[&["1", "/", "2", "/", "2006"], &["1", "/", "2", "/", "06"]]),
    ('x', &[&["1", "/", "2", "/", "2006"], &["1", "/", "2", "/", "06"]]),
    ('F', &[&["2006", "-", "1", "-", "2"]]),
    ('T', &[&["15", ":", "4", ":", "5"]]),
    ('X', &[&["15", ":", "4", ":", "5"]]),
    ('r', &[&["3", ":", "4", ":", "5", " ", "pm"]]),
    ('R', &[&["15", ":", "4"]]),
    ('c', &[&["Mon", " ", "Jan", " ", "2", " ", "15", ":", "4", ":", "5", " ", "2006"]]),
    ('z', &[&["Z0700"], &["Z07:00"], &["Z07"]]),
];

/// Most layouts that are tried for one text.
const MAX_ATTEMPTS: u32 = 10_000;

/// A format for reading.
#[derive(Debug)]
pub(super) struct Strptime {
    pieces: Vec<Piece>,
    zone: Zone,
    locale: Option<Locale>,
    /// The layout that fitted last; mostly it fits again.
    last: Mutex<Option<Arc<Candidate>>>,
}

/// A layout as text and taken apart.
#[derive(Debug)]
struct Candidate {
    text: String,
    layout: Layout,
}

/// A part of a format.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Directive(char),
}

/// Why a layout did not fit.
enum Failure {
    /// This element of the layout did not, with the text that was left.
    Element(String, String),
    Other,
}

/// Checks a format and gives Go's layout for it.
pub(super) fn layout(format: &str) -> Result<String, String> {
    let mut out = String::new();
    for piece in pieces(format)? {
        match piece {
            Piece::Text(text) => out.push_str(&text),
            Piece::Directive(directive) => out.push_str(fixed(directive).unwrap_or("")),
        }
    }
    Ok(out)
}

fn fixed(directive: char) -> Option<&'static str> {
    DIRECTIVES.iter().find(|(known, _)| *known == directive).map(|(_, layout)| *layout)
}

/// Digits are not allowed, as they would be read as parts of a layout; fractions need a separator in front.
fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    if format.is_empty() {
        return Err("the format is empty".to_owned());
    }
    if format.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err("the format must not contain digits".to_owned());
    }
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek().copied().filter(|next| c == '%' && *next != '\n') {
            Some(directive) => {
                chars.next();
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                fixed(directive).ok_or_else(|| format!("the format has an unknown directive: %{directive}"))?;
                pieces.push(Piece::Directive(directive));
            }
            None => text.push(c),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    match bare_fraction(format) {
        Some(directive) => Err(format!("%{directive} must be preceded by '.' or ','")),
        None => Ok(pieces),
    }
}

/// A directive of a fraction behind anything but a separator.
fn bare_fraction(format: &str) -> Option<char> {
    let chars: Vec<char> = format.chars().collect();
    chars.windows(3).find_map(|window| match window {
        [before, '%', fraction @ ('L' | 'f' | 's')] if !matches!(before, '.' | ',') => Some(*fraction),
        _ => None,
    })
}

// === impl Strptime ===

impl Strptime {
    /// Times without a zone are in `zone`; names are those of `locale`.
    pub(super) fn new(format: &str, zone: Zone, locale: Option<Locale>) -> Result<Self, String> {
        Ok(Self { pieces: pieces(format)?, zone, locale, last: Mutex::new(None) })
    }

    pub(super) fn parse(&self, text: &str) -> Option<Time> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(last) = last
            && let Ok(time) = self.attempt(&last, text)
        {
            return Some(time);
        }
        let mut attempts = 0;
        self.search(String::new(), &self.pieces, text, &mut attempts).ok()
    }

    /// Tries what the next directives can stand for.
    fn search(&self, layout: String, pieces: &[Piece], text: &str, attempts: &mut u32) -> Result<Time, Failure> {
        let (directive, rest) = match pieces.split_first() {
            Some((Piece::Text(literal), rest)) => return self.search(layout + literal, rest, text, attempts),
            Some((Piece::Directive(directive), rest)) => (*directive, rest),
            None => {
                *attempts += 1;
                if *attempts > MAX_ATTEMPTS {
                    return Err(Failure::Other);
                }
                let candidate = Candidate { layout: Layout::new(&layout), text: layout };
                let time = self.attempt(&candidate, text)?;
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(candidate));
                return Ok(time);
            }
        };
        let fixed: &[&[&str]] = &[&[fixed(directive).unwrap_or("")]];
        let alternatives = LENIENT.iter().find(|(known, _)| *known == directive).map_or(fixed, |(_, all)| *all);
        let mut failure = Failure::Other;
        for elements in alternatives {
            let mut elements: Vec<String> = elements.iter().map(|element| (*element).to_owned()).collect();
            loop {
                let error = match self.search(format!("{layout}{}", elements.concat()), rest, text, attempts) {
                    Ok(time) => return Ok(time),
                    Err(error) => error,
                };
                let (at, left) = match &error {
                    Failure::Element(element, left) if !element.is_empty() => {
                        (elements.iter().position(|own| own == element), left)
                    }
                    _ => return Err(error),
                };
                // Another part is to blame: nothing that this one can stand for helps.
                let Some(at) = at else { return Err(error) };
                failure = Failure::Other;
                let blanks: String =
                    left.chars().take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\u{c}' | '\r')).collect();
                let numeric =
                    elements.get(at).is_some_and(|own| own.starts_with(|c: char| c.is_ascii_digit() || c == 'Z'));
                if blanks.is_empty() || !numeric || *attempts > MAX_ATTEMPTS {
                    break;
                }
                elements.insert(at, blanks);
            }
        }
        Err(failure)
    }

    fn attempt(&self, candidate: &Candidate, text: &str) -> Result<Time, Failure> {
        let translated;
        let text = match &self.locale {
            Some(locale) => {
                translated = locale.translate(&candidate.text, text).map_err(|error| match error {
                    TranslateError::Mismatch(element) => Failure::Element(element, "unknown".to_owned()),
                    TranslateError::Unsupported => Failure::Other,
                })?;
                &translated
            }
            None => text,
        };
        let read = |zone| {
            parse::parse(&candidate.layout, text, zone)
                .map_err(|mismatch| Failure::Element(mismatch.element, mismatch.rest))
        };
        let time = read(self.zone)?;
        let local = time.zone().at(time.unix().0);
        let own = self.zone.at(time.unix().0);
        if local.offset != 0 || local.name.as_str() == "UTC" || local.name == own.name {
            return Ok(with_year(time));
        }
        // An abbreviation that says nothing here may be a zone of its own.
        let zone = Zone::load(local.name.as_str()).ok_or(Failure::Other)?;
        Ok(with_year(read(zone).unwrap_or(time)))
    }
}

/// Times without a year are of this one, or of the last one where they would lie more than a week ahead.
fn with_year(time: Time) -> Time {
    let civil = time.civil();
    if civil.year > 0 {
        return time;
    }
    let now = super::now();
    let today = now.with_zone(Zone::local()).civil();
    let this_year = Time::from_civil(Civil { year: today.year, ..civil }, time.zone());
    let limit = Time::from_civil(Civil { day: today.day + 7, ..today }, Zone::local());
    if this_year > limit {
        let shown = this_year.civil();
        return Time::from_civil(Civil { year: shown.year - 1, ..shown }, time.zone());
    }
    this_year
}
