//! What is done with content: kept, dropped, hashed, cut, put aside, and masked.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what tests do when they fail")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use spanmill_genai::content::{Action, Applied, ContentOptions, ContentPolicy, ContentRule, DataAction, HashKey, Mask};
use spanmill_genai::{Engine, Options, PriceTable, Pricing};
use spanmill_otlp::Traces;
use support::{Sample, recordings, request, sample, seen};

const STORE: &str = "file:///var/lib/spanmill/content";

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let pricing = Pricing { table: PriceTable::None, ..Pricing::default() };
    Engine::new(&Options { pricing, ..Options::default() }).unwrap()
});

static MASKING: LazyLock<ContentPolicy> =
    LazyLock::new(|| policy(&ContentOptions { mask: masks(), ..ContentOptions::default() }));

/// One that cuts, one that puts aside, one that hashes, and one that takes data out.
static POLICIES: LazyLock<[ContentPolicy; 4]> = LazyLock::new(|| {
    let data = DataAction::Drop;
    let cuts = ContentOptions { max_bytes: Some(100), ..options(Action::Truncate) };
    let takes = ContentOptions { blobs: data, embeddings: data, ..options(Action::Keep) };
    [cuts, options(Action::Offload), options(Action::Hash), takes].map(|options| policy(&options))
});

fn options(policy: Action) -> ContentOptions {
    ContentOptions { policy, store: Some(STORE.to_owned()), ..ContentOptions::default() }
}

fn masks() -> Vec<Mask> {
    ["keys", "email", "card", "phone", "ip"].map(|name| Mask::Builtin(name.to_owned())).to_vec()
}

fn policy(options: &ContentOptions) -> ContentPolicy {
    ContentPolicy::new(options, &ENGINE).unwrap()
}

/// What engine and policy make of a request.
fn apply(policy: &ContentPolicy, bytes: Bytes) -> (Bytes, Applied) {
    let mut traces = Traces::parse(bytes).unwrap();
    ENGINE.process(&mut traces);
    apply_twice(policy, traces)
}

/// What a policy makes of a request that was normalised. A second time may change nothing, nor may normalising it again.
fn apply_twice(policy: &ContentPolicy, traces: Traces) -> (Bytes, Applied) {
    let applied = policy.apply(traces);
    let bytes = applied.traces.encode();
    let mut again = Traces::parse(bytes.clone()).unwrap();
    ENGINE.process(&mut again);
    let again = policy.apply(again).traces.encode();
    if again != bytes {
        let (before, after) = (seen(&bytes), seen(&again));
        for (id, before) in &before {
            for (key, value) in before {
                assert_eq!(Some(value), after[id].get(key), "a second pass changed {key}");
            }
            assert_eq!(before.len(), after[id].len(), "a second pass added something");
        }
        panic!("a second pass changed something");
    }
    (bytes, applied)
}

fn done(options: &ContentOptions, span: Sample) -> Map<String, Json> {
    let (bytes, _) = apply(&policy(options), request(&[span]).into());
    seen(&bytes).remove(&1).unwrap()
}

fn chat(attributes: &Json) -> Sample {
    let mut all = json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.response.id": "resp-4111111111111111",
        "gen_ai.usage.input_tokens": 5 });
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    sample(1, "any", &all)
}

fn parsed(seen: &Map<String, Json>, key: &str) -> Json {
    let text = seen[key].as_str().unwrap_or_else(|| panic!("{key}: {seen:#?}"));
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{key}: {error}: {text}"))
}

