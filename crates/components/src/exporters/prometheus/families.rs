//! Series as metric families: what a page shows.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use ahash::RandomState;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar as ProtoExemplar, HistogramDataPoint, exemplar};
use tokio::time::Instant;

use super::config::Config;
use super::names::{LabelNamer, MetricNamer, Type};
use super::native::Native;
use super::store::{Point, Scope, Series, instance, job, number};
use crate::connectors::metrics::proto_text;

/// A family: all samples of one name.
#[derive(Debug, Clone)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) help: String,
    pub(super) kind: Kind,
    pub(super) metrics: Vec<Sample>,
}

/// The types of families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Summary,
    Histogram,
}

/// One metric of a family.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// By name.
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: Shown,
    /// Nanoseconds since 1970, where it is told.
    pub(super) created: Option<u64>,
    pub(super) timestamp_ms: Option<i64>,
}

/// The value of a metric.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    Counter { value: f64, exemplar: Option<Exemplar> },
    Gauge(f64),
    Summary { count: u64, sum: f64, quantiles: Vec<(f64, f64)> },
    Histogram { count: u64, sum: f64, buckets: Vec<Bucket> },
    Native(Box<Native>),
}

/// A bucket of a histogram.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    pub(super) bound: f64,
    /// With those below.
    pub(super) count: u64,
    pub(super) exemplar: Option<Exemplar>,
}

/// A span that stands for a sample.
#[derive(Debug, Clone)]
pub(super) struct Exemplar {
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
    /// Nanoseconds since 1970.
    pub(super) time: u64,
}

/// Makes families.
#[derive(Debug)]
pub(super) struct Families {
    metric_namer: MetricNamer,
    label_namer: LabelNamer,
    namespace: Option<String>,
    const_labels: Vec<(String, String)>,
    send_timestamps: bool,
    without_scope_info: bool,
    expiration: Duration,
    /// Type and help of each name, and when it was shown last: the first of each counts, until it has expired.
    known: HashMap<String, (Kind, String, Instant)>,
}

/// Families while they are made.
#[derive(Default)]
struct Made {
    families: BTreeMap<String, Family>,
    /// Hashes of name, labels and time of every metric: none may be there twice.
    seen: HashSet<u64>,
    hasher: RandomState,
}

/// A metric cannot be shown.
pub(super) type Problem = String;

// === impl Families ===

impl Families {
    pub(super) fn new(config: &Config) -> Self {
        let label_namer = config.label_namer();
        Self {
            metric_namer: config.metric_namer(),
            namespace: label_namer.name(&config.namespace),
            label_namer,
            const_labels: config.const_labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            send_timestamps: config.send_timestamps,
            without_scope_info: config.without_scope_info,
            expiration: config.metric_expiration.to_std(),
            known: HashMap::new(),
        }
    }

    /// The families of the series, by name; and what cannot be shown.
    pub(super) fn make(&mut self, series: &[Series]) -> (Vec<Family>, Vec<Problem>) {
        let mut made = Made::default();
        let mut problems = Vec::new();
        self.push_targets(series, &mut made, &mut problems);
        for one in series {
            if let Err(problem) = self.metric(one).and_then(|(head, sample)| made.push(head, sample)) {
                problems.push(format!("failed to convert metric {}: {problem}", one.name));
            }
        }
        self.expire();
        let mut families: Vec<Family> =
            made.families.into_values().filter(|family| !family.metrics.is_empty()).collect();
        for family in &mut families {
            family.metrics.sort_by(Sample::order);
        }
        (families, problems)
    }

    /// Forgets names that have not been shown for long.
    pub(super) fn expire(&mut self) {
        let (now, expiration) = (Instant::now(), self.expiration);
        self.known.retain(|_, (_, _, shown)| now.duration_since(*shown) <= expiration);
    }

    fn metric(&mut self, series: &Series) -> Result<(Family, Sample), Problem> {
        let (kind, of_name) = match &series.point {
            Point::Gauge(_) => (Kind::Gauge, Type::Gauge),
            Point::Sum { is_monotonic: true, .. } => (Kind::Counter, Type::Counter),
            Point::Sum { is_monotonic: false, .. } => (Kind::Gauge, Type::Other),
            Point::Histogram(_) | Point::Exponential(_) => (Kind::Histogram, Type::Other),
            Point::Summary(_) => (Kind::Summary, Type::Other),
        };
        let name = self.metric_namer.name(&series.name, &series.unit, of_name);
        let name = name.filter(|name| !name.is_empty()).ok_or("nothing is left of its name")?;
        let help = self.help(&name, kind, &series.description)?;
        let labels = self.labels(series)?;
        let (start, time) = series.point.times();
        // Less than a second is no time.
        let created = Some(start).filter(|start| (*start as i64) >= 1_000_000_000);
        let timestamp_ms = self.send_timestamps.then(|| (time as i64).div_euclid(1_000_000));
        let sample = Sample { labels, value: shown(&series.point)?, created, timestamp_ms };
        Ok((Family { name, help, kind, metrics: Vec::new() }, sample))
    }

