//! Data that nobody reads as text: base64 in messages, and embedding vectors.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::Regex;
use serde_json::value::RawValue;

use super::aside::Aside;
use super::digest::{Digest, is_hash};
use super::json::{Edit, MemberList, Text, decode, document, encode, is_vector, rewrite};
use super::options::DataAction;
use super::place::{DEEPEST, Place};

/// Takes data out of a document.
pub(super) struct DataEdit<'a> {
    pub(super) blobs: DataAction,
    pub(super) embeddings: DataAction,
    pub(super) digest: &'a Digest,
    pub(super) aside: &'a mut Aside,
    /// How many bytes were taken out by dropping, hashing and putting aside.
    pub(super) taken: Taken,
}

/// What was done with data, in values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Taken {
    pub(super) dropped: u64,
    pub(super) hashed: u64,
    pub(super) offloaded: u64,
}

/// Lists of fewer numbers are no embeddings.
pub(super) const LEAST_NUMBERS: usize = 16;

/// Shorter words are no base64.
const LEAST_BASE64: usize = 256;

/// A data URL, anywhere in a text.
static DATA_URL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"data:[A-Za-z0-9.+/-]*(?:;[A-Za-z0-9.=_-]+)*;base64,([A-Za-z0-9+/_=-]{16,})").ok());

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

// === impl DataEdit ===

impl DataEdit<'_> {
    /// The text that takes the place of data.
    pub(super) fn replace(&mut self, action: DataAction, text: &str, content: &[u8]) -> Option<String> {
        match action {
            DataAction::Keep => None,
            DataAction::Drop => {
                self.taken.dropped += 1;
                Some(note(text.len()))
            }
            DataAction::Hash => {
                self.taken.hashed += 1;
                Some(self.digest.hash(content))
            }
            DataAction::Offload => {
                self.taken.offloaded += 1;
                Some(self.aside.put(content))
            }
        }
    }

    fn blob(&mut self, text: &str) -> Option<String> {
        let content = decoded(text);
        self.replace(self.blobs, text, &content)
    }

    /// A text without the data in it.
    fn without_blobs(&mut self, text: &str) -> Option<String> {
        if is_base64(text) {
            return self.blob(text);
        }
        let urls = DATA_URL.as_ref().filter(|_| text.contains(";base64,"))?;
        let (mut out, mut copied) = (String::new(), 0);
        for found in urls.captures_iter(text) {
            let (Some(url), Some(data)) = (found.get(0), found.get(1)) else { continue };
            let Some(replacement) = self.blob(data.as_str()) else { continue };
            out.push_str(text.get(copied..url.start()).unwrap_or_default());
            out.push_str(&replacement);
            copied = url.end();
        }
        if copied == 0 {
            return None;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Some(out)
    }
}

impl Edit for DataEdit<'_> {
    fn whole(&mut self, raw: &RawValue, _: Place<'_>) -> Option<String> {
        if self.embeddings == DataAction::Keep || !is_vector(raw, LEAST_NUMBERS) {
            return None;
        }
        let text = raw.get();
        self.replace(self.embeddings, text, text.as_bytes()).map(|text| encode(&text))
    }

    /// A part of a message that is data. What was put aside is at an address then.
    fn object(&mut self, members: &MemberList<'_>) -> Option<String> {
        let member = |name: &str| members.iter().find(|(key, _)| key.0 == name).and_then(|(_, raw)| decode(raw.get()));
        if self.blobs == DataAction::Keep || member("type")? != "blob" {
            return None;
        }
        let content =
            member("content").filter(|content| !is_hash(content) && !is_note(content) && !content.is_empty())?;
        let replacement = self.blob(&content)?;
        let offloads = self.blobs == DataAction::Offload;
        let member = |(key, raw): &(Text<'_>, &RawValue)| match &*key.0 {
            "type" if offloads => r#""type":"uri""#.to_owned(),
            "content" if offloads => format!("\"uri\":{}", encode(&replacement)),
            "content" => format!("\"content\":{}", encode(&replacement)),
            other => format!("{}:{}", encode(other), raw.get()),
        };
        let members: Vec<String> = members.iter().map(member).collect();
        Some(format!("{{{}}}", members.join(",")))
    }

    fn text(&mut self, text: &str, _: usize, place: Place<'_>) -> Option<String> {
        if self.blobs == DataAction::Keep && self.embeddings == DataAction::Keep {
            return None;
        }
        // A text that is JSON again.
        if let Some(raw) = document(text).filter(|raw| !raw.get().starts_with('"')) {
            if place.depth >= DEEPEST {
                return None;
            }
            let inner = Place { depth: place.depth + 1, ..place };
            return rewrite(raw, inner, self).map(unquoted);
        }
        if self.blobs == DataAction::Keep { None } else { self.without_blobs(text) }
    }
}

/// What stands for data that was dropped.
pub(super) fn note(bytes: usize) -> String {
    format!("[dropped {bytes} bytes]")
}

pub(super) fn is_note(text: &str) -> bool {
    let number = text.strip_prefix("[dropped ").and_then(|rest| rest.strip_suffix(" bytes]"));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A text that stands alone needs no quotes.
pub(super) fn unquoted(json: String) -> String {
    match json.starts_with('"') {
        true => decode(&json).map(Cow::into_owned).unwrap_or(json),
        false => json,
    }
}

/// Whether a text is nothing but base64: long, and without what parts words.
fn is_base64(text: &str) -> bool {
    text.len() >= LEAST_BASE64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=\r\n".contains(&byte))
        && text.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// The data that a text stands for, so that it can be opened where it is put; the text itself where it stands for none.
fn decoded(text: &str) -> Cow<'_, [u8]> {
    let plain: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let read = STANDARD.decode(&plain).or_else(|_| URL_SAFE.decode(&plain));
    read.map_or_else(|_| Cow::Borrowed(text.as_bytes()), Cow::Owned)
}
