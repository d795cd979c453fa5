//! Why messages of an answer ended: the conventions ask for a word with every one.

use std::borrow::Cow;

use super::model::Message;
use crate::datum::Strings;
use crate::vocabulary::{Finish, Vocabulary};

/// Whether these are the messages of a whole conversation, as agents keep it, rather than choices of one answer.
pub(crate) fn is_history(messages: &[Message]) -> bool {
    messages.iter().any(|message| message.role != "assistant")
}

/// Gives every message its word: its own, or the one that the span says, or else by what it holds; `otherwise` where nothing tells.
pub(crate) fn finish(messages: &mut [Message], said: Option<&Strings<'_>>, otherwise: Finish, vocabulary: &Vocabulary) {
    let earlier = if is_history(messages) { messages.len().saturating_sub(1) } else { 0 };
    for message in messages.iter_mut().take(earlier) {
        let finish = if message.calls_tool() { Finish::ToolCall } else { Finish::Stop };
        message.finish_reason = Some(Cow::Borrowed(finish.name()));
    }
    for (at, message) in messages.iter_mut().skip(earlier).enumerate() {
        let word = message.finish_reason.take().or_else(|| said.and_then(|said| said.get(at)).map(Cow::Owned));
        message.finish_reason = Some(word_of(message, word, otherwise, vocabulary));
    }
}

fn word_of(
    message: &Message,
    word: Option<Cow<'static, str>>,
    otherwise: Finish,
    vocabulary: &Vocabulary,
) -> Cow<'static, str> {
    match word.as_deref().and_then(|word| vocabulary.finish(word)) {
        // Some providers say `stop` although the model called a tool.
        None | Some(Finish::Stop) if message.calls_tool() => Cow::Borrowed(Finish::ToolCall.name()),
        Some(finish) => Cow::Borrowed(finish.name()),
        None => word.unwrap_or(Cow::Borrowed(otherwise.name())),
    }
}
