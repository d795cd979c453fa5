//! `extract_percentile_metric`. Go's functions, step by step.

use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, Gauge, HistogramDataPoint, Metric, NumberDataPoint,
    exponential_histogram_data_point::Buckets, metric::Data, number_data_point::Value,
};

use super::{Counted, Edit, Editor};
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::frame::Frame;
use crate::functions::{ParamKind, optional, required};

pub(in super::super) const EDITORS: &[Editor] = &[Editor::only_in(
    Context::Metric,
    "extract_percentile_metric",
    &[required("percentile", ParamKind::FloatLiteral), optional("suffix", ParamKind::StrLiteral)],
    |mut given, _| {
        let (percentile, suffix) = (given.double().unwrap_or_default(), given.text());
        if percentile <= 0.0 || percentile >= 100.0 {
            return Err(format!("percentile must be greater than 0 and less than 100, got {percentile:.6}"));
        }
        let suffix = suffix.filter(|suffix| !suffix.is_empty()).unwrap_or_else(|| format!("_p{percentile}"));
        Ok(Box::new(Extract { percentile, suffix }))
    },
)];

#[derive(Debug)]
struct Extract {
    percentile: f64,
    suffix: String,
}

/// A value of a point; none where it has nothing to tell.
type Found = Result<Option<f64>, EvalError>;

// === impl Extract ===

impl Edit for Extract {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let Some(record) = &mut frame.record else { return Ok(()) };
        let metric = &record.metric;
        let data_points = match &metric.data {
            Some(Data::Histogram(data)) => self.points(&data.data_points, histogram)?,
            Some(Data::ExponentialHistogram(data)) => self.points(&data.data_points, exponential)?,
            _ => return Ok(()),
        };
        if data_points.is_empty() {
            return Ok(());
        }
        let percentile = self.percentile;
        record.made.push(Metric {
            name: format!("{}{}", metric.name, self.suffix),
            description: match metric.description.as_str() {
                "" => format!("p{percentile}"),
                text => format!("{text} (p{percentile})"),
            },
            unit: metric.unit.clone(),
            data: Some(Data::Gauge(Gauge { data_points })),
            ..Metric::default()
        });
        Ok(())
    }
}

impl Extract {
    fn points<P: Counted>(&self, points: &[P], of: fn(&P, u64) -> Found) -> Result<Vec<NumberDataPoint>, EvalError> {
        let mut numbers = Vec::new();
        for point in points.iter().filter(|point| point.count() > 0) {
            let wanted = (point.count() as f64 * (self.percentile / 100.0)).ceil() as u64;
            if let Some(value) = of(point, wanted)? {
                numbers.push(point.number(Value::AsDouble(value)));
            }
        }
        Ok(numbers)
    }
}

const MALFORMED: EvalError = EvalError::Static("malformed histogram: the counts of its buckets do not reach its count");

fn histogram(point: &HistogramDataPoint, wanted: u64) -> Found {
    let HistogramDataPoint { bucket_counts: counts, explicit_bounds: bounds, min, max, .. } = point;
    if counts.is_empty() {
        return Ok(None);
    }
    if counts.len() != bounds.len() + 1 {
        return Err(EvalError::Static("malformed histogram: it must have one bucket more than bounds"));
    }
    if let ([count], Some(min), Some(max)) = (counts.as_slice(), min, max) {
        return linear(*min, *max, wanted as f64 / *count as f64).map(Some);
    }
    if bounds.is_empty() {
        return Ok(None);
    }
    let mut before = 0_u64;
    for (at, count) in counts.iter().enumerate() {
        let reached = before.wrapping_add(*count);
        if reached < wanted {
            before = reached;
            continue;
        }
        let below = at.checked_sub(1).and_then(|at| bounds.get(at)).copied();
        let (lower, upper) = match (below, bounds.get(at).copied()) {
            (None, Some(upper)) => match min {
                Some(min) if *min < upper => (*min, upper),
                // Nothing is known of where it begins.
                _ if upper < 0.0 => return Ok(Some(upper)),
                _ => (0.0, upper),
            },
            (Some(lower), Some(upper)) => (lower, upper),
            (Some(lower), None) => match max {
                Some(max) if *max > lower => (lower, *max),
                _ => return Ok(Some(lower)),
            },
            (None, None) => return Ok(None),
        };
        return linear(lower, upper, wanted.wrapping_sub(before) as f64 / *count as f64).map(Some);
    }
    Err(MALFORMED)
}

fn exponential(point: &ExponentialHistogramDataPoint, wanted: u64) -> Found {
    let none = Buckets::default();
    let (negative, positive) = (point.negative.as_ref().unwrap_or(&none), point.positive.as_ref().unwrap_or(&none));
    let (has_negative, has_positive) = (!negative.bucket_counts.is_empty(), !positive.bucket_counts.is_empty());
    if !has_negative && !has_positive && point.zero_count == 0 {
        return Ok(None);
    }
    let mut before = 0_u64;
    for (at, count) in negative.bucket_counts.iter().enumerate().rev() {
        let reached = before.wrapping_add(*count);
        if reached >= wanted {
            let index = i64::from(negative.offset) + at as i64;
            let (lower, upper) = (bound(index, point.scale), bound(index + 1, point.scale));
            if lower >= upper {
                return Err(EvalError::Static("malformed exponential histogram: a bucket has no width"));
            }
            let ratio = (wanted - before) as f64 / *count as f64;
            return logarithmic(lower, upper, 1.0 - ratio).map(|value| Some(-value));
        }
        before = reached;
    }
    let reached = before.wrapping_add(point.zero_count);
    if reached >= wanted {
        let lower = if !has_negative && has_positive { 0.0 } else { -point.zero_threshold };
        let upper = if !has_positive && has_negative { 0.0 } else { point.zero_threshold };
        return linear(lower, upper, (wanted - before) as f64 / point.zero_count as f64).map(Some);
    }
    before = reached;
    for (at, count) in positive.bucket_counts.iter().enumerate() {
        let reached = before.wrapping_add(*count);
        if reached >= wanted {
            let index = i64::from(positive.offset) + at as i64;
            let ratio = (wanted - before) as f64 / *count as f64;
            return logarithmic(bound(index, point.scale), bound(index + 1, point.scale), ratio).map(Some);
        }
        before = reached;
    }
    Err(MALFORMED)
}

/// The lower bound of a bucket.
fn bound(index: i64, scale: i32) -> f64 {
    if scale <= 0 {
        return (index as f64 * (-f64::from(scale)).exp2()).exp2();
    }
    (index as f64 * (std::f64::consts::LN_2 * (-f64::from(scale)).exp2())).exp()
}

fn check(ratio: f64) -> Result<(), EvalError> {
    if (0.0..=1.0).contains(&ratio) { Ok(()) } else { Err(MALFORMED) }
}

fn linear(lower: f64, upper: f64, ratio: f64) -> Result<f64, EvalError> {
    check(ratio)?;
    Ok(lower + ratio * (upper - lower))
}

fn logarithmic(lower: f64, upper: f64, ratio: f64) -> Result<f64, EvalError> {
    check(ratio)?;
    if lower <= 0.0 || upper <= 0.0 {
        return Err(EvalError::Static("malformed exponential histogram: a bound is not above zero"));
    }
    let (lower, upper) = (lower.log2(), upper.log2());
    Ok((lower + (upper - lower) * ratio).exp2())
}
