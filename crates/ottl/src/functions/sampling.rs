//! For how many spans a sampled one stands. Only the connector that makes metrics of signals has this function.

use spanmill_otlp::{MAX_ADJUSTED_COUNT, sampling_threshold};

use super::Function;
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::val::Val;

pub(super) const FUNCTIONS: &[Function] = &[Function {
    only: Some(Context::Span),
    ..Function::plain("AdjustedCount", &[], |_, env| {
        let threshold = sampling_threshold(env.frame.fields.trace_state)
            .map_err(|_| EvalError::Static("failed to parse w3c tracestate"))?;
        let rest = MAX_ADJUSTED_COUNT - threshold.unwrap_or(0);
        Ok(Val::Double(1.0 / (rest as f64 / MAX_ADJUSTED_COUNT as f64)))
    })
}];

/// Whether it is one of these.
pub(crate) fn is_of_it(function: &Function) -> bool {
    FUNCTIONS.iter().any(|known| known.name == function.name)
}
