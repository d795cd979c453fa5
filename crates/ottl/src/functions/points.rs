//! Functions that ask whether a point of a metric has an attribute. Only where metrics are filtered there are these.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};

use super::{Args, Function, ParamKind, required};
use crate::context::Context;
use crate::eval::expr::Env;
use crate::eval::point;
use crate::eval::val::Val;
use crate::eval::{EvalError, convert as to};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        only: Some(Context::Metric),
        ..Function::plain("HasAttrKeyOnDatapoint", &[required("key", ParamKind::StrLiteral)], |args, env| {
            Ok(Val::Bool(found(args, env)?.is_some()))
        })
    },
    Function {
        only: Some(Context::Metric),
        ..Function::plain(
            "HasAttrOnDatapoint",
            &[required("key", ParamKind::StrLiteral), required("expected_val", ParamKind::StrLiteral)],
            |args, env| {
                let expected = to::string(args.get(1, env)?)?;
                // What is no text counts as the empty one.
                let text = found(args, env)?.map(|value| match &value.value {
                    Some(Value::StringValue(text)) => text.as_bytes(),
                    _ => &[],
                });
                Ok(Val::Bool(text.is_some_and(|text| *text == *expected)))
            },
        )
    },
];

/// Whether it is one of these.
pub(crate) fn is_of_it(function: &Function) -> bool {
    FUNCTIONS.iter().any(|known| known.name == function.name)
}

/// The attribute of the first point that has it.
fn found<'e>(args: &'e Args, env: &'e Env<'e>) -> Result<Option<&'e AnyValue>, EvalError> {
    const NOTHING: &AnyValue = &AnyValue { value: None };
    let key = args.literal(0).unwrap_or_default();
    let Some(data) = env.frame.record.as_ref().and_then(|record| record.metric.data.as_ref()) else {
        return Err(EvalError::Static("unknown metric type"));
    };
    let of = |attributes: &'e [KeyValue]| attributes.iter().find(|attribute| attribute.key == key);
    Ok(point::attributes(data).find_map(of).map(|found| found.value.as_ref().unwrap_or(NOTHING)))
}
