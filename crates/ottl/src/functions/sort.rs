//! `Sort`: lists in order, by what all their elements have in common.

use std::cmp::Ordering;

use super::{Args, Function, ParamKind, Prepared, optional, required, text_of};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::val::{ListVal, Val, elements};

pub(super) const FUNCTIONS: &[Function] = &[Function::prepared(
    "Sort",
    &[required("target", ParamKind::Any), optional("order", ParamKind::StrLiteral)],
    |args| match args.literal(1) {
        None | Some("asc") => Ok(Box::new(Sort { descending: false })),
        Some("desc") => Ok(Box::new(Sort { descending: true })),
        Some(other) => Err(format!("unknown order {other:?}, allowed are asc and desc")),
    },
)];

#[derive(Debug)]
struct Sort {
    descending: bool,
}

/// What elements are compared by.
enum Key {
    Int(i64),
    Double(f64),
    Text(Vec<u8>),
}

// === impl Sort ===

impl Prepared for Sort {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        match args.get(0, env)? {
            Val::Strings(mut items) => {
                items.sort();
                if self.descending {
                    items.reverse();
                }
                Ok(Val::Strings(items))
            }
            list @ (Val::Slice(_) | Val::List(_)) => {
                let body = crate::eval::convert::slice(list)?;
                let sorted: Option<Vec<Val<'_>>> = self.sort(elements(&body).map(Val::of).collect());
                match sorted {
                    Some(items) => {
                        let items = items.into_iter().map(Val::into_owned).collect::<Result<_, _>>()?;
                        Ok(Val::List(ListVal::Owned(items)))
                    }
                    None => Ok(Val::Slice(body)),
                }
            }
            other => Err(EvalError::Type { expected: "list", found: other.type_name() }),
        }
    }
}

impl Sort {
    /// Nothing where the elements have no order.
    fn sort<'v>(&self, items: Vec<Val<'v>>) -> Option<Vec<Val<'v>>> {
        let key = common(&items)?;
        let mut items: Vec<(Key, Val<'v>)> = items.into_iter().map(|item| (key(&item), item)).collect();
        items.sort_by(|(a, _), (b, _)| {
            let order = a.compare(b);
            if self.descending { order.reverse() } else { order }
        });
        Some(items.into_iter().map(|(_, item)| item).collect())
    }
}

/// Numbers are compared as such; where there is a text, a boolean or nil among them all are compared as texts.
fn common(items: &[Val<'_>]) -> Option<fn(&Val<'_>) -> Key> {
    let (mut texts, mut doubles, mut ints) = (false, false, false);
    for item in items {
        match item {
            Val::Int(_) => ints = true,
            Val::Double(_) => doubles = true,
            Val::Str(_) | Val::Bool(_) | Val::Nil => texts = true,
            _ => return None,
        }
    }
    Some(match (texts, doubles, ints) {
        (true, _, _) => |item| Key::Text(text_of(item.borrow())),
        (false, true, _) => |item| match item {
            Val::Int(value) => Key::Double(*value as f64),
            Val::Double(value) => Key::Double(*value),
            _ => Key::Double(0.0),
        },
        (false, false, true) => |item| match item {
            Val::Int(value) => Key::Int(*value),
            _ => Key::Int(0),
        },
        (false, false, false) => return None,
    })
}

// === impl Key ===

impl Key {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            // What is no number comes first.
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan())),
            _ => Ordering::Equal,
        }
    }
}
