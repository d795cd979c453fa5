//! Running the statements of a sequence on log records and metrics.

use std::sync::MutexGuard;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData};
use opentelemetry_proto::tonic::metrics::v1::{Metric, MetricsData};
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::client::ClientInfo;
use crate::eval::frame::Frame;
use crate::eval::record::Arena;
use crate::sequence::{ARENA_BYTES, Ignored, Sequence, SharedCache};
use crate::statement::StatementError;

/// What the statements run on: the items of a scope, and what these belong to.
struct Group<'g, T> {
    resource: &'g mut Option<Resource>,
    resource_url: &'g mut String,
    /// None where the statements are about resources.
    scope: Option<(&'g mut Option<InstrumentationScope>, &'g mut String)>,
    items: &'g mut Vec<T>,
}

/// Where a run is: at which item, and where in it.
#[derive(Debug)]
struct Cursor {
    item: usize,
    point: usize,
    /// How many items there may be at most.
    most: usize,
}

/// A run over all groups of a request.
struct Run<'s, 'i> {
    sequence: &'s Sequence,
    client: Option<&'s ClientInfo>,
    cache: Option<MutexGuard<'s, Vec<u8>>>,
    arena: Arena,
    ignored: Ignored<'i>,
}

/// A part of a run, until much memory is used.
struct Pass<'a, 'i> {
    sequence: &'a Sequence,
    frame: Frame<'a>,
    keep_cache: bool,
    arena: &'a Arena,
    /// How much memory the resource and the scope take.
    above: usize,
    ignored: Ignored<'i>,
}

type Outcome = Result<(), StatementError>;

/// Runs the statements on the item at the cursor, or on some of its points, and moves the cursor on.
type Step<T> = for<'a> fn(&mut Pass<'a, '_>, &mut Vec<T>, &mut Cursor) -> Outcome;

/// Most metrics that statements make of one, and of all beside that. They run on those too, and might never end.
const MADE_OF_ONE: usize = 16;
const MADE_BESIDE: usize = 1 << 12;

// === impl Sequence ===

impl Sequence {
    /// Runs the statements on log records that `client` sent. `ignored` is told of errors that the mode says to tell and go on.
    ///
    /// # Errors
    ///
    /// Fails at the first error where the mode is to propagate them.
    pub fn apply_logs(
        &self,
        logs: &mut LogsData,
        client: Option<&ClientInfo>,
        shared: Option<&SharedCache>,
        ignored: Ignored<'_>,
    ) -> Outcome {
        let mut run = Run::new(self, client, shared, ignored);
        for group in &mut logs.resource_logs {
            let scopes = group.scope_logs.iter_mut();
            let scopes = scopes.map(|inner| (&mut inner.scope, &mut inner.schema_url, &mut inner.log_records));
            run.resource(&mut group.resource, &mut group.schema_url, scopes, log)?;
        }
        Ok(())
    }

    /// The same on metrics, or on their points.
    ///
    /// # Errors
    ///
    /// Fails at the first error where the mode is to propagate them.
    pub fn apply_metrics(
        &self,
        metrics: &mut MetricsData,
        client: Option<&ClientInfo>,
        shared: Option<&SharedCache>,
        ignored: Ignored<'_>,
    ) -> Outcome {
        let mut run = Run::new(self, client, shared, ignored);
        let step = if self.context() == Context::Metric { metric } else { points };
        for group in &mut metrics.resource_metrics {
            let scopes = group.scope_metrics.iter_mut();
            let scopes = scopes.map(|inner| (&mut inner.scope, &mut inner.schema_url, &mut inner.metrics));
            run.resource(&mut group.resource, &mut group.schema_url, scopes, step)?;
        }
        Ok(())
    }
}

/// The resource or the scope itself.
fn alone(pass: &mut Pass<'_, '_>, _: &mut Vec<()>, at: &mut Cursor) -> Outcome {
    at.item += 1;
    pass.statements()
}

#[expect(clippy::ptr_arg, reason = "it is a step like the others")]
fn log(pass: &mut Pass<'_, '_>, logs: &mut Vec<LogRecord>, at: &mut Cursor) -> Outcome {
    let Some(log) = logs.get_mut(at.item) else { return Ok(()) };
    pass.frame.enter_log(std::mem::take(log));
    pass.statements()?;
    *log = pass.frame.leave_log();
    at.item += 1;
    Ok(())
}

fn metric(pass: &mut Pass<'_, '_>, metrics: &mut Vec<Metric>, at: &mut Cursor) -> Outcome {
    let Some(metric) = metrics.get_mut(at.item) else { return Ok(()) };
    pass.frame.enter_metric(std::mem::take(metric));
    pass.statements()?;
    *metric = pass.frame.leave_metric();
    pass.add_made(metrics, at)?;
    at.item += 1;
    Ok(())
}

