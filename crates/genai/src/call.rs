//! What is known of one span once it was read.

use std::borrow::Cow;
use std::ops::Range;

use spanmill_otlp::{Pos, SpanIx, ValueRef};

use crate::catalogue::SourceIx;
use crate::datum::Strings;
use crate::parts::Parts;
use crate::price::Service;
use crate::target::{self, CORE, Target};
use crate::vocabulary::{Class, ErrorClass, Finish, HostIx, Operation};

/// Who owns the usage that a span carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It carries none.
    None,
    /// This span: summing over owners gives the bill.
    Owner,
    /// The spans below it.
    Rollup,
    /// Another span of the same call.
    Duplicate,
}

/// What decided the role of a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Why {
    /// It carries usage, and no other span of its call does.
    #[default]
    Alone,
    /// Its counts are not those of the span below it.
    OtherCounts,
    /// A span below it is the same call.
    Inner,
    /// It carries no usage, and a span above it is the same call.
    Outer,
    /// A server's span below the client's.
    Server,
    /// Its counts are those of the spans below it.
    Sum,
    /// Another span has the same response id.
    Response,
    /// Another instrumentation of the call lies right inside it.
    Time,
    /// It only records the counts of a call that had just ended.
    Record,
    /// A span of an earlier request has the same response id.
    EarlierResponse,
    /// A span of an earlier request of the trace is the same call.
    EarlierTrace,
}

/// A span of a request, GenAI or not, as far as the tree of its trace needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) trace: u64,
    pub(crate) id: u64,
    pub(crate) parent: u64,
    /// Its ordinal among the calls.
    pub(crate) call: Option<u32>,
    /// What went wrong below a call, as the HTTP status of a span tells that is none of GenAI.
    pub(crate) error: Option<ErrorClass>,
    /// The host that a client called below a call, where models are served.
    pub(crate) host: Option<HostIx>,
}

/// A GenAI span. What decides about ownership stands together at the beginning: requests have many calls, and those
/// questions are asked of all of them, one question after the other.
#[derive(Debug, Clone)]
#[repr(C)]
pub(crate) struct Call<'a> {
    pub(crate) trace: u64,
    pub(crate) id: u64,
    pub(crate) parent: u64,
    /// Hash of the response id; zero where there is none.
    pub(crate) response_hash: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) role: Role,
    pub(crate) why: Why,
    pub(crate) class: Class,
    pub(crate) source: SourceIx,
    pub(crate) server: bool,
    pub(crate) failed: bool,
    pub(crate) error: Option<ErrorClass>,
    pub(crate) finish: Option<Finish>,
    pub(crate) tool_calls: bool,
    /// Whether the model that answered may be a copy of the request's.
    pub(crate) doubtful: bool,
    /// Whether its counts include those of the calls before it.
    pub(crate) running: bool,
    /// Whether its source says `stop` also where a tool was called.
    pub(crate) always_stops: bool,
    /// Whether what it says of a response was given to it: the response is that of a call before it.
    pub(crate) echoes: bool,
    pub(crate) input: Option<i64>,
    pub(crate) output: Option<i64>,
    /// The nearest GenAI span above.
    pub(crate) above: Option<u32>,
    /// The nearest span above that carries usage.
    pub(crate) usage_above: Option<u32>,
    /// The span of the same call that owns the usage.
    pub(crate) owner: Option<u32>,
    /// How often this tool was called with these arguments; or, on spans above, the longest loop below.
    pub(crate) loops: u32,

    pub(crate) ix: SpanIx,
    /// Whether the name of a model may have a provider in front of it.
    pub(crate) routed: bool,
    pub(crate) operation: Operation,
    /// Whether the provider was only guessed from the model.
    pub(crate) provider_guessed: bool,
    pub(crate) provider: Option<Cow<'a, str>>,
    pub(crate) request_model: Option<Cow<'a, str>>,
    pub(crate) response_model: Option<Cow<'a, str>>,
    /// As found: it is compared far more often than it is written.
    pub(crate) response_id: Option<Cow<'a, [u8]>>,
    pub(crate) finish_reasons: Option<Strings<'a>>,
    pub(crate) cache_read: Option<i64>,
    pub(crate) cache_write: Option<i64>,
    pub(crate) reasoning: Option<i64>,
    /// What has a price of its own beside the counts.
    pub(crate) parts: Parts,
    pub(crate) total: Option<i64>,
    pub(crate) ttft: Option<f64>,
    pub(crate) ttft_weak: bool,
    pub(crate) stream: Option<bool>,
    /// Whether the source said what it cost.
    pub(crate) priced: bool,
    /// How soon the provider promised to answer.
    pub(crate) service: Service,
    /// Hash of tool name and arguments.
    pub(crate) tool: Option<u64>,
    /// Duration of the call in nanoseconds where another of its spans tells it better.
    pub(crate) longest: u64,

    /// Where the attributes of the core targets are.
    places: [Pos; CORE],
    /// Bits of the core targets that have an attribute.
    placed: u16,
    /// Bits of the core targets whose attribute is right as it is.
    pub(crate) right: u16,
    /// Other attributes to be written, as a range of the request's writes.
    pub(crate) writes: Range<u32>,
    /// Attributes to be removed, as a range of the request's cuts.
    pub(crate) cuts: Range<u32>,
}

