//! The fields of points that are not attributes.

use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use spanmill_otlp::AnyValue;

use super::EvalError;
use super::expr::Env;
use super::frame::Frame;
use super::given::Given;
use super::piece::{Piece, PieceKind};
use super::point::Point;
use super::val::{Time, Val, elements};

/// A field of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PointField {
    Start,
    StartNano,
    Time,
    Nano,
    Double,
    Int,
    Exemplars,
    Flags,
    Count,
    Sum,
    Bounds,
    Counts,
    Scale,
    ZeroCount,
    Buckets(Sign),
    Offset(Sign),
    BucketCounts(Sign),
    Quantiles,
}

/// Which buckets of an exponential histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Positive,
    Negative,
}

const NO_BUCKETS: &Buckets = &Buckets { offset: 0, bucket_counts: Vec::new() };

// === impl PointField ===

impl PointField {
    pub(crate) fn get<'e>(self, env: &'e Env<'e>) -> Val<'e> {
        let Some(point) = env.frame.record.as_ref().and_then(|record| record.point.as_ref()) else {
            return Val::Nil;
        };
        let (start, time) = point.times();
        match (self, point) {
            (Self::Start, _) => Val::Time(Time::from_nanos(start as i64)),
            (Self::StartNano, _) => Val::Int(start as i64),
            (Self::Time, _) => Val::Time(Time::from_nanos(time as i64)),
            (Self::Nano, _) => Val::Int(time as i64),
            (Self::Flags, point) => Val::Int(i64::from(point.flags())),
            (Self::Exemplars, point) => point.exemplars().map_or(Val::Nil, |all| Val::Piece(Piece::Exemplars(all))),
            (Self::Count, point) => point.count().map_or(Val::Nil, |count| Val::Int(count as i64)),
            // A number of the other kind is zero, as Go has it.
            (Self::Double, Point::Number(point)) => match point.value {
                Some(Value::AsDouble(value)) => Val::Double(value),
                _ => Val::Double(0.0),
            },
            (Self::Int, Point::Number(point)) => match point.value {
                Some(Value::AsInt(value)) => Val::Int(value),
                _ => Val::Int(0),
            },
            (Self::Sum, Point::Histogram(point)) => Val::Double(point.sum.unwrap_or_default()),
            (Self::Sum, Point::Exponential(point)) => Val::Double(point.sum.unwrap_or_default()),
            (Self::Sum, Point::Summary(point)) => Val::Double(point.sum),
            (Self::Bounds, Point::Histogram(point)) => Val::Piece(Piece::Bounds(&point.explicit_bounds)),
            (Self::Counts, Point::Histogram(point)) => Val::Piece(Piece::Counts(&point.bucket_counts)),
            (Self::Scale, Point::Exponential(point)) => Val::Int(i64::from(point.scale)),
            (Self::ZeroCount, Point::Exponential(point)) => Val::Int(point.zero_count as i64),
            (Self::Buckets(sign) | Self::Offset(sign) | Self::BucketCounts(sign), Point::Exponential(point)) => {
                let buckets = match sign {
                    Sign::Positive => point.positive.as_ref(),
                    Sign::Negative => point.negative.as_ref(),
                };
                let buckets = buckets.unwrap_or(NO_BUCKETS);
                match self {
                    Self::Offset(_) => Val::Int(i64::from(buckets.offset)),
                    Self::BucketCounts(_) => Val::Piece(Piece::Counts(&buckets.bucket_counts)),
                    _ => Val::Piece(Piece::Buckets(buckets)),
                }
            }
            (Self::Quantiles, Point::Summary(point)) => Val::Piece(Piece::Quantiles(&point.quantile_values)),
            _ => Val::Nil,
        }
    }

