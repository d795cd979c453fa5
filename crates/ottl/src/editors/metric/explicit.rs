//! `convert_exponential_histogram_to_histogram`. Go's functions, step by step.

use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, Histogram, HistogramDataPoint, metric::Data,
};

use super::{Edit, Editor};
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::frame::Frame;
use crate::functions::{ParamKind, required};

pub(in super::super) const EDITORS: &[Editor] = &[Editor::only_in(
    Context::Metric,
    "convert_exponential_histogram_to_histogram",
    &[required("distribution_fn", ParamKind::StrLiteral), required("explicit_bounds", ParamKind::FloatLiterals)],
    |mut given, _| {
        let spread = match given.text().unwrap_or_default().as_str() {
            "upper" => Spread::Upper,
            "midpoint" => Spread::Midpoint,
            "random" | "" => Spread::Random,
            "uniform" => Spread::Uniform,
            other => {
                let valid = "upper, midpoint, random, uniform";
                return Err(format!("invalid conversion function: {other}, must be one of [{valid}]"));
            }
        };
        let bounds = given.doubles();
        if bounds.is_empty() {
            return Err("explicit bounds cannot be empty".to_owned());
        }
        Ok(Box::new(Convert { spread, bounds }))
    },
)];

#[derive(Debug)]
struct Convert {
    spread: Spread,
    bounds: Vec<f64>,
}

/// How the count of a bucket is spread over the bounds that it reaches across.
#[derive(Debug, Clone, Copy)]
enum Spread {
    Upper,
    Midpoint,
    Random,
    Uniform,
}

// === impl Convert ===

impl Edit for Convert {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        frame.with_metric(|metric, _| {
            let Some(Data::ExponentialHistogram(data)) = &mut metric.data else { return };
            let points = std::mem::take(&mut data.data_points);
            let histogram = Histogram {
                data_points: points.into_iter().map(|point| self.point(point)).collect(),
                aggregation_temporality: data.aggregation_temporality,
            };
            metric.data = Some(Data::Histogram(histogram));
            // As Go has it.
            metric.metadata.clear();
        });
        Ok(())
    }
}

impl Convert {
    fn point(&self, point: ExponentialHistogramDataPoint) -> HistogramDataPoint {
        let bucket_counts = self.counts(&point);
        HistogramDataPoint {
            attributes: point.attributes,
            start_time_unix_nano: point.start_time_unix_nano,
            time_unix_nano: point.time_unix_nano,
            count: point.count,
            // What is missing is zero then, as Go has it.
            sum: Some(point.sum.unwrap_or_default()),
            min: Some(point.min.unwrap_or_default()),
            max: Some(point.max.unwrap_or_default()),
            bucket_counts,
            explicit_bounds: self.bounds.clone(),
            exemplars: point.exemplars,
            flags: 0,
        }
    }

    fn counts(&self, point: &ExponentialHistogramDataPoint) -> Vec<u64> {
        let bounds = &self.bounds;
        let mut counts = vec![0_u64; bounds.len()];
        let last = bounds.len() - 1;
        if bounds.first() == Some(&0.0) {
            add(&mut counts, 0, point.zero_count);
        }
        let factor = std::f64::consts::LN_2 * (-f64::from(point.scale)).exp2();
        let Some(positive) = &point.positive else { return counts };
        for (at, count) in (0_i32..).zip(&positive.bucket_counts) {
            let index = positive.offset.wrapping_add(at);
            let upper = (f64::from(index.wrapping_add(1)) * factor).exp();
            let lower = (f64::from(index) * factor).exp();
            if bounds.last().is_some_and(|bound| lower > *bound) {
                add(&mut counts, last, *count);
                continue;
            }
            let within = bounds.iter().zip(bounds.iter().skip(1)).position(|(a, b)| lower > *a && upper <= *b);
            match within {
                Some(at) => add(&mut counts, at, *count),
                None => self.spread(&mut counts, *count, lower, upper),
            }
        }
        counts
    }

    fn spread(&self, counts: &mut [u64], count: u64, lower: f64, upper: f64) {
        let bounds = &self.bounds;
        let last = bounds.len() - 1;
        let reach = |value: f64| bounds.iter().position(|bound| value <= *bound);
        match self.spread {
            Spread::Upper => add(counts, reach(upper).unwrap_or(last), count),
            Spread::Midpoint => {
                let at = reach(f64::midpoint(upper, lower)).map_or(last, |at| at.saturating_sub(1));
                add(counts, at, count);
            }
            Spread::Uniform => {
                let (start, end) = (reach(lower).unwrap_or(last), reach(upper).unwrap_or(last));
                let Some(many) = end.checked_sub(start).filter(|many| *many > 0).map(|many| many as u64 + 1) else {
                    return add(counts, start, count);
                };
                let remainder = (count % many) as usize;
                for at in start..=end {
                    add(counts, at, count / many + u64::from(at - start < remainder));
                }
            }
            Spread::Random => {
                let (start, end) = (reach(lower).unwrap_or(last), reach(upper).unwrap_or(last));
                if end <= start {
                    return add(counts, start, count);
                }
                self.throw(counts, count, (lower, upper), (start, end));
            }
        }
    }

    /// Spreads a count at random, about as far as the bucket reaches into each part.
    fn throw(&self, counts: &mut [u64], count: u64, (lower, upper): (f64, f64), (start, end): (usize, usize)) {
        let mut left = count;
        for at in start..=end {
            let below = at.checked_sub(1).and_then(|at| self.bounds.get(at)).copied().unwrap_or(lower);
            let above = self.bounds.get(at).copied().unwrap_or(upper);
            let overlap = above.min(upper) - below.max(lower);
            let share = (count as f64 * (overlap / (upper - lower))) as u64;
            let thrown = ((fastrand::f64() * share as f64) as u64).min(left);
            add(counts, at, thrown);
            left -= thrown;
        }
        // The rest goes in equal parts, where Go throws every single one.
        let many = (end - start) as u64 + 1;
        let luck = (fastrand::f64() * many as f64) as usize;
        for at in start..=end {
            let is_lucky = (at - start + luck) as u64 % many < left % many;
            add(counts, at, left / many + u64::from(is_lucky));
        }
    }
}

fn add(counts: &mut [u64], at: usize, count: u64) {
    if let Some(place) = counts.get_mut(at) {
        *place = place.wrapping_add(count);
    }
}