/// Messages with every kind of part.
fn messages() -> String {
    json!([
        { "role": "user", "parts": [
            { "type": "text", "content": "Where does Jo live?".repeat(100) },
            { "type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBORw0KGgo=" },
        ] },
        { "role": "assistant", "parts": [{ "type": "tool_call", "id": "c1", "name": "look", "arguments": { "who": "Jo", "limit": 12 } }] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c1", "response": ["Paris"] }] },
    ])
    .to_string()
}

/// Scenario: everything is kept.
/// Guarantees: the request keeps its bytes.
#[test]
fn what_is_kept_keeps_its_bytes() {
    let bytes = Bytes::from(request(&[chat(&json!({ "gen_ai.input.messages": messages(), "input.value": "Hi" }))]));
    let applied = policy(&ContentOptions::default()).apply(Traces::parse(bytes.clone()).unwrap());
    assert!(applied.traces.encode() == bytes && applied.aside.is_empty() && ContentOptions::default().is_keep());
}

/// Scenario: content is dropped, from the conventions' attributes, those of others, flattened ones and events.
/// Guarantees: what was said is gone everywhere, what else is known of the call is not, and how many bytes went is told.
#[test]
fn content_is_dropped_wherever_it_stands() {
    let span = chat(&json!({
        "gen_ai.input.messages": messages(),
        "input.value": "Where does Jo live?",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Where does Jo live?",
        "llm.prompts": ["Where does Jo live?"],
        "retrieval.documents.0.document.content": "Jo lives in Paris.",
        "embedding.embeddings.0.embedding.vector": [0.5, 0.25],
        "input": "Where does Jo live?",
        "http.route": "/v1/Jo",
    }))
    .event(1, "gen_ai.user.message", &json!({ "content": "Where does Jo live?", "role": "user" }))
    .event(2, "cache", &json!({ "key": "Jo" }));
    let bytes = apply(&policy(&options(Action::Drop)), request(&[span]).into()).0;
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("live") && text.contains("gen_ai.user.message") && text.contains("/v1/Jo"), "{text}");
    let seen = seen(&bytes).remove(&1).unwrap();
    assert_eq!(seen["llm.input_messages.0.message.role"], json!("user"));
    assert_eq!(seen["gen_ai.usage.input_tokens"], json!(5));
    assert!(!seen.contains_key("embedding.embeddings.0.embedding.vector"));
    assert!(seen["spanmill.content.dropped_bytes"].as_i64().unwrap() > messages().len() as i64);
}

