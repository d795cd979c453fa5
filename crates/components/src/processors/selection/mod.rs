//! Which spans, log records and metrics a processor is for: `include` and `exclude`, shared by `attributes`, `span` and `filter`.

mod config;
mod expected;
mod filtered;
mod items;
mod place;
mod properties;
mod texts;

#[cfg(test)]
mod tests;

use spanmill_config::{ConfigError, Section};
use spanmill_otlp::{SpanIx, Traces};

pub(super) use config::PropertiesConfig;
pub(super) use filtered::{LogMatch, MetricMatch, MetricProperties};
pub(super) use items::ItemSelection;

use properties::Properties;

/// Selects spans by properties: those that meet the included ones and do not meet the excluded ones.
#[derive(Debug, Default)]
pub(super) struct Selection {
    include: Option<Properties>,
    exclude: Option<Properties>,
}

// === impl Selection ===

impl Selection {
    /// Compiles `include` and `exclude` of a section.
    pub(super) fn compile(
        section: &Section,
        include: Option<&PropertiesConfig>,
        exclude: Option<&PropertiesConfig>,
    ) -> Result<Self, ConfigError> {
        Self::compile_under(section, "", include, exclude)
    }

    /// The same where they stand under a path, which ends with `::`.
    pub(super) fn compile_under(
        section: &Section,
        path: &str,
        include: Option<&PropertiesConfig>,
        exclude: Option<&PropertiesConfig>,
    ) -> Result<Self, ConfigError> {
        let compile = |config: Option<&PropertiesConfig>, option: &str| {
            config.map(|config| Properties::compile(section, &format!("{path}{option}"), config)).transpose()
        };
        Ok(Self { include: compile(include, "include")?, exclude: compile(exclude, "exclude")? })
    }

    /// Drops all others.
    pub(super) fn keep(&self, traces: &mut Traces) {
        let mut kept = self.of(traces).into_iter().peekable();
        let all = traces.spans().map(|span| span.ix()).collect::<Vec<_>>();
        for ix in all {
            if kept.next_if_eq(&ix).is_none() {
                traces.drop_span(ix);
            }
        }
    }

    /// The selected spans, in order. What is the same for all spans of a resource or a scope is asked once.
    pub(super) fn of(&self, traces: &Traces) -> Vec<SpanIx> {
        let mut selected = Vec::with_capacity(traces.span_count());
        for resource in traces.resources() {
            if self.include.as_ref().is_some_and(|include| !include.meet_resource(resource)) {
                continue;
            }
            let exclude = self.exclude.as_ref().filter(|exclude| exclude.meet_resource(resource));
            for scope in resource.scopes() {
                if self.include.as_ref().is_some_and(|include| !include.meet_scope(scope)) {
                    continue;
                }
                let exclude = exclude.filter(|exclude| exclude.meet_scope(scope));
                let spans = scope.spans().filter(|span| {
                    self.include.as_ref().is_none_or(|include| include.meet_span(*span))
                        && !exclude.is_some_and(|exclude| exclude.meet_span(*span))
                });
                selected.extend(spans.map(|span| span.ix()));
            }
        }
        selected
    }
}
