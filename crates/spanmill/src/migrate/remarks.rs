//! What is better done natively, and what to look at.

use std::collections::BTreeMap;

use serde_yaml::Value;
use spanmill_config::{ComponentId, Kind};

use super::file::listed;
use super::native::each_statement;
use super::statements::Purpose;

/// Detectors that find something here.
const DETECTORS: &[&str] = &["env", "system", "docker"];

/// Remarks about a component.
pub(super) fn of(kind: Kind, id: &ComponentId, section: &Value) -> Vec<String> {
    match (kind, id.type_name()) {
        (Kind::Processor, "transform") => about_statements(section),
        (Kind::Processor, "gen_ai_normalizer" | "genainormalizer") => vec![
            "runs as it is; `genai` reads every instrumentation it knows, keeps what the normaliser loses, and says who owns \
             the usage. It takes the place of one without options of its own whose attributes nobody else reads"
                .to_owned(),
        ],
        (Kind::Processor, "resource_detection" | "resourcedetection") => about_detectors(section).into_iter().collect(),
        (Kind::Processor, "batch") => vec![
            "runs as it is; `sending_queue::batch` of an exporter batches behind the queue, so that what is waiting is counted \
             and can be made durable"
                .to_owned(),
        ],
        (Kind::Connector, "span_metrics" | "spanmetrics") => vec![
            "runs as it is; `genai_metrics` makes the conventions' GenAI metrics, and counts each call once".to_owned(),
        ],
        _ => Vec::new(),
    }
}

fn about_statements(section: &Value) -> Vec<String> {
    let mut counts: BTreeMap<Purpose, usize> = BTreeMap::new();
    let mut all = 0;
    each_statement(section, &mut |text, _| {
        all += 1;
        if let Some(purpose) = Purpose::of(text) {
            *counts.entry(purpose).or_default() += 1;
        }
    });
    let hiding = counts.remove(&Purpose::HideContent);
    let covered: usize = counts.values().sum();
    let parts: Vec<String> = counts.iter().map(|(purpose, count)| format!("{count} {purpose}")).collect();
    let mut remarks = Vec::new();
    if covered > 0 {
        remarks.push(format!(
            "runs as it is; one `genai` processor covers {covered} of its {all} statements: {}. What others may read stays: take \
             it out by hand once nobody does, or set it from what genai writes, in a `transform` behind it",
            parts.join("; ")
        ));
    }
    if let Some(hiding) = hiding {
        remarks.push(format!(
            "runs as it is; {hiding} of its {all} statements {}: it drops, hashes, truncates or masks what every \
             instrumentation has content in. They stay",
            Purpose::HideContent
        ));
    }
    remarks
}

fn about_detectors(section: &Value) -> Option<String> {
    let idle = idle_detectors(section);
    (!idle.is_empty()).then(|| {
        format!(
            "the detectors {} are accepted and find nothing here: cloud.*, host.* and k8s.* of theirs are there only if the spans or \
             OTEL_RESOURCE_ATTRIBUTES bring them",
            idle.join(", ")
        )
    })
}

/// The detectors of a `resource_detection` that find nothing here.
pub(super) fn idle_detectors(section: &Value) -> Vec<&str> {
    listed(section, "detectors").filter(|name| !DETECTORS.contains(name)).collect()
}
