//! `aggregate_on_attributes` and `aggregate_on_attribute_value`: points that have the same attributes then become one.

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data};

use super::merge::{self, By};
use super::{Edit, Editor};
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::frame::Frame;
use crate::eval::point;
use crate::functions::{ParamKind, optional, required};

pub(in super::super) const EDITORS: &[Editor] = &[
    Editor::only_in(
        Context::Metric,
        "aggregate_on_attributes",
        &[required("aggregation_function", ParamKind::StrLiteral), optional("attributes", ParamKind::StrLiterals)],
        |mut given, _| {
            let by = By::of_name(&given.text().unwrap_or_default())?;
            Ok(Box::new(OnAttributes { by, kept: given.texts() }))
        },
    ),
    Editor::only_in(
        Context::Metric,
        "aggregate_on_attribute_value",
        &[
            required("aggregation_function", ParamKind::StrLiteral),
            required("attribute", ParamKind::StrLiteral),
            required("values", ParamKind::StrLiterals),
            required("new_value", ParamKind::StrLiteral),
        ],
        |mut given, _| {
            let by = By::of_name(&given.text().unwrap_or_default())?;
            let (attribute, values) = (given.text().unwrap_or_default(), given.texts().unwrap_or_default());
            Ok(Box::new(OnValue { by, attribute, values, new: given.text().unwrap_or_default() }))
        },
    ),
];

#[derive(Debug)]
struct OnAttributes {
    by: By,
    /// The attributes that stay; all where none are given.
    kept: Option<Vec<String>>,
}

#[derive(Debug)]
struct OnValue {
    by: By,
    attribute: String,
    values: Vec<String>,
    new: String,
}

// === impl OnAttributes ===

impl Edit for OnAttributes {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let changed = frame.with_metric(|metric, _| {
            if matches!(metric.data, Some(Data::Summary(_))) {
                return Err(EvalError::Static("aggregate_on_attributes does not support aggregating Summary metrics"));
            }
            if let (Some(kept), Some(data)) = (&self.kept, &mut metric.data) {
                point::each_attributes(data, |attributes| attributes.retain(|one| kept.contains(&one.key)));
            }
            merged(metric, self.by)
        });
        changed.unwrap_or(Ok(()))
    }
}

// === impl OnValue ===

impl Edit for OnValue {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let changed = frame.with_metric(|metric, _| {
            if let Some(data) = &mut metric.data {
                point::each_attributes(data, |attributes| self.rename(attributes));
            }
            merged(metric, self.by)
        });
        changed.unwrap_or(Ok(()))
    }
}

impl OnValue {
    fn rename(&self, attributes: &mut [KeyValue]) {
        let Some(found) = attributes.iter_mut().find(|one| one.key == self.attribute) else { return };
        let value = found.value.get_or_insert_default();
        for old in &self.values {
            // What is no text counts as the empty one.
            let matches = match &value.value {
                Some(Value::StringValue(text)) => text == old,
                _ => old.is_empty(),
            };
            if matches {
                value.value = Some(Value::StringValue(self.new.clone()));
            }
        }
    }
}

/// Points that are the same but for their values become one. As Go has it, the metric loses its metadata, and summaries lose all points.
fn merged(metric: &mut Metric, by: By) -> Result<(), EvalError> {
    metric.metadata.clear();
    match &mut metric.data {
        Some(Data::Gauge(data)) => merge::numbers(&mut data.data_points, by, false),
        Some(Data::Sum(data)) => {
            let delta = merge::is_delta(data.aggregation_temporality);
            merge::numbers(&mut data.data_points, by, delta);
        }
        Some(Data::Histogram(data)) => {
            merge::histograms(&mut data.data_points, merge::is_delta(data.aggregation_temporality));
        }
        Some(Data::ExponentialHistogram(data)) => {
            return merge::exponential(&mut data.data_points, merge::is_delta(data.aggregation_temporality));
        }
        Some(Data::Summary(data)) => data.data_points.clear(),
        None => {}
    }
    Ok(())
}
