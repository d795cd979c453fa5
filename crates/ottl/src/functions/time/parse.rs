//! Reading times that are written as a layout says.

use super::instant::{Civil, Time, days_in};
use super::layout::{LONG_DAYS, LONG_MONTHS, Layout, Offset, SHORT_DAYS, SHORT_MONTHS, Std};
use super::zone::Zone;

/// Which element of the layout could not be read, and the text from there on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// As the layout has it; empty where no element is to blame.
    pub(super) element: String,
    pub(super) rest: String,
}

/// What has been read.
#[derive(Default)]
struct Found {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nano: u32,
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    zone_name: Option<String>,
}

/// Why an element was not read: the text from where it begins, or from behind it where it is out of range.
enum Wrong {
    Bad,
    Range,
}

type Read<'t, T> = Result<(T, &'t str), Wrong>;

/// Reads a time; one that names no zone is in `zone`.
pub(super) fn parse(layout: &Layout, text: &str, zone: Zone) -> Result<Time, Mismatch> {
    let mut found = Found::default();
    let mut rest = text;
    let mut elements = layout.elements.iter().peekable();
    while let Some(element) = elements.next() {
        let wrong = |element: &str, rest: &str| Mismatch { element: element.to_owned(), rest: rest.to_owned() };
        rest = skip(rest, &element.prefix).map_err(|rest| wrong(&element.prefix, rest))?;
        let fraction_follows = elements.peek().is_some_and(|next| matches!(next.std, Std::Fraction { .. }));
        let hold = rest;
        match found.read(element.std, &mut rest, fraction_follows) {
            Ok(()) => {}
            Err(Wrong::Bad) => return Err(wrong(&element.text, hold)),
            Err(Wrong::Range) => return Err(wrong(&element.text, rest)),
        }
    }
    match skip(rest, &layout.rest) {
        Err(rest) => Err(Mismatch { element: layout.rest.clone(), rest: rest.to_owned() }),
        Ok("") => found.time(zone).ok_or_else(|| Mismatch { element: String::new(), rest: String::new() }),
        Ok(extra) => Err(Mismatch { element: String::new(), rest: extra.to_owned() }),
    }
}

/// Leaves out a prefix, in which a run of blanks stands for any other.
fn skip<'t>(text: &'t str, prefix: &str) -> Result<&'t str, &'t str> {
    let (mut text, mut prefix) = (text, prefix);
    while let Some(first) = prefix.chars().next() {
        if first == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return Err(text);
            }
            prefix = prefix.trim_start_matches(' ');
            text = text.trim_start_matches(' ');
            continue;
        }
        text = text.strip_prefix(first).ok_or(text)?;
        prefix = prefix.strip_prefix(first).unwrap_or("");
    }
    Ok(text)
}

// === impl Found ===

