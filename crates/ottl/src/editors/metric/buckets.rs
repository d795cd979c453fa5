//! `merge_histogram_buckets`.

use opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint;

use super::{Edit, Editor};
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::convert::double_like;
use crate::eval::expr::{Env, Expr};
use crate::eval::frame::Frame;
use crate::eval::point::Point;
use crate::functions::{ParamKind, optional, required};

pub(in super::super) const EDITORS: &[Editor] = &[Editor::only_in(
    Context::DataPoint,
    "merge_histogram_buckets",
    &[required("target_value", ParamKind::DoubleLike), optional("method", ParamKind::StrLiteral)],
    |mut given, _| {
        let target = given.expr()?;
        let limits = match given.text().as_deref() {
            None | Some("remove_explicit_bound") => false,
            Some("limit_buckets") => true,
            Some(other) => {
                let message =
                    format!("unsupported method {other:?}, expected \"remove_explicit_bound\" or \"limit_buckets\"");
                return Err(message);
            }
        };
        if let Expr::Const(target) = &target {
            let target = double_like(target).map_err(|error| error.to_string())?;
            let target = target.ok_or("target_value must not be nil")?;
            if limits {
                most(target).map_err(|error| error.to_string())?;
            }
        }
        Ok(Box::new(Merge { target, limits }))
    },
)];

/// Merges the buckets on both sides of a bound, or so many that no more than a number of them is left.
#[derive(Debug)]
struct Merge {
    target: Expr,
    limits: bool,
}

/// The number of buckets that are to be left.
fn most(target: f64) -> Result<usize, EvalError> {
    if target < 1.0 || target.trunc() != target || target > i64::MAX as f64 || target.is_nan() {
        return Err(EvalError::Static("target_value must be a positive integer when method is \"limit_buckets\""));
    }
    Ok(target as usize)
}

// === impl Merge ===

impl Edit for Merge {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let is_histogram =
            frame.record.as_ref().is_some_and(|record| matches!(record.point, Some(Point::Histogram(_))));
        if !is_histogram {
            return Ok(());
        }
        let target = {
            let env = Env { frame: &*frame, locals: &[] };
            double_like(&self.target.eval(&env)?)?.ok_or(EvalError::Static("target_value must not be nil"))?
        };
        let point = frame.record.as_mut().and_then(|record| record.point.as_mut());
        let Some(Point::Histogram(point)) = point else { return Ok(()) };
        if self.limits {
            limit(point, most(target)?);
        } else {
            remove(point, target);
        }
        Ok(())
    }
}

fn is_consistent(point: &HistogramDataPoint) -> bool {
    point.explicit_bounds.len() + 1 == point.bucket_counts.len()
}

fn remove(point: &mut HistogramDataPoint, bound: f64) {
    const EPSILON: f64 = 1e-12;
    if !is_consistent(point) {
        return;
    }
    let Some(at) = point.explicit_bounds.iter().position(|known| (known - bound).abs() < EPSILON) else { return };
    point.explicit_bounds.remove(at);
    let below = point.bucket_counts.remove(at);
    if let Some(above) = point.bucket_counts.get_mut(at) {
        *above = above.wrapping_add(below);
    }
}

fn limit(point: &mut HistogramDataPoint, most: usize) {
    let HistogramDataPoint { explicit_bounds: bounds, bucket_counts: counts, .. } = point;
    let is_increasing = bounds.iter().zip(bounds.iter().skip(1)).all(|(below, above)| above > below);
    if bounds.len() + 1 != counts.len() || counts.len() <= most || counts.len() <= 1 || !is_increasing {
        return;
    }
    let step = counts.len().div_ceil(most);
    let sum = |counts: &[u64]| counts.iter().fold(0_u64, |sum, count| sum.wrapping_add(*count));
    *counts = counts.chunks(step).map(sum).collect();
    *bounds = bounds.iter().copied().skip(step - 1).step_by(step).collect();
}
