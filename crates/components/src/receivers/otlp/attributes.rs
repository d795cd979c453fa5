//! What spans may hold: how many attributes, and how long their values.

use spanmill_otlp::{AnyValue, Attribute, Message, Part, Patch, ResourceIx, ScopeIx, Traces, Value};

use super::limits::{self, Policy, size};

/// How much a span, a scope or a resource may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes {
    most: usize,
    longest: usize,
    policy: Policy,
}

/// It holds too much.
#[derive(Debug, thiserror::Error)]
pub(super) enum Excess {
    #[error("more than {0} attributes")]
    Many(usize),
    #[error("attribute {key:?} has a value of {len} bytes, more than {longest}")]
    Long { key: String, len: usize, longest: usize },
}

/// Lists the attributes whose values were cut.
const MARKER: &str = "spanmill.limits.truncated";

/// So many keys are listed, and so much of each: the marker must not become what it speaks of.
const LISTED: usize = 32;
const LONGEST_KEY: usize = 128;

/// An attribute takes at least a tag and a length.
const LEAST_ATTRIBUTE: usize = 2;

// === impl Attributes ===

impl Attributes {
    pub(super) fn new(options: &limits::Attributes) -> Self {
        let or_any = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        let (most, longest) = (or_any(options.max_count), or_any(size(options.max_value_bytes)));
        Self { most, longest, policy: options.policy }
    }

    /// Refuses what is too much, or cuts it, as the policy says. Events and links are not looked at.
    pub(super) fn apply(&self, traces: &mut Traces) -> Result<(), Excess> {
        for ix in traces.span_ixs() {
            let patch = traces.span(ix).map(|span| self.patch(span.message(), Part::Span, 9)).transpose()?;
            if let Some(patch) = patch.flatten() {
                traces.apply(ix, &patch);
            }
        }
        let scopes: Vec<ScopeIx> = traces.scopes().map(|scope| scope.ix()).collect();
        for ix in scopes {
            let patch = traces.scope(ix).map(|scope| self.patch(scope.message(), Part::Scope, 3)).transpose()?;
            if let Some(patch) = patch.flatten() {
                traces.apply(ix, &patch);
            }
        }
        let resources: Vec<ResourceIx> = traces.resources().map(|resource| resource.ix()).collect();
        for ix in resources {
            let patch = traces.resource(ix).map(|resource| self.patch(resource.message(), Part::Resource, 1));
            if let Some(patch) = patch.transpose()?.flatten() {
                traces.apply(ix, &patch);
            }
        }
        Ok(())
    }

    /// What has to change; nothing for what is too small to hold too much.
    fn patch(&self, message: Message<'_>, part: Part, number: u32) -> Result<Option<Patch>, Excess> {
        let is_small = |bytes: &[u8]| bytes.len() <= self.longest && bytes.len() / LEAST_ATTRIBUTE <= self.most;
        if message.whole().is_some_and(is_small) {
            return Ok(None);
        }
        let (mut patch, mut cut, mut dropped) = (Patch::new(part), Vec::new(), 0_u32);
        for (at, attribute) in message.attributes(number).enumerate() {
            let is_long = attribute.value.raw().len() > self.longest && length(&attribute) > self.longest;
            if at < self.most && !is_long {
                continue;
            }
            if self.policy == Policy::Refuse {
                return Err(self.excess(&attribute, is_long));
            }
            let key = attribute.key_str().unwrap_or_default();
            match attribute.value.get() {
                AnyValue::Text(text) if at < self.most => {
                    patch.replace(attribute.pos, key, Value::Text(prefix(text, self.longest)));
                    cut.push(prefix(attribute.key, LONGEST_KEY));
                }
                AnyValue::Bytes(bytes) if at < self.most => {
                    patch.replace(attribute.pos, key, Value::Bytes(bytes.get(..self.longest).unwrap_or(bytes)));
                    cut.push(prefix(attribute.key, LONGEST_KEY));
                }
                // Half an array or a map would say something that nobody has said.
                _ => {
                    patch.cut(attribute.pos);
                    dropped = dropped.saturating_add(1);
                }
            }
        }
        if !cut.is_empty() {
            let keys: Vec<Value<'_>> = cut.into_iter().take(LISTED).map(Value::Text).collect();
            patch.append(MARKER, Value::Array(&keys));
        }
        if dropped > 0 {
            add_dropped(&mut patch, message, part, dropped);
        }
        Ok(Some(patch).filter(|patch| !patch.is_empty()))
    }

    #[cold]
    fn excess(&self, attribute: &Attribute<'_>, is_long: bool) -> Excess {
        if !is_long {
            return Excess::Many(self.most);
        }
        let key = String::from_utf8_lossy(prefix(attribute.key, LONGEST_KEY)).into_owned();
        Excess::Long { key, len: length(attribute), longest: self.longest }
    }
}

fn length(attribute: &Attribute<'_>) -> usize {
    match attribute.value.get() {
        AnyValue::Text(bytes) | AnyValue::Bytes(bytes) | AnyValue::Array(bytes) | AnyValue::Map(bytes) => bytes.len(),
        _ => 0,
    }
}

/// At most so many bytes of a text, without half a character at the end.
fn prefix(text: &[u8], longest: usize) -> &[u8] {
    let Some(head) = text.get(..longest) else { return text };
    let whole = (0..4).map(|less| longest.saturating_sub(less));
    let is_boundary = |end: &usize| text.get(*end).is_none_or(|byte| byte & 0xc0 != 0x80);
    whole.into_iter().find(is_boundary).and_then(|end| text.get(..end)).unwrap_or(head)
}

/// Adds to what the sender dropped.
fn add_dropped(patch: &mut Patch, message: Message<'_>, part: Part, dropped: u32) {
    let number = match part {
        Part::Resource => 2,
        Part::Scope => 4,
        Part::Span => 10,
        Part::LogRecord => 7,
        // Metric points do not tell.
        Part::NumberPoint | Part::HistogramPoint | Part::ExponentialPoint => return,
    };
    let mut before = 0;
    for field in message.fields().filter(|field| field.number == number) {
        if let spanmill_otlp::Payload::Varint(count) = field.payload {
            before = count;
        }
        patch.cut(field.pos);
    }
    patch.append_varint(number, before.saturating_add(u64::from(dropped)));
}