impl Found {
    fn read<'t>(&mut self, std: Std, rest: &mut &'t str, fraction_follows: bool) -> Result<(), Wrong> {
        let value: &'t str = rest;
        let mut number = |digits: usize, fixed: bool, range: std::ops::RangeInclusive<i64>| {
            let (number, after) = number(value, digits, fixed)?;
            *rest = after;
            if range.contains(&number) { Ok(number) } else { Err(Wrong::Range) }
        };
        match std {
            Std::Year => {
                let text = value.get(..2).ok_or(Wrong::Bad)?;
                let year: i64 = signed(text).ok_or(Wrong::Bad)?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
                *rest = value.get(2..).unwrap_or("");
            }
            Std::LongYear => {
                let text = value.get(..4).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                self.year = text.and_then(|text| text.parse().ok()).ok_or(Wrong::Bad)?;
                *rest = value.get(4..).unwrap_or("");
            }
            Std::Month => (self.month, *rest) = month(&SHORT_MONTHS, value)?,
            Std::LongMonth => (self.month, *rest) = month(&LONG_MONTHS, value)?,
            Std::NumMonth => self.month = Some(number(2, false, 1..=12)?),
            Std::ZeroMonth => self.month = Some(number(2, true, 1..=12)?),
            Std::WeekDay => (_, *rest) = lookup(&SHORT_DAYS, value)?,
            Std::LongWeekDay => (_, *rest) = lookup(&LONG_DAYS, value)?,
            Std::Day | Std::UnderDay | Std::ZeroDay => {
                let value = if std == Std::UnderDay { value.strip_prefix(' ').unwrap_or(value) } else { value };
                let (day, after) = self::number(value, 2, std == Std::ZeroDay)?;
                (self.day, *rest) = (Some(day), after);
            }
            Std::UnderYearDay | Std::ZeroYearDay => {
                let mut value = value;
                if std == Std::UnderYearDay {
                    value = value.strip_prefix("  ").or(value.strip_prefix(' ')).unwrap_or(value);
                }
                let (day, after) = self::number(value, 3, std == Std::ZeroYearDay)?;
                (self.year_day, *rest) = (Some(day), after);
            }
            Std::Hour => self.hour = number(2, false, 0..=23)?,
            Std::Hour12 => self.hour = number(2, false, 0..=12)?,
            Std::ZeroHour12 => self.hour = number(2, true, 0..=12)?,
            Std::Minute => self.minute = number(2, false, 0..=59)?,
            Std::ZeroMinute => self.minute = number(2, true, 0..=59)?,
            Std::Second | Std::ZeroSecond => {
                self.second = number(2, std == Std::ZeroSecond, 0..=59)?;
                // A fraction is read also where the layout has none.
                if !fraction_follows && let Some((nano, after)) = fraction(rest) {
                    (self.nano, *rest) = (nano, after);
                }
            }
            Std::UpperPm | Std::LowerPm => {
                let (am, pm) = if std == Std::UpperPm { ("AM", "PM") } else { ("am", "pm") };
                let after = value.strip_prefix(pm).map(|after| (true, after));
                let after = after.or(value.strip_prefix(am).map(|after| (false, after)));
                let (afternoon, after) = after.ok_or(Wrong::Bad)?;
                // A second one does not take back what the first one said.
                self.afternoon = Some(afternoon || self.afternoon == Some(true));
                *rest = after;
            }
            Std::Offset(offset) => match value.strip_prefix('Z').filter(|_| offset.zulu) {
                Some(after) => (self.utc, *rest) = (true, after),
                None => {
                    let (seconds, after) = read_offset(offset, value, rest)?;
                    (self.offset, *rest) = (Some(seconds), after);
                }
            },
            Std::ZoneName => match value.strip_prefix("UTC") {
                Some(after) => (self.utc, *rest) = (true, after),
                None => {
                    let (name, after) = value.split_at_checked(zone_name(value)).ok_or(Wrong::Bad)?;
                    if name.is_empty() {
                        return Err(Wrong::Bad);
                    }
                    (self.zone_name, *rest) = (Some(name.to_owned()), after);
                }
            },
            Std::Fraction { digits, trim: false, .. } => {
                let text = value.get(..=digits).ok_or(Wrong::Bad)?;
                let (nano, after) = fraction(text).ok_or(Wrong::Bad)?;
                if !after.is_empty() {
                    return Err(Wrong::Bad);
                }
                self.nano = nano;
                *rest = value.get(digits + 1..).unwrap_or("");
            }
            Std::Fraction { .. } => {
                if let Some((nano, after)) = fraction(value) {
                    (self.nano, *rest) = (nano, after);
                }
            }
        }
        Ok(())
    }

    fn time(self, zone: Zone) -> Option<Time> {
        let (month, day) = self.date()?;
        if day < 1 || day > days_in(self.year, month) {
            return None;
        }
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let second = hour * 3600 + self.minute * 60 + self.second;
        let civil = Civil { year: self.year, month, day, second, nano: self.nano };
        if self.utc {
            return Some(Time::from_civil(civil, Zone::UTC));
        }
        let wall = civil.wall();
        let nano = i64::from(self.nano);
        if let Some(offset) = self.offset {
            let seconds = wall - i64::from(offset);
            let local = zone.at(seconds);
            let name = self.zone_name.as_deref();
            let fits = local.offset == offset && name.is_none_or(|name| local.name.as_str() == name);
            let zone = if fits { zone } else { Zone::fixed(name.unwrap_or(""), offset) };
            return Some(Time::from_unix(seconds, nano, zone));
        }
        if let Some(name) = &self.zone_name {
            if let Some(offset) = zone.offset_of(name, wall) {
                return Some(Time::from_unix(wall - i64::from(offset), nano, zone));
            }
            // Go takes the offset for the name only: the time itself is that of UTC.
            let hours = name.strip_prefix("GMT").and_then(|hours| hours.parse::<i32>().ok()).unwrap_or(0);
            return Some(Time::from_unix(wall, nano, Zone::fixed(name, hours.saturating_mul(3600))));
        }
        Some(Time::from_civil(civil, zone))
    }

    /// Month and day, also where only the day of the year is given.
    fn date(&self) -> Option<(i64, i64)> {
        let Some(mut left) = self.year_day else {
            return Some((self.month.unwrap_or(1), self.day.unwrap_or(1)));
        };
        let mut month = 1;
        while month < 12 && left > days_in(self.year, month) {
            left -= days_in(self.year, month);
            month += 1;
        }
        let fits = (1..=days_in(self.year, month)).contains(&left)
            && self.month.is_none_or(|given| given == month)
            && self.day.is_none_or(|given| given == left);
        fits.then_some((month, left))
    }
}

