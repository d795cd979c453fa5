//! Content that is put aside: what is to be stored, and what stands for it.

use std::collections::BTreeMap;

use super::digest;
use super::json::{document, encode};
use crate::target;

/// Content to be stored, by its name. One request stores the same content once.
#[derive(Debug, Default)]
pub(super) struct Aside {
    store: String,
    pub(super) content: BTreeMap<String, Vec<u8>>,
}

/// What a reference has to be part of, so that its attribute keeps the form of the conventions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    Input,
    Output,
    Instructions,
    Definitions,
    Documents,
    Other,
}

const JSON: &str = "application/json";
const PLAIN: &str = "text/plain";

/// References are short.
const LONGEST_REFERENCE: usize = 4_096;

// === impl Aside ===

impl Aside {
    pub(super) fn new(store: &str) -> Self {
        Self { store: store.to_owned(), content: BTreeMap::new() }
    }

    /// Notes content, and says where it will be.
    pub(super) fn put(&mut self, content: &[u8]) -> String {
        let name = digest::name(content);
        let address = format!("{}/{name}", self.store);
        self.content.entry(name).or_insert_with(|| content.to_vec());
        address
    }

    /// Notes the value of an attribute, and gives what stands for it: a part at an address, in what its attribute has to be.
    pub(super) fn put_value(&mut self, key: &str, text: &str) -> String {
        let kind = if document(text).is_some() { JSON } else { PLAIN };
        let address = self.put(text.as_bytes());
        let finish = finish_reason(text).unwrap_or_else(|| "stop".to_owned());
        wrapped(Wrapping::of(key), kind, text.len(), &address, &finish)
    }
}

// === impl Wrapping ===

impl Wrapping {
    const ALL: [Self; 6] =
        [Self::Input, Self::Output, Self::Instructions, Self::Definitions, Self::Documents, Self::Other];

    fn of(key: &str) -> Self {
        match target::target(key) {
            Some(target::INPUT_MESSAGES) => Self::Input,
            Some(target::OUTPUT_MESSAGES) => Self::Output,
            Some(target::SYSTEM) => Self::Instructions,
            Some(target::DEFINITIONS) => Self::Definitions,
            _ if key == "gen_ai.retrieval.documents" => Self::Documents,
            _ => Self::Other,
        }
    }
}

/// Whether a value is a reference already, with nothing beside it.
pub(super) fn is_reference(text: &str) -> bool {
    if text.len() > LONGEST_REFERENCE || !text.contains(r#""uri":""#) {
        return false;
    }
    let between = |start: &str, end: &str| Some(text.split_once(start)?.1.split_once(end)?.0);
    let kind = if text.contains(JSON) { JSON } else { PLAIN };
    let bytes = text.split_once(r#""bytes":"#).map(|(_, rest)| rest);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let bytes = bytes.and_then(|text| text.get(..digits(text))?.parse().ok());
    let address = between(r#""uri":""#, "\"").filter(|address| address.rsplit('/').next().is_some_and(digest::is_name));
    let (Some(bytes), Some(address)) = (bytes, address) else { return false };
    let finish = finish_reason(text).unwrap_or_default();
    Wrapping::ALL.into_iter().any(|wrapping| wrapped(wrapping, kind, bytes, address, &finish) == text)
}

fn wrapped(wrapping: Wrapping, kind: &str, bytes: usize, address: &str, finish: &str) -> String {
    let (uri, finish) = (encode(address), encode(finish));
    // In the order in which messages are written, so that they need not be written again.
    let rest = format!(r#""mime_type":"{kind}","modality":"document","uri":{uri},"bytes":{bytes}"#);
    let part = format!(r#""type":"uri",{rest}"#);
    match wrapping {
        Wrapping::Input => format!(r#"[{{"role":"user","parts":[{{{part}}}]}}]"#),
        Wrapping::Output => format!(r#"[{{"role":"assistant","parts":[{{{part}}}],"finish_reason":{finish}}}]"#),
        Wrapping::Instructions => format!("[{{{part}}}]"),
        Wrapping::Definitions => format!(r#"[{{"type":"uri","name":"offloaded",{rest}}}]"#),
        Wrapping::Documents => format!(r#"[{{{part},"id":{uri},"score":0}}]"#),
        Wrapping::Other => format!("{{{part}}}"),
    }
}

/// How the answer ended that a document of messages holds.
fn finish_reason(text: &str) -> Option<String> {
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    let last = document.as_array()?.last()?;
    last.get("finish_reason")?.as_str().map(str::to_owned)
}
