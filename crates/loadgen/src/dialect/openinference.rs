use opentelemetry_proto::tonic::trace::v1::span::Event;

use super::{Scope, Scoped, exception, exception_event, exception_message, failed, finish, ok, span_of};
use crate::attributes::attribute;
use crate::call::{Call, nanos};
use crate::dice::Dice;

const SCOPE: Scope = Scope { name: "openinference.instrumentation.openai", version: "0.1.66", schema_url: "" };

/// A chat as OpenInference sees it: its own vocabulary, messages flattened, the first token as an event.
pub(super) fn call(call: &Call, parent: &[u8], dice: &mut Dice) -> Scoped {
    let mut span = span_of(call, "ChatCompletion".to_owned(), 1, parent, dice);
    let attributes = &mut span.attributes;
    let streamed = call.time_to_first_token.is_some();
    attributes.extend([
        attribute("openinference.span.kind", "LLM"),
        attribute("llm.provider", call.provider),
        attribute("llm.system", call.provider),
        attribute("input.mime_type", "application/json"),
        attribute(
            "llm.invocation_parameters",
            format!(r#"{{"model": "{}", "stream": {streamed}}}"#, call.request_model),
        ),
    ]);
    if let Some(prompt) = &call.prompt {
        attributes.push(attribute("llm.input_messages.0.message.role", "user"));
        attributes.push(attribute("llm.input_messages.0.message.content", prompt.as_str()));
    }
    let Some(finish) = finish(call) else {
        let error = exception(call);
        let class = error.rsplit('.').next().unwrap_or(&error);
        span.status = failed(format!("{class}: {}", exception_message(call)));
        span.events.push(exception_event(call));
        return Scoped::new(SCOPE, span);
    };
    let answer = format!(
        r#"{{"id": "{}", "model": "{}", "choices": [{{"index": 0, "finish_reason": "{finish}"}}]}}"#,
        call.response_id, call.response_model
    );
    attributes.extend([
        attribute("output.mime_type", "application/json"),
        attribute("output.value", answer),
        attribute("llm.model_name", call.response_model),
        attribute("llm.token_count.prompt", call.input_tokens),
        attribute("llm.token_count.completion", call.output_tokens),
        attribute("llm.token_count.total", call.input_tokens + call.output_tokens),
        attribute("llm.finish_reason", finish),
    ]);
    if let Some(first) = call.time_to_first_token {
        let time_unix_nano = call.start_unix_nano + nanos(first);
        span.events.push(Event { time_unix_nano, name: "First Token Stream Event".to_owned(), ..Event::default() });
    }
    span.status = ok();
    Scoped::new(SCOPE, span)
}
