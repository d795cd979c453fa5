//! Where `genai` comes in, and what is left to it.
//!
//! It comes in last, so that all before it see and do what they did: what they delete it never sees, and what they reckon a call
//! costs it takes for reported.

use serde_yaml::{Mapping, Value};
use spanmill_config::Kind;

use super::copies;
use super::file::{
    components, each_pipeline, get_mut, is_called, listed, lists, mentions, pipelines, signal, type_name,
};
use super::log::Log;
use super::prices::Prices;
use super::statements::{CONTENT, Purpose};

/// What tells that something hides, changes or removes content, or attributes that are not named one by one; and what comes from
/// elsewhere, which may.
pub(super) const HIDING: &[&str] = &[
    "delete",
    "keep_",
    "allow",
    "replace_",
    "truncate",
    "limit(",
    "redact",
    "actions",
    "SHA",
    "MD5",
    "FNV",
    "Murmur3",
    "merge_maps",
    "flatten",
    "pattern",
    "${",
];

/// What the suggestion does with the processors of a file.
#[derive(Default)]
struct Plan {
    /// The normalisers that `genai` replaces.
    replaced: Vec<String>,
    /// Processors behind which it comes in.
    asked_for_by: Vec<String>,
    prices: Prices,
}

/// Brings `genai` in.
pub(super) fn bring_in(file: &mut Value, log: &mut Log) {
    let mut plan = Plan::default();
    for (id, section) in components(file, Kind::Processor.section()) {
        match type_name(id) {
            "gen_ai_normalizer" | "genainormalizer" if is_replaceable(file, id, section) => {
                plan.replaced.push(id.to_owned())
            }
            "transform" => plan.look_at(id, section),
            _ => {}
        }
    }
    let places: Vec<String> = pipelines(file)
        .filter(|(name, pipeline)| {
            let has = |ids: &[String]| ids.iter().any(|id| lists(pipeline, "processors", id));
            is_open(file, name, pipeline) && (has(&plan.replaced) || has(&plan.asked_for_by))
        })
        .map(|(name, _)| name.to_owned())
        .collect();
    if !places.is_empty() {
        plan.apply(file, &places, log);
    }
}

/// Whether `genai` may come into a pipeline: of spans, without one, and whose spans meet no further processors that do not know
/// what it writes.
fn is_open(file: &Value, name: &str, pipeline: &Value) -> bool {
    let leads_on = |id: &str| {
        !components(file, Kind::Exporter.section()).any(|(exporter, _)| exporter == id)
            && pipelines(file).any(|(name, other)| signal(name) == "traces" && lists(other, "receivers", id))
    };
    signal(name) == "traces"
        && !listed(pipeline, "processors").any(|id| type_name(id) == "genai")
        && !listed(pipeline, "exporters").any(leads_on)
}

/// Whether a normaliser has nothing of its own, and nobody else has to do with what it writes.
fn is_replaceable(file: &Value, id: &str, section: &Value) -> bool {
    let is_plain = |source: &Value| {
        let named = source.get("name").and_then(Value::as_str);
        let off = |(key, value): (&Value, &Value)| key.as_str() == Some("name") || value.as_bool() == Some(false);
        matches!(named, Some("openinference" | "openllmetry"))
            && source.as_mapping().is_some_and(|map| map.iter().all(off))
    };
    let options = section.as_mapping().into_iter().flatten();
    let plain = options.into_iter().all(|(key, value)| match key.as_str() {
        Some("sources") => value.as_sequence().is_some_and(|sources| sources.iter().all(is_plain)),
        _ => value.as_bool() == Some(false),
    });
    let mut uses = pipelines(file).filter(|(_, pipeline)| lists(pipeline, "processors", id)).peekable();
    plain
        && section.get("sources").is_some()
        && uses.peek().is_some()
        && uses.all(|(name, pipeline)| is_open(file, name, pipeline))
        && !neighbours_mention(file, id, &["gen_ai."], false)
        && !hides(file)
}

/// Whether anything in the file hides attributes or has to do with content, so that `genai` keeps off messages.
fn hides(file: &Value) -> bool {
    let both = [Kind::Processor, Kind::Connector].map(Kind::section);
    let mut all = both.into_iter().flat_map(|section| components(file, section));
    all.any(|(id, section)| says(id, section, CONTENT) || says(id, section, HIDING))
}

/// Whether a component that stands in a pipeline with this one mentions any of these; other pipelines see nothing of what it does,
/// where `genai` may come in.
pub(super) fn neighbours_mention(file: &Value, id: &str, words: &[&str], itself: bool) -> bool {
    let is_near = |other: &str| {
        let mut shared = pipelines(file).filter(|(_, pipeline)| lists(pipeline, "processors", id));
        shared.any(|(_, pipeline)| lists(pipeline, "processors", other) || lists(pipeline, "exporters", other))
    };
    let all = [Kind::Processor, Kind::Connector, Kind::Exporter].map(Kind::section);
    all.into_iter().flat_map(|section| components(file, section)).any(|(other, section)| {
        let counts = if other == id { itself } else { is_near(other) };
        counts && says(other, section, words)
    })
}

