//! Statements that belong together: they run one after the other, once for every part of a request that their context names.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bumpalo::Bump;
use spanmill_otlp::{EventRef, Payload, SpanRef, Traces};

use crate::ast::Bool;
use crate::compile::{CompileError, Compiler, infer_all};
use crate::condition::{Condition, ConditionSet, ErrorMode, ParseError};
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::client::ClientInfo;
use crate::eval::frame::Frame;
use crate::eval::level::Levels;
use crate::eval::slots::Slots;
use crate::parse;
use crate::spare::{Spare, Spares};
use crate::statement::{Statement, StatementError};

/// A sequence of statements as it is written.
#[derive(Debug, Clone, Copy)]
pub struct SequenceText<'t> {
    /// Where it is given, paths need no prefix.
    pub context: Option<Context>,
    /// The statements.
    pub statements: &'t [String],
    /// Conditions of which one must be met, if there are any.
    pub conditions: &'t [String],
}

/// Compiled statements with their context.
#[derive(Debug)]
pub struct Sequence {
    context: Context,
    slots: Slots,
    conditions: ConditionSet,
    /// The levels that the conditions read as a whole.
    whole: Levels,
    statements: Vec<Statement>,
    mode: ErrorMode,
    /// Statements that do not name what the context is about, although another one makes it the context of all.
    astray: Vec<Arc<str>>,
    spares: Spares,
}

/// What is wrong with a sequence, by the place in its lists.
#[derive(Debug, Clone, Default)]
pub struct SequenceErrors {
    /// Of statements.
    pub statements: Vec<(usize, ParseError)>,
    /// Of conditions.
    pub conditions: Vec<(usize, ParseError)>,
}

/// A cache that statements of several sequences share, over all requests. Whoever runs with it waits for the others.
#[derive(Debug, Default)]
pub struct SharedCache(Mutex<Vec<u8>>);

/// What is told of errors that are passed over.
pub(crate) type Ignored<'i> = &'i mut dyn FnMut(&Arc<str>, &EvalError);

/// How many bytes statements may make before the changes so far are put into the request.
pub(crate) const ARENA_BYTES: usize = 8 << 20;
/// Largest shared cache in bytes; a larger one begins anew.
const CACHE_BYTES: usize = 16 << 20;

// === impl Sequence ===

impl Sequence {
    /// Whether a text is a statement by its grammar, whatever it names.
    ///
    /// # Errors
    ///
    /// Fails where it is none.
    pub fn check_grammar(text: &str) -> Result<(), ParseError> {
        Statement::read(text).map(drop)
    }

