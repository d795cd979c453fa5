//! `redaction`: removes attributes that are not allowed, and masks what must not be seen in the others.

mod config;
mod db;
mod inside;
mod json;
mod map;
mod mask;
mod rules;
#[cfg(test)]
mod tests;
mod text;
mod url;

use std::sync::Arc;

use spanmill_config::ConfigError;
use spanmill_otlp::{EventRef, Part, Patch, Payload, SpanIx, SpanRef, Target, Traces, put_field};
use spanmill_pipeline::{Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability};

use super::changing::{Change, changing};
use map::{Changes, Summary};
use rules::Rules;

/// Makes `redaction` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind { name: "redaction", aliases: &[], stability: Stability::Beta, signals: &[Signal::Traces] },
    create,
};

struct Redaction {
    rules: Rules,
    summary: Summary,
}

/// Encoded tags of attributes: in resources, in scopes and events, and in spans.
const RESOURCE_TAG: u8 = 0x0a;
const SCOPE_TAG: u8 = 0x1a;
const EVENT_TAG: u8 = 0x1a;
const SPAN_TAG: u8 = 0x4a;

/// The number of the events in a span.
const EVENTS: u32 = 11;

fn create(context: Context<'_>, _: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let (rules, summary) = Rules::read(context.section)?;
    Ok(changing(Redaction { rules, summary }, next))
}

// === impl Redaction ===

impl Change for Redaction {
    fn change(&self, traces: &mut Traces) {
        let mut patches: Vec<(Target, Patch)> = Vec::new();
        for resource in traces.resources() {
            let changes = Changes::of(&self.rules, self.summary, &resource.attributes(), RESOURCE_TAG);
            patches.extend(changes.map(|changes| (resource.ix().into(), changes.into_patch(Part::Resource))));
        }
        for scope in traces.scopes() {
            let changes = Changes::of(&self.rules, self.summary, &scope.attributes(), SCOPE_TAG);
            patches.extend(changes.map(|changes| (scope.ix().into(), changes.into_patch(Part::Scope))));
        }
        for (target, patch) in &patches {
            traces.apply(*target, patch);
        }
        for ix in traces.span_ixs() {
            if let Some(patch) = traces.span(ix).and_then(|span| self.span(span)) {
                traces.apply(ix, &patch);
            }
            self.name(traces, ix);
        }
    }
}

impl Redaction {
    /// What changes in the attributes and in the events of a span.
    fn span(&self, span: SpanRef<'_>) -> Option<Patch> {
        let changes = Changes::of(&self.rules, self.summary, &span.attributes(), SPAN_TAG);
        let mut patch = changes.map(|changes| changes.into_patch(Part::Span));
        for event in span.events() {
            if let Some(body) = self.event(&event) {
                let mut encoded = Vec::new();
                put_field(&mut encoded, EVENTS, Payload::Bytes(&body));
                patch.get_or_insert_with(|| Patch::new(Part::Span)).replace_field(event.pos, &encoded);
            }
        }
        patch
    }

    /// The event with what changes in it; none where nothing does.
    fn event(&self, event: &EventRef<'_>) -> Option<Vec<u8>> {
        let changes = Changes::of(&self.rules, self.summary, &event.attributes(), EVENT_TAG)?;
        let mut body = Vec::new();
        for field in event.message().fields() {
            match changes.edits.iter().find(|(pos, _)| *pos == field.pos) {
                Some((_, encoded)) => body.extend_from_slice(encoded),
                None => put_field(&mut body, field.number, field.payload),
            }
        }
        body.extend_from_slice(&changes.added);
        Some(body)
    }

    /// Sanitises the name of a span by the attributes that it has now.
    fn name(&self, traces: &mut Traces, ix: SpanIx) {
        if self.rules.urls.is_none() && !self.rules.databases.looks_at_names() {
            return;
        }
        let Some(span) = traces.span(ix) else { return };
        if self.rules.allows(span.name()) {
            return;
        }
        let by_url = self.rules.urls.as_ref().and_then(|urls| urls.name(span));
        let sanitized = by_url.or_else(|| self.rules.databases.name(span));
        let sanitized = sanitized.filter(|name| !matches!(name.as_slice(), b"" | b"..."));
        if let Some(name) = sanitized {
            traces.set_name(ix, &String::from_utf8_lossy(&name));
        }
    }
}
