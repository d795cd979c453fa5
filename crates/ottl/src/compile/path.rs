//! Paths: which part of the telemetry they name.

use super::{CompileError, Result, Scope};
use crate::ast;
use crate::context::Root;
use crate::eval::client::ClientMap;
use crate::eval::expr::{Expr, Key};
use crate::eval::level::Level;
use crate::eval::log::LogField;
use crate::eval::metric::MetricField;
use crate::eval::path::{Field, Path};
use crate::eval::point_field::{PointField, Sign};

/// What a path can lead to.
#[derive(Debug, Clone, Copy)]
enum Target {
    Field(Field),
    Attributes(Level),
    TraceState,
    /// Headers of the request.
    Client(ClientMap),
    Body,
    Log(LogField),
    Metric(MetricField),
    Point(PointField),
}

type Names = &'static [(&'static str, Target)];

const RESOURCE: Names = &[
    ("attributes", Target::Attributes(Level::Resource)),
    ("dropped_attributes_count", Target::Field(Field::ResourceDropped)),
    ("schema_url", Target::Field(Field::ResourceSchemaUrl)),
];

const SCOPE: Names = &[
    ("name", Target::Field(Field::ScopeName)),
    ("version", Target::Field(Field::ScopeVersion)),
    ("attributes", Target::Attributes(Level::Scope)),
    ("dropped_attributes_count", Target::Field(Field::ScopeDropped)),
    ("schema_url", Target::Field(Field::ScopeSchemaUrl)),
];

const SPAN: Names = &[
    ("attributes", Target::Attributes(Level::Span)),
    ("name", Target::Field(Field::Name)),
    ("kind", Target::Field(Field::Kind)),
    ("kind.string", Target::Field(Field::KindString)),
    ("kind.deprecated_string", Target::Field(Field::KindDeprecatedString)),
    ("status", Target::Field(Field::Status)),
    ("status.code", Target::Field(Field::StatusCode)),
    ("status.message", Target::Field(Field::StatusMessage)),
    ("trace_id", Target::Field(Field::TraceId)),
    ("trace_id.string", Target::Field(Field::TraceIdString)),
    ("span_id", Target::Field(Field::SpanId)),
    ("span_id.string", Target::Field(Field::SpanIdString)),
    ("parent_span_id", Target::Field(Field::ParentSpanId)),
    ("parent_span_id.string", Target::Field(Field::ParentSpanIdString)),
    ("trace_state", Target::TraceState),
    ("start_time", Target::Field(Field::Start)),
    ("start_time_unix_nano", Target::Field(Field::StartNano)),
    ("end_time", Target::Field(Field::End)),
    ("end_time_unix_nano", Target::Field(Field::EndNano)),
    ("dropped_attributes_count", Target::Field(Field::Dropped)),
    ("events", Target::Field(Field::Events)),
    ("dropped_events_count", Target::Field(Field::DroppedEvents)),
    ("links", Target::Field(Field::Links)),
    ("dropped_links_count", Target::Field(Field::DroppedLinks)),
    ("flags", Target::Field(Field::Flags)),
];

const EVENT: Names = &[
    ("attributes", Target::Attributes(Level::Event)),
    ("name", Target::Field(Field::EventName)),
    ("time", Target::Field(Field::EventTime)),
    ("time_unix_nano", Target::Field(Field::EventNano)),
    ("dropped_attributes_count", Target::Field(Field::EventDropped)),
    ("event_index", Target::Field(Field::EventIndex)),
];

const LOG: Names = &[
    ("attributes", Target::Attributes(Level::Log)),
    ("time", Target::Log(LogField::Time)),
    ("time_unix_nano", Target::Log(LogField::Nano)),
    ("observed_time", Target::Log(LogField::Observed)),
    ("observed_time_unix_nano", Target::Log(LogField::ObservedNano)),
    ("severity_number", Target::Log(LogField::SeverityNumber)),
    ("severity_text", Target::Log(LogField::SeverityText)),
    ("body", Target::Body),
    ("body.string", Target::Log(LogField::BodyString)),
    ("dropped_attributes_count", Target::Log(LogField::Dropped)),
    ("flags", Target::Log(LogField::Flags)),
    ("trace_id", Target::Log(LogField::TraceId)),
    ("trace_id.string", Target::Log(LogField::TraceIdString)),
    ("span_id", Target::Log(LogField::SpanId)),
    ("span_id.string", Target::Log(LogField::SpanIdString)),
    ("event_name", Target::Log(LogField::EventName)),
];

