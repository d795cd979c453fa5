//! Messages in events of a span: those of the conventions before 1.37, and the event that replaced them.

use serde_json::{Map, Value as Json};
use spanmill_otlp::EventRef;

use super::flat::{insert, is_number, lists};
use crate::datum::Datum;

/// What a message has; an event without any of it tells of something else.
const MEMBERS: &[&str] = &[
    "content",
    "message",
    "parts",
    "tool_calls",
    "role",
    "id",
    "finish_reason",
    "name",
    "text",
    "body",
    "reasoning_content",
];

/// What an event holds.
pub(crate) enum Held {
    /// One message of a conversation, as an element of a list that [`super::understand`] reads.
    Message(Json),
    /// Documents by the attribute of the conventions that they belong to.
    Documents(Vec<(&'static str, String)>),
    /// One document that was retrieved.
    Retrieved(Map<String, Json>),
}

/// Reads an event that holds messages.
pub(crate) fn read(event: &EventRef<'_>) -> Option<Held> {
    match event.name() {
        b"gen_ai.system.message"
        | b"gen_ai.user.message"
        | b"gen_ai.assistant.message"
        | b"gen_ai.tool.message"
        | b"gen_ai.choice" => message(event).map(Held::Message),
        b"gen_ai.content.prompt" => documents(event, &[("gen_ai.prompt", "gen_ai.input.messages")]),
        b"gen_ai.content.completion" => documents(event, &[("gen_ai.completion", "gen_ai.output.messages")]),
        b"gen_ai.client.inference.operation.details" => documents(
            event,
            &[
                ("gen_ai.input.messages", "gen_ai.input.messages"),
                ("gen_ai.output.messages", "gen_ai.output.messages"),
                ("gen_ai.system_instructions", "gen_ai.system_instructions"),
                ("gen_ai.tool.definitions", "gen_ai.tool.definitions"),
            ],
        ),
        // OpenLLMetry's, of vector databases.
        b"db.query.result" => retrieved(event).map(Held::Retrieved),
        name => listed(event, std::str::from_utf8(name).ok()?),
    }
}

fn listed(event: &EventRef<'_>, name: &str) -> Option<Held> {
    let (stem, kind) = numbered(name)?;
    let object = members(event, stem);
    let says = object.keys().any(|name| matches!(name.as_str(), "content" | "message" | "tool_calls"));
    says.then(|| Held::Message(named(object, kind)))
}

/// What an event is of which there is one a message, with a number: `gen_ai.prompt.0`. What stands before the number, and the
/// event of the conventions that says the same.
fn numbered(name: &str) -> Option<(&str, &'static str)> {
    let (stem, number) = name.rsplit_once('.')?;
    let kind = match stem.rsplit_once('.').map_or(stem, |(_, last)| last) {
        "prompt" | "prompts" | "input_messages" => "gen_ai.user.message",
        "completion" | "completions" | "output_messages" | "choices" => "gen_ai.choice",
        _ => return None,
    };
    is_number(number).then_some((stem, kind))
}

/// Whether an event is one of those that have a message each, and a number.
pub(crate) fn is_numbered(name: &str) -> bool {
    numbered(name).is_some()
}

fn retrieved(event: &EventRef<'_>) -> Option<Map<String, Json>> {
    const MEMBERS: [(&str, &str); 4] = [
        ("db.query.result.id", "id"),
        ("db.query.result.score", "score"),
        ("db.query.result.document", "content"),
        ("db.query.result.metadata", "metadata"),
    ];
    let found = MEMBERS.into_iter().filter_map(|(key, name)| {
        Some((name.to_owned(), Datum::read(event.attribute(key)?).json())).filter(|(_, json)| !json.is_null())
    });
    let document: Map<String, Json> = found.collect();
    (!document.is_empty()).then_some(document)
}

fn documents(event: &EventRef<'_>, wanted: &[(&str, &'static str)]) -> Option<Held> {
    let found: Vec<(&'static str, String)> = wanted
        .iter()
        .filter_map(|(from, to)| Some((*to, Datum::read(event.attribute(from)?).document_text()?.into_owned())))
        .collect();
    (!found.is_empty()).then_some(Held::Documents(found))
}

fn message(event: &EventRef<'_>) -> Option<Json> {
    let object = members(event, "gen_ai");
    object
        .keys()
        .any(|name| MEMBERS.contains(&name.as_str()))
        .then(|| named(object, &String::from_utf8_lossy(event.name())))
}

/// A message as an element of a list that knows events by their names.
fn named(mut object: Map<String, Json>, event: &str) -> Json {
    object.insert("event.name".to_owned(), Json::String(event.to_owned()));
    Json::Object(object)
}

/// The attributes of an event as one object. `stem` stands before their names, or nothing does.
fn members(event: &EventRef<'_>, stem: &str) -> Map<String, Json> {
    let (mut object, mut flat) = (Map::new(), Map::new());
    for attribute in event.attributes() {
        let key = String::from_utf8_lossy(attribute.key);
        let key = key.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&key);
        let value = Datum::read(attribute.value);
        // Structures come as JSON text.
        let value = value.document().filter(|json| json.is_array() || json.is_object()).unwrap_or_else(|| value.json());
        match (key, value) {
            ("event.content", Json::Object(inner)) => object.extend(inner),
            ("event.content", value) => _ = object.insert("content".to_owned(), value),
            ("system" | "provider.name" | "event.name" | "agent.name", _) => {}
            // Flattened, as VeADK has it: `tool_calls.0.function.name`.
            (key, value) if key.starts_with("message.") || key.split('.').any(is_number) => {
                _ = insert(&mut flat, key, |_| value)
            }
            (name, value) => _ = object.insert(name.to_owned(), value),
        }
    }
    object.extend(flat.into_iter().map(|(name, value)| (name, lists(value))));
    object
}
