//! What an API was asked: messages, and what stands beside them.

use super::document::{Side, node_of, wrapped_in};
use super::message::read;
use super::model::{Conversation, Message, Part};
use super::part::{read_content, read_part};
use super::raw::{Node, Object};
use super::tool::definitions;

/// What an API was asked.
pub(super) fn request(mut object: Object<'_>, depth: u8, found: &mut Conversation) {
    let before = found.messages.len();
    for config in ["config", "generationConfig"] {
        if let Some(mut config) = object.take_map(config) {
            apart(&mut config, found);
        }
    }
    apart(&mut object, found);
    let wrapped = object.take_map("messages").and_then(|mut inner| inner.take(&["messages"]));
    let lists =
        ["messages", "contents", "chat_history", "input", "prompt", "prompts", "query", "question", "message", "text"];
    for name in lists {
        match object.take(&[name]) {
            Some(content @ Node::Map(_)) if name == "contents" => {
                let Node::Map(content) = content else { continue };
                found.messages.push(read(content, "user"));
            }
            Some(Node::Text(text)) if name != "input" && name != "prompt" => {
                found.messages.push(Message::new("user", vec![Part::text(text)]));
            }
            Some(node) => node_of(node, Side::Input, depth + 1, found),
            None => {}
        }
        // The latest message of Cohere's first API stands beside the ones before.
        if found.messages.len() > before && name != "chat_history" {
            return;
        }
    }
    if let Some(node) = wrapped {
        return node_of(node, Side::Input, depth + 1, found);
    }
    wrapped_in(object, Side::Input, depth, found);
}

/// Instructions and tools that stand beside the messages of a request.
pub(super) fn apart(object: &mut Object<'_>, found: &mut Conversation) {
    let instructions =
        ["system", "system_instruction", "systemInstruction", "instructions", "system_prompt", "preamble"];
    if let Some(node) = object.take(&instructions)
        && found.system.is_empty()
    {
        system(node, found);
    }
    let tools = object.take(&["tools", "functions"]);
    let configured = || object.map("toolConfig").and_then(|mut config| config.take(&["tools"]));
    if let Some(node) = tools.or_else(configured)
        && found.tools.is_empty()
    {
        definitions(node, &mut found.tools);
    }
}

pub(super) fn system(node: Node<'_>, found: &mut Conversation) {
    match node {
        Node::Text(text) if !text.trim().is_empty() => {
            // Text that is JSON again.
            match Node::parse(&text) {
                Some(inner @ (Node::List(_) | Node::Map(_))) => system(inner, found),
                _ => found.system.push(Part::text(text)),
            }
        }
        Node::Map(mut object) => match object.take(&["parts", "content"]) {
            Some(parts) => read_content(parts, &mut found.system),
            None => found.system.push(read_part(object)),
        },
        Node::List(items) => items.into_iter().for_each(|item| system(Node::open(item), found)),
        _ => {}
    }
}