fn points(pass: &mut Pass<'_, '_>, metrics: &mut Vec<Metric>, at: &mut Cursor) -> Outcome {
    let Some(metric) = metrics.get_mut(at.item) else { return Ok(()) };
    pass.frame.enter_metric(std::mem::take(metric));
    while pass.frame.enter_point(at.point) {
        pass.statements()?;
        pass.frame.leave_point(at.point);
        at.point += 1;
        if pass.is_full() {
            break;
        }
    }
    let done = at.point >= pass.frame.point_count();
    *metric = pass.frame.leave_metric();
    pass.add_made(metrics, at)?;
    if done {
        (at.item, at.point) = (at.item + 1, 0);
    }
    Ok(())
}

// === impl Run ===

impl<'s, 'i> Run<'s, 'i> {
    fn new(
        sequence: &'s Sequence,
        client: Option<&'s ClientInfo>,
        shared: Option<&'s SharedCache>,
        ignored: Ignored<'i>,
    ) -> Self {
        Self { sequence, client, cache: shared.map(SharedCache::lock), arena: Arena::default(), ignored }
    }

    /// Everything of a resource; `scopes` are its scopes, with their schema URLs and items.
    fn resource<'g, T: 'g>(
        &mut self,
        resource: &mut Option<Resource>,
        resource_url: &mut String,
        scopes: impl Iterator<Item = (&'g mut Option<InstrumentationScope>, &'g mut String, &'g mut Vec<T>)>,
        step: Step<T>,
    ) -> Outcome {
        let context = self.sequence.context();
        if context == Context::Resource {
            return self.group(&mut Group { resource, resource_url, scope: None, items: &mut vec![()] }, alone);
        }
        for (scope, url, items) in scopes {
            let (resource, resource_url, scope) = (&mut *resource, &mut *resource_url, Some((scope, url)));
            if context == Context::Scope {
                self.group(&mut Group { resource, resource_url, scope, items: &mut vec![()] }, alone)?;
            } else {
                self.group(&mut Group { resource, resource_url, scope, items }, step)?;
            }
        }
        Ok(())
    }

    fn group<T>(&mut self, group: &mut Group<'_, T>, step: Step<T>) -> Outcome {
        let most = group.items.len().saturating_mul(1 + MADE_OF_ONE).saturating_add(MADE_BESIDE);
        let mut at = Cursor { item: 0, point: 0, most };
        while at.item < group.items.len() {
            self.pass(group, &mut at, step)?;
            // What grew large does not stay so.
            self.arena = Arena::default();
        }
        Ok(())
    }

    fn pass<T>(&mut self, group: &mut Group<'_, T>, at: &mut Cursor, step: Step<T>) -> Outcome {
        let Self { sequence, client, cache, arena, ignored } = self;
        let mut frame = sequence.slots().record_frame(arena, *client);
        frame.read_resource(group.resource.as_ref(), group.resource_url);
        if let Some((scope, url)) = &group.scope {
            frame.read_scope(scope.as_ref(), url);
        }
        if let Some(cache) = cache {
            frame.load_cache(arena.0.alloc_slice_copy(cache));
        }
        let keep_cache = cache.is_some();
        let above = arena.0.allocated_bytes();
        let mut pass = Pass { sequence, frame, keep_cache, arena, above, ignored };
        while at.item < group.items.len() {
            step(&mut pass, group.items, at)?;
            if pass.is_full() {
                break;
            }
        }
        let mut frame = pass.frame;
        if let Some((scope, url)) = &mut group.scope {
            frame.write_scope(scope, url);
        }
        frame.write_resource(group.resource, group.resource_url);
        if let Some(cache) = cache {
            SharedCache::save(cache, &mut frame);
        }
        Ok(())
    }
}

// === impl Pass ===

impl Pass<'_, '_> {
    fn statements(&mut self) -> Outcome {
        self.sequence.run(&mut self.frame, self.keep_cache, self.ignored)
    }

    fn is_full(&self) -> bool {
        self.arena.0.allocated_bytes() - self.above > ARENA_BYTES
    }

    /// Puts the metrics that statements made behind those that there are.
    fn add_made(&mut self, metrics: &mut Vec<Metric>, at: &Cursor) -> Outcome {
        let Some(record) = &mut self.frame.record else { return Ok(()) };
        metrics.append(&mut record.made);
        if metrics.len() > at.most {
            let error = EvalError::Static("a scope has too many metrics: statements make new ones of those they made");
            return Err(StatementError { text: "".into(), error });
        }
        Ok(())
    }
}
