//! Documents that hold messages: what an API was asked, what it answered, or a list of messages as a framework keeps it. They
//! are told by their shape, not by who wrote them: the same shapes occur everywhere.

use serde_json::value::RawValue;

use super::message::{canonical_role, is_message, read, read_item};
use super::model::{Conversation, Message, Part};
use super::part::{is_part, read_content, read_part};
use super::raw::{Node, Object};
use super::request::{apart, request, system};
use super::tool::definitions;
use crate::python;

/// Which way messages went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Input,
    Output,
}

/// How deep documents may be wrapped in one another.
const DEEPEST: u8 = 8;

/// Members that only wrap a document.
const WRAPPERS: &[&str] =
    &["inputs", "outputs", "kwargs", "args", "body", "request", "input_data", "value", "data", "update", "params"];

/// Members of an answer that hold its messages.
const ANSWERS: &[&str] = &[
    "choices",
    "candidates",
    "generations",
    "replies",
    "output",
    "outputs",
    "message",
    "response",
    "results",
    "raw",
    "result",
];

/// Reads the text of an attribute: a document, or the words of one message. Nothing if it is a document of another kind.
pub(crate) fn understand(text: &str, side: Side) -> Option<Conversation> {
    let mut found = Conversation::default();
    text_of(text, side, 0, &mut found);
    (!found.is_empty()).then_some(found)
}

/// Reads definitions of tools.
pub(crate) fn understand_tools(text: &str) -> Option<Conversation> {
    let mut found = Conversation::default();
    definitions(Node::parse(text)?, &mut found.tools);
    (!found.is_empty()).then_some(found)
}

/// Reads instructions that stand apart: text, or parts.
pub(crate) fn understand_system(text: &str) -> Option<Conversation> {
    let mut found = Conversation::default();
    match Node::parse(text) {
        Some(node @ (Node::Text(_) | Node::List(_) | Node::Map(_))) => system(node, &mut found),
        Some(_) => {}
        None if text.trim().is_empty() => {}
        None => found.system.push(Part::text(text)),
    }
    (!found.is_empty()).then_some(found)
}

// === impl Side ===

impl Side {
    fn role(self) -> &'static str {
        match self {
            Self::Input => "user",
            Self::Output => "assistant",
        }
    }
}

fn text_of(text: &str, side: Side, depth: u8, found: &mut Conversation) {
    let trimmed = text.trim_start();
    if trimmed.is_empty() || depth > DEEPEST {
        return;
    }
    if let Some(json) = python::printed(text) {
        let before = found.messages.len();
        text_of(&json.to_string(), side, depth + 1, found);
        if found.messages.len() > before {
            return;
        }
    }
    match Node::parse(text) {
        Some(Node::Text(inner)) => text_of(&inner, side, depth + 1, found),
        Some(Node::Scalar(_) | Node::Null) => found.messages.push(Message::new(side.role(), vec![Part::text(text)])),
        Some(node) => node_of(node, side, depth, found),
        // What was cut off is no document any more, and no words either.
        None if trimmed.starts_with("[{") || trimmed.starts_with("{\"") || trimmed.starts_with("{'") => {}
        None => found.messages.push(Message::new(side.role(), vec![Part::text(text)])),
    }
}

pub(super) fn node_of(node: Node<'_>, side: Side, depth: u8, found: &mut Conversation) {
    match node {
        Node::Text(text) => text_of(&text, side, depth + 1, found),
        Node::List(items) => list(items, side, depth + 1, found),
        Node::Map(object) => document(object, side, depth + 1, found),
        Node::Scalar(_) | Node::Null => {}
    }
}

