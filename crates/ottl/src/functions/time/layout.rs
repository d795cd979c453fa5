//! Go's time layouts: the reference time 2006-01-02 15:04:05 -0700 MST, written as times shall be.

use super::instant::Time;

/// A layout, taken apart.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) elements: Vec<Element>,
    /// What stands behind the last element.
    pub(super) rest: String,
}

/// What a part of a layout stands for, and the text before it.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) prefix: String,
    /// As it is written in the layout.
    pub(super) text: String,
    pub(super) std: Std,
}

/// A part of the reference time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Std {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    Offset(Offset),
    /// A fraction of a second with its separator and the number of digits; zeros at the end are left out where `trim`.
    Fraction {
        separator: u8,
        digits: usize,
        trim: bool,
    },
}

/// How an offset from UTC is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    /// `Z` for UTC.
    pub(super) zulu: bool,
    pub(super) colon: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

pub(super) const LONG_DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const SHORT_DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
pub(super) const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const SHORT_MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What begins an element, in the order in which it is looked for.
const WORDS: &[(&str, Std)] = &[
    ("January", Std::LongMonth),
    ("Monday", Std::LongWeekDay),
    ("MST", Std::ZoneName),
    ("01", Std::ZeroMonth),
    ("02", Std::ZeroDay),
    ("03", Std::ZeroHour12),
    ("04", Std::ZeroMinute),
    ("05", Std::ZeroSecond),
    ("06", Std::Year),
    ("002", Std::ZeroYearDay),
    ("15", Std::Hour),
    ("1", Std::NumMonth),
    ("2006", Std::LongYear),
    ("2", Std::Day),
    ("_2", Std::UnderDay),
    ("__2", Std::UnderYearDay),
    ("3", Std::Hour12),
    ("4", Std::Minute),
    ("5", Std::Second),
    ("PM", Std::UpperPm),
    ("pm", Std::LowerPm),
    ("-070000", Std::Offset(Offset { zulu: false, colon: false, minutes: true, seconds: true })),
    ("-07:00:00", Std::Offset(Offset { zulu: false, colon: true, minutes: true, seconds: true })),
    ("-0700", Std::Offset(Offset { zulu: false, colon: false, minutes: true, seconds: false })),
    ("-07:00", Std::Offset(Offset { zulu: false, colon: true, minutes: true, seconds: false })),
    ("-07", Std::Offset(Offset { zulu: false, colon: false, minutes: false, seconds: false })),
    ("Z070000", Std::Offset(Offset { zulu: true, colon: false, minutes: true, seconds: true })),
    ("Z07:00:00", Std::Offset(Offset { zulu: true, colon: true, minutes: true, seconds: true })),
    ("Z0700", Std::Offset(Offset { zulu: true, colon: false, minutes: true, seconds: false })),
    ("Z07:00", Std::Offset(Offset { zulu: true, colon: true, minutes: true, seconds: false })),
    ("Z07", Std::Offset(Offset { zulu: true, colon: false, minutes: false, seconds: false })),
];

// === impl Layout ===

impl Layout {
    pub(super) fn new(layout: &str) -> Self {
        let mut elements = Vec::new();
        let mut rest = layout;
        let mut at = 0;
        while at < rest.len() {
            let found = rest.get(at..).and_then(element);
            match found {
                // What looks like a day behind an underscore is a year.
                Some(_) if rest.get(at..).is_some_and(|rest| rest.starts_with("_2006")) => at += 1,
                Some((len, std)) => {
                    let (prefix, text) = rest.split_at(at);
                    let (text, after) = text.split_at(len);
                    elements.push(Element { prefix: prefix.to_owned(), text: text.to_owned(), std });
                    rest = after;
                    at = 0;
                }
                None => at += 1,
            }
        }
        Self { elements, rest: rest.to_owned() }
    }

