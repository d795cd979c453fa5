//! Parts of messages, as every provider and framework spells them.

use std::borrow::Cow;

use super::model::{Extra, Part, Typed};
use super::raw::{Node, Object};
use super::{media, tool};

/// Reads the content of a message: text, one part, or a list of parts.
pub(crate) fn read_content(content: Node<'_>, parts: &mut Vec<Part>) {
    match content {
        Node::Text(text) => parts.push(Part::text(text)),
        Node::Scalar(raw) => parts.push(Part::text(raw.get())),
        Node::List(items) => items.into_iter().for_each(|item| read_content(Node::open(item), parts)),
        Node::Map(object) => parts.push(read_part(object)),
        Node::Null => {}
    }
}

/// Reads one part. What is not known stays as it is, under its type.
pub(crate) fn read_part(mut object: Object<'_>) -> Part {
    let said = ["type", "part_kind", "block_type"].into_iter().find_map(|name| object.text(name));
    let Some(kind) = said else {
        return untyped(object);
    };
    let kind = kind.into_owned();
    let before = object.clone();
    object.forget(&["type", "part_kind", "block_type"]);
    typed(&kind, object).unwrap_or_else(|| Part::Other(Typed::new(kind, before)))
}

/// Whether an object is a part rather than a message or anything else.
pub(crate) fn is_part(object: &Object<'_>) -> bool {
    const SIGNS: &[&str] = &[
        "text",
        "functionCall",
        "function_call",
        "functionResponse",
        "function_response",
        "inlineData",
        "inline_data",
        "fileData",
        "file_data",
        "toolUse",
        "toolResult",
        "reasoningContent",
        "part_kind",
    ];
    object.text("type").is_some_and(|kind| is_kind(&kind)) || SIGNS.iter().any(|sign| object.has(sign))
}

/// Whether that is the type of a part.
pub(crate) fn is_kind(kind: &str) -> bool {
    matches!(
        kind,
        "text"
            | "input_text"
            | "output_text"
            | "thinking"
            | "redacted_thinking"
            | "reasoning"
            | "image"
            | "image_url"
            | "input_image"
            | "input_audio"
            | "audio"
            | "video"
            | "file"
            | "input_file"
            | "document"
            | "tool_use"
            | "tool_call"
            | "tool-call"
            | "tool_result"
            | "tool-result"
            | "tool_call_response"
            | "server_tool_use"
            | "blob"
            | "uri"
            | "refusal"
            | "media"
            | "image-url"
            | "binary"
    )
}

fn typed(kind: &str, mut object: Object<'_>) -> Option<Part> {
    match kind {
        "text" | "input_text" | "output_text" | "summary_text" | "user-prompt" | "system-prompt" => text(object),
        "thinking" | "reasoning" | "reasoning_text" => reasoning(object),
        "redacted_thinking" => {
            let content = object.take_word(&["data"])?;
            Some(Part::Reasoning { content, extra: Extra::of(object) })
        }
        "tool_use" | "tool_call" | "tool-call" | "function" | "function_call" | "custom_tool_call" => {
            tool::call(object)
        }
        "tool_result"
        | "tool-result"
        | "tool_call_response"
        | "function_call_output"
        | "custom_tool_call_output"
        | "tool-return" => tool::response(object),
        "server_tool_use" => tool::server_call(object),
        "server_tool_call" => Some(Part::ServerToolCall {
            id: object.take_word(&["id"]),
            name: object.take_word(&["name"])?,
            server_tool_call: inner(object.take_map("server_tool_call")?)?,
        }),
        "server_tool_call_response" => Some(Part::ServerToolCallResponse {
            id: object.take_word(&["id"]),
            server_tool_call_response: inner(object.take_map("server_tool_call_response")?)?,
        }),
        _ if kind.ends_with("_tool_result") && object.has("tool_use_id") => tool::server_response(kind, object),
        _ if kind.ends_with("_call") && object.has("status") => tool::hosted_call(kind, object),
        _ => media::typed(kind, object),
    }
}

