use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::config::Strategy;
use super::decide::Policies;
use super::grouping::{Piece, TraceId, field_len};
use super::memory::{self, Decided, Decision, Decisions, Pending};
use super::metrics::{Metrics, Reason};
use super::outgoing::Outgoing;
use super::policy::Candidate;
use super::schedule::Schedule;

/// Holds traces until they are decided on, and sends on those that are sampled.
pub(super) struct Worker {
    pub(super) limits: Limits,
    pub(super) input: mpsc::Receiver<Vec<Piece>>,
    pub(super) policies: Policies,
    pub(super) schedule: Schedule,
    pub(super) traces: memory::Traces,
    pub(super) decisions: Decisions,
    pub(super) outgoing: Outgoing,
    pub(super) metrics: Metrics,
    pub(super) overflows: Overflows,
}

/// What is configured, for one of the tasks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) strategy: Strategy,
    /// Most traces.
    pub(super) traces: u64,
    /// Most bytes of all traces.
    pub(super) bytes: u64,
    /// Most bytes of one trace.
    pub(super) trace_bytes: u64,
    /// Whether to wait for room.
    pub(super) block: bool,
    /// Ticks after a root span came in.
    pub(super) after_root: Option<u64>,
    pub(super) drop_at_shutdown: bool,
}

/// Traces dropped for want of room, and not told of yet.
#[derive(Debug, Default)]
pub(super) struct Overflows {
    untold: u64,
    last: Option<Instant>,
}

/// How often traces are decided on, as in the Collector.
const TICK: Duration = Duration::from_secs(1);

/// Least time between two log lines about traces that were dropped for want of room.
const QUIET: Duration = Duration::from_secs(10);

// === impl Worker ===

