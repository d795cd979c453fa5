use opentelemetry_proto::tonic::logs::v1::LogsData;
use opentelemetry_proto::tonic::metrics::v1::MetricsData;
use prost::Message as _;
use spanmill_config::{ConfigError, Section};
use spanmill_otlp::{Item, Message, Part};

use super::super::selection::{ItemSelection, LogMatch, MetricMatch, MetricProperties, Selection};

/// What stays, by its properties.
#[derive(Debug)]
pub(super) enum Kept {
    Spans(Box<Selection>),
    Logs(ItemSelection),
    Metrics { include: Option<MetricProperties>, exclude: Option<MetricProperties> },
}

// === impl Kept ===

impl Kept {
    pub(super) fn of_logs(
        section: &Section,
        include: Option<LogMatch>,
        exclude: Option<LogMatch>,
    ) -> Result<Option<Self>, ConfigError> {
        let properties = |given: Option<LogMatch>, path| match given {
            Some(given) => given.properties(section, path),
            None => Ok(None),
        };
        let (include, exclude) = (properties(include, "logs::include")?, properties(exclude, "logs::exclude")?);
        if include.is_none() && exclude.is_none() {
            return Ok(None);
        }
        ItemSelection::of_logs_under(section, "logs::", include.as_ref(), exclude.as_ref())
            .map(|selection| Some(Self::Logs(selection)))
    }

    pub(super) fn of_metrics(
        section: &Section,
        include: Option<MetricMatch>,
        exclude: Option<MetricMatch>,
    ) -> Result<Option<Self>, ConfigError> {
        let compile = |given: Option<MetricMatch>, path| given.map(|given| given.compile(section, path)).transpose();
        let (include, exclude) = (compile(include, "metrics::include")?, compile(exclude, "metrics::exclude")?);
        Ok((include.is_some() || exclude.is_some()).then_some(Self::Metrics { include, exclude }))
    }

    /// Drops all other log records, and what holds none any more.
    pub(super) fn keep_logs(&self, logs: &mut LogsData) {
        let Self::Logs(selection) = self else { return };
        logs.resource_logs.retain_mut(|group| {
            let resource = group.resource.as_ref().map(|resource| resource.encode_to_vec()).unwrap_or_default();
            group.scope_logs.retain_mut(|inner| {
                let scope = inner.scope.as_ref().map(|scope| scope.encode_to_vec()).unwrap_or_default();
                inner.log_records.retain(|record| {
                    let record = record.encode_to_vec();
                    selection.includes(Item {
                        part: Part::LogRecord,
                        resource: Message::standalone(&resource),
                        scope: Message::standalone(&scope),
                        metric: &[],
                        message: Message::standalone(&record),
                    })
                });
                !inner.log_records.is_empty()
            });
            !group.scope_logs.is_empty()
        });
    }

    /// Drops all other metrics, and what holds none any more.
    pub(super) fn keep_metrics(&self, metrics: &mut MetricsData) {
        let Self::Metrics { include, exclude } = self else { return };
        let all = [(include.as_ref(), true), (exclude.as_ref(), false)];
        let stays = |test: &dyn Fn(&MetricProperties) -> Option<bool>| {
            all.iter().all(|(properties, wanted)| properties.and_then(test).is_none_or(|met| met == *wanted))
        };
        let asks_names = all.iter().any(|(properties, _)| properties.is_some_and(|one| one.meet_name("").is_some()));
        metrics.resource_metrics.retain_mut(|group| {
            let resource = group.resource.as_ref().map(|resource| resource.encode_to_vec()).unwrap_or_default();
            if !stays(&|properties| properties.meet_resource(Message::standalone(&resource))) {
                return false;
            }
            if asks_names {
                group.scope_metrics.retain_mut(|inner| {
                    inner.metrics.retain(|metric| stays(&|properties| properties.meet_name(&metric.name)));
                    !inner.metrics.is_empty()
                });
            }
            !group.scope_metrics.is_empty()
        });
    }
}
