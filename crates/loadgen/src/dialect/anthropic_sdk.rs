use super::{Scope, Scoped, failed, finish, ok, span_of};
use crate::attributes::attribute;
use crate::call::{Call, Outcome};
use crate::dice::Dice;

const SCOPE: Scope = Scope { name: "com.anthropic.sdk.python", version: "2.12.0", schema_url: "" };

/// The span of Anthropic's SDK, which counts input tokens with those from the cache.
pub(super) fn call(call: &Call, parent: &[u8], dice: &mut Dice) -> Scoped {
    let mut span = span_of(call, "anthropic.messages.create".to_owned(), 3, parent, dice);
    let attributes = &mut span.attributes;
    attributes.extend([
        attribute("server.address", call.kind.host),
        attribute("server.port", 443),
        attribute("gen_ai.provider.name", call.provider),
        attribute("gen_ai.operation.name", "chat"),
        attribute("gen_ai.request.model", call.request_model),
        attribute("gen_ai.request.max_tokens", 1024),
        attribute("http.request.method", "POST"),
        attribute("http.route", "/v1/messages"),
        attribute("url.scheme", "https"),
        attribute("url.path", "/v1/messages"),
        attribute("url.full", "https://api.anthropic.com/v1/messages"),
    ]);
    if call.time_to_first_token.is_some() {
        attributes.push(attribute("gen_ai.request.stream", true));
    }
    if let Some(status) = call.outcome.http_status() {
        attributes.push(attribute("http.response.status_code", status));
        attributes.push(attribute("anthropic.request.id", format!("req_{}", dice.hex(24))));
    }
    let Some(finish) = finish(call) else {
        let error = match call.outcome {
            Outcome::RateLimited => "rate_limit_error",
            Outcome::ServerError => "api_error",
            _ => "APITimeoutError",
        };
        attributes.push(attribute("error.type", error));
        span.status = failed(String::new());
        return Scoped::new(SCOPE, span);
    };
    if let Some(first) = call.time_to_first_token {
        attributes.push(attribute("gen_ai.response.time_to_first_chunk", first.as_secs_f64()));
    }
    attributes.extend([
        attribute("gen_ai.response.id", call.response_id.as_str()),
        attribute("gen_ai.response.model", call.response_model),
        attribute("gen_ai.usage.input_tokens", call.input_tokens),
        attribute("gen_ai.usage.cache_write.input_tokens", 0),
        attribute("gen_ai.usage.cache_read.input_tokens", call.cached_tokens),
        attribute("anthropic.response.service_tier", "standard"),
        attribute("gen_ai.usage.output_tokens", call.output_tokens),
        attribute("anthropic.message.stop_reason", finish),
    ]);
    span.status = ok();
    Scoped::new(SCOPE, span)
}
