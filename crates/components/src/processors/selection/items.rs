//! Which log records and metrics a processor is for.

use spanmill_config::{ConfigError, Section};
use spanmill_otlp::{Item, Limits, Message, Part, Payload, ValueRef};

use super::config::{PropertiesConfig, SeverityConfig};
use super::expected::Attribute;
use super::place::{Libraries, Place};
use super::texts::Texts;

/// Selects log records or metrics by properties: those that meet the included ones and do not meet the excluded ones.
#[derive(Debug)]
pub(in super::super) enum ItemSelection {
    Logs { include: Option<Box<LogProperties>>, exclude: Option<Box<LogProperties>> },
    Metrics { include: Option<Texts>, exclude: Option<Texts>, ignores_resources: bool },
}

/// What a log record must be like, all of it.
#[derive(Debug)]
pub(in super::super) struct LogProperties {
    bodies: Option<Texts>,
    severity_texts: Option<Texts>,
    severity: Option<SeverityConfig>,
    attributes: Vec<Attribute>,
    resources: Vec<Attribute>,
    libraries: Libraries,
}

/// Field numbers of log records.
const SEVERITY_NUMBER: u32 = 2;
const SEVERITY_TEXT: u32 = 3;
const BODY: u32 = 5;

// === impl ItemSelection ===

impl ItemSelection {
    /// Compiles `include` and `exclude` of a section for log records.
    pub(in super::super) fn of_logs(
        section: &Section,
        include: Option<&PropertiesConfig>,
        exclude: Option<&PropertiesConfig>,
    ) -> Result<Self, ConfigError> {
        Self::of_logs_under(section, "", include, exclude)
    }

    /// The same where they stand under a path, which ends with `::`.
    pub(in super::super) fn of_logs_under(
        section: &Section,
        path: &str,
        include: Option<&PropertiesConfig>,
        exclude: Option<&PropertiesConfig>,
    ) -> Result<Self, ConfigError> {
        let compile = |config: Option<&PropertiesConfig>, option: &str| {
            let path = &format!("{path}{option}");
            config.map(|config| LogProperties::compile(Place { section, path, config }).map(Box::new)).transpose()
        };
        Ok(Self::Logs { include: compile(include, "include")?, exclude: compile(exclude, "exclude")? })
    }

    /// The same for metrics. As in the Collector their names alone count: without names all are included, and none excluded.
    pub(in super::super) fn of_metrics(
        section: &Section,
        include: Option<&PropertiesConfig>,
        exclude: Option<&PropertiesConfig>,
    ) -> Result<Self, ConfigError> {
        let names = |config: Option<&PropertiesConfig>, path| {
            let names = config.map(|config| metric_names(Place { section, path, config })).transpose();
            names.map(Option::flatten)
        };
        let ignores_resources = [include, exclude].into_iter().flatten().any(|config| config.has("resources"));
        Ok(Self::Metrics {
            include: names(include, "include")?,
            exclude: names(exclude, "exclude")?,
            ignores_resources,
        })
    }

    /// Whether `resources` was given where it has no effect.
    pub(in super::super) fn ignores_resources(&self) -> bool {
        matches!(self, Self::Metrics { ignores_resources: true, .. })
    }

    /// The kinds of messages that it selects.
    pub(in super::super) fn parts(&self) -> &'static [Part] {
        match self {
            Self::Logs { .. } => &[Part::LogRecord],
            Self::Metrics { .. } => &[Part::NumberPoint, Part::HistogramPoint, Part::ExponentialPoint],
        }
    }

    pub(in super::super) fn includes(&self, item: Item<'_>) -> bool {
        match self {
            Self::Logs { include, exclude } => {
                include.as_ref().is_none_or(|include| include.are_met(item))
                    && !exclude.as_ref().is_some_and(|exclude| exclude.are_met(item))
            }
            Self::Metrics { include, exclude, .. } => {
                include.as_ref().is_none_or(|names| names.contain(item.metric))
                    && !exclude.as_ref().is_some_and(|names| names.contain(item.metric))
            }
        }
    }
}

