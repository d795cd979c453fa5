//! Times and durations.

mod duration;
mod instant;
mod layout;
mod locale;
mod parse;
mod strptime;
mod zone;

use super::{Args, Function, Param, ParamKind, Prepared, optional, required};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::val::Val;
use instant::Civil;
use layout::Layout;
use locale::Locale;
use strptime::Strptime;
use zone::Zone;

pub(crate) use duration::{duration_text, parse_duration};
pub(crate) use instant::Time;

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
            Ok(Val::Time(Time::from_unix(seconds, nanos, Zone::local())))
        },
    ),
    Function::plain("UnixNano", &[TIME], |args, env| Ok(Val::Int(args.time(0, env)?.unix_nano()))),
    Function::plain("UnixMicro", &[TIME], |args, env| since_1970(args, env, 1_000_000)),
    Function::plain("UnixMilli", &[TIME], |args, env| since_1970(args, env, 1_000)),
    Function::plain("UnixSeconds", &[TIME], |args, env| since_1970(args, env, 1)),
    Function::plain("Now", &[], |_, _| Ok(Val::Time(now()))),
    Function::prepared(
        "Time",
        &[
            required("time", ParamKind::Str),
            required("format", ParamKind::StrLiteral),
            optional("location", ParamKind::StrLiteral),
            optional("locale", ParamKind::StrLiteral),
        ],
        |args| {
            let format = args.literal(1).unwrap_or("");
            let zone = match args.literal(2).unwrap_or("") {
                "" if format.ends_with('Z') => Zone::UTC,
                "" => Zone::local(),
                name => Zone::load(name).ok_or_else(|| format!("the time zone {name:?} is not known"))?,
            };
            let locale = match args.literal(3) {
                Some(tag) => Some(Locale::find(tag).ok_or_else(|| format!("the locale {tag:?} is not known"))?),
                None => None,
            };
            Ok(Box::new(ParseTime(Strptime::new(format, zone, locale)?)))
        },
    ),
    Function::prepared("FormatTime", &[TIME, required("format", ParamKind::StrLiteral)], |args| {
        let layout = strptime::layout(args.literal(1).unwrap_or(""))?;
        Ok(Box::new(FormatTime(Layout::new(&layout))))
    }),
    Function::plain("TruncateTime", &[TIME, DURATION], |args, env| {
        let time = args.time(0, env)?;
        Ok(Val::Time(time.truncate(args.duration(1, env)?)))
    }),
    Function::plain("Year", &[TIME], |args, env| civil(args, env, |civil| civil.year)),
    Function::plain("Month", &[TIME], |args, env| civil(args, env, |civil| civil.month)),
    Function::plain("Day", &[TIME], |args, env| civil(args, env, |civil| civil.day)),
    Function::plain("Hour", &[TIME], |args, env| civil(args, env, |civil| civil.second / 3600)),
    Function::plain("Minute", &[TIME], |args, env| civil(args, env, |civil| civil.second / 60 % 60)),
    Function::plain("Second", &[TIME], |args, env| civil(args, env, |civil| civil.second % 60)),
    Function::plain("Nanosecond", &[TIME], |args, env| civil(args, env, |civil| i64::from(civil.nano))),
    Function::plain("Weekday", &[TIME], |args, env| civil(args, env, Civil::weekday)),
];

/// Reading of texts in one format.
#[derive(Debug)]
struct ParseTime(Strptime);

/// Writing of times in one layout.
#[derive(Debug)]
struct FormatTime(Layout);

fn float<'e>(args: &'e Args, env: &'e Env<'e>, unit: i64) -> Result<Val<'e>, EvalError> {
    let nanos = args.duration(0, env)?;
    // Whole units and the rest apart, so that large durations keep their precision.
    Ok(Val::Double((nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64))
}

fn whole<'e>(args: &'e Args, env: &'e Env<'e>, unit: i64) -> Result<Val<'e>, EvalError> {
    Ok(Val::Int(args.duration(0, env)? / unit))
}

/// In units of which a second has so many.
fn since_1970<'e>(args: &'e Args, env: &'e Env<'e>, per_second: i64) -> Result<Val<'e>, EvalError> {
    let (seconds, nano) = args.time(0, env)?.unix();
    Ok(Val::Int(seconds.wrapping_mul(per_second).wrapping_add(i64::from(nano) / (1_000_000_000 / per_second))))
}

fn civil<'e>(args: &'e Args, env: &'e Env<'e>, part: fn(&Civil) -> i64) -> Result<Val<'e>, EvalError> {
    Ok(Val::Int(part(&args.time(0, env)?.civil())))
}

#[expect(clippy::disallowed_types, reason = "the time of day is what is asked for")]
fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time::from_unix(since.as_secs() as i64, i64::from(since.subsec_nanos()), Zone::local())
}

/// A time as `2026-04-27T09:14:22.5Z`; nothing for years that do not have four digits.
pub(crate) fn rfc3339(time: Time) -> Option<String> {
    let four_digits = (0..=9999).contains(&time.civil().year);
    four_digits.then(|| Layout::new("2006-01-02T15:04:05.999999999Z07:00").format(time))
}

/// A time as a program in Go has it.
pub(crate) fn go_time(time: Time) -> String {
    let zone = match time.zone().at(time.unix().0).name.as_str() {
        "UTC" => "time.UTC".to_owned(),
        name => format!("time.Location({name:?})"),
    };
    let civil = time.civil();
    let (hour, minute, second) = (civil.second / 3600, civil.second / 60 % 60, civil.second % 60);
    let date = Layout::new("time.Date(2006, time.January, 2, ").format(time);
    format!("{date}{hour}, {minute}, {second}, {}, {zone})", civil.nano)
}

/// A time as Go prints it: `2026-04-27 09:14:22.5 +0000 UTC`.
pub(crate) fn time_text(time: Time) -> String {
    Layout::new("2006-01-02 15:04:05.999999999 -0700 MST").format(time)
}

// === impl ParseTime ===

impl Prepared for ParseTime {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let text = args.string(0, env)?;
        let parsed =
            std::str::from_utf8(&text).ok().filter(|text| !text.is_empty()).and_then(|text| self.0.parse(text));
        parsed.map(Val::Time).ok_or_else(|| EvalError::parse("time", &text))
    }
}

// === impl FormatTime ===

impl Prepared for FormatTime {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        Ok(Val::string(self.0.format(args.time(0, env)?)))
    }
}
