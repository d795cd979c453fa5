//! What a series is told apart by: the configuration, made ready.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use spanmill_otlp::{Slot, ValueRef};

use super::config::{COLLECTOR_INSTANCE, Config, DimensionConfig, SERVICE_NAME, SPAN_KIND, SPAN_NAME, STATUS_CODE};
use super::span::Found;
use crate::connectors::metrics::{Glob, Wanted, insert, key_value, push_text, text_attribute};

/// Which attributes metrics have.
#[derive(Debug)]
pub(super) struct Plan {
    /// The named attributes of all lists; slots are numbers of this table.
    pub(super) keys: Wanted,
    /// Whether patterns have to see all attributes.
    pub(super) all_attributes: bool,
    service: bool,
    name: bool,
    kind: bool,
    status: bool,
    /// The value of `collector.instance.id`, unless it is excluded.
    instance: Option<String>,
    scopes: Vec<String>,
    sampling_method: bool,
    common: Dimensions,
    calls: Dimensions,
    durations: Dimensions,
    events: Dimensions,
}

/// The metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    Calls,
    Durations,
    Events,
}

/// Attributes of one list.
#[derive(Debug, Default)]
struct Dimensions {
    named: Vec<Named>,
    globs: Vec<Glob>,
}

#[derive(Debug)]
struct Named {
    slot: Slot,
    name: String,
    /// What comes before the value in the key of a series.
    prefix: Box<[u8]>,
    default: Option<String>,
}

/// What a span is counted by, beside its attributes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) service: &'a [u8],
    pub(super) scope_name: &'a [u8],
    pub(super) scope_version: &'a [u8],
    /// Whether the count was worked out from the sampling threshold.
    pub(super) is_adjusted: bool,
}

/// A value of an attribute, or the configured one.
#[derive(Clone, Copy)]
enum Value<'a> {
    Found(ValueRef<'a>),
    Default(&'a str),
}

/// Most attributes that patterns take of one span.
const MOST_MATCHED: usize = 256;

const SCOPE_NAME: &str = "span.instrumentation.scope.name";
const SCOPE_VERSION: &str = "span.instrumentation.scope.version";
const SAMPLING_METHOD: &str = "sampling.method";

// === impl Plan ===

impl Plan {
    pub(super) fn new(config: &Config, instance: &str) -> Self {
        let lists =
            [&config.dimensions, &config.calls_dimensions, &config.histogram.dimensions, &config.events.dimensions];
        let mut names: Vec<&str> = Vec::new();
        for dimension in lists.into_iter().flatten().filter(|dimension| !dimension.name.is_empty()) {
            if !names.contains(&dimension.name.as_str()) {
                names.push(&dimension.name);
            }
        }
        let of = |list: &[DimensionConfig]| Dimensions::new(list, &names);
        let (common, calls) = (of(&config.dimensions), of(&config.calls_dimensions));
        let (durations, events) = (of(&config.histogram.dimensions), of(&config.events.dimensions));
        let has = |name: &str| !config.exclude_dimensions.iter().any(|excluded| excluded == name);
        Self {
            all_attributes: [&common, &calls, &durations, &events].iter().any(|list| !list.globs.is_empty()),
            keys: Wanted::new(names.iter().copied()).0,
            service: has(SERVICE_NAME),
            name: has(SPAN_NAME),
            kind: has(SPAN_KIND),
            status: has(STATUS_CODE),
            instance: has(COLLECTOR_INSTANCE).then(|| instance.to_owned()),
            scopes: config.include_instrumentation_scope.clone(),
            sampling_method: config.enable_metrics_sampling_method,
            common,
            calls,
            durations,
            events,
        }
    }

    /// Whether calls and durations have the same attributes, so that one look-up serves both.
    pub(super) fn is_joint(&self) -> bool {
        self.calls.is_empty() && self.durations.is_empty()
    }

    fn lists(&self, metric: Metric) -> [&Dimensions; 2] {
        let own = match metric {
            Metric::Calls => &self.calls,
            Metric::Durations => &self.durations,
            Metric::Events => &self.events,
        };
        [&self.common, own]
    }

    /// Writes the key of the series that a span belongs to. It is that of the Collector, so that the same values fall together: an
    /// attribute counts by its text, whatever its type.
    #[inline]
    pub(super) fn put_key(&self, key: &mut Vec<u8>, metric: Metric, around: &Around<'_>, found: &Found<'_, '_>) {
        key.clear();
        if self.service {
            key.extend_from_slice(around.service);
        }
        let mut part = |wanted: bool, part: &[u8]| {
            if wanted {
                key.push(0);
                key.extend_from_slice(part);
            }
        };
        part(self.name, found.span.name);
        part(self.kind, kind(found.span.kind).as_bytes());
        part(self.status, status(found.span.status.code).as_bytes());
        for list in self.lists(metric) {
            for named in &list.named {
                if let Some(value) = named.value(found) {
                    key.extend_from_slice(&named.prefix);
                    match value {
                        Value::Found(value) => push_text(key, value),
                        Value::Default(text) => key.extend_from_slice(text.as_bytes()),
                    }
                }
            }
            list.each_of_globs(found, |name, value| {
                key.push(0);
                key.extend_from_slice(name);
                key.push(b':');
                push_text(key, value);
            });
        }
        if self.sampling_method {
            key.push(0);
            key.extend_from_slice(method(around.is_adjusted).as_bytes());
        }
    }

    /// The attributes of a new series.
    pub(super) fn attributes(&self, metric: Metric, around: &Around<'_>, found: &Found<'_, '_>) -> Vec<KeyValue> {
        let mut attributes = Vec::new();
        let mut put = |wanted: bool, name: &str, value: &[u8]| {
            if wanted {
                attributes.push(text_attribute(name, value));
            }
        };
        put(self.service, SERVICE_NAME, around.service);
        put(self.name, SPAN_NAME, found.span.name);
        put(self.kind, SPAN_KIND, kind(found.span.kind).as_bytes());
        put(self.status, STATUS_CODE, status(found.span.status.code).as_bytes());
        if let Some(instance) = &self.instance {
            put(true, COLLECTOR_INSTANCE, instance.as_bytes());
        }
        let named = !around.scope_name.is_empty();
        if named && self.scopes.iter().any(|scope| scope.as_bytes() == around.scope_name) {
            put(true, SCOPE_NAME, around.scope_name);
            put(!around.scope_version.is_empty(), SCOPE_VERSION, around.scope_version);
        }
        put(self.sampling_method, SAMPLING_METHOD, method(around.is_adjusted).as_bytes());
        for list in self.lists(metric) {
            for named in &list.named {
                match named.value(found) {
                    Some(Value::Found(value)) => insert(&mut attributes, key_value(named.name.as_bytes(), value)),
                    Some(Value::Default(text)) => insert(&mut attributes, text_attribute(&named.name, text.as_bytes())),
                    None => {}
                }
            }
            list.each_of_globs(found, |name, value| insert(&mut attributes, key_value(name, value)));
        }
        attributes
    }
}

fn method(is_adjusted: bool) -> &'static str {
    if is_adjusted { "extrapolated" } else { "counted" }
}

