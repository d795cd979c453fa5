use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Problem, Section, Value};
use spanmill_otlp::Signal;
use spanmill_ottl::Context;

use super::super::selection::{LogMatch, MetricMatch, PropertiesConfig, Selection};
use super::conditions::{Item, List, Mode};
use super::group::Group;
use super::kept::Kept;

/// Options of the `filter` processor.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What becomes of an error while a condition is evaluated: `ignore` logs it and goes on with the next condition,
    /// `silent` goes on without a word, `propagate` refuses the whole request.
    error_mode: Mode,
    /// Conditions, any of which drops what it is met by. Paths begin with the name of their context, and the lowest context
    /// that a condition names decides what it drops. Either a list of texts, or a list of groups.
    trace_conditions: Vec<Item>,
    /// The same for metrics and their points.
    metric_conditions: Vec<Item>,
    /// The same for log records.
    log_conditions: Vec<Item>,
    /// The same with one list a context, and paths without prefix. `trace_conditions` replaces it.
    traces: TraceContexts,
    /// The same for metrics, or the oldest form: metrics by their properties.
    metrics: MetricContexts,
    /// The same for log records.
    logs: LogContexts,
    /// The oldest form: spans by their properties, where there are no conditions.
    spans: Match,
    profiles: IgnoredAny,
    profile_conditions: IgnoredAny,
}

/// `traces`: one list a context.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TraceContexts {
    resource: Option<Vec<String>>,
    span: Option<Vec<String>>,
    spanevent: Option<Vec<String>>,
}

/// `metrics`: one list a context, or which metrics stay.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MetricContexts {
    resource: Option<Vec<String>>,
    metric: Option<Vec<String>>,
    datapoint: Option<Vec<String>>,
    include: Option<MetricMatch>,
    exclude: Option<MetricMatch>,
    /// Accepted: `include` and `exclude` have options of their own.
    regexp: IgnoredAny,
}

/// `logs`: one list a context, or which log records stay.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LogContexts {
    resource: Option<Vec<String>>,
    log_record: Option<Vec<String>>,
    include: Option<LogMatch>,
    exclude: Option<LogMatch>,
}

/// `spans`: which spans stay.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Match {
    include: Option<PropertiesConfig>,
    exclude: Option<PropertiesConfig>,
}

/// What is dropped.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Applied one after the other, each to what the previous one left.
    pub(super) groups: Vec<Group>,
    /// What stays; all where nothing is said.
    pub(super) kept: Option<Kept>,
}

/// Everything that is said about one signal.
struct Said<'c> {
    list: List<'c>,
    items: &'c [Item],
    /// The key of the older form, and its lists by context.
    older: &'static str,
    contexts: Vec<(Context, &'static str, &'c Option<Vec<String>>)>,
    /// The oldest form, where it is used: its key, and what it is called.
    oldest: Option<(&'static str, &'static str)>,
}

/// Reads the configuration, and gives what is for a signal. What is for the others is checked.
pub(super) fn read(section: &Section, signal: Signal) -> Result<Rules, ConfigError> {
    let config: Config = section.parse()?;
    for key in ["trace_conditions", "metric_conditions", "log_conditions", "profile_conditions"] {
        // A text is a list of texts elsewhere.
        if section.get(key).is_some_and(|given| matches!(given.node().value(), Value::String(_))) {
            return Err(section.error(key, "expected a list of conditions"));
        }
    }
    let (mut problems, mut wanted) = (Vec::new(), Vec::new());
    for said in [config.of_traces(section), config.of_metrics(section), config.of_logs(section)] {
        let groups = said.groups(section, &mut problems)?;
        if said.list.signal == signal {
            wanted = groups;
        }
    }
    ConfigError::all(problems)?;
    // Where there are conditions these take the place of properties.
    let kept = if wanted.is_empty() { config.kept(section, signal).map_err(ConfigError::at_creation)? } else { None };
    Ok(Rules { groups: wanted, kept })
}

// === impl Config ===

