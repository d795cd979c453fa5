//! `Format`: Go's `fmt.Sprintf` for the values that OTTL has.

mod flags;
mod float;
mod value;

use super::{Args, Function, ParamKind, required};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::val::Val;
use flags::{Flags, MAX_WIDTH};
use value::{go_type, put};

pub(super) const FUNCTIONS: &[Function] = &[Function::plain(
    "Format",
    &[required("format", ParamKind::StrLiteral), required("vals", ParamKind::Anys)],
    format,
)];

/// A format being followed.
struct Printer<'f, 'v> {
    rest: &'f str,
    values: &'f [Val<'v>],
    /// Which value comes next.
    at: usize,
    /// Whether values were chosen by their number, and whether the last such number was good.
    reordered: bool,
    good_number: bool,
    out: Vec<u8>,
}

fn format<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let values: Vec<Val<'_>> = args.list(1).iter().map(|value| value.eval(env)).collect::<Result<_, _>>()?;
    let rest = args.literal(0).unwrap_or("");
    let printer = Printer { rest, values: &values, at: 0, reordered: false, good_number: true, out: Vec::new() };
    Ok(Val::Str(printer.print().into()))
}

// === impl Printer ===

impl Printer<'_, '_> {
    fn print(mut self) -> Vec<u8> {
        while let Some(at) = self.rest.find('%') {
            let (text, after) = self.rest.split_at(at);
            self.out.extend_from_slice(text.as_bytes());
            self.rest = after.get(1..).unwrap_or("");
            self.good_number = true;
            if !self.directive() {
                break;
            }
        }
        self.out.extend_from_slice(self.rest.as_bytes());
        if !self.reordered && self.at < self.values.len() {
            self.extra();
        }
        self.out
    }

    /// Values that no directive asked for.
    fn extra(&mut self) {
        self.out.extend_from_slice(b"%!(EXTRA ");
        for (at, value) in self.values.get(self.at..).unwrap_or(&[]).iter().enumerate() {
            if at > 0 {
                self.out.extend_from_slice(b", ");
            }
            if value.is_nil() {
                self.out.extend_from_slice(b"<nil>");
            } else {
                self.out.extend_from_slice(go_type(value).as_bytes());
                self.out.push(b'=');
                put(&mut self.out, &Flags::default(), 'v', value, true);
            }
        }
        self.out.push(b')');
    }

    /// What follows a `%`; whether the format goes on.
    fn directive(&mut self) -> bool {
        let mut flags = Flags::default();
        while let Some(flag) = self.rest.chars().next().filter(|c| "#0+- ".contains(*c)) {
            flags.set(flag);
            self.rest = self.rest.get(1..).unwrap_or("");
        }
        let mut indexed = self.number_of_value();
        if let Some(after) = self.rest.strip_prefix('*') {
            self.rest = after;
            match self.int() {
                Some(width) => {
                    flags.width = Some((width.unsigned_abs() as usize).min(MAX_WIDTH));
                    if width < 0 {
                        flags.minus = true;
                        flags.zero = false;
                    }
                }
                None => self.out.extend_from_slice(b"%!(BADWIDTH)"),
            }
            indexed = false;
        } else {
            flags.width = self.digits();
            if indexed && flags.width.is_some() {
                self.good_number = false;
            }
        }
        if let Some(after) = self.rest.strip_prefix('.').filter(|after| !after.is_empty()) {
            self.rest = after;
            if indexed {
                self.good_number = false;
            }
            indexed = self.number_of_value();
            if let Some(after) = self.rest.strip_prefix('*') {
                self.rest = after;
                match self.int() {
                    Some(precision) if precision >= 0 => flags.precision = Some((precision as usize).min(MAX_WIDTH)),
                    _ => self.out.extend_from_slice(b"%!(BADPREC)"),
                }
                indexed = false;
            } else {
                flags.precision = Some(self.digits().unwrap_or(0));
            }
        }
        if !indexed {
            self.number_of_value();
        }
        let Some(verb) = self.rest.chars().next() else {
            self.out.extend_from_slice(b"%!(NOVERB)");
            return false;
        };
        self.rest = self.rest.get(verb.len_utf8()..).unwrap_or("");
        match (verb, self.values.get(self.at)) {
            ('%', _) => self.out.push(b'%'),
            (verb, _) if !self.good_number => self.out.extend(format!("%!{verb}(BADINDEX)").bytes()),
            (verb, None) => self.out.extend(format!("%!{verb}(MISSING)").bytes()),
            (verb, Some(value)) => {
                if verb == 'v' {
                    flags.go_syntax = std::mem::take(&mut flags.sharp);
                    flags.plus = false;
                }
                put(&mut self.out, &flags, verb, value, true);
                self.at += 1;
            }
        }
        true
    }

    /// `[3]` chooses a value by its number, from 1.
    fn number_of_value(&mut self) -> bool {
        if !self.rest.starts_with('[') {
            return false;
        }
        self.reordered = true;
        let Some((inside, after)) = self.rest.get(1..).and_then(|rest| rest.split_once(']')) else {
            self.rest = self.rest.get(1..).unwrap_or("");
            self.good_number = false;
            return false;
        };
        self.rest = after;
        let digits = !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<usize> = if digits { inside.parse().ok() } else { None };
        match number.and_then(|number| number.checked_sub(1)).filter(|at| *at < self.values.len()) {
            Some(at) => {
                self.at = at;
                true
            }
            None => {
                self.good_number = false;
                number.is_some()
            }
        }
    }

    fn digits(&mut self) -> Option<usize> {
        let (digits, after) = self.rest.split_at(self.rest.bytes().take_while(u8::is_ascii_digit).count());
        self.rest = after;
        (!digits.is_empty()).then(|| digits.parse().unwrap_or(MAX_WIDTH).min(MAX_WIDTH))
    }

    /// A width or precision that is given as a value.
    fn int(&mut self) -> Option<i64> {
        let value = self.values.get(self.at)?;
        self.at += 1;
        match value {
            Val::Int(value) | Val::Duration(value) if value.unsigned_abs() <= 1_000_000 => Some(*value),
            _ => None,
        }
    }
}