/// Unknown kinds have no word.
fn kind(kind: i32) -> &'static str {
    match kind {
        0 => "SPAN_KIND_UNSPECIFIED",
        1 => "SPAN_KIND_INTERNAL",
        2 => "SPAN_KIND_SERVER",
        3 => "SPAN_KIND_CLIENT",
        4 => "SPAN_KIND_PRODUCER",
        5 => "SPAN_KIND_CONSUMER",
        _ => "",
    }
}

fn status(code: i32) -> &'static str {
    match code {
        0 => "STATUS_CODE_UNSET",
        1 => "STATUS_CODE_OK",
        2 => "STATUS_CODE_ERROR",
        _ => "",
    }
}

// === impl Dimensions ===

impl Dimensions {
    fn new(list: &[DimensionConfig], names: &[&str]) -> Self {
        let mut dimensions = Self::default();
        for DimensionConfig { name, default, glob } in list {
            if let Some(slot) = names.iter().position(|known| known == name) {
                let prefix = [b"\0", name.as_bytes(), b":"].concat().into();
                let slot = Slot::try_from(slot).unwrap_or(Slot::MAX);
                dimensions.named.push(Named { slot, name: name.clone(), prefix, default: default.clone() });
            }
            // The patterns were checked when the configuration was read.
            dimensions.globs.extend((!glob.is_empty()).then(|| Glob::parse(glob).ok()).flatten());
        }
        dimensions
    }

    fn is_empty(&self) -> bool {
        self.named.is_empty() && self.globs.is_empty()
    }

    /// Attributes that a pattern matches: the span's by name, then the others' that the span does not have.
    fn each_of_globs<'a>(&self, found: &Found<'_, 'a>, mut each: impl FnMut(&'a [u8], ValueRef<'a>)) {
        if self.globs.is_empty() {
            return;
        }
        let matches = |name: &[u8]| self.globs.iter().any(|glob| glob.matches(name));
        let span = sorted(&found.span.attributes);
        let others = sorted(found.other_attributes);
        let is_of_span = |name: &[u8]| span.binary_search_by_key(&name, |(known, _)| *known).is_ok();
        let others = others.iter().filter(|(name, _)| !is_of_span(name));
        for (name, value) in span.iter().chain(others).filter(|(name, _)| matches(name)).take(MOST_MATCHED) {
            each(name, *value);
        }
    }
}

/// By name; of a repeated one the first.
fn sorted<'a>(attributes: &[(&'a [u8], ValueRef<'a>)]) -> Vec<(&'a [u8], ValueRef<'a>)> {
    let mut sorted = attributes.to_vec();
    sorted.sort_by_key(|(name, _)| *name);
    sorted.dedup_by_key(|(name, _)| *name);
    sorted
}

// === impl Named ===

impl Named {
    #[inline]
    fn value<'f>(&'f self, found: &Found<'_, 'f>) -> Option<Value<'f>> {
        let of = |values: &[Option<ValueRef<'f>>]| values.get(usize::from(self.slot)).copied().flatten();
        match of(&found.span.values).or_else(|| of(found.other_values)) {
            Some(value) => Some(Value::Found(value)),
            None => self.default.as_deref().map(Value::Default),
        }
    }
}