/// Scenario: content is hashed, with a key and without.
/// Guarantees: roles, types, names and identifiers stay, everything said has a hash, and equal texts have equal ones.
#[test]
fn hashes_leave_the_structure() {
    let span =
        || chat(&json!({ "gen_ai.input.messages": messages(), "gen_ai.tool.call.arguments": "{\"who\":\"Jo\"}" }));
    let seen = done(&options(Action::Hash), span());
    let document = parsed(&seen, "gen_ai.input.messages");
    let question = &document[0]["parts"][0];
    assert_eq!(question["type"], json!("text"));
    assert!(question["content"].as_str().unwrap().starts_with("sha256:"));
    let call = &document[1]["parts"][0];
    assert_eq!((&call["id"], &call["name"]), (&json!("c1"), &json!("look")));
    assert!(call["arguments"].as_str().unwrap().starts_with("sha256:"));
    assert!(seen["gen_ai.tool.call.arguments"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(parsed(&done(&options(Action::Hash), span()), "gen_ai.input.messages"), document);
    let keyed = ContentOptions { hash_key: Some(HashKey(b"secret".to_vec())), ..options(Action::Hash) };
    assert!(!format!("{keyed:?}").contains("secret") && !format!("{keyed:?}").contains("115"));
    let seen = done(&keyed, span());
    let content = parsed(&seen, "gen_ai.input.messages")[0]["parts"][0]["content"].clone();
    assert!(content.as_str().unwrap().starts_with("hmac-sha256:"));
}

/// Scenario: long content is cut, in messages and in plain text.
/// Guarantees: documents stay documents with all their parts, what stays fits, and how much went is told in the text and on the span.
#[test]
fn long_content_is_cut() {
    let cut = ContentOptions { max_bytes: Some(1_000), ..options(Action::Truncate) };
    let plain = "é".repeat(2_000);
    let seen = done(
        &cut,
        chat(&json!({ "gen_ai.input.messages": messages(), "output.value": plain, "input.value": "short" })),
    );
    let document = parsed(&seen, "gen_ai.input.messages");
    assert_eq!(document[1], serde_json::from_str::<Json>(&messages()).unwrap()[1]);
    assert!(seen["gen_ai.input.messages"].as_str().unwrap().len() <= 1_000);
    let content = document[0]["parts"][0]["content"].as_str().unwrap();
    assert!(content.starts_with("Where does Jo live?") && content.ends_with(" bytes]"), "{content}");
    let text = seen["output.value"].as_str().unwrap();
    assert!(text.len() <= 1_000 && text.starts_with("éé") && text.contains("[truncated "), "{text}");
    assert_eq!(seen["input.value"], json!("short"));
    assert!(seen["spanmill.content.truncated_bytes"].as_i64().unwrap() > 3_000);
}

/// Scenario: rules by attribute and by size come before the policy.
/// Guarantees: the first that is about a value decides; facts of a call are out of their reach.
#[test]
fn rules_decide_by_attribute_and_size() {
    let rule = |names: &[&str], larger_than, action| ContentRule {
        attributes: names.iter().map(|name| (*name).to_owned()).collect(),
        larger_than,
        action,
    };
    let rules = vec![
        rule(&["gen_ai.input.*"], 10_000, Action::Drop),
        rule(&["gen_ai.input.*", "acme.note"], 0, Action::Hash),
        rule(&[], 4, Action::Drop),
        rule(&["gen_ai.*"], 0, Action::Drop),
    ];
    let rules = ContentOptions { rules, ..options(Action::Keep) };
    let span = chat(
        &json!({ "gen_ai.input.messages": messages(), "acme.note": "Jo", "output.value": "long", "input.value": "longer" }),
    );
    let seen = done(&rules, span);
    assert!(seen["gen_ai.input.messages"].as_str().unwrap().contains("sha256:"));
    assert!(seen["acme.note"].as_str().unwrap().starts_with("sha256:"));
    assert!(seen.contains_key("output.value") && !seen.contains_key("input.value"));
    assert_eq!(seen["gen_ai.request.model"], json!("m"));
    assert_eq!(seen["gen_ai.response.id"], json!("resp-4111111111111111"));
}

/// Scenario: content is put aside as a whole.
/// Guarantees: what is to be stored is what stood there, under its hash; what stands there now is valid, short, and leads to it.
#[test]
fn content_is_put_aside() {
    let span = chat(
        &json!({ "gen_ai.input.messages": messages(), "output.value": "Jo lives in Paris.", "llm.prompts": ["Jo?"] }),
    );
    let (bytes, applied) = apply(&policy(&options(Action::Offload)), request(&[span]).into());
    let seen = seen(&bytes).remove(&1).unwrap();
    let stored: BTreeMap<String, Vec<u8>> = applied.aside.into_iter().collect();
    let content = |reference: &Json| {
        let address = reference["uri"].as_str().unwrap().strip_prefix(STORE).unwrap();
        String::from_utf8(stored[address.strip_prefix('/').unwrap()].clone()).unwrap()
    };
    let document = parsed(&seen, "gen_ai.input.messages");
    assert_eq!(document[0]["parts"][0]["bytes"], json!(messages().len()));
    assert_eq!(content(&document[0]["parts"][0]), messages());
    assert_eq!(content(&parsed(&seen, "output.value")), "Jo lives in Paris.");
    assert_eq!(content(&parsed(&seen, "llm.prompts")), "[\"Jo?\"]");
    assert!(seen["spanmill.content.offloaded_bytes"].as_i64().unwrap() > 0);
}

/// Scenario: images in messages, in data URLs inside text, in a provider's own request, and embedding vectors.
/// Guarantees: each action takes them out and leaves the words around them; what is put aside can be opened.
#[test]
fn data_is_taken_out_first() {
    let data = "iVBORw0KGgoAAAANSUhEUgAA".repeat(20);
    let raw = json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{data}") } }] }] });
    let vector: Vec<f64> = (0..32).map(f64::from).map(|number| number / 7.0).collect();
    let span = chat(&json!({
        "gen_ai.input.messages": messages(),
        "input.value": raw.to_string(),
        "gen_ai.tool.call.result": format!("See ![it](data:image/png;base64,{data}) here"),
        "ai.values": [data.as_str()],
        "embedding.embeddings.0.embedding.vector": vector.clone(),
        "ai.embedding": json!(vector).to_string(),
        "output.value": json!({ "data": [{ "embedding": vector, "index": 0 }] }).to_string(),
    }));
    for (action, left) in [(DataAction::Drop, "[dropped "), (DataAction::Hash, "sha256:"), (DataAction::Offload, STORE)]
    {
        let options = ContentOptions { blobs: action, embeddings: action, ..options(Action::Keep) };
        let (bytes, applied) = apply(&policy(&options), request(std::slice::from_ref(&span)).into());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("iVBOR") && !text.contains("0.142857"), "{text}");
        let seen = seen(&bytes).remove(&1).unwrap();
        let part = parsed(&seen, "gen_ai.input.messages")[0]["parts"][1].clone();
        let place = if action == DataAction::Offload { "uri" } else { "content" };
        assert!(part[place].as_str().unwrap().starts_with(left), "{part}");
        assert_eq!(part["mime_type"], json!("image/png"));
        assert!(
            parsed(&seen, "input.value")["messages"][0]["content"][0]["image_url"]["url"]
                .as_str()
                .unwrap()
                .starts_with(left)
        );
        let result = seen["gen_ai.tool.call.result"].as_str().unwrap();
        assert!(result.starts_with(&format!("See ![it]({left}")) && result.ends_with(") here"), "{result}");
        assert_eq!(parsed(&seen, "output.value")["data"][0]["index"], json!(0));
        if action == DataAction::Offload {
            assert!(applied.aside.iter().any(|(_, content)| content == b"\x89PNG\r\n\x1a\n"));
        }
    }
}

/// Scenario: secrets in messages, in JSON in texts in JSON, spelled with escapes, as names of members, in text that was cut off, in
/// lists, and beside half a surrogate pair.
/// Guarantees: none is left, each is counted, documents stay documents, and numbers, order, identifiers and all else keep their spelling.
#[test]
fn secrets_are_masked_wherever_they_stand() {
    let hidden = r#"[{"role":"user","parts":[{"type":"text","content":"I am jo\u0040example.com","n":1.50,"big":12345678901234567890}]},{"role":"user","parts":[{"type":"text","content":"\ud800 4111-1111-1111-1111"},{"type":"tool_call","id":"call-4111111111111111","name":"f","arguments":{"jo@example.com":"{\"to\":\"jo\\u0040example.com\"}"}}]}]"#;
    let span = chat(&json!({
        "gen_ai.input.messages": hidden,
        "input.value": r#"{"messages":[{"content":"jo\u0040example.com is"#,
        "llm.prompts": ["call 555-123-4567 from 10.1.2.3"],
        "output.value": "ORD-12345",
        "http.url": "https://jo@example.com",
    }))
    .event(1, "gen_ai.choice", &json!({ "message": "{\"content\": \"sk-ant-api03-abcdefghijklmnopqrst\"}" }));
    let own =
        Mask::Own { name: "order".to_owned(), pattern: r"ORD-\d+".to_owned(), replacement: Some("<order>".to_owned()) };
    let mask = masks().into_iter().chain([own]).collect();
    let policy = policy(&ContentOptions { mask, ..ContentOptions::default() });
    let (bytes, applied) = apply(&policy, request(&[span]).into());
    let seen = seen(&bytes).remove(&1).unwrap();
    let text = seen["gen_ai.input.messages"].as_str().unwrap();
    let document = parsed(&seen, "gen_ai.input.messages");
    assert_eq!(document[0]["parts"][0]["content"], json!("I am [masked:email]"));
    assert!(
        text.contains(r#""n":1.50,"big":12345678901234567890"#) && text.contains("call-4111111111111111"),
        "{text}"
    );
    assert!(document[1]["parts"][0]["content"].as_str().unwrap().ends_with(" [masked:card]"));
    assert_eq!(document[1]["parts"][1]["arguments"], json!({ "[masked:email]": "{\"to\":\"[masked:email]\"}" }));
    assert_eq!(seen["input.value"], json!(r#"{"messages":[{"content":"[masked:email] is"#));
    assert_eq!(seen["llm.prompts"], json!(["call [masked:phone] from [masked:ip]"]));
    assert_eq!(seen["output.value"], json!("<order>"));
    assert_eq!(seen["http.url"], json!("https://jo@example.com"));
    assert!(!String::from_utf8_lossy(&bytes).contains("sk-ant"));
    // The key stands in the event, and in the message that was read from it.
    let counts: Vec<(&str, u64)> = policy.mask_names().zip(applied.tally.masked).collect();
    assert_eq!(counts, [("order", 1), ("keys", 2), ("email", 4), ("card", 1), ("phone", 1), ("ip", 1)]);
}

/// Scenario: JSON that was cut off, once and twice encoded, with escapes before and inside of what is secret; and a path.
/// Guarantees: the secrets are gone, and every other escape is what it was.
#[test]
fn escapes_hide_nothing_in_text_that_was_cut_off() {
    for (text, expected) in [
        (r#"{"a":"x\n4111 1111 1111 1111\njo@example.com"#, r#"{"a":"x\n[masked:card]\n[masked:email]"#),
        (r#"{"a":"{\"b\":\"x\\njo\\u0040example.com\\n\""#, r#"{"a":"{\"b\":\"x\\n[masked:email]\\n\""#),
        (r"see C:\new\table for jo@example.com", r"see C:\new\table for [masked:email]"),
        (r"C:\u0041\new stays", r"C:\u0041\new stays"),
    ] {
        let masked = ContentOptions { mask: masks(), ..ContentOptions::default() };
        let seen = done(&masked, chat(&json!({ "input.value": text })));
        assert_eq!(seen["input.value"], json!(expected));
    }
}

/// Scenario: options that make no sense.
/// Guarantees: each is refused, by its name.
#[test]
fn options_that_make_no_sense_are_refused() {
    let own = |pattern: &str| Mask::Own { name: "own".to_owned(), pattern: pattern.to_owned(), replacement: None };
    let base = ContentOptions::default;
    for (options, named) in [
        (ContentOptions { policy: Action::Offload, ..base() }, "offload"),
        (ContentOptions { blobs: DataAction::Offload, ..base() }, "offload"),
        (ContentOptions { max_bytes: Some(3), ..base() }, "max_bytes"),
        (ContentOptions { hash_key: Some(HashKey(Vec::new())), ..base() }, "hash_key"),
        (ContentOptions { mask: vec![Mask::Builtin("iban".to_owned())], ..base() }, "mask"),
        (ContentOptions { mask: vec![own("(")], ..base() }, "mask"),
        (ContentOptions { mask: vec![own("a*")], ..base() }, "mask"),
        (ContentOptions { mask: vec![own("masked")], ..base() }, "mask"),
        (ContentOptions { mask: vec![own("a"), own("b")], ..base() }, "mask"),
    ] {
        let error = ContentPolicy::new(&options, &ENGINE).err().unwrap();
        assert_eq!(error.option, named, "{error}");
    }
}

/// Scenario: every recording passes every action, with and without masks and data.
/// Guarantees: a second pass changes nothing; spans keep their numbers; nothing is put aside under a wrong name.
#[test]
fn recordings_pass_every_action() {
    let Some(recordings) = recordings() else { return };
    // Masks take their time without optimisation; with hashes they are most likely to see what is none of theirs.
    let policies = [
        (Action::Keep, DataAction::Drop),
        (Action::Drop, DataAction::Keep),
        (Action::Hash, DataAction::Hash),
        (Action::Truncate, DataAction::Keep),
        (Action::Offload, DataAction::Offload),
    ]
    .map(|(action, data)| {
        let mask = if action == Action::Hash { masks() } else { Vec::new() };
        policy(&ContentOptions { blobs: data, embeddings: data, mask, max_bytes: Some(100), ..options(action) })
    });
    let mut touched = 0;
    for path in &recordings {
        let mut traces = Traces::parse(fs::read(path).unwrap().into()).unwrap();
        ENGINE.process(&mut traces);
        let traces = traces.freeze();
        let before = numbers(&traces.encode());
        for policy in &policies {
            let (after, applied) = apply_twice(policy, traces.clone());
            assert_eq!(before, numbers(&after), "{}", path.display());
            touched += applied.tally.dropped + applied.tally.hashed + applied.tally.truncated + applied.tally.offloaded;
        }
    }
    assert!(touched > 5_000, "{touched}");
}

/// All numbers among the attributes, without what is told of the content itself.
fn numbers(bytes: &Bytes) -> Vec<String> {
    let spans = seen(bytes).into_iter().collect::<BTreeMap<_, _>>();
    spans
        .into_iter()
        .flat_map(|(id, span)| span.into_iter().map(move |(key, value)| (id, key, value)))
        .filter(|(_, key, value)| value.is_number() && !key.starts_with("spanmill.content."))
        .map(|(id, key, value)| format!("{id} {key} {value}"))
        .collect()
}

/// JSON of any form.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        ".{0,20}".prop_map(Json::from),
        Just(Json::from("PLANTED")),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::btree_map("[a-z]{1,8}|content|arguments|id|type", inner.clone(), 0..6)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
            // JSON in a text.
            inner.prop_map(|json| Json::from(json.to_string())),
        ]
    })
}

/// A text as JSON spells it, without quotes.
fn inside(text: &str) -> String {
    let json = json!(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// A text as JSON may spell it: every other character as an escape.
fn escaped(text: &str) -> String {
    let spell = |(at, unit): (usize, char)| match at % 2 {
        0 => format!("\\u{:04x}", u32::from(unit)),
        _ => unit.to_string(),
    };
    text.chars().enumerate().map(spell).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Scenario: a secret is planted among texts of any JSON, spelled with or without escapes, under attributes of several forms; or the
    /// JSON is cut off anywhere.
    /// Guarantees: JSON stays JSON of the same form, and the secret is nowhere, however it is read.
    #[test]
    fn masking_never_breaks_json_and_never_leaves_a_secret(
        json in any_json(),
        secret in prop::sample::select(vec!["sk-proj-abcdefghijklmnopqrstuv", "jo.doe@mail.example.com", "4111 1111 1111 1111", "+49 30 1234567", "192.168.10.20"]),
        spelled in any::<bool>(),
        before in "([a-z]{0,5}[ \n\t\"])?",
        kept in prop_oneof![Just(100_usize), 0_usize..100],
        key in prop::sample::select(vec!["input.value", "gen_ai.tool.call.arguments", "gen_ai.completion"]),
    ) {
        let text = json.to_string();
        let secret_as = if spelled && !text.contains('\\') { escaped(secret) } else { secret.to_owned() };
        let planted = text.replace("PLANTED", &format!("{}{secret_as}", inside(&before)));
        let kept = (planted.len() * kept / 100..=planted.len()).find(|at| planted.is_char_boundary(*at)).unwrap();
        let planted = &planted[..kept];
        let mut traces = Traces::parse(request(&[chat(&json!({}))]).into()).unwrap();
        traces.set_attribute(spanmill_otlp::SpanIx::default(), key, spanmill_otlp::Value::Str(planted));
        let seen = seen(&MASKING.apply(traces).traces.encode()).remove(&1).unwrap();
        let masked = seen[key].as_str().unwrap();
        // A number alone is a text like any other.
        if let Ok(before @ (Json::Array(_) | Json::Object(_) | Json::String(_))) = serde_json::from_str::<Json>(planted) {
            let after: Json = serde_json::from_str(masked).unwrap();
            prop_assert_eq!(shape(&before), shape(&after));
        }
        prop_assert!(!read_all(masked, 0).contains(secret), "{} {}", planted, masked);
        prop_assert!(!masked.contains(&escaped(secret)), "{} {}", planted, masked);
    }

    /// Scenario: any JSON, with long texts in it, under attributes of several forms, goes through every action twice.
    /// Guarantees: what keeps its structure stays JSON; the second time changes nothing.
    #[test]
    fn every_action_leaves_json_and_is_done_once(
        json in any_json(),
        long in "[a-zé\n\"]{0,300}",
        key in prop::sample::select(vec!["gen_ai.input.messages", "input.value", "gen_ai.tool.call.arguments", "gen_ai.tool.definitions"]),
    ) {
        let text = json.to_string().replace("PLANTED", &inside(&long));
        let is_document = |text: &str| matches!(serde_json::from_str(text), Ok(Json::Array(_) | Json::Object(_)));
        for (policy, keeps_structure) in POLICIES.iter().zip([true, true, false, true]) {
            let mut traces = Traces::parse(request(&[chat(&json!({}))]).into()).unwrap();
            traces.set_attribute(spanmill_otlp::SpanIx::default(), key, spanmill_otlp::Value::Str(&text));
            let once = policy.apply(traces).traces.encode();
            let twice = policy.apply(Traces::parse(once.clone()).unwrap()).traces.encode();
            let seen = seen(&once).remove(&1).unwrap();
            prop_assert_eq!(&seen, &support::seen(&twice).remove(&1).unwrap());
            let structured = keeps_structure || key.ends_with("messages") || key.ends_with("definitions");
            if is_document(&text) && structured {
                prop_assert!(is_document(seen[key].as_str().unwrap()), "{}", seen[key]);
            }
        }
    }
}

/// What stands where, texts aside.
fn shape(json: &Json) -> Json {
    match json {
        Json::String(_) => json!("text"),
        Json::Array(items) => items.iter().map(shape).collect(),
        Json::Object(map) => Json::Array(map.values().map(shape).collect()),
        other => other.clone(),
    }
}

/// All that can be read in a text, with the JSON in it opened.
fn read_all(text: &str, depth: u8) -> String {
    let mut all = text.to_owned();
    if depth < 10
        && let Ok(json) = serde_json::from_str::<Json>(text)
    {
        let mut rest = vec![json];
        while let Some(json) = rest.pop() {
            match json {
                Json::String(text) => all.push_str(&format!("\n{}", read_all(&text, depth + 1))),
                Json::Array(items) => rest.extend(items),
                Json::Object(map) => rest.extend(map.into_iter().flat_map(|(key, value)| [Json::String(key), value])),
                _ => {}
            }
        }
    }
    all
}