    fn help(&mut self, name: &str, kind: Kind, description: &str) -> Result<String, Problem> {
        let now = Instant::now();
        match self.known.get_mut(name) {
            None => {
                self.known.insert(name.to_owned(), (kind, description.to_owned(), now));
                Ok(description.to_owned())
            }
            Some((known, _, _)) if *known != kind => Err(format!(
                "instrument type conflict, using existing type definition. instrument: {name}, existing: {known:?}, dropped: {kind:?}"
            )),
            Some((_, help, shown)) => {
                *shown = now;
                Ok(help.clone())
            }
        }
    }

    fn labels(&self, series: &Series) -> Result<Vec<(String, String)>, Problem> {
        let mut labels = self.const_labels.clone();
        let mut put = |key: &str, attribute: &KeyValue| -> Result<(), Problem> {
            let name = self.label_namer.name(key).ok_or_else(|| format!("label name {key:?} has nothing in it"))?;
            labels.push((name, proto_text(attribute.value.as_ref())));
            Ok(())
        };
        for attribute in series.point.attributes() {
            put(&attribute.key, attribute)?;
        }
        if !self.without_scope_info {
            let Scope { name, version, schema_url, attributes } = &*series.scope;
            for attribute in attributes {
                if !matches!(attribute.key.as_str(), "name" | "version" | "schema_url") {
                    put(&format!("otel_scope_{}", attribute.key), attribute)?;
                }
            }
            for (label, value) in
                [("otel_scope_name", name), ("otel_scope_version", version), ("otel_scope_schema_url", schema_url)]
            {
                labels.push((label.to_owned(), value.clone()));
            }
        }
        for (label, value) in [("job", job(&series.resource)), ("instance", instance(&series.resource))] {
            labels.extend(value.map(|value| (label.to_owned(), value)));
        }
        sorted(labels)
    }

    /// One `target_info` for each job and instance, with what else is known of it.
    fn push_targets(&self, series: &[Series], made: &mut Made, problems: &mut Vec<Problem>) {
        let name = match &self.namespace {
            Some(namespace) => format!("{namespace}_target_info"),
            None => "target_info".to_owned(),
        };
        let mut seen = HashSet::new();
        for one in series {
            let (Some(job), Some(instance)) = (job(&one.resource), instance(&one.resource)) else { continue };
            if job.is_empty() || instance.is_empty() || !seen.insert((job.clone(), instance.clone())) {
                continue;
            }
            let mut labels: BTreeMap<String, String> = BTreeMap::new();
            for attribute in one.resource.iter() {
                if matches!(attribute.key.as_str(), "service.name" | "service.namespace" | "service.instance.id") {
                    continue;
                }
                let Some(label) = self.label_namer.name(&attribute.key) else {
                    problems.push(format!("label name {:?} has nothing in it", attribute.key));
                    return;
                };
                let value = proto_text(attribute.value.as_ref());
                let joined = labels.get(&label).map(|before| format!("{before};{value}"));
                labels.insert(label, joined.unwrap_or(value));
            }
            labels.insert("job".to_owned(), job);
            labels.insert("instance".to_owned(), instance);
            let family = Family {
                name: name.clone(),
                help: "Target metadata".to_owned(),
                kind: Kind::Gauge,
                metrics: Vec::new(),
            };
            let pushed = sorted(labels.into_iter().collect()).and_then(|labels| {
                made.push(family, Sample { labels, value: Shown::Gauge(1.0), created: None, timestamp_ms: None })
            });
            problems.extend(pushed.err());
        }
    }
}

/// Labels by name; none may be there twice.
fn sorted(mut labels: Vec<(String, String)>) -> Result<Vec<(String, String)>, Problem> {
    labels.sort_by(|a, b| a.0.cmp(&b.0));
    let twice = labels.windows(2).find_map(|pair| match pair {
        [a, b] if a.0 == b.0 => Some(a.0.clone()),
        _ => None,
    });
    if let Some(name) = twice {
        return Err(format!("duplicate label name {name:?}"));
    }
    match labels.iter().find(|(name, _)| name.is_empty() || name.starts_with("__")) {
        Some((name, _)) => Err(format!("{name:?} is not a valid label name")),
        None => Ok(labels),
    }
}

// === impl Made ===