const METRIC: Names = &[
    ("name", Target::Metric(MetricField::Name)),
    ("description", Target::Metric(MetricField::Description)),
    ("unit", Target::Metric(MetricField::Unit)),
    ("type", Target::Metric(MetricField::Type)),
    ("aggregation_temporality", Target::Metric(MetricField::Temporality)),
    ("is_monotonic", Target::Metric(MetricField::Monotonic)),
    ("data_points", Target::Metric(MetricField::Points)),
    ("metadata", Target::Attributes(Level::Metric)),
];

const POINT: Names = &[
    ("attributes", Target::Attributes(Level::Point)),
    ("start_time", Target::Point(PointField::Start)),
    ("start_time_unix_nano", Target::Point(PointField::StartNano)),
    ("time", Target::Point(PointField::Time)),
    ("time_unix_nano", Target::Point(PointField::Nano)),
    ("value_double", Target::Point(PointField::Double)),
    ("value_int", Target::Point(PointField::Int)),
    ("exemplars", Target::Point(PointField::Exemplars)),
    ("flags", Target::Point(PointField::Flags)),
    ("count", Target::Point(PointField::Count)),
    ("sum", Target::Point(PointField::Sum)),
    ("bucket_counts", Target::Point(PointField::Counts)),
    ("explicit_bounds", Target::Point(PointField::Bounds)),
    ("scale", Target::Point(PointField::Scale)),
    ("zero_count", Target::Point(PointField::ZeroCount)),
    ("positive", Target::Point(PointField::Buckets(Sign::Positive))),
    ("positive.offset", Target::Point(PointField::Offset(Sign::Positive))),
    ("positive.bucket_counts", Target::Point(PointField::BucketCounts(Sign::Positive))),
    ("negative", Target::Point(PointField::Buckets(Sign::Negative))),
    ("negative.offset", Target::Point(PointField::Offset(Sign::Negative))),
    ("negative.bucket_counts", Target::Point(PointField::BucketCounts(Sign::Negative))),
    ("quantile_values", Target::Point(PointField::Quantiles)),
];

const COLLECTOR: Names = &[
    ("client.addr", Target::Field(Field::ClientAddress)),
    ("client.metadata", Target::Client(ClientMap::Metadata)),
    ("client.auth.attributes", Target::Client(ClientMap::Auth)),
    ("grpc.metadata", Target::Client(ClientMap::Grpc)),
];

fn names(root: Root) -> Names {
    match root {
        Root::Resource => RESOURCE,
        Root::Scope => SCOPE,
        Root::Span => SPAN,
        Root::SpanEvent => EVENT,
        Root::Log => LOG,
        Root::Metric => METRIC,
        Root::DataPoint => POINT,
        Root::Collector => COLLECTOR,
    }
}

// === impl Scope ===

