//! Editors that make sums and gauges of the counts, sums and quantiles of other metrics.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Metric, NumberDataPoint, metric::Data, number_data_point::Value,
};

use super::{Counted, Edit, Editor, sum_of, temporality};
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::frame::Frame;
use crate::functions::{Param, ParamKind, optional, required};

pub(in super::super) const EDITORS: &[Editor] = &[
    Editor::only_in(Context::Metric, "extract_count_metric", EXTRACTED, |given, _| extract(given, Part::Count)),
    Editor::only_in(Context::Metric, "extract_sum_metric", EXTRACTED, |given, _| extract(given, Part::Sum)),
    Editor::only_in(Context::DataPoint, "convert_summary_count_val_to_sum", CONVERTED, |given, _| {
        convert(given, Part::Count)
    }),
    Editor::only_in(Context::DataPoint, "convert_summary_sum_val_to_sum", CONVERTED, |given, _| {
        convert(given, Part::Sum)
    }),
    Editor::only_in(
        Context::Metric,
        "convert_summary_quantile_val_to_gauge",
        &[optional("attribute_key", ParamKind::StrLiteral), optional("suffix", ParamKind::StrLiteral)],
        |mut given, _| {
            let key = given.text().unwrap_or_else(|| "quantile".to_owned());
            Ok(Box::new(Quantiles { key, suffix: given.text().unwrap_or_else(|| ".quantiles".to_owned()) }))
        },
    ),
];

const EXTRACTED: &[Param] = &[required("monotonic", ParamKind::BoolLiteral), optional("suffix", ParamKind::StrLiteral)];

const CONVERTED: &[Param] = &[
    required("string_agg_temp", ParamKind::StrLiteral),
    required("monotonic", ParamKind::BoolLiteral),
    optional("suffix", ParamKind::StrLiteral),
];

/// What is taken of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Count,
    Sum,
}

/// A sum of the counts or the sums of histograms and summaries.
#[derive(Debug)]
struct Extract {
    part: Part,
    monotonic: bool,
    suffix: String,
}

/// A sum of the counts or the sums of summaries.
#[derive(Debug)]
struct Convert {
    part: Part,
    temporality: i32,
    monotonic: bool,
    suffix: String,
}

/// A gauge of the quantiles of summaries.
#[derive(Debug)]
struct Quantiles {
    key: String,
    suffix: String,
}

fn extract(mut given: super::super::Given, part: Part) -> Result<Box<dyn Edit>, String> {
    let (monotonic, suffix) = (given.bool().unwrap_or_default(), given.text());
    Ok(Box::new(Extract { part, monotonic, suffix: suffix.unwrap_or_else(|| part.suffix().to_owned()) }))
}

fn convert(mut given: super::super::Given, part: Part) -> Result<Box<dyn Edit>, String> {
    let temporality = temporality(&given.text().unwrap_or_default())?;
    let (monotonic, suffix) = (given.bool().unwrap_or_default(), given.text());
    let suffix = suffix.unwrap_or_else(|| part.suffix().to_owned());
    Ok(Box::new(Convert { part, temporality, monotonic, suffix }))
}

// === impl Part ===

impl Part {
    fn suffix(self) -> &'static str {
        match self {
            Self::Count => "_count",
            Self::Sum => "_sum",
        }
    }

    /// The points that have it.
    fn of<P: Counted>(self, points: &[P]) -> Vec<NumberDataPoint> {
        let number = |point: &P| match self {
            Self::Count => Some(point.number(Value::AsInt(point.count() as i64))),
            Self::Sum => point.sum().map(|sum| point.number(Value::AsDouble(sum))),
        };
        points.iter().filter_map(number).collect()
    }
}

// === impl Extract ===

impl Edit for Extract {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let Some(record) = &mut frame.record else { return Ok(()) };
        let metric = &record.metric;
        let (temporality, points) = match &metric.data {
            Some(Data::Histogram(data)) => (data.aggregation_temporality, self.part.of(&data.data_points)),
            Some(Data::ExponentialHistogram(data)) => (data.aggregation_temporality, self.part.of(&data.data_points)),
            Some(Data::Summary(data)) => (AggregationTemporality::Cumulative as i32, self.part.of(&data.data_points)),
            _ => (0, Vec::new()),
        };
        if temporality == 0 {
            return Err(EvalError::Static(
                "requires a metric that is a histogram, an exponential histogram or a summary",
            ));
        }
        let mut sum = sum_of(metric, &self.suffix, temporality, self.monotonic, points);
        if self.part == Part::Count {
            // The unit of the values is not that of their number.
            "1".clone_into(&mut sum.unit);
        }
        if matches!(&sum.data, Some(Data::Sum(data)) if !data.data_points.is_empty()) {
            record.made.push(sum);
        }
        Ok(())
    }
}

// === impl Convert ===

impl Edit for Convert {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        frame.with_metric(|metric, made| {
            if let Some(Data::Summary(data)) = &metric.data {
                let points = self.part.of(&data.data_points);
                made.push(sum_of(metric, &self.suffix, self.temporality, self.monotonic, points));
            }
        });
        Ok(())
    }
}

// === impl Quantiles ===

impl Edit for Quantiles {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let Some(record) = &mut frame.record else { return Ok(()) };
        let metric = &record.metric;
        let Some(Data::Summary(data)) = &metric.data else { return Ok(()) };
        let mut data_points = Vec::new();
        for point in &data.data_points {
            for quantile in &point.quantile_values {
                let mut number = point.number(Value::AsDouble(quantile.value));
                put(&mut number.attributes, &self.key, quantile.quantile);
                data_points.push(number);
            }
        }
        record.made.push(Metric {
            name: format!("{}{}", metric.name, self.suffix),
            description: metric.description.clone(),
            unit: metric.unit.clone(),
            data: Some(Data::Gauge(Gauge { data_points })),
            ..Metric::default()
        });
        Ok(())
    }
}

fn put(attributes: &mut Vec<KeyValue>, key: &str, number: f64) {
    let value = Some(AnyValue { value: Some(any_value::Value::DoubleValue(number)) });
    match attributes.iter_mut().find(|attribute| attribute.key == key) {
        Some(attribute) => attribute.value = value,
        None => attributes.push(KeyValue { key: key.to_owned(), value, ..KeyValue::default() }),
    }
}
