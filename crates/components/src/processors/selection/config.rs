//! The options of `include` and `exclude`.

use serde::Deserialize;

use crate::processors::literal::Literal;

/// Properties of spans, log records or metrics. At least one of those that can be met must be given; all that are given must be met.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct PropertiesConfig {
    /// How texts are compared: `strict` or `regexp`.
    pub(super) match_type: String,
    /// Options of `regexp`.
    pub(super) regexp: Option<RegexpConfig>,
    /// Values of `service.name`, one of which the resource must have. For spans alone.
    pub(super) services: Vec<String>,
    /// Names, one of which the span must have. For spans alone.
    pub(super) span_names: Vec<String>,
    /// Kinds, one of which the span must have, such as `SPAN_KIND_CLIENT`. For spans alone.
    pub(super) span_kinds: Vec<String>,
    /// Attributes, all of which the span or the log record must have.
    pub(super) attributes: Vec<AttributeConfig>,
    /// Attributes, all of which the resource must have.
    pub(super) resources: Vec<AttributeConfig>,
    /// Scopes, all of which its own must be.
    pub(super) libraries: Vec<LibraryConfig>,
    /// Texts, one of which the body of the log record must be, or be as text.
    pub(super) log_bodies: Vec<String>,
    /// Texts, one of which its severity must be.
    pub(super) log_severity_texts: Vec<String>,
    /// What its severity must be at least.
    pub(super) log_severity_number: Option<SeverityConfig>,
    /// Names, one of which the metric must have.
    pub(super) metric_names: Vec<String>,
}

/// Options of regular expressions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RegexpConfig {
    /// Accepted: results are not kept, since matching takes linear time and no memory.
    pub(super) cacheenabled: bool,
    /// Accepted.
    pub(super) cachemaxnumentries: i64,
}

/// An attribute that must be there, and with that value where one is given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AttributeConfig {
    pub(super) key: String,
    pub(super) value: Option<Literal>,
}

/// A scope's name, and its version where one is given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LibraryConfig {
    pub(super) name: String,
    pub(super) version: Option<String>,
}

/// Severities of log records.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SeverityConfig {
    /// The least one, as a number.
    pub(super) min: i32,
    /// Whether one without a severity is meant.
    pub(super) match_undefined: bool,
}
