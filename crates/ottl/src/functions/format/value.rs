//! Values by a verb.

use super::flags::Flags;
use super::float;
use crate::eval::convert::hex;
use crate::eval::val::{Time, Val};
use crate::functions::time::{duration_text, go_time, time_text};

/// Appends a value. `shown` says whether it may be shown as it shows itself: inside of an error it is not.
pub(super) fn put(out: &mut Vec<u8>, flags: &Flags, verb: char, value: &Val<'_>, shown: bool) {
    if value.is_nil() {
        return match verb {
            'T' | 'v' => flags.pad(out, b"<nil>"),
            _ => out.extend(format!("%!{verb}(<nil>)").bytes()),
        };
    }
    if verb == 'T' {
        return flags.text(out, go_type(value).as_bytes());
    }
    let stringer = shown && !flags.go_syntax && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q');
    match value {
        Val::Duration(nanos) if stringer => text(out, flags, verb, duration_text(*nanos).as_bytes(), value),
        Val::Time(time) if stringer || !matches!(verb, 'v') => {
            text(out, flags, verb, time_text(*time).as_bytes(), value);
        }
        Val::Time(time) => flags.text(out, time_in_go(*time, flags).as_bytes()),
        Val::TraceId(id) if stringer => text(out, flags, verb, hex(id).as_bytes(), value),
        Val::SpanId(id) if stringer => text(out, flags, verb, hex(id).as_bytes(), value),
        Val::TraceId(id) => array(out, flags, verb, id, value),
        Val::SpanId(id) => array(out, flags, verb, id, value),
        Val::Bool(truth) => match verb {
            't' | 'v' => flags.pad(out, truth.to_string().as_bytes()),
            _ => bad(out, flags, verb, value),
        },
        Val::Int(number) | Val::Duration(number) => int(out, flags, verb, *number, value),
        Val::Double(number) => double(out, flags, verb, *number, value),
        Val::Str(bytes) => text(out, flags, verb, bytes, value),
        Val::Bytes(bytes) => match verb {
            's' => flags.text(out, bytes),
            'x' | 'X' => flags.hex(out, bytes, verb == 'X'),
            'q' => flags.quoted(out, bytes),
            'v' | 'd' if flags.go_syntax => {
                let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:#x}")).collect();
                out.extend(format!("[]byte{{{}}}", bytes.join(", ")).bytes());
            }
            _ => list(out, flags, "", bytes.iter(), |out, byte| small(out, flags, verb, *byte)),
        },
        Val::List(items) => {
            list(out, flags, go_type(value), items.items().iter(), |out, item| match item {
                Val::Nil if flags.go_syntax => out.extend_from_slice(b"interface {}(nil)"),
                Val::Nil => out.extend_from_slice(b"<nil>"),
                item => put(out, flags, verb, item, shown),
            });
        }
        Val::Strings(items) => {
            list(out, flags, go_type(value), items.iter(), |out, item| {
                text(out, flags, verb, item, &Val::Str(item.clone()));
            });
        }
        // Go prints addresses in memory.
        Val::Map(_) | Val::Slice(_) => match verb {
            'v' | 's' => flags.text(out, crate::eval::json::encode(value).unwrap_or_default().as_bytes()),
            _ => bad(out, flags, verb, value),
        },
        Val::Nil | Val::Events(_) | Val::Links(_) | Val::Status(_) | Val::Piece(_) => {
            flags.text(out, value.type_name().as_bytes())
        }
    }
}

/// A verb that does not fit.
fn bad(out: &mut Vec<u8>, flags: &Flags, verb: char, value: &Val<'_>) {
    out.extend(format!("%!{verb}({}=", go_type(value)).bytes());
    match value {
        Val::Map(_) | Val::Slice(_) => out.extend(crate::eval::json::encode(value).unwrap_or_default().bytes()),
        value => put(out, flags, 'v', value, false),
    }
    out.push(b')');
}

fn text(out: &mut Vec<u8>, flags: &Flags, verb: char, bytes: &[u8], value: &Val<'_>) {
    match verb {
        'v' if flags.go_syntax => flags.quoted(out, bytes),
        'v' | 's' => flags.text(out, bytes),
        'x' | 'X' => flags.hex(out, bytes, verb == 'X'),
        'q' => flags.quoted(out, bytes),
        // Go shows what a time is made of.
        _ if matches!(value, Val::Time(_)) => flags.text(out, bytes),
        _ => bad(out, flags, verb, value),
    }
}

