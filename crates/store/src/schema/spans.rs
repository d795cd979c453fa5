//! The columns of `spans`.

use spanmill_otlp::KeyTable;

use super::{Column, Kind};

/// A column and where its value comes from.
#[derive(Debug)]
pub(crate) struct SpanColumn {
    pub(crate) column: Column,
    pub(crate) origin: Origin,
}

/// Where the value of a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    TraceId,
    SpanId,
    ParentSpanId,
    StartTime,
    StartNanos,
    Duration,
    Name,
    SpanKind,
    Status,
    StatusMessage,
    TraceState,
    Flags,
    DroppedAttributes,
    DroppedEvents,
    DroppedLinks,
    Events,
    Links,
    ScopeName,
    ScopeVersion,
    /// The first of these attributes of the resource, which the resource keeps.
    Resource(&'static [&'static str]),
    /// The first of these attributes of the span, or else of the resource, which keep it.
    Copied(&'static [&'static str]),
    /// An attribute of the span that stands here instead of in `attributes`, where it has the column's type.
    Moved(&'static str),
    /// The same for a double in seconds, kept to the nearest nanosecond. One that is no whole number of them stands in `attributes`, too.
    Seconds(&'static str),
    /// The same for an amount of money or a share, kept to the nearest billionth.
    Amount(&'static str),
    /// All other attributes.
    Attributes,
    /// Attributes of the resource.
    ResourceAttributes,
    /// Attributes of the scope and schema URLs.
    ScopeAttributes,
}

const fn column(name: &'static str, kind: Kind, origin: Origin, about: &'static str) -> SpanColumn {
    SpanColumn { column: Column::new(name, kind, about), origin }
}

const fn required(name: &'static str, kind: Kind, origin: Origin, about: &'static str) -> SpanColumn {
    SpanColumn { column: Column::required(name, kind, about), origin }
}

/// All columns, in order.
pub(crate) const SPANS: &[SpanColumn] = &[
    required("trace_id", Kind::Id, Origin::TraceId, "lower-case hex, 32 digits"),
    required("span_id", Kind::Id, Origin::SpanId, "lower-case hex, 16 digits"),
    column("parent_span_id", Kind::Id, Origin::ParentSpanId, "null for the root of a trace"),
    required("start_time", Kind::Time, Origin::StartTime, "start, in whole microseconds"),
    required("start_unix_nano", Kind::Nanos, Origin::StartNanos, "start in nanoseconds since 1970"),
    required(
        "duration_ns",
        Kind::Int,
        Origin::Duration,
        "end less start in nanoseconds; negative where clocks disagree",
    ),
    required("name", Kind::Word, Origin::Name, "the span's name"),
    required("kind", Kind::Word, Origin::SpanKind, "unspecified, internal, server, client, producer or consumer"),
    required("status", Kind::Word, Origin::Status, "unset, ok or error"),
    column("status_message", Kind::Json, Origin::StatusMessage, "what the error was"),
    column("service", Kind::Word, Origin::Resource(&["service.name"]), "`service.name` of the resource"),
    column(
        "environment",
        Kind::Word,
        Origin::Copied(&["deployment.environment.name", "deployment.environment"]),
        "`deployment.environment.name`",
    ),
    column("tenant", Kind::Word, Origin::Copied(&["tenant.id", "tenant"]), "`tenant.id` of the span or its resource"),
    column("user_id", Kind::Id, Origin::Copied(&["user.id", "enduser.id"]), "`user.id` of the span or its resource"),
    column("session_id", Kind::Id, Origin::Moved("session.id"), "`session.id`"),
    column("conversation_id", Kind::Id, Origin::Moved("gen_ai.conversation.id"), "`gen_ai.conversation.id`"),
    column("source", Kind::Word, Origin::Moved("spanmill.source"), "the instrumentation that was recognised"),
    column("usage_role", Kind::Word, Origin::Moved("spanmill.usage.role"), "owner, rollup or duplicate"),
    column("provider", Kind::Word, Origin::Moved("gen_ai.provider.name"), "`gen_ai.provider.name`"),
    column("operation", Kind::Word, Origin::Moved("gen_ai.operation.name"), "`gen_ai.operation.name`"),
    column("request_model", Kind::Word, Origin::Moved("gen_ai.request.model"), "`gen_ai.request.model`"),
    column("response_model", Kind::Word, Origin::Moved("gen_ai.response.model"), "`gen_ai.response.model`"),
    column("response_id", Kind::Id, Origin::Moved("gen_ai.response.id"), "`gen_ai.response.id`"),
    column("agent_name", Kind::Word, Origin::Moved("gen_ai.agent.name"), "`gen_ai.agent.name`"),
    column("tool_name", Kind::Word, Origin::Moved("gen_ai.tool.name"), "`gen_ai.tool.name`"),
    column("finish_reason", Kind::Word, Origin::Moved("spanmill.finish_reason"), "stop, length, tool_call, …"),
    column("error_type", Kind::Word, Origin::Moved("error.type"), "`error.type`"),
    column("error_class", Kind::Word, Origin::Moved("spanmill.error.class"), "rate_limit, timeout, …"),
    column("input_tokens", Kind::Int, Origin::Moved("gen_ai.usage.input_tokens"), "cached ones included"),
    column("output_tokens", Kind::Int, Origin::Moved("gen_ai.usage.output_tokens"), "reasoning included"),
    column(
        "cache_read_tokens",
        Kind::Int,
        Origin::Moved("gen_ai.usage.cache_read.input_tokens"),
        "input tokens read from a cache",
    ),
    column(
        "cache_creation_tokens",
        Kind::Int,
        Origin::Moved("gen_ai.usage.cache_creation.input_tokens"),
        "input tokens written to a cache",
    ),
    column(
        "reasoning_tokens",
        Kind::Int,
        Origin::Moved("gen_ai.usage.reasoning.output_tokens"),
        "output tokens of reasoning",
    ),
    column(
        "ttft_ns",
        Kind::Int,
        Origin::Seconds("gen_ai.response.time_to_first_chunk"),
        "time to the first token in nanoseconds",
    ),
    column("stream", Kind::Flag, Origin::Moved("gen_ai.request.stream"), "`gen_ai.request.stream`"),
    column("cost_nano", Kind::Int, Origin::Amount("gen_ai.usage.cost.amount"), "cost in billionths of `cost_currency`"),
    column("cost_currency", Kind::Word, Origin::Moved("gen_ai.usage.cost.currency"), "mostly USD"),
    column("cost_source", Kind::Word, Origin::Moved("gen_ai.usage.cost.source"), "who said the cost"),
    column("slow_small", Kind::Flag, Origin::Moved("spanmill.slow_small"), "slow although small; null otherwise"),
    column("slow_small_cause", Kind::Word, Origin::Moved("spanmill.slow_small.cause"), "slow_start, slow_finish, …"),
    column(
        "tool_loop_count",
        Kind::Int,
        Origin::Moved("spanmill.tool_loop.count"),
        "how often the same tool was called with the same arguments",
    ),
    column("tool_call_count", Kind::Int, Origin::Moved("spanmill.tool_calls.count"), "tools that the answer calls"),
    column("context_used", Kind::Int, Origin::Amount("spanmill.context.used"), "billionths of the context window"),
    column("input_bytes", Kind::Int, Origin::Moved("spanmill.content.input_bytes"), "size of the input messages"),
    column("output_bytes", Kind::Int, Origin::Moved("spanmill.content.output_bytes"), "size of the output messages"),
    column("http_status", Kind::Int, Origin::Moved("http.response.status_code"), "`http.response.status_code`"),
    column("server_address", Kind::Word, Origin::Moved("server.address"), "`server.address`"),
    column("scope_name", Kind::Word, Origin::ScopeName, "the instrumentation scope"),
    column("scope_version", Kind::Word, Origin::ScopeVersion, "its version"),
    column("trace_state", Kind::Word, Origin::TraceState, "W3C trace state"),
    column("flags", Kind::Small, Origin::Flags, "W3C trace flags, and OTLP's own"),
    column("event_count", Kind::Small, Origin::Events, "rows in `events`"),
    column("link_count", Kind::Small, Origin::Links, "rows in `links`"),
    column("dropped_attributes", Kind::Small, Origin::DroppedAttributes, "dropped by the sender"),
    column("dropped_events", Kind::Small, Origin::DroppedEvents, "dropped by the sender"),
    column("dropped_links", Kind::Small, Origin::DroppedLinks, "dropped by the sender"),
    column("resource", Kind::Word, Origin::ResourceAttributes, "attributes of the resource, as JSON"),
    column("scope", Kind::Word, Origin::ScopeAttributes, "attributes of the scope and schema URLs, as JSON"),
    column("attributes", Kind::Json, Origin::Attributes, "all attributes that have no column, as JSON"),
];

/// Attributes with a column of their own or that are copied into one: a slot for each, and by slot the column and whether the
/// attribute is moved there.
pub(crate) fn moved() -> (KeyTable, Vec<(usize, Origin)>) {
    let mut keys = Vec::new();
    let mut columns = Vec::new();
    for (at, column) in SPANS.iter().enumerate() {
        match column.origin {
            Origin::Moved(key) | Origin::Seconds(key) | Origin::Amount(key) => {
                keys.push(key);
                columns.push((at, column.origin));
            }
            Origin::Copied(names) => {
                for key in names {
                    keys.push(key);
                    columns.push((at, column.origin));
                }
            }
            _ => {}
        }
    }
    (KeyTable::new(keys), columns)
}

/// Whether an attribute goes to `content`, whatever its size.
pub(crate) fn is_content(key: &[u8]) -> bool {
    matches!(
        key,
        b"gen_ai.input.messages"
            | b"gen_ai.output.messages"
            | b"gen_ai.system_instructions"
            | b"gen_ai.tool.definitions"
            | b"gen_ai.tool.call.arguments"
            | b"gen_ai.tool.call.result"
    )
}

/// A double in billionths, to the nearest, and whether dividing gives it back; none where there are too many.
pub(crate) fn billionths(number: f64) -> Option<(i64, bool)> {
    let scaled = (number * 1e9).round();
    let whole = (scaled.abs() < i64::MAX as f64).then_some(scaled as i64)?;
    // Compared from the integer, which knows no negative zero.
    Some((whole, (whole as f64 / 1e9).to_bits() == number.to_bits()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Scenario: the table of columns.
    /// Guarantees: no name and no attribute stands twice.
    #[test]
    fn columns_are_distinct() {
        let names: HashSet<_> = SPANS.iter().map(|column| column.column.name).collect();
        assert_eq!(names.len(), SPANS.len());
        let (keys, columns) = moved();
        assert_eq!(keys.len(), columns.len());
    }
}