/// A number of up to so many digits; all of them must be there where `fixed`.
fn number(text: &str, digits: usize, fixed: bool) -> Read<'_, i64> {
    let count = text.bytes().take(digits).take_while(u8::is_ascii_digit).count();
    if count == 0 || (fixed && count < digits) {
        return Err(Wrong::Bad);
    }
    let (number, after) = text.split_at(count);
    Ok((number.parse().map_err(|_| Wrong::Bad)?, after))
}

/// Digits behind an optional sign.
fn signed(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let value: i64 = match digits {
        "" => 0,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    Some(if text.starts_with('-') { -value } else { value })
}

/// Which of the names a text begins with; case does not matter.
fn lookup<'t>(names: &[&str], text: &'t str) -> Read<'t, usize> {
    let found = names.iter().enumerate().find_map(|(at, name)| {
        let (start, after) = text.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some((at, after))
    });
    found.ok_or(Wrong::Bad)
}

fn month<'t>(names: &[&str], text: &'t str) -> Read<'t, Option<i64>> {
    let (at, after) = lookup(names, text)?;
    Ok((i64::try_from(at + 1).ok(), after))
}

/// Nanoseconds of a `.5` or `,25`; digits behind the ninth are left out.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let digits = text.strip_prefix(['.', ','])?;
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, after) = digits.split_at(count);
    let first = digits.get(..count.min(9)).filter(|first| !first.is_empty())?;
    let value: u32 = first.parse().ok()?;
    Some((value * 10_u32.pow(9 - first.len() as u32), after))
}

/// Seconds east of UTC. Where they are out of range `rest` is put behind them.
fn read_offset<'t>(offset: Offset, text: &'t str, rest: &mut &'t str) -> Read<'t, i32> {
    let sign = text.chars().next().filter(char::is_ascii).ok_or(Wrong::Bad)?;
    let mut after = text.get(1..).unwrap_or("");
    let mut parts = [0; 3];
    let wanted = 1 + usize::from(offset.minutes) + usize::from(offset.seconds);
    for (at, part) in parts.iter_mut().take(wanted).enumerate() {
        if offset.colon && at > 0 {
            after = after.strip_prefix(':').ok_or(Wrong::Bad)?;
        }
        (*part, after) = number(after, 2, true)?;
    }
    let [hours, minutes, seconds] = parts;
    if hours > 24 || minutes > 60 || seconds > 60 {
        *rest = after;
        return Err(Wrong::Range);
    }
    let total = ((hours * 60 + minutes) * 60 + seconds) as i32;
    match sign {
        '+' => Ok((total, after)),
        '-' => Ok((-total, after)),
        _ => Err(Wrong::Bad),
    }
}

/// The length of an abbreviation of a zone; 0 where there is none.
fn zone_name(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes {
        [b'C', b'h', b'S', b'T', ..] | [b'M', b'e', b'S', b'T', ..] => 4,
        [b'G', b'M', b'T', rest @ ..] => 3 + signed_hours(rest),
        [_, _, _, ..] if matches!(bytes.first(), Some(b'+' | b'-')) => signed_hours(bytes),
        _ => match bytes.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count() {
            5 if bytes.get(4) == Some(&b'T') => 5,
            4 if bytes.get(3) == Some(&b'T') || bytes.starts_with(b"WITA") => 4,
            3 => 3,
            _ => 0,
        },
    }
}

/// The length of `+03`: a sign and hours up to 23.
fn signed_hours(text: &[u8]) -> usize {
    let Some((b'+' | b'-', digits)) = text.split_first() else { return 0 };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let hours = digits.iter().take(count).try_fold(0_u32, |hours, digit| {
        hours.checked_mul(10)?.checked_add(u32::from(digit - b'0')).filter(|hours| *hours <= 23)
    });
    if count == 0 || hours.is_none() { 0 } else { count + 1 }
}
