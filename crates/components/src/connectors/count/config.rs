use std::collections::BTreeMap;

use serde::Deserialize;
use spanmill_config::{ConfigError, Problem, Section};
use spanmill_ottl::{Compiler, Condition, ConditionSet, Context, ErrorMode, Paths, Slots};

use super::definition::{AttributeDefinition, Definitions, MetricDefinition};
use crate::connectors::metrics::{Wanted, fallback};
use crate::gates;

/// Options of the `count` connector. As with the Collector's, keys that are not known are passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    spans: BTreeMap<String, MetricConfig>,
    spanevents: BTreeMap<String, MetricConfig>,
    metrics: BTreeMap<String, MetricConfig>,
    datapoints: BTreeMap<String, MetricConfig>,
    logs: BTreeMap<String, MetricConfig>,
    profiles: BTreeMap<String, MetricConfig>,
}

/// A metric.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MetricConfig {
    description: String,
    /// What is counted: any of these must be met. Without any, everything is counted.
    conditions: Vec<String>,
    attributes: Vec<AttributeConfig>,
}

/// An attribute of the item, its scope or its resource, by which it is counted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AttributeConfig {
    key: String,
    /// The value where there is no such attribute. Without one, such items are not counted.
    default_value: serde_json::Value,
}

/// What is counted of each kind of item.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) spans: Definitions,
    pub(super) events: Definitions,
    pub(super) metrics: Definitions,
    pub(super) points: Definitions,
    pub(super) logs: Definitions,
    /// What conditions read.
    pub(super) slots: Slots,
}

/// What is needed and found on the way.
struct Reading<'s> {
    section: &'s Section,
    compiler: Compiler,
    problems: Vec<Problem>,
}

// === impl Plan ===

impl Plan {
    /// Reads and checks the options.
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Config = section.parse()?;
        let compiler = gates::compiler().with_point_functions(true);
        let mut reading = Reading { section, compiler, problems: Vec::new() };
        let default = ["trace.span.count", "The number of spans observed."];
        let spans = reading.definitions("spans", &config.spans, default, Context::Span);
        let default = ["trace.span.event.count", "The number of span events observed."];
        let events = reading.definitions("spanevents", &config.spanevents, default, Context::SpanEvent);
        let default = ["metric.count", "The number of metrics observed."];
        let metrics = reading.definitions("metrics", &config.metrics, default, Context::Metric);
        let default = ["metric.datapoint.count", "The number of data points observed."];
        let points = reading.definitions("datapoints", &config.datapoints, default, Context::DataPoint);
        let default = ["log.record.count", "The number of log records observed."];
        let logs = reading.definitions("logs", &config.logs, default, Context::Log);
        if config.profiles.contains_key("") {
            reading.problem("profiles", "metric name missing");
        }
        for (name, metric) in &config.metrics {
            if !metric.attributes.is_empty() {
                let message = format!("metrics attributes not supported: metric {name:?}");
                reading.problem(&format!("metrics::{name}::attributes"), message);
            }
        }
        let Reading { compiler, problems, .. } = reading;
        ConfigError::all(problems)?;
        Ok(Self { spans, events, metrics, points, logs, slots: compiler.finish() })
    }
}

// === impl Reading ===

impl Reading<'_> {
    fn problem(&mut self, at: &str, message: impl std::fmt::Display) {
        self.problems.push(self.section.problem(at, message));
    }

    fn definitions(
        &mut self,
        path: &str,
        configured: &BTreeMap<String, MetricConfig>,
        [name, description]: [&str; 2],
        context: Context,
    ) -> Definitions {
        let keys = configured.values().flat_map(|metric| &metric.attributes).map(|attribute| attribute.key.as_str());
        let (wanted, slots) = Wanted::new(keys);
        let mut slots = slots.into_iter();
        let mut metrics: Vec<MetricDefinition> = Vec::new();
        for (name, metric) in configured {
            if name.is_empty() {
                self.problem(path, "metric name missing");
            }
            let at = format!("{path}::{name}");
            let conditions = self.conditions(&at, metric, context);
            let mut attributes = Vec::new();
            for (index, attribute) in metric.attributes.iter().enumerate() {
                if attribute.key.is_empty() {
                    self.problem(&format!("{at}::attributes[{index}]"), "attribute key missing");
                }
                let (key, slot) = (attribute.key.clone(), slots.next().unwrap_or_default());
                attributes.push(AttributeDefinition { key, slot, default: fallback(&attribute.default_value) });
            }
            let description = metric.description.clone();
            metrics.push(MetricDefinition { name: name.clone(), description, conditions, attributes });
        }
        if metrics.is_empty() {
            metrics.push(MetricDefinition {
                name: name.to_owned(),
                description: description.to_owned(),
                conditions: None,
                attributes: Vec::new(),
            });
        }
        Definitions { metrics, wanted }
    }

    fn conditions(&mut self, at: &str, metric: &MetricConfig, context: Context) -> Option<ConditionSet> {
        if metric.conditions.is_empty() {
            return None;
        }
        let mut compiled = Vec::new();
        for (index, text) in metric.conditions.iter().enumerate() {
            match Condition::parse(&mut self.compiler, Paths::Unprefixed(context), text) {
                Ok(condition) => compiled.push(condition),
                Err(error) => self.problem(&format!("{at}::conditions[{index}]"), error),
            }
        }
        Some(ConditionSet::new(compiled, ErrorMode::Propagate))
    }
}
