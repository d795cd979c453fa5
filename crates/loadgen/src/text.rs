use crate::dice::Dice;

const WORDS: [&str; 24] = [
    "the",
    "assistant",
    "should",
    "answer",
    "user",
    "question",
    "with",
    "context",
    "from",
    "document",
    "retrieval",
    "tool",
    "call",
    "result",
    "json",
    "schema",
    "\\\"value\\\"",
    "{\\\"a\\\":1}",
    "weather",
    "in",
    "Paris",
    "today",
    "please",
    "summarise",
];

/// Text of about that many bytes, safe inside a JSON string.
pub(crate) fn text(dice: &mut Dice, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        text.push_str(dice.pick(&WORDS));
        text.push(' ');
    }
    text
}

/// `gen_ai.input.messages` as the conventions' JSON, of about that many bytes.
pub(crate) fn messages(dice: &mut Dice, bytes: usize) -> String {
    const AROUND: usize = 60;
    let content = text(dice, bytes.saturating_sub(AROUND));
    format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{content}"}}]}}]"#)
}
