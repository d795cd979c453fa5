//! Editors of lists: `append` and `delete_index`.

use spanmill_otlp::ValueRef;

use super::{Edit, Editor};
use crate::eval::EvalError;
use crate::eval::convert;
use crate::eval::expr::{Env, Expr};
use crate::eval::frame::Frame;
use crate::eval::given::Given;
use crate::eval::path::Path;
use crate::eval::val::{Val, elements, put_delimited};
use crate::functions::{ParamKind, optional, required};

pub(super) const EDITORS: &[Editor] = &[
    Editor::new(
        "append",
        &[required("target", ParamKind::Path), optional("value", ParamKind::Any), optional("values", ParamKind::Anys)],
        |mut given, _| {
            let (target, value, values) = (given.path()?, given.optional_expr(), given.list());
            if value.is_none() && values.is_none() {
                return Err("at least one of value and values must be given".to_owned());
            }
            Ok(Box::new(Append { target, values: value.into_iter().chain(values.into_iter().flatten()).collect() }))
        },
    ),
    Editor::new(
        "delete_index",
        &[
            required("target", ParamKind::Path),
            required("start_index", ParamKind::Int),
            optional("end_index", ParamKind::Int),
        ],
        |mut given, _| {
            Ok(Box::new(DeleteIndex { target: given.path()?, start: given.expr()?, end: given.optional_expr() }))
        },
    ),
];

#[derive(Debug)]
struct Append {
    target: Path,
    values: Box<[Expr]>,
}

#[derive(Debug)]
struct DeleteIndex {
    target: Path,
    start: Expr,
    end: Option<Expr>,
}

// === impl Append ===

impl Edit for Append {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let mut body = Vec::new();
        {
            let env = Env { frame: &*frame, locals: &[] };
            match self.target.get(&env)? {
                Val::Nil => {}
                Val::Slice(items) => body.extend_from_slice(&items),
                Val::Map(_) => return Err(EvalError::Unsupported { what: "an item of a list", found: "map" }),
                one => put_item(&mut body, &one)?,
            }
            for value in &self.values {
                match value.eval(&env)? {
                    // Of the values with parts only lists that are written in the text are raw values in Go.
                    item @ (Val::Map(_) | Val::Slice(_) | Val::Strings(_)) => {
                        return Err(EvalError::Unsupported { what: "an item of a list", found: item.type_name() });
                    }
                    item => put_item(&mut body, &item)?,
                }
            }
        }
        let mut scratch = frame.take_scratch();
        put_delimited(&mut scratch, 0x2a, &body);
        let value = Given::Value(ValueRef::new(frame.store(scratch)));
        self.target.set(frame, value)
    }
}

fn put_item(body: &mut Vec<u8>, item: &Val<'_>) -> Result<(), EvalError> {
    let mut encoded = Vec::new();
    item.encode(&mut encoded)?;
    put_delimited(body, 0x0a, &encoded);
    Ok(())
}

// === impl DeleteIndex ===

impl Edit for DeleteIndex {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let mut body = Vec::new();
        {
            let env = Env { frame: &*frame, locals: &[] };
            let items = match self.target.get(&env)? {
                Val::Slice(items) => items,
                other => return Err(EvalError::Type { expected: "list", found: other.type_name() }),
            };
            let start = convert::int(&self.start.eval(&env)?)?;
            let end = match &self.end {
                Some(end) => convert::int(&end.eval(&env)?)?,
                None => start.saturating_add(1),
            };
            let len = elements(&items).count() as i64;
            if !(start == 0 && end == len) {
                if start < 0 || start >= len {
                    return Err(EvalError::Bounds(start));
                }
                if end < start || end > len {
                    return Err(EvalError::Bounds(end));
                }
            }
            for (at, item) in (0_i64..).zip(elements(&items)) {
                if at < start || at >= end {
                    put_delimited(&mut body, 0x0a, item.raw());
                }
            }
        }
        let mut scratch = frame.take_scratch();
        put_delimited(&mut scratch, 0x2a, &body);
        let value = Given::Value(ValueRef::new(frame.store(scratch)));
        self.target.set(frame, value)
    }
}
