//! Which span goes where.

use spanmill_otlp::{Attributes, Part, Patch, SpanRef, Target as Edited, Traces};
use spanmill_ottl::{Condition, Context, Deletion, ErrorMode, EvalError, Frame};
use spanmill_pipeline::Client;

use super::config::{Action, Table};
use super::route::{Route, Test};
use crate::client;

/// Spans by target. Each is known by its place among the spans of the request.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// A target, and a flag for each span that it gets. A target is here twice where it gets spans twice.
    pub(super) parts: Vec<(usize, Vec<bool>)>,
    /// Spans that nothing takes.
    pub(super) unrouted: usize,
    /// Attributes to remove: of what, and by which route.
    deletions: Vec<(Edited, usize)>,
    /// The last of them, by route.
    deleted: Vec<Option<Edited>>,
    /// How many conditions could not be evaluated, and the first error.
    pub(super) errors: (u64, Option<String>),
    total: usize,
}

/// One condition could not be evaluated, where that refuses the request.
#[derive(Debug, thiserror::Error)]
#[error("failed to evaluate {text:?}: {error}")]
pub(super) struct SortError {
    text: String,
    error: EvalError,
}

// === impl Table ===

impl Table {
    /// Sorts the spans of a request.
    pub(super) fn sort(&self, traces: &Traces, client: &Client) -> Result<Sorted, SortError> {
        let deleted = vec![None; self.routes.len()];
        let mut sorted = Sorted { total: traces.span_count(), deleted, ..Sorted::default() };
        let requests: Vec<bool> = self
            .routes
            .iter()
            .map(|route| matches!(&route.test, Test::Request(asked) if asked.is_met(client)))
            .collect();
        let mut resources: Vec<Option<bool>> = vec![None; self.routes.len()];
        let by_span = self.routes.iter().any(|route| matches!(route.test, Test::Span(_)));
        let client = client::wanted_by(&self.slots);
        let mut frame = self.slots.frame_for(client.as_ref());
        let mut place = 0;
        for resource in traces.resources() {
            frame.enter_resource(resource);
            resources.fill(None);
            for scope in resource.scopes() {
                frame.enter_scope(scope);
                for span in scope.spans() {
                    if by_span {
                        frame.enter_span(span);
                    }
                    let (mut taken, mut moved) = (false, false);
                    let asked = self.routes.iter().zip(&requests).zip(&mut resources).enumerate();
                    for (number, ((route, request), known)) in asked {
                        if moved || !self.is_met(route, *request, known, &frame, &mut sorted)? {
                            continue;
                        }
                        (taken, moved) = (true, route.action == Action::Move);
                        sorted.give(route.target, place);
                        if let Some(deletion) = &route.deletion {
                            sorted.delete(span, deletion, number);
                        }
                    }
                    match self.default {
                        _ if moved => {}
                        Some(default) => sorted.give(default, place),
                        None => sorted.unrouted += usize::from(!taken),
                    }
                    place += 1;
                }
            }
        }
        Ok(sorted)
    }

    /// Removes attributes as the statements of the routes say.
    pub(super) fn edit(&self, traces: &mut Traces, sorted: &Sorted) {
        for (target, route) in &sorted.deletions {
            let Some(deletion) = self.routes.get(*route).and_then(|route| route.deletion.as_ref()) else { continue };
            let patch = match *target {
                Edited::Resource(ix) => {
                    traces.resource(ix).map(|found| cut(Part::Resource, found.attributes(), deletion))
                }
                Edited::Scope(ix) => traces.scope(ix).map(|found| cut(Part::Scope, found.attributes(), deletion)),
                Edited::Span(ix) => traces.span(ix).map(|found| cut(Part::Span, found.attributes(), deletion)),
            };
            if let Some(patch) = patch {
                traces.apply(*target, &patch);
            }
        }
    }

    fn is_met(
        &self,
        route: &Route,
        request: bool,
        resource: &mut Option<bool>,
        frame: &Frame<'_>,
        sorted: &mut Sorted,
    ) -> Result<bool, SortError> {
        Ok(match &route.test {
            Test::Always => true,
            Test::Request(_) => request,
            Test::Span(condition) => self.eval(route, condition, frame, sorted)?,
            Test::Resource(condition) => match *resource {
                Some(known) => known,
                None => *resource.insert(self.eval(route, condition, frame, sorted)?),
            },
        })
    }

    /// A condition that cannot be evaluated is not met, unless that refuses the request.
    fn eval(
        &self,
        route: &Route,
        condition: &Condition,
        frame: &Frame<'_>,
        sorted: &mut Sorted,
    ) -> Result<bool, SortError> {
        match (condition.eval(frame), self.mode) {
            (Ok(met), _) => Ok(met),
            (Err(error), ErrorMode::Propagate) => Err(SortError { text: route.text.clone(), error }),
            (Err(_), ErrorMode::Silent) => Ok(false),
            (Err(error), ErrorMode::Ignore) => {
                sorted.errors.0 += 1;
                sorted.errors.1.get_or_insert_with(|| SortError { text: route.text.clone(), error }.to_string());
                Ok(false)
            }
        }
    }
}

fn cut(part: Part, attributes: Attributes<'_>, deletion: &Deletion) -> Patch {
    let mut patch = Patch::new(part);
    for attribute in attributes.filter(|attribute| deletion.removes(attribute.key)) {
        patch.cut(attribute.pos);
    }
    patch
}

// === impl Sorted ===

impl Sorted {
    fn give(&mut self, target: usize, place: usize) {
        let free = self.parts.iter_mut().find(|(known, flags)| *known == target && flags.get(place) == Some(&false));
        let flags = match free {
            Some((_, flags)) => flags,
            None => {
                self.parts.push((target, vec![false; self.total]));
                match self.parts.last_mut() {
                    Some((_, flags)) => flags,
                    None => return,
                }
            }
        };
        if let Some(flag) = flags.get_mut(place) {
            *flag = true;
        }
    }

    fn delete(&mut self, span: SpanRef<'_>, deletion: &Deletion, route: usize) {
        let target: Edited = match deletion.context() {
            Context::Resource => span.resource().ix().into(),
            Context::Scope => span.scope().ix().into(),
            _ => span.ix().into(),
        };
        // One resource or scope stands for many spans, which come one after the other.
        if let Some(last) = self.deleted.get_mut(route)
            && last.replace(target) != Some(target)
        {
            self.deletions.push((target, route));
        }
    }

    /// Whether all spans go to one target, once.
    pub(super) fn whole(&self) -> Option<usize> {
        match self.parts.as_slice() {
            [(target, flags)] if flags.iter().all(|flag| *flag) => Some(*target),
            _ => None,
        }
    }
}
