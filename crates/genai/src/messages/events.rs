//! Messages in events of a span: those of the conventions before 1.37, and the event that replaced them.

use serde_json::{Map, Value as Json};
use spanmill_otlp::EventRef;

use crate::datum::Datum;

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
        _ => None,
    }
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
    let name = std::str::from_utf8(event.name()).ok()?.to_owned();
    let mut object = Map::new();
    for attribute in event.attributes() {
        let key = String::from_utf8_lossy(attribute.key).into_owned();
        let value = Datum::read(attribute.value);
        // Structures come as JSON text.
        let value = value.document().filter(|json| json.is_array() || json.is_object()).unwrap_or_else(|| value.json());
        match (key.strip_prefix("gen_ai.").unwrap_or(&key), value) {
            ("event.content", Json::Object(inner)) => object.extend(inner),
            ("event.content", value) => _ = object.insert("content".to_owned(), value),
            ("system" | "provider.name" | "event.name" | "agent.name", _) => {}
            (name, value) => _ = object.insert(name.to_owned(), value),
        }
    }
    if object.is_empty() {
        return None;
    }
    object.insert("event.name".to_owned(), Json::String(name));
    Some(Json::Object(object))
}
