use opentelemetry_proto::tonic::trace::v1::Span;

use super::{Scope, Scoped, exception, exception_message, failed, finish, span_of, unset};
use crate::attributes::{array, attribute};
use crate::call::Call;
use crate::catalogue::Service;
use crate::dice::Dice;

const AGENT: Scope = Scope {
    name: "opentelemetry.instrumentation.genai.langchain",
    version: "1.3b0",
    schema_url: "https://opentelemetry.io/schemas/1.37.0",
};

/// A chat of the provider's own instrumentation.
pub(super) fn call(service: &Service, call: &Call, parent: &[u8], dice: &mut Dice) -> Scoped {
    let bedrock = call.provider == "aws.bedrock";
    let operation = if call.provider == "gcp.gemini" { "generate_content" } else { "chat" };
    let mut span = span_of(call, format!("{operation} {}", call.request_model), 3, parent, dice);
    let attributes = &mut span.attributes;
    attributes.push(attribute("gen_ai.operation.name", operation));
    if bedrock {
        attributes.push(attribute("gen_ai.system", call.provider));
        attributes.push(attribute("rpc.system", "aws-api"));
        attributes.push(attribute("rpc.service", "Bedrock Runtime"));
        attributes.push(attribute("rpc.method", "Converse"));
    } else {
        attributes.push(attribute("gen_ai.provider.name", call.provider));
    }
    attributes.push(attribute("gen_ai.request.model", call.request_model));
    attributes.push(attribute("server.address", call.kind.host));
    if service.streams {
        attributes.push(attribute("gen_ai.request.stream", true));
    }
    if let Some(prompt) = &call.prompt {
        attributes.push(attribute("gen_ai.input.messages", prompt.as_str()));
    }
    if let Some(finish) = finish(call) {
        attributes.push(attribute("gen_ai.response.finish_reasons", array([finish])));
        if !bedrock {
            attributes.push(attribute("gen_ai.response.model", call.response_model));
            attributes.push(attribute("gen_ai.response.id", call.response_id.as_str()));
        }
        attributes.push(attribute("gen_ai.usage.input_tokens", call.input_tokens));
        attributes.push(attribute("gen_ai.usage.output_tokens", call.output_tokens));
        if let Some(first) = call.time_to_first_token {
            attributes.push(attribute("gen_ai.response.time_to_first_chunk", first.as_secs_f64()));
        }
        span.status = unset();
    } else if bedrock {
        if let Some(status) = call.outcome.http_status() {
            attributes.push(attribute("http.status_code", status));
        }
        let error = if call.outcome.http_status() == Some(429) { "ThrottlingException" } else { "ModelErrorException" };
        attributes.push(attribute("error.type", error));
        span.status = failed(String::new());
    } else {
        attributes.push(attribute("error.type", exception(call)));
        span.status = failed(exception_message(call));
    }
    Scoped::new(scope(call), span)
}

fn scope(call: &Call) -> Scope {
    let (name, version) = match call.provider {
        "openai" => ("opentelemetry.instrumentation.genai.openai", "1.3b0"),
        "gcp.gemini" => ("opentelemetry.instrumentation.google_genai", "1.3b0"),
        "aws.bedrock" => ("opentelemetry.instrumentation.botocore.bedrock-runtime", "0.66b2"),
        _ => ("opentelemetry.instrumentation.genai.mistralai", "1.3b0"),
    };
    Scope { name, version, schema_url: "https://opentelemetry.io/schemas/1.37.0" }
}

/// A span around all calls of an agent. With `usage`, it repeats what they used in sum.
pub(crate) fn agent(span: Span, name: &str, usage: Option<(u64, u64)>) -> Scoped {
    let mut attributes = vec![attribute("gen_ai.operation.name", "invoke_agent"), attribute("gen_ai.agent.name", name)];
    if let Some((input, output)) = usage {
        attributes.push(attribute("gen_ai.usage.input_tokens", input));
        attributes.push(attribute("gen_ai.usage.output_tokens", output));
    }
    Scoped::new(AGENT, Span { name: format!("invoke_agent {name}"), kind: 1, attributes, ..span })
}

/// A tool that ran because a model asked for it.
pub(crate) fn tool(span: Span, name: &str, arguments: &str, dice: &mut Dice) -> Scoped {
    let attributes = vec![
        attribute("gen_ai.operation.name", "execute_tool"),
        attribute("gen_ai.tool.name", name),
        attribute("gen_ai.tool.type", "function"),
        attribute("gen_ai.tool.call.id", format!("call_{}", dice.hex(24))),
        attribute("gen_ai.tool.call.arguments", arguments),
    ];
    Scoped::new(AGENT, Span { name: format!("execute_tool {name}"), kind: 1, attributes, ..span })
}