impl Config {
    fn of_traces<'c>(&'c self, section: &'c Section) -> Said<'c> {
        let TraceContexts { resource, span, spanevent } = &self.traces;
        let Match { include, exclude } = &self.spans;
        Said {
            list: List { section, key: "trace_conditions", signal: Signal::Traces, mode: self.error_mode },
            items: &self.trace_conditions,
            older: "traces",
            contexts: vec![
                (Context::Resource, "resource", resource),
                (Context::Span, "span", span),
                (Context::SpanEvent, "spanevent", spanevent),
            ],
            oldest: (include.is_some() || exclude.is_some()).then_some(("spans", "span settings")),
        }
    }

    fn of_metrics<'c>(&'c self, section: &'c Section) -> Said<'c> {
        let MetricContexts { resource, metric, datapoint, include, exclude, .. } = &self.metrics;
        Said {
            list: List { section, key: "metric_conditions", signal: Signal::Metrics, mode: self.error_mode },
            items: &self.metric_conditions,
            older: "metrics",
            contexts: vec![
                (Context::Resource, "resource", resource),
                (Context::Metric, "metric", metric),
                (Context::DataPoint, "datapoint", datapoint),
            ],
            oldest: (include.is_some() || exclude.is_some()).then_some(("metrics", "settings")),
        }
    }

    fn of_logs<'c>(&'c self, section: &'c Section) -> Said<'c> {
        let LogContexts { resource, log_record, include, exclude } = &self.logs;
        Said {
            list: List { section, key: "log_conditions", signal: Signal::Logs, mode: self.error_mode },
            items: &self.log_conditions,
            older: "logs",
            contexts: vec![(Context::Resource, "resource", resource), (Context::Log, "log_record", log_record)],
            oldest: (include.is_some() || exclude.is_some()).then_some(("logs", "settings")),
        }
    }

    /// What stays of a signal by its properties.
    fn kept(self, section: &Section, signal: Signal) -> Result<Option<Kept>, ConfigError> {
        match signal {
            Signal::Traces => {
                let Match { include, exclude } = &self.spans;
                if include.is_none() && exclude.is_none() {
                    return Ok(None);
                }
                let kept = Selection::compile_under(section, "spans::", include.as_ref(), exclude.as_ref())?;
                Ok(Some(Kept::Spans(Box::new(kept))))
            }
            Signal::Metrics => Kept::of_metrics(section, self.metrics.include, self.metrics.exclude),
            Signal::Logs => Kept::of_logs(section, self.logs.include, self.logs.exclude),
        }
    }
}

// === impl Said ===

impl Said<'_> {
    fn groups(&self, section: &Section, problems: &mut Vec<Problem>) -> Result<Vec<Group>, ConfigError> {
        let key = self.list.key;
        let older = self.contexts.iter().any(|(_, _, list)| list.is_some());
        if let (true, Some((oldest, settings))) = (older, self.oldest) {
            let names = self.contexts.iter().map(|(_, name, _)| format!("\"{}.{name}\"", self.older));
            let names = names.collect::<Vec<_>>().join(", ");
            let message = format!(
                "cannot use {names} and the {settings} \"{oldest}.include\", \"{oldest}.exclude\" at the same time"
            );
            return Err(section.error(oldest, message));
        }
        match section.get(key) {
            None if older => Ok(vec![self.list.contexts(self.older, &self.contexts, problems)]),
            None => Ok(Vec::new()),
            Some(_) if older || self.oldest.is_some_and(|(oldest, _)| oldest == self.older) => {
                let message =
                    format!("cannot be used together with {}: the latter is the older form of it", self.older);
                Err(section.error(key, message))
            }
            Some(given) if given.is_null() => Err(section.error(key, "expected a list of conditions")),
            Some(_) => self.list.items(self.items, problems),
        }
    }
}

// === impl Rules ===

impl Rules {
    pub(super) fn are_empty(&self) -> bool {
        self.groups.is_empty() && self.kept.is_none()
    }
}