/// A list of messages, of items, of parts of one message, or of texts.
fn list(items: Vec<&RawValue>, side: Side, depth: u8, found: &mut Conversation) {
    if depth > DEEPEST {
        return;
    }
    let mut loose: Vec<Part> = Vec::new();
    let first = found.messages.len();
    // What Gemini streams is a list of pieces.
    let mut pieces = side == Side::Output;
    for item in items {
        let node = Node::open(item);
        pieces &= matches!(&node, Node::Map(object) if object.text("role").as_deref() == Some("model"));
        match node {
            Node::Text(text) => match python::printed(&text) {
                Some(_) => text_of(&text, side, depth + 1, found),
                None => found.messages.push(Message::new(side.role(), vec![Part::text(text)])),
            },
            Node::List(inner) => {
                // LangChain's pairs of role and text.
                match pair(&inner) {
                    Some(message) => found.messages.push(message),
                    None => list(inner, side, depth + 1, found),
                }
            }
            Node::Map(object) if object.has("event.name") => event(object, side, found),
            // Gemini's candidates.
            Node::Map(object) if side == Side::Output && object.map("content").is_some_and(|it| it.has("parts")) => {
                choice(Node::Map(object), depth + 1, found);
            }
            Node::Map(object) if is_message(&object) => match offered_tool(&object) {
                Some(tool) => definitions(Node::Map(tool), &mut found.tools),
                None => {
                    let status = (side == Side::Output).then(|| item_status(&object)).flatten();
                    let mut message = read(object, side.role());
                    message.finish_reason = message.finish_reason.or(status.map(Into::into));
                    found.messages.push(message);
                }
            },
            Node::Map(object) => {
                if let Some(message) = read_item(&object, side.role()) {
                    found.messages.push(message);
                } else if is_part(&object) {
                    loose.push(read_part(object));
                } else {
                    document(object, side, depth + 1, found);
                }
            }
            Node::Scalar(_) | Node::Null => {}
        }
    }
    if pieces {
        merge_from(first, &mut found.messages);
    }
    if !loose.is_empty() {
        found.messages.push(Message::new(side.role(), loose));
    }
}

/// How an item of OpenAI's Responses API ended.
fn item_status(object: &Object<'_>) -> Option<String> {
    object.text("type").filter(|kind| kind == "message")?;
    object.text("status").filter(|status| !status.is_empty()).map(Into::into)
}

/// Langfuse puts the tools that LangChain offers to a model behind its messages.
fn offered_tool<'a>(object: &Object<'a>) -> Option<Object<'a>> {
    let tool = object.map("content").filter(|_| object.text("role").as_deref() == Some("tool"))?;
    tool.map("function").is_some_and(|function| function.has("parameters")).then_some(tool)
}

fn pair(items: &[&RawValue]) -> Option<Message> {
    let [role, text] = items else { return None };
    let (role, text) = (Node::open(role).into_text()?, Node::open(text).into_text()?);
    let known = matches!(role.as_str(), "user" | "human" | "assistant" | "ai" | "system" | "tool");
    known.then(|| Message::new(canonical_role(&role), vec![Part::text(text)]))
}

fn document(mut object: Object<'_>, side: Side, depth: u8, found: &mut Conversation) {
    if depth > DEEPEST {
        return;
    }
    if is_message(&object) && !object.has("messages") {
        return found.messages.push(read(object, side.role()));
    }
    // A call alone.
    if side == Side::Output
        && object.text("type").is_some_and(|kind| matches!(&*kind, "tool_use" | "tool_call" | "function_call"))
    {
        let call = read_item(&object, side.role());
        return found.messages.push(call.unwrap_or_else(|| Message::new(side.role(), vec![read_part(object)])));
    }
    match side {
        Side::Input => request(object, depth, found),
        Side::Output => {
            let finish =
                object.take_word(&["finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason"]);
            let first = found.messages.len();
            answer(object, depth, found);
            for message in found.messages.iter_mut().skip(first).filter(|message| message.finish_reason.is_none()) {
                message.finish_reason = finish.clone().map(Into::into);
            }
        }
    }
}

/// What an API answered.
fn answer(mut object: Object<'_>, depth: u8, found: &mut Conversation) {
    // The Responses API repeats what it was asked.
    apart(&mut object, found);
    for name in ANSWERS {
        let Some(node) = object.take(&[name]) else { continue };
        let first = found.messages.len();
        match node {
            Node::List(items) => {
                for item in items {
                    choice(Node::open(item), depth + 1, found);
                }
            }
            // CrewAI has the text of its last task there, beside all the others.
            Node::Text(_) if *name == "raw" => {}
            Node::Text(text) => found.messages.push(Message::new("assistant", vec![Part::text(text)])),
            other => choice(other, depth + 1, found),
        }
        if found.messages.len() > first {
            // OpenAI's Responses API and LangGraph list items: together they are one answer.
            if matches!(*name, "output") {
                merge_from(first, &mut found.messages);
            }
            return;
        }
    }
    // Frameworks' own answers: text, reasoning and calls side by side.
    let mut message = Message::new("assistant", Vec::new());
    for name in ["reasoning", "reasoningText", "thinking"] {
        if let Some(Node::Text(text)) = object.take(&[name])
            && !text.is_empty()
        {
            message.parts.push(Part::reasoning(text));
        }
    }
    match object.take(&["text", "content", "completion", "generation", "outputText", "output_text", "generated_text"]) {
        Some(Node::Text(text)) if text.is_empty() => {}
        Some(content @ (Node::Text(_) | Node::List(_))) => read_content(content, &mut message.parts),
        Some(Node::Map(content)) => return found.messages.push(read(content, "assistant")),
        _ => {}
    }
    for call in object.take(&["toolCalls", "tool_calls"]).and_then(Node::into_list).into_iter().flatten() {
        if let Some(call) = Node::open(call).into_map().and_then(super::tool::call) {
            message.parts.push(call);
        }
    }
    if !message.parts.is_empty() {
        return found.messages.push(message);
    }
    if let Some(node) = object.take(&["messages"]) {
        return node_of(node, Side::Output, depth + 1, found);
    }
    wrapped_in(object, Side::Output, depth, found);
}