fn metric_names(place: Place<'_>) -> Result<Option<Texts>, ConfigError> {
    let for_others = [
        "span_names",
        "span_kinds",
        "log_bodies",
        "log_severity_texts",
        "log_severity_number",
        "services",
        "attributes",
        "libraries",
    ];
    if let Some(option) = for_others.into_iter().find(|option| place.config.has(option)) {
        return Err(place.error(option, "should not be specified for metrics".to_owned()));
    }
    if !place.config.has("metric_names") && !place.config.has("resources") {
        return Err(place.error("", "at least one of metric_names and resources must be specified".to_owned()));
    }
    place.texts("metric_names", &place.config.metric_names)
}

// === impl LogProperties ===

impl LogProperties {
    fn compile(place: Place<'_>) -> Result<Self, ConfigError> {
        let config = place.config;
        let for_others = ["services", "span_names", "span_kinds", "metric_names"];
        if let Some(option) = for_others.into_iter().find(|option| config.has(option)) {
            return Err(place.error(option, "should not be specified for log records".to_owned()));
        }
        let for_logs =
            ["attributes", "resources", "libraries", "log_bodies", "log_severity_texts", "log_severity_number"];
        if !for_logs.into_iter().any(|option| config.has(option)) {
            return Err(place.error("", format!("at least one of {} must be specified", for_logs.join(", "))));
        }
        Ok(Self {
            bodies: place.texts("log_bodies", &config.log_bodies)?,
            severity_texts: place.texts("log_severity_texts", &config.log_severity_texts)?,
            severity: config.log_severity_number,
            attributes: place.attributes("attributes", &config.attributes)?,
            resources: place.attributes("resources", &config.resources)?,
            libraries: place.libraries()?,
        })
    }

    fn are_met(&self, Item { resource, scope, message, .. }: Item<'_>) -> bool {
        let meets_body = self.bodies.as_ref().is_none_or(|bodies| {
            // What is no text is compared as text, as in the Collector.
            let mut body = Vec::new();
            let found = ValueRef::new(bytes(message, BODY));
            if is_shallow(found, Limits::default().max_depth) {
                found.put_text(&mut body);
            }
            bodies.contain(&body)
        });
        meets_body
            && self.severity_texts.as_ref().is_none_or(|texts| texts.contain(bytes(message, SEVERITY_TEXT)))
            && self.severity.is_none_or(|least| match number(message, SEVERITY_NUMBER) {
                0 => least.match_undefined,
                severity => severity >= least.min,
            })
            && are_met(&self.attributes, message, Part::LogRecord)
            && are_met(&self.resources, resource, Part::Resource)
            && self.libraries.are(bytes(scope, 1), bytes(scope, 2))
    }
}

pub(super) fn are_met(expected: &[Attribute], message: Message<'_>, part: Part) -> bool {
    expected.iter().all(|expected| {
        let mut attributes = message.attributes(part.attributes());
        let found = attributes.find(|found| found.key == expected.key.as_bytes());
        expected.is_met(found.map(|found| found.value))
    })
}

/// Whether a body can be written as text: nobody looked into it when it came. One that is nested deeper is as one that is empty.
fn is_shallow(value: ValueRef<'_>, depth: u32) -> bool {
    depth.checked_sub(1).is_some_and(|left| {
        value.elements().chain(value.entries().map(|(_, entry)| entry)).all(|inner| is_shallow(inner, left))
    })
}

fn bytes<'a>(message: Message<'a>, field: u32) -> &'a [u8] {
    match message.last(field) {
        Some(Payload::Bytes(bytes)) => bytes,
        _ => &[],
    }
}

fn number(message: Message<'_>, field: u32) -> i32 {
    match message.last(field) {
        Some(Payload::Varint(number)) => number as i32,
        _ => 0,
    }
}
