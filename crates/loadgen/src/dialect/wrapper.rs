use std::time::Duration;

use super::{Scope, Scoped, exception, exception_event, exception_message, failed, finish, span_of, unset};
use crate::attributes::attribute;
use crate::call::{Call, nanos};
use crate::dice::Dice;

const SCOPE: Scope = Scope { name: "app.llm", version: "", schema_url: "" };

/// A span written by hand: it copies what the response says, so input tokens come without those from the cache.
pub(super) fn call(call: &Call, parent: &[u8], dice: &mut Dice) -> Scoped {
    let method = if call.time_to_first_token.is_some() { "stream" } else { "create" };
    let mut span = span_of(call, format!("anthropic.messages.{method}"), 1, parent, dice);
    // It is around the call, so it begins earlier and ends later by what Python needs.
    span.start_time_unix_nano -= nanos(dice.millis(1, 2)) / 4;
    span.end_time_unix_nano += nanos(dice.millis(1, 2)) / 8;
    let attributes = &mut span.attributes;
    attributes.push(attribute("gen_ai.system", call.provider));
    attributes.push(attribute("gen_ai.request.model", call.request_model));
    attributes.push(attribute("gen_ai.request.max_tokens", 1024));
    let Some(finish) = finish(call) else {
        let error = exception(call);
        let class = error.rsplit('.').next().unwrap_or(&error);
        span.status = failed(format!("{class}: {}", exception_message(call)));
        span.events.push(exception_event(call));
        return Scoped::new(SCOPE, span);
    };
    attributes.push(attribute("gen_ai.response.model", call.response_model));
    attributes.push(attribute("gen_ai.response.stop_reason", finish));
    attributes.push(attribute("gen_ai.usage.input_tokens", call.fresh_tokens()));
    attributes.push(attribute("gen_ai.usage.output_tokens", call.output_tokens));
    attributes.push(attribute("gen_ai.latency_ms", millis(call.duration)));
    if let Some(first) = call.time_to_first_token {
        attributes.push(attribute("gen_ai.time_to_first_token_ms", millis(first)));
    }
    span.status = unset();
    Scoped::new(SCOPE, span)
}

fn millis(duration: Duration) -> u64 {
    nanos(duration) / 1_000_000
}
