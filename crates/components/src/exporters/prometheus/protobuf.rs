//! Pages as protobuf, the only form that shows all of native histograms: `io.prometheus.client.MetricFamily`, each after its length.

use prost::Message;

use super::escape::Escaping;
use super::families::{self, Family, Sample, Shown};
use super::native::{Native, Spans};

#[derive(Clone, PartialEq, Message)]
struct LabelPair {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Gauge {
    #[prost(double, optional, tag = "1")]
    value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct Counter {
    #[prost(double, optional, tag = "1")]
    value: Option<f64>,
    #[prost(message, optional, tag = "2")]
    exemplar: Option<Exemplar>,
    #[prost(message, optional, tag = "3")]
    created_timestamp: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
struct Quantile {
    #[prost(double, optional, tag = "1")]
    quantile: Option<f64>,
    #[prost(double, optional, tag = "2")]
    value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(uint64, optional, tag = "1")]
    sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    quantile: Vec<Quantile>,
    #[prost(message, optional, tag = "4")]
    created_timestamp: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    cumulative_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    upper_bound: Option<f64>,
    #[prost(message, optional, tag = "3")]
    exemplar: Option<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
struct BucketSpan {
    #[prost(sint32, optional, tag = "1")]
    offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    length: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    bucket: Vec<Bucket>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    zero_count: Option<u64>,
    #[prost(message, repeated, tag = "9")]
    negative_span: Vec<BucketSpan>,
    #[prost(sint64, repeated, packed = "false", tag = "10")]
    negative_delta: Vec<i64>,
    #[prost(message, repeated, tag = "12")]
    positive_span: Vec<BucketSpan>,
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    positive_delta: Vec<i64>,
    #[prost(message, optional, tag = "15")]
    created_timestamp: Option<Timestamp>,
    #[prost(message, repeated, tag = "16")]
    exemplars: Vec<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(double, optional, tag = "2")]
    value: Option<f64>,
    #[prost(message, optional, tag = "3")]
    timestamp: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Gauge>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Counter>,
    #[prost(message, optional, tag = "4")]
    summary: Option<Summary>,
    #[prost(int64, optional, tag = "6")]
    timestamp_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct MetricFamily {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    help: Option<String>,
    #[prost(int32, optional, tag = "3")]
    r#type: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

/// Writes a page.
pub(super) fn write(families: &[Family], escaping: Escaping) -> Vec<u8> {
    let mut out = Vec::new();
    for family in families {
        let made = MetricFamily {
            name: Some(escaping.name(&family.name).into_owned()),
            help: Some(family.help.clone()),
            r#type: Some(match family.kind {
                families::Kind::Counter => 0,
                families::Kind::Gauge => 1,
                families::Kind::Summary => 2,
                families::Kind::Histogram => 4,
            }),
            metric: family.metrics.iter().map(|sample| metric(sample, escaping)).collect(),
        };
        out.extend_from_slice(&made.encode_length_delimited_to_vec());
    }
    out
}

fn metric(sample: &Sample, escaping: Escaping) -> Metric {
    let label = sample.labels.iter().map(|(name, value)| pair(&escaping.name(name), value)).collect();
    let created_timestamp = sample.created.map(timestamp);
    let head = Metric { label, timestamp_ms: sample.timestamp_ms, ..Metric::default() };
    match &sample.value {
        Shown::Gauge(value) => Metric { gauge: Some(Gauge { value: Some(*value) }), ..head },
        Shown::Counter { value, exemplar: found } => {
            let exemplar = found.as_ref().map(exemplar);
            Metric { counter: Some(Counter { value: Some(*value), exemplar, created_timestamp }), ..head }
        }
        Shown::Summary { count, sum, quantiles } => {
            let quantile = |(quantile, value): &(f64, f64)| Quantile { quantile: Some(*quantile), value: Some(*value) };
            let quantile = quantiles.iter().map(quantile).collect();
            let (sample_count, sample_sum) = (Some(*count), Some(*sum));
            Metric { summary: Some(Summary { sample_count, sample_sum, quantile, created_timestamp }), ..head }
        }
        Shown::Histogram { count, sum, buckets } => {
            let bucket = |bucket: &families::Bucket| Bucket {
                cumulative_count: Some(bucket.count),
                upper_bound: Some(bucket.bound),
                exemplar: bucket.exemplar.as_ref().map(exemplar),
            };
            let histogram = Histogram {
                sample_count: Some(*count),
                sample_sum: Some(*sum),
                bucket: buckets.iter().map(bucket).collect(),
                created_timestamp,
                ..Histogram::default()
            };
            Metric { histogram: Some(histogram), ..head }
        }
        Shown::Native(found) => {
            let histogram = Histogram { created_timestamp, ..native(found) };
            Metric { histogram: Some(histogram), ..head }
        }
    }
}

fn native(found: &Native) -> Histogram {
    let spans = |spans: &Spans| {
        let span = |(offset, length): &(i32, u32)| BucketSpan { offset: Some(*offset), length: Some(*length) };
        spans.runs.iter().map(span).collect()
    };
    Histogram {
        sample_count: Some(found.count),
        sample_sum: Some(found.sum),
        schema: Some(found.schema),
        zero_threshold: Some(found.zero_threshold),
        zero_count: Some(found.zero_count),
        negative_span: spans(&found.negative),
        negative_delta: found.negative.deltas.clone(),
        positive_span: spans(&found.positive),
        positive_delta: found.positive.deltas.clone(),
        exemplars: found.exemplars.iter().map(exemplar).collect(),
        ..Histogram::default()
    }
}

fn exemplar(found: &families::Exemplar) -> Exemplar {
    Exemplar {
        label: found.labels.iter().map(|(name, value)| pair(name, value)).collect(),
        value: Some(found.value),
        timestamp: Some(timestamp(found.time)),
    }
}

fn pair(name: &str, value: &str) -> LabelPair {
    LabelPair { name: Some(name.to_owned()), value: Some(value.to_owned()) }
}

fn timestamp(unix_nano: u64) -> Timestamp {
    Timestamp { seconds: (unix_nano / 1_000_000_000) as i64, nanos: (unix_nano % 1_000_000_000) as i32 }
}
