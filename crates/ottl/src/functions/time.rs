//! Times and durations.

use super::{Args, Function, Param, ParamKind, optional, required};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::val::{Time, Val};

const DURATION: Param = required("duration", ParamKind::Duration);
const TIME: Param = required("time", ParamKind::Time);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::plain("Duration", &[required("duration", ParamKind::Str)], |args, env| {
        let text = args.string(0, env)?;
        parse_duration(&text).map(Val::Duration).ok_or_else(|| EvalError::parse("duration", &text))
    }),
    Function::plain("Hours", &[DURATION], |args, env| float(args, env, 3_600_000_000_000)),
    Function::plain("Minutes", &[DURATION], |args, env| float(args, env, 60_000_000_000)),
    Function::plain("Seconds", &[DURATION], |args, env| float(args, env, 1_000_000_000)),
    Function::plain("Milliseconds", &[DURATION], |args, env| whole(args, env, 1_000_000)),
    Function::plain("Microseconds", &[DURATION], |args, env| whole(args, env, 1_000)),
    Function::plain("Nanoseconds", &[DURATION], |args, env| whole(args, env, 1)),
    Function::plain(
        "Unix",
        &[required("seconds", ParamKind::Int), optional("nanoseconds", ParamKind::Int)],
        |args, env| {
            let seconds = args.int(0, env)?;
            let nanos = if args.has(1) { args.int(1, env)? } else { 0 };
            Ok(Val::Time(Time { nanos: seconds.saturating_mul(1_000_000_000).saturating_add(nanos) }))
        },
    ),
    Function::plain("UnixNano", &[TIME], |args, env| since_1970(args, env, 1)),
    Function::plain("UnixMicro", &[TIME], |args, env| since_1970(args, env, 1_000)),
    Function::plain("UnixMilli", &[TIME], |args, env| since_1970(args, env, 1_000_000)),
    Function::plain("UnixSeconds", &[TIME], |args, env| since_1970(args, env, 1_000_000_000)),
    Function::plain("Now", &[], |_, _| now().map(Val::Time)),
    Function::plain("Year", &[TIME], |args, env| civil(args, env, |civil| civil.year)),
    Function::plain("Month", &[TIME], |args, env| civil(args, env, |civil| civil.month)),
    Function::plain("Day", &[TIME], |args, env| civil(args, env, |civil| civil.day)),
    Function::plain("Hour", &[TIME], |args, env| civil(args, env, |civil| civil.second / 3600)),
    Function::plain("Minute", &[TIME], |args, env| civil(args, env, |civil| civil.second / 60 % 60)),
    Function::plain("Second", &[TIME], |args, env| civil(args, env, |civil| civil.second % 60)),
    Function::plain("Nanosecond", &[TIME], |args, env| civil(args, env, |civil| civil.nano)),
    Function::plain("Weekday", &[TIME], |args, env| civil(args, env, |civil| civil.weekday)),
];

/// A time as a date and a time of day, in UTC.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    /// 0 is Sunday.
    weekday: i64,
    /// Of the day.
    second: i64,
    nano: i64,
}

fn float<'e>(args: &'e Args, env: &'e Env<'e>, unit: i64) -> Result<Val<'e>, EvalError> {
    let nanos = args.duration(0, env)?;
    // Whole units and the rest apart, so that large durations keep their precision.
    Ok(Val::Double((nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64))
}

fn whole<'e>(args: &'e Args, env: &'e Env<'e>, unit: i64) -> Result<Val<'e>, EvalError> {
    Ok(Val::Int(args.duration(0, env)? / unit))
}

fn since_1970<'e>(args: &'e Args, env: &'e Env<'e>, unit: i64) -> Result<Val<'e>, EvalError> {
    Ok(Val::Int(args.time(0, env)?.nanos.div_euclid(unit)))
}

fn civil<'e>(args: &'e Args, env: &'e Env<'e>, part: fn(&Civil) -> i64) -> Result<Val<'e>, EvalError> {
    Ok(Val::Int(part(&Civil::of(args.time(0, env)?))))
}

#[expect(clippy::disallowed_types, reason = "the time of day is what is asked for")]
fn now() -> Result<Time, EvalError> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanos = since.ok().and_then(|since| i64::try_from(since.as_nanos()).ok());
    nanos.map(|nanos| Time { nanos }).ok_or(EvalError::Static("the clock stands before 1970"))
}

/// Reads `1h30m`, `-1.5s` or `300ms` as nanoseconds. Units are ns, us, ms, s, m and h.
pub(crate) fn parse_duration(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (whole, after) = rest.split_at(digits);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => {
                let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                after.split_at(digits)
            }
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let unit: u64 = match unit {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(unit)?)?;
        let mut scale = 1.0;
        let mut value = 0.0;
        for digit in fraction.bytes().take(18) {
            value = value * 10.0 + f64::from(digit - b'0');
            scale *= 10.0;
        }
        total = total.checked_add((value * (unit as f64 / scale)) as u64)?;
        rest = next;
    }
    match (negative, i64::try_from(total)) {
        (false, Ok(total)) => Some(total),
        (true, Ok(total)) => Some(-total),
        (true, Err(_)) if total == 1 << 63 => Some(i64::MIN),
        _ => None,
    }
}

/// A duration as Go prints it: `1h30m0s`, `1.5s`, `250ms`.
pub(crate) fn duration_text(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let size = nanos.unsigned_abs();
    match size {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{size}ns"),
        1_000..1_000_000 => format!("{sign}{}\u{b5}s", decimals(size, 1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", decimals(size, 1_000_000)),
        _ => {
            let seconds = decimals(size % 60_000_000_000, 1_000_000_000);
            let minutes = size / 60_000_000_000;
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// `value / unit` without needless digits.
fn decimals(value: u64, unit: u64) -> String {
    let digits = unit.ilog10() as usize;
    match value % unit {
        0 => format!("{}", value / unit),
        rest => format!("{}.{}", value / unit, format!("{rest:0digits$}").trim_end_matches('0')),
    }
}

/// A time as `2026-04-27T09:14:22.5Z`.
pub(crate) fn rfc3339(time: Time) -> String {
    let civil = Civil::of(time);
    let (hour, minute, second) = (civil.second / 3600, civil.second / 60 % 60, civil.second % 60);
    let fraction = match civil.nano {
        0 => String::new(),
        nano => format!(".{}", format!("{nano:09}").trim_end_matches('0')),
    };
    format!("{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z", civil.year, civil.month, civil.day)
}

/// A time as Go prints it: `2026-04-27 09:14:22.5 +0000 UTC`.
pub(crate) fn time_text(time: Time) -> String {
    let text = rfc3339(time);
    let text = text.strip_suffix('Z').unwrap_or(&text);
    format!("{} +0000 UTC", text.replace('T', " "))
}

// === impl Civil ===

impl Civil {
    /// After Howard Hinnant's `civil_from_days`.
    fn of(time: Time) -> Self {
        let seconds = time.nanos.div_euclid(1_000_000_000);
        let days = seconds.div_euclid(86_400);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            weekday: (days + 4).rem_euclid(7),
            second: seconds.rem_euclid(86_400),
            nano: time.nanos.rem_euclid(1_000_000_000),
        }
    }
}
