//! Calls of tools in messages, what tools answered, and definitions of tools.

use serde_json::value::RawValue;

use super::model::{Extra, Part, Tool, Typed, json_or_text, json_text};
use super::raw::{Node, Object};

/// Where the schema of a tool's parameters stands.
const SCHEMAS: &[&str] =
    &["parameters", "input_schema", "inputSchema", "parametersJsonSchema", "parameters_json_schema"];

/// Reads a call that the model asks for.
pub(crate) fn call(mut object: Object<'_>) -> Option<Part> {
    // Marks of the Vercel AI SDK and of Pydantic AI.
    let hosted =
        ["providerExecuted", "builtin"].iter().any(|mark| object.get(mark).is_some_and(|raw| raw.get() == "true"));
    object.forget(&["type", "index", "providerExecuted", "builtin"]);
    let id = object.take_word(&["id", "call_id", "tool_call_id", "toolCallId", "toolUseId", "tool_use_id"]);
    let mut function = object
        .take_map("function")
        .or_else(|| object.take_map("function_call"))
        .or_else(|| object.take_map("tool_call"));
    if let Some(nested) = function.as_mut().and_then(|nested| nested.take_map("function")) {
        function = Some(nested);
    }
    let from = function.as_mut().unwrap_or(&mut object);
    let name = from.take_word(&["name", "toolName", "tool_name", "function_name"])?;
    let arguments = from
        .take_raw(&["arguments", "args", "input", "parameters", "arguments_json", "tool_kwargs", "tool_input"])
        .and_then(value);
    // The other identifier of OpenAI's items.
    object.forget(&["call_id"]);
    if hosted {
        let mut server_tool_call = Typed::new(name.clone(), object);
        server_tool_call.extra.put("arguments", arguments);
        return Some(Part::ServerToolCall { id, name, server_tool_call });
    }
    Some(Part::ToolCall { id, name, arguments, extra: Extra::of(object) })
}

/// Reads what a tool answered.
pub(crate) fn response(mut object: Object<'_>) -> Option<Part> {
    object.forget(&["type"]);
    let id = object.take_word(&["tool_use_id", "tool_call_id", "toolCallId", "toolUseId", "call_id", "id"]);
    let response = object.take_raw(&["response", "result", "output", "content"]);
    let response = response.map(|raw| unwrapped(raw).unwrap_or(raw));
    let response = match response.map(Node::open) {
        Some(Node::Text(text)) => json_or_text(&text)?,
        Some(Node::Null) | None => json_text("")?,
        _ => response?.to_owned(),
    };
    object.forget(&["id", "call_id"]);
    let mut extra = object;
    if let Some(name) = extra.take_raw(&["name", "toolName", "tool_name"]) {
        extra.put("tool_name", name);
    }
    Some(Part::ToolCallResponse { id, response, extra: Extra::of(extra) })
}

/// The value in `{"type": "text", "value": …}`, as the Vercel AI SDK has it.
fn unwrapped(raw: &RawValue) -> Option<&RawValue> {
    let Node::Map(mut wrapper) = Node::open(raw) else { return None };
    let value = wrapper.text("type").and_then(|_| wrapper.take_raw(&["value"]))?;
    wrapper.forget(&["type"]);
    wrapper.rest().next().is_none().then_some(value)
}

/// Anthropic's call of a tool that it runs itself.
pub(crate) fn server_call(mut object: Object<'_>) -> Option<Part> {
    let id = object.take_word(&["id"]);
    let name = object.take_word(&["name"])?;
    Some(Part::ServerToolCall { id, server_tool_call: Typed::new(name.clone(), object), name })
}

/// Anthropic's answer of such a tool.
pub(crate) fn server_response(kind: &str, mut object: Object<'_>) -> Option<Part> {
    let id = object.take_word(&["tool_use_id"]);
    let kind = kind.strip_suffix("_tool_result").unwrap_or(kind);
    Some(Part::ServerToolCallResponse { id, server_tool_call_response: Typed::new(kind, object) })
}

/// OpenAI's item for a tool that it runs itself, such as `web_search_call`.
pub(crate) fn hosted_call(kind: &str, mut object: Object<'_>) -> Option<Part> {
    let id = object.take_word(&["id"]);
    let name = kind.strip_suffix("_call")?.to_owned();
    Some(Part::ServerToolCall { id, server_tool_call: Typed::new(name.clone(), object), name })
}

/// Reads definitions of tools: a list of them in any provider's form, or a list of texts of such.
pub(crate) fn definitions(list: Node<'_>, tools: &mut Vec<Tool>) {
    match list {
        Node::List(items) => items.into_iter().for_each(|item| definitions(Node::open(item), tools)),
        Node::Text(text) => {
            if let Some(inner @ (Node::Map(_) | Node::List(_))) = Node::parse(&text) {
                definitions(inner, tools);
            } else if is_name(&text) {
                let (kind, name) = ("function".to_owned(), text.into_owned());
                tools.push(Tool { kind, name, description: None, parameters: None, extra: Extra::default() });
            }
        }
        Node::Map(object) => definition(object, tools),
        Node::Null | Node::Scalar(_) => {}
    }
}

/// Whether a text is the name of a tool: providers take no others.
fn is_name(text: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/');
    (1..=128).contains(&text.len()) && text.bytes().all(of_name)
}

fn definition(mut object: Object<'_>, tools: &mut Vec<Tool>) {
    // Gemini puts several functions into one tool; Bedrock wraps each.
    for wrapper in ["functionDeclarations", "function_declarations", "function_tools", "tools"] {
        if let Some(list) = object.take(&[wrapper]) {
            return definitions(list, tools);
        }
    }
    if let Some(inner) = object.take_map("toolSpec") {
        return definition(inner, tools);
    }
    // OpenInference has the whole definition as JSON text.
    if let Some(inner) = object.take(&["json_schema"]) {
        return definitions(inner, tools);
    }
    let said = object.take_word(&["type"]);
    let mut function = object.take_map("function");
    let from = function.as_mut().unwrap_or(&mut object);
    let name = from.take_word(&["name"]);
    let Some(name) = name.or_else(|| said.clone()) else { return };
    let description = from.take_word(&["description"]);
    let schema = from.take_raw(SCHEMAS);
    let inner = schema.and_then(|schema| Node::open(schema).into_map()).and_then(|schema| schema.get("json"));
    let parameters = inner.or(schema).and_then(value);
    let rest = function.unwrap_or(object);
    let kind = said.filter(|said| said != "object").unwrap_or_else(|| "function".to_owned());
    tools.push(Tool { kind, name, description, parameters, extra: Extra::of(rest) });
}

/// A value as it stands; text that holds JSON becomes that.
fn value(raw: &RawValue) -> Option<Box<RawValue>> {
    match Node::open(raw) {
        Node::Text(text) => json_or_text(&text),
        Node::Null => None,
        _ => Some(raw.to_owned()),
    }
}
