use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, NullableBlock, Problem, Section};
use spanmill_ottl::{Compiler, Condition, ConditionSet, Context, ErrorMode, Paths, Slots, ValueExpression};

use super::definition::{AttributeEntry, Attributes, Definition, Definitions, Name, Value};
use crate::connectors::metrics::{Buckets, DEFAULT_MAX_SIZE, LARGEST_MAX_SIZE, SMALLEST_MAX_SIZE, Wanted, fallback};
use crate::gates;

/// Gives a map of what its pattern finds.
const GROK: &str = "ExtractGrokPatterns";

/// Options of the `signal_to_metrics` connector.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Metrics made of spans.
    spans: Vec<MetricConfig>,
    /// Metrics made of data points.
    datapoints: Vec<MetricConfig>,
    /// Metrics made of log records.
    logs: Vec<MetricConfig>,
    /// Metrics made of profiles: their form is checked, and nothing is made of them.
    profiles: Vec<MetricConfig>,
    /// What becomes of an error: `propagate` refuses the request, `ignore` logs it and goes on, `silent` goes on without a word.
    error_mode: Mode,
}

/// A metric. Exactly one of its kinds must be given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MetricConfig {
    name: String,
    description: String,
    unit: String,
    /// Which attributes of the resource the metric's has; all, where none are given.
    include_resource_attributes: Vec<AttributeConfig>,
    attributes: Vec<AttributeConfig>,
    /// Any of these must be met.
    conditions: Vec<String>,
    histogram: NullableBlock<HistogramConfig>,
    exponential_histogram: NullableBlock<ExponentialConfig>,
    sum: NullableBlock<SumConfig>,
    gauge: NullableBlock<GaugeConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AttributeConfig {
    key: String,
    /// An expression that gives a list of keys.
    keys_expression: String,
    /// Whether items without it are taken, too.
    optional: bool,
    /// The value where it is missing.
    default_value: serde_json::Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HistogramConfig {
    buckets: Vec<f64>,
    count: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ExponentialConfig {
    max_size: i32,
    count: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SumConfig {
    value: String,
    monotonic: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GaugeConfig {
    value: String,
}

#[derive(Debug)]
struct Mode(ErrorMode);

/// What is made of each kind of item.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) spans: Definitions,
    pub(super) points: Definitions,
    pub(super) logs: Definitions,
    /// What expressions read.
    pub(super) slots: Slots,
    pub(super) mode: ErrorMode,
}

/// What is needed and found on the way.
struct Reading<'s> {
    section: &'s Section,
    mode: ErrorMode,
    compiler: Compiler,
    /// Of the items whose metrics are read.
    context: Context,
    problems: Vec<Problem>,
}

const BUCKETS: [f64; 16] =
    [2.0, 4.0, 6.0, 8.0, 10.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1000.0, 1400.0, 2000.0, 5000.0, 10_000.0, 15_000.0];

// === impl Plan ===

impl Plan {
    /// Reads and checks the options.
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Config = section.parse()?;
        let all = [&config.spans, &config.datapoints, &config.logs, &config.profiles];
        if all.iter().all(|metrics| metrics.is_empty()) {
            return Err(section.error("", "no configuration provided, at least one should be specified"));
        }
        let compiler = gates::compiler().with_adjusted_count(true).with_point_functions(true);
        let (mode, context) = (config.error_mode.0, Context::Span);
        let mut reading = Reading { section, mode, compiler, context, problems: Vec::new() };
        let spans = reading.definitions("spans", &config.spans, Context::Span);
        let points = reading.definitions("datapoints", &config.datapoints, Context::DataPoint);
        let logs = reading.definitions("logs", &config.logs, Context::Log);
        for (index, metric) in config.profiles.iter().enumerate() {
            reading.check(&format!("profiles[{index}]"), metric);
        }
        let Reading { compiler, problems, .. } = reading;
        ConfigError::all(problems)?;
        Ok(Self { spans, points, logs, slots: compiler.finish(), mode })
    }
}

// === impl Reading ===

impl Reading<'_> {
    fn problem(&mut self, at: &str, message: impl std::fmt::Display) {
        self.problems.push(self.section.problem(at, message));
    }

    /// The metrics that are made of one kind of item.
    fn definitions(&mut self, path: &str, configured: &[MetricConfig], context: Context) -> Definitions {
        self.context = context;
        let keys = configured.iter().flat_map(|metric| &metric.attributes).map(|attribute| attribute.key.as_str());
        let (wanted, slots) = Wanted::new(keys);
        let mut slots = slots.into_iter();
        let mut metrics: Vec<Definition> = Vec::new();
        for (index, metric) in configured.iter().enumerate() {
            let mut slots: Vec<_> = slots.by_ref().take(metric.attributes.len()).collect();
            let at = format!("{path}[{index}]");
            self.check(&at, metric);
            let (name, value) = self.value(&at, metric);
            let conditions = self.conditions(&at, metric);
            slots.reverse();
            let attributes = self.attributes(&at, "attributes", &metric.attributes, slots);
            let of_resource = &metric.include_resource_attributes;
            let resource_attributes = self.attributes(&at, "include_resource_attributes", of_resource, Vec::new());
            let Some(value) = value else { continue };
            // Metrics that differ in nothing that is sent are one.
            let group = metrics.iter().position(|known| known.name == name).unwrap_or(metrics.len());
            metrics.push(Definition { name, group, value, conditions, attributes, resource_attributes });
        }
        Definitions { metrics, wanted }
    }

    /// What is to be right of metrics of every signal.
    fn check(&mut self, at: &str, metric: &MetricConfig) {
        if metric.name.is_empty() {
            self.problem(&format!("{at}::name"), "missing required metric name configuration");
        }
        for (part, attributes) in
            [("include_resource_attributes", &metric.include_resource_attributes), ("attributes", &metric.attributes)]
        {
            for (index, attribute) in attributes.iter().enumerate() {
                let at = format!("{at}::{part}[{index}]");
                if attribute.key.is_empty() == attribute.keys_expression.is_empty() {
                    self.problem(&at, format!("exactly one of key or keys_expression must be set for {part}"));
                } else if attributes
                    .iter()
                    .take(index)
                    .any(|before| !attribute.key.is_empty() && before.key == attribute.key)
                {
                    self.problem(&at, format!("duplicate key found in {part} config: {}", attribute.key));
                }
                if attribute.optional && !attribute.default_value.is_null() {
                    self.problem(&at, format!("only one of default_value or optional should be set for {part}"));
                }
            }
        }
        let mut missing = |kind: &str, value: &str, message: &str| {
            if value.is_empty() {
                self.problems.push(self.section.problem(&format!("{at}::{kind}::value"), message));
            }
        };
        let mut kinds = 0;
        if let Some(histogram) = metric.histogram.as_ref() {
            kinds += 1;
            missing("histogram", &histogram.value, "value OTTL statement is required");
        }
        if let Some(histogram) = metric.exponential_histogram.as_ref() {
            kinds += 1;
            missing("exponential_histogram", &histogram.value, "value OTTL statement is required");
            let size = histogram.max_size;
            if size != 0 && !(SMALLEST_MAX_SIZE..=LARGEST_MAX_SIZE).contains(&size) {
                let message = format!("invalid histogram size: {size}");
                self.problems.push(self.section.problem(&format!("{at}::exponential_histogram::max_size"), message));
            }
        }
        let mut missing = |kind: &str, value: &str, message: &str| {
            if value.is_empty() {
                self.problems.push(self.section.problem(&format!("{at}::{kind}::value"), message));
            }
        };
        if let Some(sum) = metric.sum.as_ref() {
            kinds += 1;
            missing("sum", &sum.value, "value must be defined for sum metrics");
        }
        if let Some(gauge) = metric.gauge.as_ref() {
            kinds += 1;
            missing("gauge", &gauge.value, "value must be defined for gauge metrics");
            if gauge.value.contains(GROK) && !takes_one(&gauge.value) {
                let message = "ExtractGrokPatterns: a single key selector[key] is required for signal to gauge";
                self.problems.push(self.section.problem(&format!("{at}::gauge::value"), message));
            }
        }
        if kinds != 1 {
            self.problem(at, format!("exactly one of the metrics must be defined, {kinds} found"));
        }
    }

    /// What a metric is called, and what it is made of; none where that is wrong.
    fn value(&mut self, at: &str, metric: &MetricConfig) -> (Name, Option<Value>) {
        let mut name = Name {
            name: metric.name.clone(),
            description: metric.description.clone(),
            unit: metric.unit.clone(),
            kind: std::mem::discriminant(&Buckets::Exponential(0)),
            is_histogram: true,
            is_gauge: false,
        };
        let value = if let Some(histogram) = metric.histogram.as_ref() {
            let at = format!("{at}::histogram");
            let bounds = if histogram.buckets.is_empty() { &BUCKETS } else { histogram.buckets.as_slice() };
            let buckets = Buckets::Explicit(bounds.into());
            name.kind = std::mem::discriminant(&buckets);
            let count = self.optional(&format!("{at}::count"), &histogram.count);
            let value = self.expression(&format!("{at}::value"), &histogram.value);
            value.map(|value| Value::Histogram { buckets, count, value })
        } else if let Some(histogram) = metric.exponential_histogram.as_ref() {
            let at = format!("{at}::exponential_histogram");
            let size = if histogram.max_size == 0 { DEFAULT_MAX_SIZE } else { histogram.max_size };
            let count = self.optional(&format!("{at}::count"), &histogram.count);
            let value = self.expression(&format!("{at}::value"), &histogram.value);
            value.map(|value| Value::Histogram { buckets: Buckets::Exponential(size), count, value })
        } else if let Some(sum) = metric.sum.as_ref() {
            name.is_histogram = false;
            let value = self.expression(&format!("{at}::sum::value"), &sum.value);
            value.map(|value| Value::Sum { value, is_monotonic: sum.monotonic })
        } else if let Some(gauge) = metric.gauge.as_ref() {
            (name.is_histogram, name.is_gauge) = (false, true);
            self.expression(&format!("{at}::gauge::value"), &gauge.value).map(|value| Value::Gauge { value })
        } else {
            None
        };
        (name, value)
    }

    fn optional(&mut self, at: &str, text: &str) -> Option<ValueExpression> {
        if text.is_empty() { None } else { self.expression(at, text) }
    }

    fn expression(&mut self, at: &str, text: &str) -> Option<ValueExpression> {
        match ValueExpression::parse(&mut self.compiler, self.context, text) {
            Ok(expression) => Some(expression),
            Err(error) => {
                self.problem(at, error);
                None
            }
        }
    }

    fn conditions(&mut self, at: &str, metric: &MetricConfig) -> Option<ConditionSet> {
        if metric.conditions.is_empty() {
            return None;
        }
        let mut compiled = Vec::new();
        for (index, text) in metric.conditions.iter().enumerate() {
            match Condition::parse(&mut self.compiler, Paths::Unprefixed(self.context), text) {
                Ok(condition) => compiled.push(condition),
                Err(error) => self.problem(&format!("{at}::conditions[{index}]"), error),
            }
        }
        Some(ConditionSet::new(compiled, self.mode))
    }

    fn attributes(
        &mut self,
        at: &str,
        part: &str,
        configured: &[AttributeConfig],
        mut slots: Vec<spanmill_otlp::Slot>,
    ) -> Attributes {
        let mut entries = Vec::new();
        for (index, attribute) in configured.iter().enumerate() {
            let slot = slots.pop();
            let keys = self.optional(&format!("{at}::{part}[{index}]::keys_expression"), &attribute.keys_expression);
            entries.push(AttributeEntry {
                key: attribute.key.clone().into(),
                slot: slot.filter(|_| keys.is_none()),
                keys,
                is_optional: attribute.optional,
                default: fallback(&attribute.default_value),
            });
        }
        Attributes::new(entries)
    }
}

/// Whether one of the patterns is taken, as in `ExtractGrokPatterns(...)["key"]`: all of them are no number.
fn takes_one(value: &str) -> bool {
    value.split(GROK).skip(1).any(|call| {
        let key = call.strip_prefix('(').and_then(|arguments| arguments.split_once(')'));
        let key = key.and_then(|(_, rest)| rest.trim_start().strip_prefix('[')?.split_once(']'));
        key.is_some_and(|(key, _)| !key.is_empty())
    })
}

// === impl Mode ===

impl Default for Mode {
    fn default() -> Self {
        Self(ErrorMode::Propagate)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}
