//! Which form of a page a client wants.

use super::escape::Escaping;
use super::text::Form;

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Text(&'static str, Form),
    Protobuf,
}

/// One clause of the header `Accept`.
struct Clause<'a> {
    kind: &'a str,
    sub_kind: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f64,
}

const TEXT: Wanted = Wanted::Text("text/plain; version=0.0.4; charset=utf-8", Form::Prometheus);
const OPEN_METRICS_1: Wanted =
    Wanted::Text("application/openmetrics-text; version=1.0.0; charset=utf-8", Form::OpenMetrics);
const OPEN_METRICS_0: Wanted =
    Wanted::Text("application/openmetrics-text; version=0.0.1; charset=utf-8", Form::OpenMetrics);
const PROTOBUF: &str = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// The best form that is offered and accepted, and how names are to be escaped.
pub(super) fn negotiate(accept: &str, open_metrics: bool) -> (Wanted, Escaping) {
    let mut escaping = Escaping::Underscores;
    let mut clauses: Vec<Clause<'_>> = accept.split(',').filter_map(Clause::read).collect();
    // Those that name a type come before those that take any.
    let any = |clause: &Clause<'_>| (clause.kind == "*", clause.sub_kind == "*");
    clauses.sort_by(|a, b| b.quality.total_cmp(&a.quality).then_with(|| any(a).cmp(&any(b))));
    for clause in &clauses {
        if let Some(wanted) = clause.parameter("escaping").and_then(Escaping::of) {
            escaping = wanted;
        }
        if let Some(wanted) = clause.wanted(open_metrics) {
            return (wanted, escaping);
        }
    }
    (TEXT, escaping)
}

// === impl Clause ===

impl<'a> Clause<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, sub_kind) = match parts.next()? {
            "*" => ("*", "*"),
            named => named.split_once('/')?,
        };
        let parameters: Vec<(&str, &str)> = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
            .collect();
        let quality = parameters.iter().find(|(name, _)| *name == "q");
        let quality = quality.map_or(1.0, |(_, value)| value.parse().unwrap_or(0.0));
        Some(Self { kind: kind.trim(), sub_kind: sub_kind.trim(), parameters, quality })
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn wanted(&self, open_metrics: bool) -> Option<Wanted> {
        let is = |kind: &str, sub_kind: &str| {
            (self.kind == "*" || self.kind == kind) && (self.sub_kind == "*" || self.sub_kind == sub_kind)
        };
        let version = self.parameter("version").unwrap_or("");
        if open_metrics && is("application", "openmetrics-text") {
            match version {
                "1.0.0" => return Some(OPEN_METRICS_1),
                "0.0.1" => return Some(OPEN_METRICS_0),
                "" if self.sub_kind == "openmetrics-text" => return Some(OPEN_METRICS_0),
                _ => {}
            }
        }
        let is_family = self.parameter("proto") == Some("io.prometheus.client.MetricFamily");
        if is("application", "vnd.google.protobuf") && is_family && self.parameter("encoding") == Some("delimited") {
            return Some(Wanted::Protobuf);
        }
        let text_version =
            version == "0.0.4" || (version.is_empty() && (self.kind, self.sub_kind) == ("text", "plain"));
        (is("text", "plain") && text_version).then_some(TEXT)
    }
}

// === impl Wanted ===

impl Wanted {
    /// As the header of the answer has it.
    pub(super) fn content_type(self, escaping: Escaping) -> String {
        let kind = match self {
            Self::Text(kind, _) => kind,
            Self::Protobuf => PROTOBUF,
        };
        format!("{kind}; escaping={}", escaping.word())
    }
}