impl Worker {
    pub(super) async fn run(mut self: Box<Self>) {
        let mut ticks = interval_at(Instant::now() + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                // However much comes in, traces are decided on in time.
                biased;
                _ = ticks.tick() => self.tick().await,
                received = self.input.recv() => match received {
                    Some(pieces) => self.take(pieces, &mut ticks).await,
                    None => break,
                },
            }
        }
        self.finish().await;
    }

    async fn take(&mut self, pieces: Vec<Piece>, ticks: &mut Interval) {
        for piece in pieces {
            if let Some(sampled) = self.decisions.get(&piece.id) {
                self.metrics.released_early(sampled, piece.spans);
                self.release_late(sampled, piece).await;
            } else if let Some(decided) = self.traces.decided(&piece.id) {
                self.take_late(decided, piece).await;
            } else {
                self.take_in_time(piece, ticks).await;
            }
        }
        self.outgoing.flush(&self.metrics).await;
    }

    /// Spans of a trace that was decided on before.
    async fn take_late(&mut self, decided: Decided, piece: Piece) {
        if let (Some(age), Some(at)) = (&self.metrics.late_span_age, decided.at) {
            age.observe(at.elapsed().as_secs() as f64);
        }
        self.release_late(decided.decision == Decision::Sampled, piece).await;
    }

    async fn release_late(&mut self, sampled: bool, piece: Piece) {
        if sampled {
            self.send(Candidate::new(piece.id, piece.spans, piece.size, piece.bytes.into())).await;
        } else {
            self.metrics.dropped(Reason::Late, piece.spans);
        }
    }

    /// Spans of a trace that waits for its decision, or that is new.
    async fn take_in_time(&mut self, piece: Piece, ticks: &mut Interval) {
        let id = piece.id;
        self.make_room(&id, piece.bytes.len() as u64, ticks).await;
        if self.traces.pending(&id).is_none() {
            let tick = self.schedule.add(id);
            self.traces.insert(id, Pending::new(tick));
            self.metrics.new_traces.inc();
            self.metrics.on_memory.inc();
        }
        let Some(pending) = self.traces.pending(&id) else { return };
        pending.spans += piece.spans;
        pending.size += piece.size;
        pending.request_size += field_len(piece.size as usize) as u64;
        if let (Some(away), true) = (self.limits.after_root, piece.has_root) {
            pending.tick = self.schedule.hasten(id, pending.tick, away);
        }
        if pending.size > self.limits.trace_bytes {
            self.give_up(&id);
        } else if self.limits.strategy == Strategy::SpanIngest {
            let candidate = Candidate::new(id, pending.spans, pending.request_size, piece.bytes.into());
            self.decide_early(candidate).await;
        } else {
            self.traces.append(&id, piece.bytes.into());
        }
    }

    /// Decides on spans as they come in. Where that is not possible yet, they wait.
    async fn decide_early(&mut self, piece: Candidate) {
        let began = Instant::now();
        let decision = self.policies.decide_early(&piece, &self.metrics);
        self.observe_latency(began);
        let id = piece.id;
        self.traces.append(&id, piece.into_bytes());
        let Some(decision) = decision else { return };
        self.metrics.decided(decision, 1);
        if let Some(pending) = self.traces.take(&id) {
            self.schedule.remove(&id, pending.tick);
            let arrived = pending.arrived;
            self.conclude(pending.into_candidate(id), decision).await;
            self.remember(id, Decided { decision, arrived, at: Some(began) });
        }
    }

    /// Drops a trace that became too large.
    fn give_up(&mut self, id: &TraceId) {
        let Some(pending) = self.traces.take(id) else { return };
        self.schedule.remove(id, pending.tick);
        self.metrics.dropped_too_large.inc();
        self.metrics.dropped(Reason::TooLarge, pending.spans);
        self.remember(*id, Decided { decision: Decision::NotSampled, arrived: pending.arrived, at: None });
    }

    /// Waits for room, or drops the oldest traces, where a trace is new and there are too many, or where there are too many bytes.
    async fn make_room(&mut self, id: &TraceId, bytes: u64, ticks: &mut Interval) {
        loop {
            let known = self.traces.pending(id).is_some();
            let room = known || self.traces.len() < self.limits.traces;
            if room && self.traces.bytes().saturating_add(bytes) <= self.limits.bytes {
                return;
            }
            if let Some(decided) = self.traces.forget() {
                // It is only remembered for spans that come late, while others wait for their decision.
                self.removed(decided.arrived);
            } else if !self.traces.is_anything_pending() {
                return;
            } else if self.limits.block {
                self.wait(ticks).await;
            } else if let Some((oldest, pending)) = self.traces.take_oldest() {
                self.schedule.remove(&oldest, pending.tick);
                self.removed(pending.arrived);
                self.metrics.dropped_too_early.inc();
                self.metrics.dropped(Reason::Overflow, pending.spans);
                self.overflows.tell(&self.metrics.processor);
            }
        }
    }

    /// Until traces may have been decided on. Nobody waits at the end.
    async fn wait(&mut self, ticks: &mut Interval) {
        let mut stop = self.outgoing.stop().clone();
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stopping| *stopping) => {}
        }
        self.tick().await;
    }

    async fn tick(&mut self) {
        let due = self.schedule.tick();
        self.decide(due).await;
    }

    /// Decides on traces whose time is over.
    async fn decide(&mut self, due: impl Iterator<Item = TraceId>) {
        let began = Instant::now();
        for id in due {
            let Some(pending) = self.traces.take(&id) else { continue };
            let arrived = pending.arrived;
            let candidate = pending.into_candidate(id);
            let early = self.limits.strategy == Strategy::SpanIngest;
            // Nothing that came in was wanted, where that was decided at once.
            let decision = if early { Decision::NotSampled } else { self.policies.decide(&candidate, &self.metrics) };
            self.metrics.decided(decision, 1);
            self.conclude(candidate, decision).await;
            if early {
                self.decisions.put(id, false);
                self.removed(arrived);
            } else {
                self.remember(id, Decided { decision, arrived, at: Some(Instant::now()) });
            }
        }
        self.observe_latency(began);
        self.outgoing.flush(&self.metrics).await;
    }

    /// Sends a trace on or drops it.
    async fn conclude(&mut self, trace: Candidate, decision: Decision) {
        match decision {
            Decision::Sampled => self.send(trace).await,
            Decision::NotSampled => self.metrics.dropped(Reason::NotSampled, trace.spans),
            Decision::Dropped => self.metrics.dropped(Reason::Dropped, trace.spans),
        }
    }

    /// Remembers a decision: where there is a cache for it, only there.
    fn remember(&mut self, id: TraceId, decided: Decided) {
        if self.decisions.put(id, decided.decision == Decision::Sampled) {
            self.removed(decided.arrived);
        } else {
            self.traces.decide(id, decided);
        }
    }

    async fn send(&mut self, trace: Candidate) {
        let spans = trace.spans;
        match trace.into_traces() {
            Ok(traces) => self.outgoing.push(traces, &self.metrics).await,
            Err(error) => {
                self.metrics.dropped(Reason::Unreadable, spans);
                tracing::error!(processor = %self.metrics.processor, %error, spans, "sampled spans dropped");
            }
        }
    }

    fn observe_latency(&self, began: Instant) {
        if let Some(latency) = &self.metrics.tick_latency {
            latency.observe(began.elapsed().as_millis() as f64);
        }
    }

    /// A trace left memory.
    fn removed(&self, arrived: Instant) {
        self.metrics.on_memory.dec();
        if let Some(age) = &self.metrics.removal_age {
            age.observe(arrived.elapsed().as_secs() as f64);
        }
    }

    /// Decides on all that waits, as it is, or drops it.
    async fn finish(&mut self) {
        let waiting = self.schedule.drain();
        if self.limits.drop_at_shutdown {
            let spans: u64 = waiting.filter_map(|id| self.traces.pending(&id).map(|pending| pending.spans)).sum();
            self.metrics.dropped(Reason::Shutdown, spans);
        } else {
            self.decide(waiting).await;
        }
        self.metrics.on_memory.sub(i64::try_from(self.traces.len()).unwrap_or(0));
    }
}

// === impl Overflows ===

impl Overflows {
    /// Logs that a trace was dropped, now and then.
    fn tell(&mut self, processor: &str) {
        self.untold += 1;
        if self.last.is_some_and(|last| last.elapsed() < QUIET) {
            return;
        }
        self.last = Some(Instant::now());
        let count = std::mem::take(&mut self.untold);
        tracing::warn!(processor, count, "traces were dropped before their time: there was no room for new ones");
    }
}
