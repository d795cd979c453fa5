//! What an answer holds that is paid for by the piece: searches that the provider made, and images.

use memchr::memmem;

use super::model::{Message, Part, Typed};
use super::raw::Node;

/// How many of what is paid for by the piece there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pieces {
    pub(crate) web_searches: u32,
    pub(crate) file_searches: u32,
    pub(crate) images: u32,
}

// === impl Pieces ===

impl Pieces {
    /// Whether the text of messages may hold any. Quotes inside content are escaped, so that only a part of the message matches.
    pub(crate) fn may_be_in(messages: &[u8]) -> bool {
        const SIGNS: [&[u8]; 5] = [
            br#""server_tool_call""#,
            br#""modality":"image""#,
            br#""modality": "image""#,
            br#""builtin":true"#,
            br#""builtin": true"#,
        ];
        SIGNS.iter().any(|sign| memmem::find(messages, sign).is_some())
    }

    pub(crate) fn count(messages: &[Message]) -> Self {
        let mut found = Self::default();
        let parts = || messages.iter().flat_map(|message| &message.parts);
        for part in parts() {
            match part {
                Part::ServerToolCall { id, name, server_tool_call } if is_charged(server_tool_call) => {
                    let failed = |part: &Part| {
                        matches!(part, Part::ServerToolCallResponse { id: answered, server_tool_call_response }
                            if answered == id && id.is_some() && is_error(server_tool_call_response))
                    };
                    match name.as_str() {
                        "web_search" if !parts().any(failed) => found.web_searches += 1,
                        "file_search" => found.file_searches += 1,
                        _ => {}
                    }
                }
                Part::Blob { modality, .. } | Part::Uri { modality, .. } | Part::File { modality, .. }
                    if modality == "image" =>
                {
                    found.images += 1;
                }
                _ => {}
            }
        }
        found
    }
}

/// OpenAI's calls tell how they ended, and what they did: pages are opened for nothing.
fn is_charged(call: &Typed) -> bool {
    let text = |raw| Node::open(raw).into_text();
    let ended = call.extra.get("status").and_then(text).is_none_or(|status| status != "failed");
    let action = call.extra.get("action").and_then(|action| Node::open(action).into_map());
    ended && action.and_then(|action| action.text("type")).is_none_or(|kind| kind == "search")
}

/// Anthropic's searches that went wrong.
fn is_error(response: &Typed) -> bool {
    let content = response.extra.get("content").and_then(|content| Node::open(content).into_map());
    content.and_then(|content| content.text("type")).is_some_and(|kind| kind.ends_with("_tool_result_error"))
}
