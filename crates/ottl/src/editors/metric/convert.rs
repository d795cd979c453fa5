//! Editors that make a metric one of another kind: `convert_sum_to_gauge`, `convert_gauge_to_sum`, `scale_metric`.

use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, Gauge, HistogramDataPoint, NumberDataPoint, Sum, SummaryDataPoint, exemplar, metric::Data,
    number_data_point::Value,
};

use super::{Edit, Editor, temporality};
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::convert::truncate;
use crate::eval::expr::Expr;
use crate::eval::frame::Frame;
use crate::eval::given::string;
use crate::functions::{ParamKind, optional, required};

pub(in super::super) const EDITORS: &[Editor] = &[
    Editor::only_in(Context::Metric, "convert_sum_to_gauge", &[], |_, _| Ok(Box::new(SumToGauge))),
    Editor::only_in(
        Context::Metric,
        "convert_gauge_to_sum",
        &[required("string_agg_temp", ParamKind::StrLiteral), required("monotonic", ParamKind::BoolLiteral)],
        |mut given, _| {
            let temporality = temporality(&given.text().unwrap_or_default())?;
            Ok(Box::new(GaugeToSum { temporality, monotonic: given.bool().unwrap_or_default() }))
        },
    ),
    Editor::only_in(
        Context::Metric,
        "scale_metric",
        &[required("multiplier", ParamKind::FloatLiteral), optional("unit", ParamKind::Str)],
        |mut given, _| {
            let multiplier = given.double().unwrap_or_default();
            Ok(Box::new(Scale { multiplier, unit: given.optional_expr() }))
        },
    ),
];

#[derive(Debug)]
struct SumToGauge;

#[derive(Debug)]
struct GaugeToSum {
    temporality: i32,
    monotonic: bool,
}

#[derive(Debug)]
struct Scale {
    multiplier: f64,
    unit: Option<Expr>,
}

// === impl SumToGauge ===

impl Edit for SumToGauge {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let data = frame.record.as_mut().and_then(|record| record.metric.data.as_mut());
        if let Some(data) = data
            && let Data::Sum(sum) = data
        {
            *data = Data::Gauge(Gauge { data_points: std::mem::take(&mut sum.data_points) });
        }
        Ok(())
    }
}

// === impl GaugeToSum ===

impl Edit for GaugeToSum {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let data = frame.record.as_mut().and_then(|record| record.metric.data.as_mut());
        if let Some(data) = data
            && let Data::Gauge(gauge) = data
        {
            *data = Data::Sum(Sum {
                data_points: std::mem::take(&mut gauge.data_points),
                aggregation_temporality: self.temporality,
                is_monotonic: self.monotonic,
            });
        }
        Ok(())
    }
}

// === impl Scale ===

impl Edit for Scale {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let unit = self.unit.as_ref().map(|unit| string(unit, frame)).transpose()?;
        let Some(record) = &mut frame.record else { return Ok(()) };
        let by = self.multiplier;
        match &mut record.metric.data {
            Some(Data::Gauge(data)) => data.data_points.iter_mut().for_each(|point| scale_number(point, by)),
            Some(Data::Sum(data)) => data.data_points.iter_mut().for_each(|point| scale_number(point, by)),
            Some(Data::Histogram(data)) => data.data_points.iter_mut().for_each(|point| scale_histogram(point, by)),
            Some(Data::Summary(data)) => data.data_points.iter_mut().for_each(|point| scale_summary(point, by)),
            Some(Data::ExponentialHistogram(_)) => {
                return Err(EvalError::Static(
                    "exponential histograms are not supported by the 'scale_metric' function",
                ));
            }
            None => return Err(EvalError::Static("unsupported metric type: 'Empty'")),
        }
        if let Some(unit) = unit {
            record.metric.unit = String::from_utf8_lossy(unit).into_owned();
        }
        Ok(())
    }
}

/// An integer stays one.
fn scale_int(value: i64, by: f64) -> i64 {
    truncate(value as f64 * by)
}

fn scale_number(point: &mut NumberDataPoint, by: f64) {
    match &mut point.value {
        Some(Value::AsInt(value)) => *value = scale_int(*value, by),
        Some(Value::AsDouble(value)) => *value *= by,
        None => {}
    }
}

fn scale_histogram(point: &mut HistogramDataPoint, by: f64) {
    let HistogramDataPoint { sum, min, max, explicit_bounds, exemplars, .. } = point;
    [sum, min, max].into_iter().flatten().chain(explicit_bounds).for_each(|value| *value *= by);
    for Exemplar { value, .. } in exemplars {
        match value {
            Some(exemplar::Value::AsInt(value)) => *value = scale_int(*value, by),
            Some(exemplar::Value::AsDouble(value)) => *value *= by,
            None => {}
        }
    }
}

fn scale_summary(point: &mut SummaryDataPoint, by: f64) {
    point.sum *= by;
    point.quantile_values.iter_mut().for_each(|quantile| quantile.value *= by);
}
