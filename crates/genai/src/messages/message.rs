//! Messages, as every provider and framework spells them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::media;
use super::model::{Extra, Message, Part, Typed};
use super::part::{read_content, read_part};
use super::raw::{Node, Object};
use super::tool;

/// What frameworks add to a message that is none of its content: it tells of the answer, and was read for that.
const ENVELOPE: &[&str] = &[
    "lc",
    "additional_kwargs",
    "response_metadata",
    "usage_metadata",
    "invalid_tool_calls",
    "tool_call_chunks",
    "example",
    "kind",
    "timestamp",
    "usage",
    "model_name",
    "vendor_details",
    "vendor_id",
    "provider_details",
    "provider_response_id",
    "provider_name",
    "provider_url",
    "instructions",
    "status",
    "logprobs",
    "event.name",
    "gen_ai.message.index",
    "gen_ai.system",
    "index",
    "stop_sequence",
    "model",
    "object",
    "created",
    "container",
    "context_management",
    "stop_details",
    "run_id",
    "state",
    "tool_plan_events",
    "meta",
];

/// What messages call the reason why the model stopped.
const FINISH_REASONS: &[&str] = &["finish_reason", "finishReason", "stop_reason"];

/// Whether an object is a message: it has a role, or is one of LangChain's or Pydantic AI's.
pub(crate) fn is_message(object: &Object<'_>) -> bool {
    object.has("role")
        || (object.has("kwargs") && object.has("lc"))
        || (object.has("kind") && object.has("parts"))
        || ["content", "tool_calls"].into_iter().any(|name| object.has(name)) && !object.has("type")
        || object.has("contents") && !object.has("type") && !asks_gemini(object)
        || (object.text("type").is_some_and(|kind| langchain_role(&kind).is_some())
            && (object.has("content") || object.has("data")))
}

/// Whether the contents of an object are messages themselves, or text: then it is a request of Gemini's API.
fn asks_gemini(object: &Object<'_>) -> bool {
    let is_message = |node: Node<'_>| matches!(node, Node::Map(content) if content.has("parts") || content.has("role"));
    match object.get("contents").map(Node::open) {
        Some(Node::List(items)) => items.first().is_some_and(|first| is_message(Node::open(first))),
        Some(Node::Text(_)) => true,
        Some(node) => is_message(node),
        None => false,
    }
}

/// Reads a message; `default` is its role where it says none.
pub(crate) fn read(mut object: Object<'_>, default: &'static str) -> Message {
    let (mut role, mut finish_reason) = (None, None);
    // Gemini's answers have the message as their content.
    if let Some(inner) = object.map("content").filter(|content| content.has("parts")) {
        finish_reason = object.take_word(FINISH_REASONS);
        object = inner;
    }
    // LangChain's constructors, and its dumps.
    if let (Some(id), Some(inner)) = (object.get("id"), object.map("kwargs")) {
        role = class_name(id).and_then(|class| langchain_role(&class));
        object = inner;
    } else if let Some(inner) = object.map("data").filter(|_| object.has("type")) {
        role = object.text("type").and_then(|kind| langchain_role(&kind));
        object = inner;
    }
    let said = object.take_word(&["role", "author"]);
    let kind = object.text("type").or_else(|| object.text("kind")).map(Cow::into_owned);
    let mut nobody = false;
    let role = match (said, role, kind.as_deref().and_then(langchain_role)) {
        (Some(said), _, _) => canonical_role(&said),
        (None, Some(role), _) | (None, None, Some(role)) => Cow::Borrowed(role),
        (None, None, None) => {
            nobody = true;
            Cow::Borrowed(default)
        }
    };
    object.forget(&["type"]);
    let finish_reason = finish_reason.or_else(|| object.take_word(FINISH_REASONS)).filter(|reason| !reason.is_empty());
    let mut message = Message::new(role, Vec::new());
    message.finish_reason = finish_reason.map(Cow::Owned);
    parts_of(&mut object, &mut message);
    // Only the model calls tools.
    if nobody && message.calls_tool() {
        message.role = Cow::Borrowed("assistant");
    }
    message.name = object.take_word(&["name"]).filter(|name| !name.is_empty());
    message.tidy();
    object.forget(ENVELOPE);
    object.forget(&["id"]);
    message.extra = Extra::of(object);
    message
}

/// Takes everything out of a message that is its content.
fn parts_of(object: &mut Object<'_>, message: &mut Message) {
    let calls_aside = object.map("additional_kwargs");
    if let Some(text) =
        object.take_word(&["reasoning_content", "thinking", "reasoning"]).filter(|text| !text.is_empty())
    {
        message.parts.push(Part::reasoning(text));
    }
    let answered = object.take_word(&["tool_call_id", "toolCallId", "tool_use_id"]);
    if let Some(id) = answered.or_else(|| object.take_word(&["id"]).filter(|_| message.role == "tool")) {
        response_message(id, object, message);
        return;
    }
    let is_empty = |text: &str| text.is_empty();
    match object.take(&["parts", "content", "contents", "blocks", "text"]) {
        Some(Node::Text(text)) if is_empty(&text) => {}
        Some(Node::List(items)) if object.has("contents") && items.is_empty() => {}
        Some(content) => read_content(content, &mut message.parts),
        None => {}
    }
    // Flattened messages may have both.
    for more in ["content", "contents"] {
        match object.take(&[more]) {
            Some(Node::Text(text)) if !is_empty(&text) && message.parts.is_empty() => {
                message.parts.push(Part::text(text))
            }
            Some(content @ Node::List(_)) if message.parts.is_empty() => read_content(content, &mut message.parts),
            _ => {}
        }
    }
    if let Some(refusal) = object.take_word(&["refusal"]).filter(|text| !text.is_empty()) {
        message.parts.push(Part::text(refusal));
    }
    if let Some(audio) = object.take_map("audio") {
        let transcript = audio.text("transcript").map(Cow::into_owned);
        if let Some(data) = audio.text("data") {
            message.parts.push(media::blob(data.into_owned(), "audio", None));
        }
        message.parts.extend(transcript.map(Part::text));
    }
    for image in object.take(&["images"]).and_then(Node::into_list).into_iter().flatten() {
        match Node::open(image) {
            Node::Text(text) => message.parts.push(media::bare(text.into_owned(), "image")),
            Node::Map(image) => message.parts.push(read_part(image)),
            _ => {}
        }
    }
    let aside = calls_aside.and_then(|mut aside| aside.take(&["tool_calls"]));
    let calls = object
        .take(&["tool_calls", "toolCalls"])
        .filter(|calls| !matches!(calls, Node::List(calls) if calls.is_empty()));
    for call in calls.or(aside).and_then(Node::into_list).into_iter().flatten() {
        add_call(Node::open(call), message);
    }
    if let Some(call) = object.take_map("function_call") {
        add_call(Node::Map(call), message);
    }
}

