//! The older options of `filter` for log records and metrics, which name the same properties otherwise.

use serde::Deserialize;
use spanmill_config::{ConfigError, Section};
use spanmill_otlp::{Message, Part};

use super::config::{AttributeConfig, PropertiesConfig, RegexpConfig, SeverityConfig};
use super::expected::Attribute;
use super::items::are_met;
use super::place::Place;
use super::texts::Texts;

/// Log records by their properties.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct LogMatch {
    /// How texts are compared: `strict` or `regexp`.
    match_type: String,
    /// Attributes, all of which the resource must have.
    resource_attributes: Vec<AttributeConfig>,
    /// Attributes, all of which the log record must have.
    record_attributes: Vec<AttributeConfig>,
    /// Texts, one of which its severity must be.
    severity_texts: Vec<String>,
    /// What its severity must be at least.
    severity_number: Option<LeastSeverity>,
    /// Texts, one of which its body must be, or be as text.
    bodies: Vec<String>,
}

/// A severity by its short name or its number.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LeastSeverity {
    min: String,
    match_undefined: bool,
}

/// Metrics by their properties.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct MetricMatch {
    /// How texts are compared: `strict` or `regexp`; `expr` is refused.
    match_type: String,
    /// Options of `regexp`.
    regexp: Option<RegexpConfig>,
    /// Names, one of which the metric must have.
    metric_names: Vec<String>,
    /// Go expressions.
    expressions: Vec<String>,
    /// Attributes, all of which the resource must have.
    resource_attributes: Vec<AttributeConfig>,
}

/// What a metric must be like, and what its resource.
#[derive(Debug)]
pub(in super::super) struct MetricProperties {
    names: Option<Texts>,
    resources: Vec<Attribute>,
}

const SEVERITIES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

// === impl LogMatch ===

impl LogMatch {
    /// The same as general properties; none where nothing is asked.
    pub(in super::super) fn properties(
        self,
        section: &Section,
        path: &str,
    ) -> Result<Option<PropertiesConfig>, ConfigError> {
        let severity = self.severity_number.map(|severity| severity.compile(section, path)).transpose()?;
        let config = PropertiesConfig {
            match_type: self.match_type,
            resources: self.resource_attributes,
            attributes: self.record_attributes,
            log_bodies: self.bodies,
            log_severity_texts: self.severity_texts,
            log_severity_number: severity,
            ..PropertiesConfig::default()
        };
        let all = ["resources", "attributes", "log_bodies", "log_severity_texts", "log_severity_number"];
        Ok(all.into_iter().any(|option| config.has(option)).then_some(config))
    }
}

// === impl LeastSeverity ===

impl LeastSeverity {
    fn compile(&self, section: &Section, path: &str) -> Result<SeverityConfig, ConfigError> {
        let min = severity(&self.min).ok_or_else(|| {
            let message = format!("'{}' is not a valid severity", self.min);
            section.error(&format!("{path}::severity_number::min"), message)
        })?;
        Ok(SeverityConfig { min, match_undefined: self.match_undefined })
    }
}

/// The number of a severity: `INFO` is 9, as are `info` and `9`, `INFO2` is 10; nothing at all is 0.
fn severity(text: &str) -> Option<i32> {
    if text.is_empty() {
        return Some(0);
    }
    if let Ok(number) = text.parse::<i32>() {
        return (1..=24).contains(&number).then_some(number).filter(|number| number.to_string() == text);
    }
    let upper = text.to_ascii_uppercase();
    let (step, name) = (0..).zip(SEVERITIES).find(|(_, name)| upper.starts_with(name))?;
    let within = match upper.strip_prefix(name)? {
        "" => 1,
        "2" => 2,
        "3" => 3,
        "4" => 4,
        _ => return None,
    };
    Some(step * 4 + within)
}

// === impl MetricMatch ===

impl MetricMatch {
    pub(in super::super) fn compile(self, section: &Section, path: &str) -> Result<MetricProperties, ConfigError> {
        if self.match_type == "expr" && !self.expressions.is_empty() {
            let message = "expressions are not run here; write them as conditions in metric_conditions";
            return Err(section.error(&format!("{path}::expressions"), message));
        }
        let config = PropertiesConfig {
            match_type: self.match_type,
            regexp: self.regexp,
            metric_names: self.metric_names,
            resources: self.resource_attributes,
            ..PropertiesConfig::default()
        };
        let place = Place { section, path, config: &config };
        Ok(MetricProperties {
            names: place.texts("metric_names", &config.metric_names)?,
            resources: place.attributes("resource_attributes", &config.resources)?,
        })
    }
}

// === impl MetricProperties ===

impl MetricProperties {
    /// Whether a resource is like that; none where nothing is asked of it.
    pub(in super::super) fn meet_resource(&self, resource: Message<'_>) -> Option<bool> {
        (!self.resources.is_empty()).then(|| are_met(&self.resources, resource, Part::Resource))
    }

    /// Whether a metric has such a name; none where nothing is asked of it.
    pub(in super::super) fn meet_name(&self, name: &str) -> Option<bool> {
        self.names.as_ref().map(|names| names.contain(name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::severity;

    /// Scenario: severities by name and number, in any case, with and without a step, and what is none.
    /// Guarantees: the numbers are those of the protocol; nothing is taken for one that is none.
    #[test]
    fn severities() {
        let known = [("TRACE", 1), ("debug4", 8), ("Info", 9), ("WARN2", 14), ("FATAL4", 24), ("24", 24), ("", 0)];
        for (text, number) in known {
            assert_eq!(severity(text), Some(number), "{text}");
        }
        for text in ["INFO5", "INFO1", "0", "25", "09", "LOUD", "-1"] {
            assert_eq!(severity(text), None, "{text}");
        }
    }
}