/// An attribute to be written as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Write<'a> {
    pub(crate) target: Target,
    pub(crate) at: Option<Pos>,
    pub(crate) value: Written<'a>,
}

/// A value to be written.
#[derive(Debug, Clone)]
pub(crate) enum Written<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    Double(f64),
    Bool(bool),
    Encoded(ValueRef<'a>),
    Strings(Strings<'a>),
}

// === impl Role ===

impl Role {
    pub(crate) const ALL: [Self; 4] = [Self::None, Self::Owner, Self::Rollup, Self::Duplicate];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Owner => "owner",
            Self::Rollup => "rollup",
            Self::Duplicate => "duplicate",
        }
    }
}

// === impl Why ===

impl Why {
    /// For people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Alone => "no other span of this call carries usage",
            Self::OtherCounts => "the span below it is another call: its counts are not part of these",
            Self::Inner => "a span below it is the same call, and the innermost owns",
            Self::Outer => "a span above it is the same call, and carries its usage",
            Self::Server => "it is the server's side of a call whose client's span is above it",
            Self::Sum => "its counts sum those of the spans below it",
            Self::Response => "another span has the same response id",
            Self::Time => "another instrumentation's span lies right inside it, with equal counts and a response id",
            Self::Record => "it only records the counts of a call that had just ended",
            Self::EarlierResponse => "a span of an earlier request has the same response id",
            Self::EarlierTrace => "a span of an earlier request of this trace is the same call",
        }
    }
}

// === impl Call ===

impl Call<'_> {
    /// A call of which nothing is known yet.
    pub(crate) fn new(ix: SpanIx, source: SourceIx) -> Self {
        Self {
            ix,
            trace: 0,
            id: 0,
            parent: 0,
            start: 0,
            end: 0,
            server: false,
            failed: false,
            source,
            provider: None,
            provider_guessed: false,
            operation: Operation::Absent,
            class: Class::Other,
            request_model: None,
            response_model: None,
            routed: false,
            response_id: None,
            response_hash: 0,
            finish_reasons: None,
            finish: None,
            input: None,
            output: None,
            cache_read: None,
            cache_write: None,
            reasoning: None,
            parts: Parts::default(),
            total: None,
            ttft: None,
            ttft_weak: false,
            stream: None,
            priced: false,
            service: Service::Standard,
            tool_calls: false,
            running: false,
            always_stops: false,
            doubtful: false,
            echoes: false,
            error: None,
            tool: None,
            places: [Pos::default(); CORE],
            placed: 0,
            right: 0,
            writes: 0..0,
            cuts: 0..0,
            role: Role::None,
            why: Why::Alone,
            above: None,
            usage_above: None,
            owner: None,
            longest: 0,
            loops: 0,
        }
    }

    /// Whether it carries usage: tokens, or images that were made.
    pub(crate) fn has_usage(&self) -> bool {
        self.has_tokens() || self.parts.images > 0
    }

    pub(crate) fn has_tokens(&self) -> bool {
        self.input.is_some() || self.output.is_some()
    }

    /// Whether this may be a record of the usage of a call, and no call: it names no operation, no response and nothing that
    /// was asked for, and took no time.
    pub(crate) fn may_be_record(&self) -> bool {
        const LONGEST: u64 = 5_000_000;
        self.request_model.is_none()
            && self.response_hash == 0
            && matches!(self.operation, Operation::Absent | Operation::Custom)
            && self.has_usage()
            && self.duration() <= LONGEST
    }

    pub(crate) fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Bits of the core targets that there is something to say of: a value, or an attribute that stands there.
    pub(crate) fn known(&self) -> u16 {
        let values = [
            (target::PROVIDER, self.provider.is_some()),
            (target::OPERATION, !self.operation.is_absent()),
            (target::REQUEST_MODEL, self.request_model.is_some()),
            (target::RESPONSE_MODEL, self.response_model.is_some()),
            (target::RESPONSE_ID, self.response_id.is_some()),
            (target::FINISH, self.finish_reasons.is_some()),
            (target::INPUT, self.input.is_some()),
            (target::OUTPUT, self.output.is_some()),
            (target::CACHE_READ, self.cache_read.is_some()),
            (target::CACHE_WRITE, self.cache_write.is_some()),
            (target::REASONING, self.reasoning.is_some()),
            (target::TTFT, self.ttft.is_some()),
            (target::STREAM, self.stream.is_some()),
        ];
        values.into_iter().fold(self.placed, |bits, (target, is_known)| bits | u16::from(is_known) << target)
    }

    /// Where the attribute of a core target is.
    pub(crate) fn place(&self, target: Target) -> Option<Pos> {
        let place = self.places.get(usize::from(target))?;
        (self.placed & 1 << target != 0).then_some(*place)
    }

    /// Notes where the attribute of a core target is; says whether it is one.
    #[inline]
    pub(crate) fn put(&mut self, target: Target, pos: Pos) -> bool {
        let Some(place) = self.places.get_mut(usize::from(target)) else { return false };
        *place = pos;
        self.placed |= 1 << target;
        true
    }

    /// Whether the attribute of a core target stands there with the right type and value.
    pub(crate) fn is_right(&self, target: Target) -> bool {
        self.right & (1 << target) != 0
    }

    /// Notes that the attribute of a core target has to be written.
    pub(crate) fn changed(&mut self, target: Target) {
        self.right &= !(1 << target);
    }
}