impl Made {
    /// Adds a metric to its family, unless it contradicts what is there.
    fn push(&mut self, head: Family, sample: Sample) -> Result<(), Problem> {
        let name = &head.name;
        match self.families.get(name) {
            Some(family) if family.kind != head.kind || family.help != head.help => {
                return Err(format!("{name} was shown with another type or help"));
            }
            Some(_) => {}
            None => self.collision(name, head.kind)?,
        }
        if head.kind == Kind::Summary && sample.labels.iter().any(|(label, _)| label == "quantile") {
            return Err("a summary must not have a label quantile".to_owned());
        }
        if !self.seen.insert(self.hasher.hash_one((name, &sample.labels, sample.timestamp_ms))) {
            return Err(format!("{name} was shown before with the same labels"));
        }
        self.families.entry(name.clone()).or_insert(head).metrics.push(sample);
        Ok(())
    }

    /// Histograms and summaries make names of their own.
    fn collision(&self, name: &str, kind: Kind) -> Result<(), Problem> {
        let collides = ["_count", "_sum", "_bucket"].iter().any(|suffix| {
            let base = name.strip_suffix(suffix).and_then(|base| self.families.get(base)).map(|family| family.kind);
            match base {
                Some(Kind::Histogram) => true,
                Some(Kind::Summary) => *suffix != "_bucket",
                _ => false,
            }
        });
        let has = |suffix: &str| self.families.contains_key(&format!("{name}{suffix}"));
        let own = match kind {
            Kind::Histogram => has("_count") || has("_sum") || has("_bucket"),
            Kind::Summary => has("_count") || has("_sum"),
            Kind::Counter | Kind::Gauge => false,
        };
        if collides || own { Err(format!("{name} collides with a histogram or summary")) } else { Ok(()) }
    }
}

fn shown(point: &Point) -> Result<Shown, Problem> {
    Ok(match point {
        Point::Gauge(point) | Point::Sum { point, is_monotonic: false } => Shown::Gauge(number(point)),
        Point::Sum { point, is_monotonic: true } => {
            Shown::Counter { value: number(point), exemplar: point.exemplars.last().map(exemplar) }
        }
        Point::Histogram(point) => {
            let buckets = buckets(point);
            Shown::Histogram { count: point.count, sum: point.sum.unwrap_or(0.0), buckets }
        }
        Point::Exponential(point) => Shown::Native(Box::new(Native::of(point)?)),
        Point::Summary(point) => {
            let values = &point.quantile_values;
            let mut quantiles: Vec<(f64, f64)> = values.iter().map(|found| (found.quantile, found.value)).collect();
            quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
            // Of equal ones the last counts.
            quantiles.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    kept.1 = later.1;
                }
                same
            });
            Shown::Summary { count: point.count, sum: point.sum, quantiles }
        }
    })
}

/// The buckets by their bounds, each with those below.
fn buckets(point: &HistogramDataPoint) -> Vec<Bucket> {
    let counts = point.bucket_counts.iter().copied().chain(std::iter::repeat(0));
    let mut bounds: Vec<(f64, u64)> = point.explicit_bounds.iter().copied().zip(counts).collect();
    bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Of equal ones the first counts.
    bounds.dedup_by(|later, kept| later.0 == kept.0);
    let mut sum = 0_u64;
    let mut buckets: Vec<Bucket> = bounds
        .into_iter()
        .map(|(bound, count)| {
            sum = sum.wrapping_add(count);
            Bucket { bound, count: sum, exemplar: None }
        })
        .collect();
    for found in &point.exemplars {
        let exemplar = exemplar(found);
        let at = buckets.partition_point(|bucket| bucket.bound < exemplar.value);
        match buckets.get_mut(at) {
            Some(bucket) => bucket.exemplar = Some(exemplar),
            None => buckets.push(Bucket { bound: f64::INFINITY, count: point.count, exemplar: Some(exemplar) }),
        }
    }
    buckets
}

/// An exemplar with the ids of its span.
pub(super) fn exemplar(found: &ProtoExemplar) -> Exemplar {
    let value = match found.value {
        Some(exemplar::Value::AsDouble(value)) => value,
        Some(exemplar::Value::AsInt(value)) => value as f64,
        None => 0.0,
    };
    let ids = [("span_id", &found.span_id), ("trace_id", &found.trace_id)];
    let labels = ids.into_iter().filter(|(_, id)| id.iter().any(|byte| *byte != 0));
    let labels = labels.map(|(label, id)| (label.to_owned(), hexadecimal(id))).collect();
    Exemplar { labels, value, time: found.time_unix_nano }
}

fn hexadecimal(id: &[u8]) -> String {
    crate::exporters::debug::text::id(id)
}

// === impl Sample ===

impl Sample {
    /// By how many labels there are, then by their values.
    fn order(&self, other: &Self) -> Ordering {
        let (values, others) = (self.labels.iter().map(|label| &label.1), other.labels.iter().map(|label| &label.1));
        self.labels.len().cmp(&other.labels.len()).then_with(|| values.cmp(others))
    }
}