/// Adds a call, unless the content held it already.
fn add_call(call: Node<'_>, message: &mut Message) {
    let Some(part) = call.into_map().and_then(tool::call) else { return };
    let same = |known: &Part| match (known, &part) {
        (Part::ToolCall { id: Some(known), .. }, Part::ToolCall { id: Some(id), .. }) => known == id,
        _ => false,
    };
    if !message.parts.iter().any(same) {
        message.parts.push(part);
    }
}

/// A message that is the answer of a tool.
fn response_message(id: String, object: &mut Object<'_>, message: &mut Message) {
    message.role = Cow::Borrowed("tool");
    // Flattened messages may have an empty text beside their contents.
    if object.text("content").is_some_and(|text| text.is_empty()) && object.has("contents") {
        object.forget(&["content"]);
    }
    let response = object.take_raw(&["content", "contents", "parts", "response", "result"]);
    // Parts that are answers already.
    if let Some(Node::List(items)) = response.map(Node::open) {
        let mut parts = Vec::new();
        items.into_iter().for_each(|item| read_content(Node::open(item), &mut parts));
        if !parts.is_empty() && parts.iter().all(|part| matches!(part, Part::ToolCallResponse { .. })) {
            message.parts = parts;
            return;
        }
    }
    let mut answer = Object::default();
    if let Some(response) = response.map(|response| only_text(response).unwrap_or(response)) {
        answer.put("response", response);
    }
    if let Some(Part::ToolCallResponse { response, extra, .. }) = tool::response(answer) {
        message.parts.push(Part::ToolCallResponse { id: Some(id), response, extra });
    }
    message.extra = Extra::default();
}

/// The text of an answer that is a list of one part, which is nothing but text.
fn only_text(response: &RawValue) -> Option<&RawValue> {
    let [part] = Node::open(response).into_list()?.try_into().ok()?;
    let mut part = Node::open(part).into_map()?;
    let kind = part.take_word(&["type"])?;
    let text = part.take_raw(&["text"]).filter(|_| kind == "text")?;
    part.rest().next().is_none().then_some(text)
}

/// Reads one of the items that OpenAI's Responses API lists instead of messages; nothing if it is none.
pub(crate) fn read_item(object: &Object<'_>, default: &'static str) -> Option<Message> {
    let kind = object.text("type")?.into_owned();
    let role = match &*kind {
        "message" => return Some(read(object.clone(), default)),
        "function_call" | "custom_tool_call" | "reasoning" => "assistant",
        "function_call_output" | "custom_tool_call_output" | "computer_call_output" => "tool",
        "item_reference" => return Some(Message::new(default, vec![Part::Other(Typed::new(kind, object.clone()))])),
        _ if kind.ends_with("_call") => "assistant",
        _ => return None,
    };
    let mut object = object.clone();
    if kind == "function_call" || kind == "custom_tool_call" {
        // `call_id` is what the answer refers to; `id` is the item's own.
        if object.has("call_id") {
            object.forget(&["id"]);
        }
        object.forget(&["status"]);
    }
    if kind == "function_call_output" {
        object.forget(&["status"]);
        if object.has("call_id") {
            object.forget(&["id"]);
        }
    }
    if kind == "reasoning" {
        object.forget(&["status", "id"]);
    }
    let mut message = Message::new(role, vec![read_part(object)]);
    message.tidy();
    Some(message)
}

/// The role that the name of a class or the type of a LangChain message stands for.
fn langchain_role(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "human" | "HumanMessage" | "HumanMessageChunk" => "user",
        "ai" | "AIMessage" | "AIMessageChunk" | "response" => "assistant",
        "system" | "SystemMessage" | "SystemMessageChunk" => "system",
        "tool" | "ToolMessage" | "ToolMessageChunk" | "function" | "FunctionMessage" => "tool",
        "request" => "user",
        _ => return None,
    })
}

/// The last element of `["langchain", "schema", "messages", "HumanMessage"]`.
fn class_name(id: &RawValue) -> Option<String> {
    Node::open(Node::open(id).into_list()?.last()?).into_text()
}

/// The roles of the conventions; others stay, in lower case.
pub(crate) fn canonical_role(said: &str) -> Cow<'static, str> {
    match said.to_ascii_lowercase().as_str() {
        "user" | "human" => Cow::Borrowed("user"),
        "assistant" | "ai" | "model" | "chatbot" | "bot" => Cow::Borrowed("assistant"),
        "system" => Cow::Borrowed("system"),
        "tool" | "function" => Cow::Borrowed("tool"),
        "" | "unknown" => Cow::Borrowed("user"),
        other => Cow::Owned(other.to_owned()),
    }
}