fn int(out: &mut Vec<u8>, flags: &Flags, verb: char, number: i64, value: &Val<'_>) {
    let c = u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
    match verb {
        'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => flags.integer(out, number < 0, number.unsigned_abs(), verb),
        'c' => flags.pad(out, c.to_string().as_bytes()),
        'q' => flags.quoted_char(out, c),
        'U' => flags.code_point(out, number as u64),
        _ => bad(out, flags, verb, value),
    }
}

/// A byte of an array.
fn small(out: &mut Vec<u8>, flags: &Flags, verb: char, byte: u8) {
    match verb {
        'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => flags.integer(out, false, u64::from(byte), verb),
        'c' => flags.pad(out, char::from(byte).to_string().as_bytes()),
        'q' => flags.quoted_char(out, char::from(byte)),
        'U' => flags.code_point(out, u64::from(byte)),
        _ => {
            out.extend(format!("%!{verb}(uint8=").bytes());
            flags.integer(out, false, u64::from(byte), 'v');
            out.push(b')');
        }
    }
}

fn double(out: &mut Vec<u8>, flags: &Flags, verb: char, number: f64, value: &Val<'_>) {
    let (verb, default) = match verb {
        'v' => ('g', None),
        'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
        'f' | 'F' => ('f', Some(6)),
        'e' | 'E' => (verb, Some(6)),
        _ => return bad(out, flags, verb, value),
    };
    let precision = flags.precision.or(default);
    let text = float::format(number, verb, precision);
    let zeros = flags.sharp && verb != 'b' && number.is_finite();
    flags.number(out, &if zeros { float::keep_zeros(&text, verb, precision) } else { text });
}

/// Bytes of an id.
fn array(out: &mut Vec<u8>, flags: &Flags, verb: char, id: &[u8], value: &Val<'_>) {
    match verb {
        's' => flags.text(out, id),
        'x' | 'X' => flags.hex(out, id, verb == 'X'),
        'q' => flags.quoted(out, id),
        'v' if flags.go_syntax => {
            let bytes: Vec<String> = id.iter().map(|byte| format!("{byte:#x}")).collect();
            out.extend(format!("{}{{{}}}", go_type(value), bytes.join(", ")).bytes());
        }
        _ => list(out, flags, "", id.iter(), |out, byte| small(out, flags, verb, *byte)),
    }
}

/// Items in brackets; as in a program where that is asked for.
fn list<T>(
    out: &mut Vec<u8>,
    flags: &Flags,
    name: &str,
    items: impl Iterator<Item = T>,
    mut item: impl FnMut(&mut Vec<u8>, T),
) {
    let (open, between, close) = if flags.go_syntax { ("{", ", ", b'}') } else { ("[", " ", b']') };
    if flags.go_syntax {
        out.extend_from_slice(name.as_bytes());
    }
    out.extend_from_slice(open.as_bytes());
    for (at, value) in items.enumerate() {
        if at > 0 {
            out.extend_from_slice(between.as_bytes());
        }
        item(out, value);
    }
    out.push(close);
}

fn time_in_go(time: Time, flags: &Flags) -> String {
    if flags.go_syntax { go_time(time) } else { time_text(time) }
}

/// The Go type, for directives that do not fit.
pub(super) fn go_type(value: &Val<'_>) -> &'static str {
    match value {
        Val::Nil => "<nil>",
        Val::Bool(_) => "bool",
        Val::Int(_) => "int64",
        Val::Double(_) => "float64",
        Val::Str(_) => "string",
        Val::Bytes(_) => "[]uint8",
        Val::Map(_) => "pcommon.Map",
        Val::Slice(_) => "pcommon.Slice",
        Val::List(_) => "[]interface {}",
        Val::Strings(_) => "[]string",
        Val::Time(_) => "time.Time",
        Val::Duration(_) => "time.Duration",
        Val::TraceId(_) => "pcommon.TraceID",
        Val::SpanId(_) => "pcommon.SpanID",
        Val::Events(_) => "ptrace.SpanEventSlice",
        Val::Links(_) => "ptrace.SpanLinkSlice",
        Val::Status(_) => "ptrace.Status",
        Val::Piece(piece) => piece.go_type(),
    }
}
