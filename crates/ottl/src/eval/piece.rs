//! Pieces of metrics that no attribute can hold: lists of points, of exemplars, of counts. They can be measured, and set where such a piece
//! was before.

use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, Metric, NumberDataPoint, SummaryDataPoint, exponential_histogram_data_point::Buckets, metric::Data,
    summary_data_point::ValueAtQuantile,
};
use prost::Message as _;

use super::point;

/// A piece where it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a> {
    Points(&'a Data),
    Exemplars(&'a [Exemplar]),
    Buckets(&'a Buckets),
    Quantiles(&'a [ValueAtQuantile]),
    Counts(&'a [u64]),
    /// The bounds of buckets, which an attribute can hold as a list, though they are equal to none.
    Bounds(&'a [f64]),
}

/// What kind of piece it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceKind {
    Points,
    Exemplars,
    Buckets,
    Quantiles,
    Counts,
    Bounds,
}

// === impl Piece ===

impl Piece<'_> {
    pub(crate) fn kind(self) -> PieceKind {
        match self {
            Self::Points(_) => PieceKind::Points,
            Self::Exemplars(_) => PieceKind::Exemplars,
            Self::Buckets(_) => PieceKind::Buckets,
            Self::Quantiles(_) => PieceKind::Quantiles,
            Self::Counts(_) => PieceKind::Counts,
            Self::Bounds(_) => PieceKind::Bounds,
        }
    }

    /// How many items it has; none where it is no list.
    pub(crate) fn len(self) -> Option<usize> {
        match self {
            Self::Points(data) => Some(point::count(data)),
            Self::Exemplars(all) => Some(all.len()),
            Self::Quantiles(all) => Some(all.len()),
            Self::Counts(all) => Some(all.len()),
            Self::Bounds(all) => Some(all.len()),
            Self::Buckets(_) => None,
        }
    }

    /// Encodes it, on its own or as part of the least message that can hold it.
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        let encoded = match self {
            Self::Points(data) => Metric { data: Some(data.clone()), ..Metric::default() }.encode_to_vec(),
            Self::Exemplars(all) => NumberDataPoint { exemplars: all.to_vec(), ..Default::default() }.encode_to_vec(),
            Self::Buckets(buckets) => buckets.encode_to_vec(),
            Self::Quantiles(all) => {
                SummaryDataPoint { quantile_values: all.to_vec(), ..Default::default() }.encode_to_vec()
            }
            // They become a list.
            Self::Bounds(_) => Vec::new(),
            Self::Counts(all) => Buckets { offset: 0, bucket_counts: all.to_vec() }.encode_to_vec(),
        };
        out.extend_from_slice(&encoded);
    }

    /// The Go type, for directives that do not fit.
    pub(crate) fn go_type(self) -> &'static str {
        match self {
            Self::Points(Data::Gauge(_) | Data::Sum(_)) => "pmetric.NumberDataPointSlice",
            Self::Points(Data::Histogram(_)) => "pmetric.HistogramDataPointSlice",
            Self::Points(Data::ExponentialHistogram(_)) => "pmetric.ExponentialHistogramDataPointSlice",
            Self::Points(Data::Summary(_)) => "pmetric.SummaryDataPointSlice",
            Self::Exemplars(_) => "pmetric.ExemplarSlice",
            Self::Buckets(_) => "pmetric.ExponentialHistogramDataPointBuckets",
            Self::Quantiles(_) => "pmetric.SummaryDataPointValueAtQuantileSlice",
            Self::Counts(_) => "[]uint64",
            Self::Bounds(_) => "[]float64",
        }
    }
}

// === impl PieceKind ===

impl PieceKind {
    /// The type, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Points => "data points",
            Self::Exemplars => "exemplars",
            Self::Buckets => "buckets",
            Self::Quantiles => "quantile values",
            Self::Counts => "counts",
            Self::Bounds => "bounds",
        }
    }

    pub(crate) fn points(encoded: &[u8]) -> Option<Data> {
        Metric::decode(encoded).ok()?.data
    }

    pub(crate) fn exemplars(encoded: &[u8]) -> Vec<Exemplar> {
        NumberDataPoint::decode(encoded).unwrap_or_default().exemplars
    }

    pub(crate) fn buckets(encoded: &[u8]) -> Buckets {
        Buckets::decode(encoded).unwrap_or_default()
    }

    pub(crate) fn quantiles(encoded: &[u8]) -> Vec<ValueAtQuantile> {
        SummaryDataPoint::decode(encoded).unwrap_or_default().quantile_values
    }
}