fn says(id: &str, section: &Value, words: &[&str]) -> bool {
    mentions(section, words) || mentions(&Value::from(type_name(id)), words)
}

/// Calls back with every statement about traces, and whether it always applies: in no group, or in one of spans without conditions.
pub(super) fn each_statement<'v>(section: &'v Value, found: &mut dyn FnMut(&'v str, bool)) {
    for item in section.get("trace_statements").and_then(Value::as_sequence).into_iter().flatten() {
        match item {
            Value::String(text) => found(text, text.contains("span.attributes[")),
            group => {
                let always = is_unconditional(group);
                listed(group, "statements").for_each(|text| found(text, always));
            }
        }
    }
}

pub(super) fn is_unconditional(group: &Value) -> bool {
    group.get("conditions").is_none() && group.get("context").is_none_or(|context| context.as_str() == Some("span"))
}

// === impl Plan ===

impl Plan {
    fn look_at(&mut self, id: &str, section: &Value) {
        let mut concerned = false;
        each_statement(section, &mut |text, always| match Purpose::of(text) {
            Some(Purpose::Price) => {
                concerned = true;
                self.prices.learn(if always { text } else { "" });
            }
            Some(Purpose::Normalise | Purpose::Total) => concerned = true,
            Some(Purpose::HideContent) | None => {}
        });
        if concerned {
            self.asked_for_by.push(id.to_owned());
        }
    }

    fn apply(&self, file: &mut Value, places: &[String], log: &mut Log) {
        let name = new_name(file);
        log.note(format!(
            "{name} also corrects what is there: cached tokens count as input, and counts of zero on calls that said nothing, and \
             values that are no numbers, go"
        ));
        for id in &self.asked_for_by {
            copies::thin_out(file, id, places, log);
        }
        let options = self.options(file, log);
        let Some(Value::Mapping(processors)) = get_mut(file, &["processors"]) else { return };
        let mut after = Mapping::new();
        for (id, section) in std::mem::take(processors) {
            if !self.replaced.iter().any(|replaced| is_called(&id, replaced)) {
                after.insert(id, section);
            } else if !after.contains_key(name) {
                after.insert(Value::from(name), options.clone());
            }
        }
        if !after.contains_key(name) {
            after.insert(Value::from(name), options);
        }
        *processors = after;
        self.put_into(file, name, places, log);
    }

    /// The options of the new processor.
    fn options(&self, file: &Value, log: &mut Log) -> Value {
        let mut options = Mapping::new();
        // What was hidden must not come out under another name.
        if hides(file) {
            options.insert("messages".into(), "keep".into());
            log.note(
                "genai: `messages: keep`, since the file hides attributes or has to do with content: without it prompts and answers \
                 that are left are written as gen_ai.input.messages and gen_ai.output.messages as well",
            );
        }
        let overrides = self.prices.overrides();
        if !overrides.is_empty() {
            log.change(format!(
                "processors::genai: pricing::overrides has the prices of {} models out of statements",
                overrides.len()
            ));
            let pricing: Mapping = [(Value::from("overrides"), Value::Sequence(overrides))].into_iter().collect();
            options.insert("pricing".into(), Value::Mapping(pricing));
        }
        Value::Mapping(options)
    }

    /// In the place of a normaliser, or behind everything but a last batch.
    fn put_into(&self, file: &mut Value, name: &str, places: &[String], log: &mut Log) {
        let is_replaced = |value: &Value| self.replaced.iter().any(|id| is_called(value, id));
        for id in &self.replaced {
            log.change(format!("processors::{id} is replaced by {name}"));
            log.note(format!(
                "{name} is of another mind than {id} in places: chains are workflows, tasks are no agents, messages are those of models, \
                 and the model that was asked is not taken for the one that answered; keep {id} if a backend needs these"
            ));
        }
        each_pipeline(file, &mut |pipeline_name, pipeline| {
            let Some(Value::Sequence(processors)) = pipeline.get_mut("processors") else { return };
            if !places.iter().any(|place| place == pipeline_name) {
                return;
            }
            let is_batch =
                |value: &Value| value.as_str().is_some_and(|id| matches!(type_name(id), "batch" | "queuebatch"));
            let end = processors.len() - usize::from(processors.last().is_some_and(is_batch));
            let at = processors.iter().position(is_replaced).unwrap_or(end);
            processors.insert(at, Value::from(name));
            processors.retain(|value| !is_replaced(value));
            log.change(format!("service::pipelines::{pipeline_name}: {name} comes in"));
        });
    }
}

/// An id that is free.
fn new_name(file: &Value) -> &'static str {
    let taken = |name: &str| components(file, Kind::Processor.section()).any(|(id, _)| id == name);
    if taken("genai") { "genai/suggested" } else { "genai" }
}