    /// Parses and compiles statements and conditions with a compiler of their own. Without a context it is the lowest that any of them names.
    ///
    /// # Errors
    ///
    /// Fails where any text is not of the grammar, or names what is not there, and where the signal has no such context.
    pub fn parse(text: SequenceText<'_>, mode: ErrorMode, compiler: Compiler) -> Result<Self, SequenceErrors> {
        let mut errors = SequenceErrors::default();
        let mut read = Vec::with_capacity(text.statements.len());
        for (at, statement) in text.statements.iter().enumerate() {
            match Statement::read(statement) {
                Ok(parsed) => read.push(parsed),
                Err(error) => errors.statements.push((at, error)),
            }
        }
        let mut read_conditions: Vec<Bool> = Vec::with_capacity(text.conditions.len());
        for (at, condition) in text.conditions.iter().enumerate() {
            match parse::condition(condition) {
                Ok(parsed) => read_conditions.push(parsed),
                Err(error) => errors.conditions.push((at, ParseError::new(condition, error.into()))),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let signal = compiler.signal();
        let found = match text.context {
            Some(context) if Context::of(signal).contains(&context) => Ok((context, Vec::new())),
            Some(context) => {
                Err(CompileError::new(0, format!("context {context} is not one that {} have", signal.as_str())))
            }
            None => infer_all(&read, &read_conditions, signal),
        };
        let (context, astray) = found.map_err(|error| SequenceErrors::of_all(&text, error))?;
        let prefixed = text.context.is_none();
        let mut compiler = compiler;
        let mut statements = Vec::with_capacity(read.len());
        for (at, (parsed, text)) in read.iter().zip(text.statements).enumerate() {
            match Statement::compile(&mut compiler, context, prefixed, text, parsed) {
                Ok(statement) => statements.push(statement),
                Err(error) => errors.statements.push((at, error)),
            }
        }
        let mut conditions = Vec::with_capacity(read_conditions.len());
        for (at, text) in text.conditions.iter().enumerate() {
            match Condition::parse_in(&mut compiler, context, prefixed, text) {
                Ok(condition) => conditions.push(condition),
                Err(error) => errors.conditions.push((at, error)),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let astray = if context == Context::SpanEvent { astray } else { Vec::new() };
        let astray = astray.into_iter().filter_map(|at| text.statements.get(at)).map(|text| text.as_str().into());
        let conditions = ConditionSet::new(conditions, mode);
        Ok(Self {
            context,
            slots: compiler.finish(),
            whole: conditions.whole(),
            conditions,
            statements,
            mode,
            astray: astray.collect(),
            spares: Spares::default(),
        })
    }

    /// What the statements run for.
    pub fn context(&self) -> Context {
        self.context
    }

    /// Statements that do not run for spans without events, only since another one of the same list is about events.
    pub fn astray(&self) -> &[Arc<str>] {
        &self.astray
    }

    /// Whether it makes a difference to know the client.
    pub fn reads_client(&self) -> bool {
        self.slots.reads_client()
    }

    /// Runs the statements at what the frame stands at, with an empty cache unless it is to be kept.
    #[inline]
    pub(crate) fn run<'a>(
        &'a self,
        frame: &mut Frame<'a>,
        keep_cache: bool,
        ignored: &mut dyn FnMut(&Arc<str>, &EvalError),
    ) -> Result<(), StatementError> {
        if !keep_cache {
            frame.clear_cache();
        }
        if !self.conditions.is_empty() {
            frame.settle(self.whole);
            let met = self.conditions.eval(frame, &mut |condition, error| ignored(condition.text(), error));
            if !met.map_err(|failed| StatementError { text: failed.text, error: failed.error })? {
                return Ok(());
            }
        }
        for statement in &self.statements {
            let Err(error) = statement.run(frame) else { continue };
            match self.mode {
                ErrorMode::Silent => {}
                ErrorMode::Ignore => ignored(statement.text(), &error),
                ErrorMode::Propagate => return Err(StatementError { text: statement.text().clone(), error }),
            }
        }
        Ok(())
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Runs the statements on a request that `client` sent. `ignored` is told of errors that the mode says to tell and go on.
    ///
    /// # Errors
    ///
    /// Fails at the first error where the mode is to propagate them.
    pub fn apply(
        &self,
        traces: &mut Traces,
        client: Option<&ClientInfo>,
        shared: Option<&SharedCache>,
        ignored: Ignored<'_>,
    ) -> Result<(), StatementError> {
        let mut shared = shared.map(SharedCache::lock);
        let Spare { mut arena, mut patches } = self.spares.take();
        let mut done = 0;
        loop {
            let mut frame = self.slots.editing(&arena, patches);
            if let Some(client) = client {
                frame.enter_client(client);
            }
            if let Some(cache) = &shared {
                frame.load_cache(arena.alloc_slice_copy(cache));
            }
            let mut pass = Pass { sequence: self, done, at: 0, arena: &arena, keep_cache: shared.is_some(), ignored };
            let finished = pass.run(traces, &mut frame)?;
            done = pass.at;
            if let Some(cache) = &mut shared {
                SharedCache::save(cache, &mut frame);
            }
            patches = frame.into_noted().apply(traces);
            if finished {
                self.spares.give_back(Spare { arena, patches });
                return Ok(());
            }
            arena.reset();
        }
    }
}

// === impl SharedCache ===

impl SharedCache {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn save(cache: &mut Vec<u8>, frame: &mut Frame<'_>) {
        *cache = frame.save_cache();
        if cache.len() > CACHE_BYTES {
            cache.clear();
        }
    }
}

/// One way through a request, until all is done or much memory is used.
struct Pass<'s, 'a> {
    sequence: &'a Sequence,
    /// How many parts were done by passes before.
    done: usize,
    /// How many parts were come by.
    at: usize,
    arena: &'a Bump,
    keep_cache: bool,
    ignored: Ignored<'s>,
}

// === impl Pass ===

impl<'a> Pass<'_, 'a> {
    /// Says whether all is done.
    fn run(&mut self, traces: &'a Traces, frame: &mut Frame<'a>) -> Result<bool, StatementError> {
        for resource in traces.resources() {
            frame.enter_resource(resource);
            if self.sequence.context == Context::Resource {
                if self.is_next() {
                    self.statements(frame)?;
                }
            } else {
                for scope in resource.scopes() {
                    frame.enter_scope(scope);
                    if self.sequence.context == Context::Scope {
                        if self.is_next() {
                            self.statements(frame)?;
                        }
                    } else {
                        for span in scope.spans() {
                            if self.is_next() {
                                self.span(span, frame)?;
                            }
                            if self.is_full() {
                                frame.leave_scope();
                                frame.leave_resource();
                                return Ok(false);
                            }
                        }
                    }
                    frame.leave_scope();
                    if self.is_full() {
                        frame.leave_resource();
                        return Ok(false);
                    }
                }
            }
            frame.leave_resource();
            if self.is_full() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the part at hand was not done by a pass before.
    fn is_next(&mut self) -> bool {
        self.at += 1;
        self.at > self.done
    }

    /// Whether so much memory is used that the changes should be made first. There is progress in every pass.
    fn is_full(&self) -> bool {
        self.arena.allocated_bytes() > ARENA_BYTES && self.at > self.done
    }

    fn span(&mut self, span: SpanRef<'a>, frame: &mut Frame<'a>) -> Result<(), StatementError> {
        frame.enter_span(span);
        match self.sequence.context {
            Context::SpanEvent => self.events(frame)?,
            _ => self.statements(frame)?,
        }
        frame.leave_span();
        Ok(())
    }

    fn events(&mut self, frame: &mut Frame<'a>) -> Result<(), StatementError> {
        let events = |frame: &Frame<'a>| -> Vec<EventRef<'a>> {
            let fields = frame.span.message.fields().filter(|field| field.number == 11);
            fields
                .filter_map(|field| match field.payload {
                    Payload::Bytes(body) => Some(EventRef::new(body, field.pos)),
                    _ => None,
                })
                .collect()
        };
        let mut all = events(frame);
        let mut generation = frame.generation();
        let mut at = 0;
        while at < all.len() {
            if frame.generation() != generation {
                // Statements put the span together anew.
                (all, generation) = (events(frame), frame.generation());
            }
            let Some(event) = all.get(at) else { break };
            // The Collector's `transform` does not tell statements which event they are at, so none can depend on it.
            frame.enter_event(*event, None);
            frame.place_event(event.pos, at);
            self.statements(frame)?;
            frame.leave_event();
            at += 1;
        }
        Ok(())
    }

    /// Runs the statements at what the frame stands at.
    #[inline]
    fn statements(&mut self, frame: &mut Frame<'a>) -> Result<(), StatementError> {
        let Self { sequence, ignored, keep_cache, .. } = self;
        sequence.run(frame, *keep_cache, ignored)
    }
}

// === impl SequenceErrors ===

impl SequenceErrors {
    fn is_empty(&self) -> bool {
        self.statements.is_empty() && self.conditions.is_empty()
    }

    /// An error that concerns all texts together, told at the first one.
    fn of_all(text: &SequenceText<'_>, error: CompileError) -> Self {
        let mut errors = Self::default();
        match (text.statements, text.conditions) {
            ([first, ..], _) => errors.statements.push((0, ParseError::new(first, error))),
            ([], [first, ..]) => errors.conditions.push((0, ParseError::new(first, error))),
            ([], []) => errors.statements.push((0, ParseError::new("", error))),
        }
        errors
    }
}