    pub(crate) fn set<'a>(self, frame: &mut Frame<'a>, given: Given<'a>) -> Result<(), EvalError> {
        let Some(point) = frame.record.as_mut().and_then(|record| record.point.as_mut()) else { return Ok(()) };
        match self {
            Self::Start => *point.times_mut().0 = given.time()?,
            Self::StartNano => *point.times_mut().0 = given.int()? as u64,
            Self::Time => *point.times_mut().1 = given.time()?,
            Self::Nano => *point.times_mut().1 = given.int()? as u64,
            Self::Flags => *point.flags_mut() = given.int()? as u32,
            Self::Exemplars => {
                *point.exemplars_mut().ok_or(UNSUPPORTED)? = match given {
                    Given::Nil => Vec::new(),
                    Given::Piece(PieceKind::Exemplars, encoded) => PieceKind::exemplars(encoded),
                    other => return Err(other.unexpected("exemplars")),
                }
            }
            Self::Count => {
                let count = given.int()? as u64;
                match point {
                    Point::Number(_) => return Err(UNSUPPORTED),
                    Point::Histogram(point) => point.count = count,
                    Point::Exponential(point) => point.count = count,
                    Point::Summary(point) => point.count = count,
                }
            }
            Self::Sum => {
                let sum = given.double()?;
                match point {
                    Point::Number(_) => return Err(UNSUPPORTED),
                    Point::Histogram(point) => point.sum = Some(sum),
                    Point::Exponential(point) => point.sum = Some(sum),
                    Point::Summary(point) => point.sum = sum,
                }
            }
            of_kind => return of_kind.set_of_kind(point, given),
        }
        Ok(())
    }

    /// Sets what one kind of point has.
    fn set_of_kind(self, point: &mut Point, given: Given<'_>) -> Result<(), EvalError> {
        match (self, point) {
            (Self::Double, Point::Number(point)) => point.value = Some(Value::AsDouble(given.double()?)),
            (Self::Int, Point::Number(point)) => point.value = Some(Value::AsInt(given.int()?)),
            (Self::Bounds, Point::Histogram(point)) => point.explicit_bounds = bounds(given)?,
            (Self::Counts, Point::Histogram(point)) => point.bucket_counts = counts(given)?,
            (Self::Scale, Point::Exponential(point)) => point.scale = given.int()? as i32,
            (Self::ZeroCount, Point::Exponential(point)) => point.zero_count = given.int()? as u64,
            (Self::Buckets(sign) | Self::Offset(sign) | Self::BucketCounts(sign), Point::Exponential(point)) => {
                let buckets = match sign {
                    Sign::Positive => point.positive.get_or_insert_default(),
                    Sign::Negative => point.negative.get_or_insert_default(),
                };
                match (self, given) {
                    (Self::Offset(_), given) => buckets.offset = given.int()? as i32,
                    (Self::BucketCounts(_), given) => buckets.bucket_counts = counts(given)?,
                    (_, Given::Piece(PieceKind::Buckets, encoded)) => *buckets = PieceKind::buckets(encoded),
                    (_, other) => return Err(other.unexpected("buckets")),
                }
            }
            (Self::Quantiles, Point::Summary(point)) => {
                point.quantile_values = match given {
                    Given::Nil => Vec::new(),
                    Given::Piece(PieceKind::Quantiles, encoded) => PieceKind::quantiles(encoded),
                    other => return Err(other.unexpected("quantile values")),
                }
            }
            _ => return Err(UNSUPPORTED),
        }
        Ok(())
    }
}

const UNSUPPORTED: EvalError = EvalError::Static("points of this kind have no such field");

/// Counts of buckets: nothing, a list of integers, or other counts.
fn counts(given: Given<'_>) -> Result<Vec<u64>, EvalError> {
    match given {
        Given::Nil => Ok(Vec::new()),
        Given::Piece(PieceKind::Counts, encoded) => Ok(PieceKind::buckets(encoded).bucket_counts),
        other => items(other, |item| match item {
            AnyValue::Int(count) => Some(count as u64),
            _ => None,
        }),
    }
}

/// Bounds of buckets: nothing, or a list of doubles.
fn bounds(given: Given<'_>) -> Result<Vec<f64>, EvalError> {
    match given {
        Given::Nil => Ok(Vec::new()),
        other => items(other, |item| match item {
            AnyValue::Double(bound) => Some(bound),
            _ => None,
        }),
    }
}

fn items<T>(given: Given<'_>, item: fn(AnyValue<'_>) -> Option<T>) -> Result<Vec<T>, EvalError> {
    let Given::Value(value) = given else { return Err(given.unexpected("list")) };
    let AnyValue::Array(body) = value.get() else { return Err(given.unexpected("list")) };
    let wrong = EvalError::Static("an item of the list is not of the type of its items");
    elements(body).map(|element| item(element.get())).collect::<Option<_>>().ok_or(wrong)
}
