//! What is better done natively.

use std::collections::BTreeMap;

use spanmill_config::{ComponentId, Kind, Node, Section, Value};

use super::statements::Purpose;

/// Remarks about a component.
pub(super) fn of(kind: Kind, id: &ComponentId, section: &Section) -> Vec<String> {
    match (kind, id.type_name()) {
        (Kind::Processor, "transform") => about_statements(section).into_iter().collect(),
        (Kind::Processor, "gen_ai_normalizer" | "genainormalizer") => vec![
            "runs as it is; `genai` reads every instrumentation it knows, keeps what the normaliser loses, and says who owns \
             the usage"
                .to_owned(),
        ],
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

fn about_statements(section: &Section) -> Option<String> {
    let mut counts: BTreeMap<Purpose, usize> = BTreeMap::new();
    let mut all = 0;
    each_statement(section.get("trace_statements")?.node(), &mut |text| {
        all += 1;
        if let Some(purpose) = Purpose::of(text) {
            *counts.entry(purpose).or_default() += 1;
        }
    });
    if counts.is_empty() {
        return None;
    }
    let covered: usize = counts.values().sum();
    let parts: Vec<String> = counts.iter().map(|(purpose, count)| format!("{count} {purpose}")).collect();
    Some(format!(
        "runs as it is; one `genai` processor does what {covered} of its {all} statements do ({})",
        parts.join(", ")
    ))
}

/// Calls back with every text in a list of statements, or of groups of statements.
fn each_statement(node: &Node, found: &mut dyn FnMut(&str)) {
    match node.value() {
        Value::String(text) => found(text),
        Value::List(items) => items.iter().for_each(|item| each_statement(item, found)),
        Value::Map(_) => {
            if let Some(statements) = node.get("statements") {
                each_statement(statements, found);
            }
        }
        _ => {}
    }
}