    /// A time as the layout has it.
    pub(super) fn format(&self, time: Time) -> String {
        let civil = time.civil();
        let local = time.zone().at(time.unix().0);
        let (hour, minute, second) = (civil.second / 3600, civil.second / 60 % 60, civil.second % 60);
        let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
        let name = |names: &[&'static str], at: i64| usize::try_from(at).ok().and_then(|at| names.get(at).copied());
        let mut out = String::new();
        for element in &self.elements {
            out.push_str(&element.prefix);
            match element.std {
                Std::LongMonth => out.push_str(name(&LONG_MONTHS, civil.month - 1).unwrap_or("")),
                Std::Month => out.push_str(name(&SHORT_MONTHS, civil.month - 1).unwrap_or("")),
                Std::NumMonth => pad(&mut out, civil.month, 0),
                Std::ZeroMonth => pad(&mut out, civil.month, 2),
                Std::LongWeekDay => out.push_str(name(&LONG_DAYS, civil.weekday()).unwrap_or("")),
                Std::WeekDay => out.push_str(name(&SHORT_DAYS, civil.weekday()).unwrap_or("")),
                Std::Day => pad(&mut out, civil.day, 0),
                Std::UnderDay => out.push_str(&format!("{:2}", civil.day)),
                Std::ZeroDay => pad(&mut out, civil.day, 2),
                Std::UnderYearDay => out.push_str(&format!("{:3}", civil.year_day())),
                Std::ZeroYearDay => pad(&mut out, civil.year_day(), 3),
                Std::Hour => pad(&mut out, hour, 2),
                Std::Hour12 => pad(&mut out, hour12, 0),
                Std::ZeroHour12 => pad(&mut out, hour12, 2),
                Std::Minute => pad(&mut out, minute, 0),
                Std::ZeroMinute => pad(&mut out, minute, 2),
                Std::Second => pad(&mut out, second, 0),
                Std::ZeroSecond => pad(&mut out, second, 2),
                Std::LongYear => pad(&mut out, civil.year, 4),
                Std::Year => pad(&mut out, civil.year.abs() % 100, 2),
                Std::UpperPm => out.push_str(if hour >= 12 { "PM" } else { "AM" }),
                Std::LowerPm => out.push_str(if hour >= 12 { "pm" } else { "am" }),
                Std::ZoneName => match local.name.as_str() {
                    "" => NUMERIC.put(&mut out, local.offset),
                    name => out.push_str(name),
                },
                Std::Offset(offset) => offset.put(&mut out, local.offset),
                Std::Fraction { separator, digits, trim } => {
                    let all = format!("{:09}", civil.nano);
                    let fraction = all.get(..digits).unwrap_or(&all);
                    let fraction = if trim { fraction.trim_end_matches('0') } else { fraction };
                    if !trim || !fraction.is_empty() {
                        out.push(char::from(separator));
                        out.push_str(fraction);
                    }
                }
            }
        }
        out.push_str(&self.rest);
        out
    }
}

const NUMERIC: Offset = Offset { zulu: false, colon: false, minutes: true, seconds: false };

/// The element that a text begins with, with its length.
fn element(text: &str) -> Option<(usize, Std)> {
    if let Some((word, std)) = WORDS.iter().find(|(word, _)| text.starts_with(word)) {
        return Some((word.len(), *std));
    }
    for (word, std) in [("Jan", Std::Month), ("Mon", Std::WeekDay)] {
        if let Some(rest) = text.strip_prefix(word) {
            return (!rest.starts_with(|c: char| c.is_ascii_lowercase())).then_some((word.len(), std));
        }
    }
    fraction(text.as_bytes())
}

/// `.000` or `,999`, unless another digit follows.
fn fraction(text: &[u8]) -> Option<(usize, Std)> {
    let (&separator, digits) = text.split_first().filter(|(first, _)| matches!(first, b'.' | b','))?;
    let &digit = digits.first().filter(|digit| matches!(digit, b'0' | b'9'))?;
    let count = digits.iter().take_while(|found| **found == digit).count();
    if digits.get(count).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((count + 1, Std::Fraction { separator, digits: count, trim: digit == b'9' }))
}

/// A number with at least so many digits.
fn pad(out: &mut String, value: i64, width: usize) {
    if value < 0 {
        out.push('-');
    }
    out.push_str(&format!("{:0width$}", value.unsigned_abs()));
}

// === impl Offset ===

impl Offset {
    fn put(self, out: &mut String, offset: i32) {
        if self.zulu && offset == 0 {
            out.push('Z');
            return;
        }
        let minutes = offset / 60;
        let colon = if self.colon { ":" } else { "" };
        out.push(if minutes < 0 { '-' } else { '+' });
        out.push_str(&format!("{:02}", minutes.abs() / 60));
        if self.minutes {
            out.push_str(&format!("{colon}{:02}", minutes.abs() % 60));
        }
        if self.seconds {
            out.push_str(&format!("{colon}{:02}", offset.abs() % 60));
        }
    }
}