/// One of several answers.
fn choice(node: Node<'_>, depth: u8, found: &mut Conversation) {
    if depth > DEEPEST {
        return;
    }
    let mut object = match node {
        Node::Map(object) => object,
        Node::List(items) => return items.into_iter().for_each(|item| choice(Node::open(item), depth + 1, found)),
        Node::Text(text) if python::printed(&text).is_some() => {
            return text_of(&text, Side::Output, depth + 1, found);
        }
        Node::Text(text) => return found.messages.push(Message::new("assistant", vec![Part::text(text)])),
        Node::Scalar(_) | Node::Null => return,
    };
    if let Some(item) = read_item(&object, "assistant") {
        return found.messages.push(item);
    }
    let kept = object.take_map("generation_info").or_else(|| object.take_map("generationInfo"));
    let names = ["finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason"];
    let finish = object.take_word(&names).or_else(|| kept.and_then(|mut kept| kept.take_word(&names)));
    let first = found.messages.len();
    match object.take(&["message", "delta"]) {
        Some(Node::Map(message)) => found.messages.push(read(message, "assistant")),
        Some(content) => {
            let mut message = Message::new("assistant", Vec::new());
            read_content(content, &mut message.parts);
            found.messages.push(message);
        }
        // Gemini's candidates hold a message under that name.
        None if object.map("content").is_some() => {
            found.messages.extend(object.take_map("content").map(|content| read(content, "assistant")));
        }
        None if is_message(&object) => found.messages.push(read(object, "assistant")),
        None if is_part(&object) => found.messages.push(Message::new("assistant", vec![read_part(object)])),
        None => answer(object, depth + 1, found),
    }
    for message in found.messages.iter_mut().skip(first).filter(|message| message.finish_reason.is_none()) {
        message.finish_reason = finish.clone().map(Into::into);
    }
}

pub(super) fn wrapped_in(mut object: Object<'_>, side: Side, depth: u8, found: &mut Conversation) {
    for name in WRAPPERS {
        if let Some(node @ (Node::Map(_) | Node::List(_))) = object.take(&[name]) {
            let before = found.messages.len();
            node_of(node, side, depth + 1, found);
            if found.messages.len() > before {
                return;
            }
        }
    }
}

/// An event of the conventions before 1.37, as an element of a list.
fn event(mut object: Object<'_>, side: Side, found: &mut Conversation) {
    let name = object.take_word(&["event.name"]).unwrap_or_default();
    let is_choice = name == "gen_ai.choice";
    if is_choice != (side == Side::Output) {
        return;
    }
    if is_choice {
        return choice(Node::Map(object), 1, found);
    }
    let default = match name.as_str() {
        "gen_ai.system.message" => "system",
        "gen_ai.assistant.message" => "assistant",
        "gen_ai.tool.message" => "tool",
        _ => "user",
    };
    found.messages.push(read(object, default));
}

/// Puts messages of the same role together: the conventions have one message a choice.
fn merge_from(first: usize, messages: &mut Vec<Message>) {
    let mut rest = messages.split_off(first).into_iter();
    let Some(mut whole) = rest.next() else { return };
    for piece in rest {
        if piece.role != whole.role {
            messages.push(std::mem::replace(&mut whole, piece));
            continue;
        }
        whole.finish_reason = piece.finish_reason.or(whole.finish_reason);
        for part in piece.parts {
            whole.append(part);
        }
    }
    messages.push(whole);
}