fn untyped(mut object: Object<'_>) -> Part {
    // Haystack's and AutoGen's.
    if let Some(inner) = object.take_map("tool_call_result") {
        return untyped(inner);
    }
    if let Some(origin) = object.map("origin").filter(|_| object.has("result"))
        && let Some(Part::ToolCallResponse { response, .. }) = tool::response(object.clone())
    {
        return Part::ToolCallResponse {
            id: origin.text("id").map(Cow::into_owned),
            response,
            extra: Extra::default(),
        };
    }
    if (object.map("tool_call").is_some() || object.has("arguments") && (object.has("name") || object.has("tool_name")))
        && let Some(part) = tool::call(object.clone())
    {
        return part;
    }
    // A call among the parts of OpenInference.
    if object.map("function").is_some()
        && let Some(part) = tool::call(object.clone())
    {
        return part;
    }
    if let Some(call) = object.take_map("functionCall").or_else(|| object.take_map("function_call"))
        && let Some(part) = tool::call(call)
    {
        return part;
    }
    if let Some(response) = object.take_map("functionResponse").or_else(|| object.take_map("function_response"))
        && let Some(part) = tool::response(response)
    {
        return part;
    }
    if let Some(call) = object.take_map("toolUse")
        && let Some(part) = tool::call(call)
    {
        return part;
    }
    if let Some(response) = object.take_map("toolResult")
        && let Some(part) = tool::response(response)
    {
        return part;
    }
    if let Some(content) = object.take_map("reasoningContent") {
        let text = content.map("reasoningText").and_then(|text| text.text("text").map(Cow::into_owned));
        if let Some(text) = text {
            return Part::reasoning(text);
        }
        return Part::Other(Typed::new("reasoning", content));
    }
    if object.has("text") {
        // Gemini marks its thoughts.
        let thought = object.get("thought").is_some_and(|raw| raw.get() == "true");
        object.forget(&["thought"]);
        let content = object.take_word(&["text"]).unwrap_or_default();
        let extra = Extra::of(object);
        return if thought { Part::Reasoning { content, extra } } else { Part::Text { content, extra } };
    }
    media::untyped(object).unwrap_or_else(|object| {
        let kind = object.clone().rest().next().map_or_else(|| "unknown".to_owned(), |(name, _)| name.into_owned());
        Part::Other(Typed::new(kind, object))
    })
}

fn text(mut object: Object<'_>) -> Option<Part> {
    let content = match object.take(&["text", "content"]) {
        // Where content is not to be recorded, a part is left with its type alone.
        None | Some(Node::Null) => String::new(),
        Some(Node::Text(text)) => text.into_owned(),
        // OpenAI's older assistants: `{"text": {"value": …}}`.
        Some(Node::Map(inner)) => inner.text("value")?.into_owned(),
        Some(Node::Scalar(raw)) => raw.get().to_owned(),
        // A prompt of several pieces: texts, or blocks of text.
        Some(Node::List(items)) => {
            let texts = items.into_iter().map(|item| match Node::open(item) {
                Node::Map(mut block) => block.take_word(&["text", "content"]),
                other => other.into_text(),
            });
            texts.collect::<Option<Vec<String>>>()?.join("\n")
        }
    };
    Some(Part::Text { content, extra: Extra::of(object) })
}

fn reasoning(mut object: Object<'_>) -> Option<Part> {
    let content = match object.take(&["thinking", "reasoning", "text", "content", "summary"]) {
        // Only encrypted, or not given.
        None => String::new(),
        Some(Node::Text(text)) => text.into_owned(),
        // A list of summaries.
        Some(Node::List(items)) => {
            let texts = items.into_iter().filter_map(|item| match Node::open(item) {
                Node::Map(mut item) => item.take_word(&["text"]),
                other => other.into_text(),
            });
            texts.collect::<Vec<_>>().join("\n\n")
        }
        Some(Node::Map(mut inner)) => inner.take_word(&["text"])?,
        Some(_) => return None,
    };
    Some(Part::Reasoning { content, extra: Extra::of(object) })
}

fn inner(object: Object<'_>) -> Option<Typed> {
    Some(Typed::new(object.text("type")?.into_owned(), object))
}

/// Whether a text is the JSON of a list of nothing but parts, as flattened attributes carry it.
pub(crate) fn is_packed(text: &str) -> bool {
    let is_part =
        |raw| Node::open(raw).into_map().is_some_and(|object| object.text("type").is_some_and(|kind| is_kind(&kind)));
    text.trim_start().starts_with("[{")
        && Node::parse(text).and_then(Node::into_list).is_some_and(|items| items.into_iter().all(is_part))
}