impl Scope<'_> {
    pub(super) fn path(&mut self, path: &ast::Path) -> Result<Expr> {
        if let Some(local) = self.local(path)? {
            return Ok(local);
        }
        let (root, fields) = self.root(path)?;
        let written: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let joined = written.join(".");
        let target = if written.first() == Some(&"cache") {
            self.cache(root, path, &joined)?
        } else {
            names(root).iter().find(|(name, _)| *name == joined).map(|(_, target)| *target).ok_or_else(|| {
                let message = format!("invalid path {:?}: {} has no {joined:?}", path.describe(), root.name());
                CompileError::new(path.at, message).nearest(&joined, names(root).iter().map(|(name, _)| *name))
            })?
        };
        self.read(target, path, fields)
    }

    /// The parameter of a lambda around that a path names.
    fn local(&mut self, path: &ast::Path) -> Result<Option<Expr>> {
        let Some(first) = path.fields.first() else { return Ok(None) };
        let Some(number) = self.locals.iter().rposition(|local| local.as_deref() == Some(first.name.as_str())) else {
            return Ok(None);
        };
        if path.fields.len() > 1 {
            let message = format!("parameter {:?} has no fields; index it with brackets", first.name);
            return Err(CompileError::new(path.at, message));
        }
        let keys = self.keys(&first.keys)?;
        let local = Expr::Local(number);
        Ok(Some(if keys.is_empty() { local } else { Expr::Index(Box::new(local), keys) }))
    }

    /// Where a path begins, and what remains of it.
    fn root<'p>(&self, path: &'p ast::Path) -> Result<(Root, &'p [ast::Field])> {
        let prefix = path.prefix();
        if self.prefixed {
            let valid = self.context.prefixes();
            let Some(prefix) = prefix else {
                let options: Vec<String> = valid.iter().map(|prefix| format!("{prefix}.{}", path.describe())).collect();
                let message = format!("missing context name for path {:?}", path.describe());
                return Err(CompileError::new(path.at, format!("{message}, possible are {}", options.join(", "))));
            };
            let known = Root::of_prefix(prefix).filter(|_| valid.contains(&prefix));
            let root = known.ok_or_else(|| {
                let message = format!("context {prefix:?} of path {:?} is not valid here", path.describe());
                CompileError::new(path.at, message).nearest(prefix, valid.iter().copied())
            })?;
            return Ok((root, path.fields.get(1..).unwrap_or(&[])));
        }
        match prefix.filter(|prefix| self.context.reaches(prefix)).and_then(Root::of_prefix) {
            Some(root) => Ok((root, path.fields.get(1..).unwrap_or(&[]))),
            None => Ok((self.context.root(), &path.fields)),
        }
    }

    /// The cache belongs to the context itself. Conditions that stand alone find it empty.
    fn cache(&self, root: Root, path: &ast::Path, joined: &str) -> Result<Target> {
        if root != self.context.root() {
            let message = format!("{:?}: only the cache of context {} can be used here", path.describe(), self.context);
            return Err(CompileError::new(path.at, message));
        }
        if joined != "cache" {
            return Err(CompileError::new(
                path.at,
                format!("invalid path {:?}: a cache has keys, not fields", path.describe()),
            ));
        }
        Ok(Target::Attributes(Level::Cache))
    }

    fn read(&mut self, target: Target, path: &ast::Path, fields: &[ast::Field]) -> Result<Expr> {
        let (last, before) = fields.split_last().ok_or_else(|| CompileError::new(path.at, "empty path"))?;
        let indexable = !matches!(target, Target::Field(_) | Target::Log(_) | Target::Metric(_) | Target::Point(_));
        if before.iter().any(|field| !field.keys.is_empty()) || (!indexable && !last.keys.is_empty()) {
            let message = format!("{:?} names something that cannot be indexed", path.describe());
            return Err(CompileError::new(path.at, message));
        }
        if matches!(target, Target::Field(_) | Target::TraceState) {
            self.slots.reads_fields();
        }
        if matches!(target, Target::Client(_) | Target::Field(Field::ClientAddress)) {
            self.slots.reads_client();
        }
        match (target, last.keys.first()) {
            (Target::Attributes(_), Some(ast::Key::String(_))) => {}
            (Target::Attributes(level), _) => self.whole.insert(level),
            (Target::Field(Field::Events | Field::Links), _) => self.whole.insert(Level::Span),
            _ => {}
        }
        Ok(Expr::Path(match (target, last.keys.as_slice()) {
            (Target::Field(field), _) => Path::Field(field),
            (Target::Attributes(level), []) => Path::Attributes(level),
            (Target::Attributes(level), [ast::Key::String(key), rest @ ..]) => {
                let too_many = || CompileError::new(path.at, "too many attribute keys in one configuration");
                let slot = self.slots.slot(level, key).ok_or_else(too_many)?;
                Path::Attribute { level, slot, rest: self.keys(rest)? }
            }
            (Target::Attributes(level), [key, rest @ ..]) => {
                let key = self.keys(std::slice::from_ref(key))?.into_iter().next().unwrap_or(Key::Int(0));
                Path::Computed { level, key, rest: self.keys(rest)? }
            }
            (Target::TraceState, []) => Path::Field(Field::TraceState),
            (Target::TraceState, [ast::Key::String(key)]) => Path::TraceState(Some(key.as_str().into())),
            (Target::TraceState, [key]) => {
                self.keys(std::slice::from_ref(key))?;
                Path::TraceState(None)
            }
            (Target::TraceState, _) => {
                return Err(CompileError::new(path.at, "trace_state takes exactly one key"));
            }
            (Target::Client(map), keys) => Path::Client { map, keys: self.keys(keys)? },
            (Target::Body, keys) => Path::Body(self.keys(keys)?),
            (Target::Log(field), _) => Path::Log(field),
            (Target::Metric(field), _) => Path::Metric(field),
            (Target::Point(field), _) => Path::Point(field),
        }))
    }
}
