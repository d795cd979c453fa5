//! The fields of metrics that are not metadata.

use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data};

use super::EvalError;
use super::expr::Env;
use super::frame::Frame;
use super::given::Given;
use super::piece::{Piece, PieceKind};
use super::point;
use super::val::Val;

/// A field of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricField {
    Name,
    Description,
    Unit,
    Type,
    Temporality,
    Monotonic,
    Points,
}

// === impl MetricField ===

impl MetricField {
    pub(crate) fn get<'e>(self, env: &'e Env<'e>) -> Val<'e> {
        let Some(record) = &env.frame.record else { return Val::Nil };
        let metric = &record.metric;
        match (self, &metric.data) {
            (Self::Name, _) => Val::text(&metric.name),
            (Self::Description, _) => Val::text(&metric.description),
            (Self::Unit, _) => Val::text(&metric.unit),
            (Self::Type, data) => Val::Int(data.as_ref().map_or(0, number_of)),
            (Self::Temporality, Some(Data::Sum(data))) => Val::Int(i64::from(data.aggregation_temporality)),
            (Self::Temporality, Some(Data::Histogram(data))) => Val::Int(i64::from(data.aggregation_temporality)),
            (Self::Temporality, Some(Data::ExponentialHistogram(data))) => {
                Val::Int(i64::from(data.aggregation_temporality))
            }
            (Self::Monotonic, Some(Data::Sum(data))) => Val::Bool(data.is_monotonic),
            (Self::Points, Some(data)) => Val::Piece(Piece::Points(data)),
            (Self::Temporality | Self::Monotonic | Self::Points, _) => Val::Nil,
        }
    }

    pub(crate) fn set<'a>(self, frame: &mut Frame<'a>, given: Given<'a>) -> Result<(), EvalError> {
        let Some(record) = &mut frame.record else { return Ok(()) };
        let Metric { name, description, unit, data, .. } = &mut record.metric;
        match self {
            Self::Name => *name = given.text_value()?,
            Self::Description => *description = given.text_value()?,
            Self::Unit => *unit = given.text_value()?,
            // As Go has it: this is passed over without a word.
            Self::Type => {}
            Self::Temporality => {
                let value = given.int()? as i32;
                match data {
                    Some(Data::Sum(data)) => data.aggregation_temporality = value,
                    Some(Data::Histogram(data)) => data.aggregation_temporality = value,
                    Some(Data::ExponentialHistogram(data)) => data.aggregation_temporality = value,
                    _ => {}
                }
            }
            Self::Monotonic => {
                let value = given.bool()?;
                if let Some(Data::Sum(data)) = data {
                    data.is_monotonic = value;
                }
            }
            Self::Points => {
                let Some(data) = data else { return Ok(()) };
                match given {
                    Given::Nil => point::clear(data),
                    Given::Piece(PieceKind::Points, encoded) => {
                        let other = PieceKind::points(encoded);
                        if !other.is_some_and(|other| point::copy(other, data)) {
                            return Err(EvalError::Static("expected points of the same kind of metric"));
                        }
                    }
                    other => return Err(other.unexpected("data points")),
                }
            }
        }
        Ok(())
    }
}

/// The number of a kind of metric, as the enums have it.
fn number_of(data: &Data) -> i64 {
    match data {
        Data::Gauge(_) => 1,
        Data::Sum(_) => 2,
        Data::Histogram(_) => 3,
        Data::ExponentialHistogram(_) => 4,
        Data::Summary(_) => 5,
    }
}
