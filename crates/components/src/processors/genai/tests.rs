use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{AnyValue, Part, Patch, Signal, SpanIx, SpanRef, Traces, Value};
use spanmill_pipeline::{Batch, Context, Host, Node, Telemetry};

use super::super::testing::Sink;
use super::FACTORY;

fn make(yaml: &str, signal: Signal, next: Arc<Sink>, telemetry: &Telemetry) -> Result<Arc<dyn Node>, String> {
    let id = ComponentId::new("genai", "").unwrap();
    let section = Section::from_yaml("processors::genai", yaml).unwrap();
    let context = Context { id: &id, section: &section, telemetry };
    (FACTORY.create)(context, signal, next).map_err(|error| error.to_string())
}

fn refusal(yaml: &str) -> String {
    make(yaml, Signal::Traces, Arc::default(), &Telemetry::default()).err().unwrap_or_default()
}

/// One span with a model call of an old convention.
fn request() -> Traces {
    let mut traces = Traces::parse(Bytes::from_static(b"\x0a\x04\x12\x02\x12\x00")).unwrap();
    let mut patch = Patch::new(Part::Span);
    patch.append("gen_ai.system", Value::Str("openai"));
    patch.append("gen_ai.usage.prompt_tokens", Value::Int(5));
    patch.append("gen_ai.usage.completion_tokens", Value::Int(7));
    traces.apply(SpanIx::default(), &patch);
    traces
}

/// Scenario: a request with a GenAI span passes a processor with default options.
/// Guarantees: the next component gets it normalised, and the processor counts it by source and role.
#[tokio::test]
async fn a_request_passes_normalised() {
    let (sink, telemetry) = (Arc::new(Sink::default()), Telemetry::default());
    let node = make("{}", Signal::Traces, Arc::clone(&sink), &telemetry).unwrap();
    node.consume(Batch::from(request())).await.unwrap();
    let taken = sink.0.lock().unwrap();
    let span = taken[0].spans().next().unwrap();
    assert_eq!(span.attribute("gen_ai.usage.input_tokens").unwrap().as_int(), Some(5));
    assert_eq!(span.attribute("gen_ai.usage.output_tokens").unwrap().as_int(), Some(7));
    assert_eq!(span.attribute("spanmill.usage.role").unwrap().as_str(), Some("owner"));
    let owners =
        telemetry.counter("spanmill_processor_genai_usage_spans", "", &[("processor", "genai"), ("role", "owner")]);
    assert_eq!(owners.get(), 1);
}

/// Scenario: `originals: remove`.
/// Guarantees: what has a standard name is gone under its old one.
#[tokio::test]
async fn originals_can_be_removed() {
    let sink = Arc::new(Sink::default());
    let node = make("originals: remove", Signal::Traces, Arc::clone(&sink), &Telemetry::default()).unwrap();
    node.consume(Batch::from(request())).await.unwrap();
    let taken = sink.0.lock().unwrap();
    let span = taken[0].spans().next().unwrap();
    assert!(span.attribute("gen_ai.usage.prompt_tokens").is_none());
    assert!(span.attribute("gen_ai.usage.input_tokens").is_some());
}

/// Scenario: options that nothing acts upon, or that make no sense.
/// Guarantees: each is refused, and the message names it.
#[test]
fn options_without_effect_are_refused() {
    for (yaml, named) in [
        ("usage: {hold: -5s}", "usage::hold"),
        ("usage: {memory: 10KiB}", "usage::memory"),
        ("conventions: 1.30", "conventions"),
        ("pricing: {table: prices.json}", "pricing::table"),
        ("pricing: {overrides: [{model: x}]}", "input"),
        ("pricing: {unknown: zero}", "pricing::unknown"),
        ("slow_small: {min_duration: -1s}", "slow_small::min_duration"),
        ("slow_small: {finish_reasons: [bored]}", "bored"),
        ("sources: [nobody]", "nobody"),
        ("sources: []", "sources"),
        ("colour: red", "colour"),
    ] {
        let message = refusal(yaml);
        assert!(message.contains(named), "{yaml}: {message:?}");
    }
}

/// Scenario: all options of the reference, with their defaults written out.
/// Guarantees: they are accepted.
#[test]
fn defaults_may_be_written_out() {
    let yaml = r#"
sources: [all]
conventions: "1.41"
schema_url: fill
originals: keep
messages: convert
usage: {memory: 12MiB, hold: 0s, hold_memory: 64MiB}
pricing: {table: builtin, overrides: [], unknown: skip}
slow_small: {min_duration: 5s, max_input_tokens: 2000, finish_reasons: [stop]}
flags: {}
content: {policy: keep, rules: [], max_bytes: 4KiB, blobs: keep, embeddings: keep, mask: [], offload: {}}
"#;
    assert_eq!(refusal(yaml), "");
}

/// Scenario: sources of the user's own, written out and in a file, and such that are wrong.
/// Guarantees: spans of the first two are recognised, beside those of built-in sources; the others are refused, with their place and what is
/// wrong.
#[tokio::test]
async fn sources_can_be_added() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme.yaml");
    let acme = "name: acme\nrecognise: {markers: [acme.tokens]}\nattributes: [{from: acme.tokens, to: gen_ai.usage.input_tokens}]\noperation: {default: chat}\n";
    std::fs::write(&file, acme).unwrap();
    let inline = "sources: [{name: corp, recognise: {markers: [corp.in]}, attributes: [{from: corp.in, to: gen_ai.usage.input_tokens}]}]";
    for (yaml, key, source) in [
        (format!("sources: [{{file: {}}}]", file.display()), "acme.tokens", "acme"),
        (inline.to_owned(), "corp.in", "corp"),
        (inline.replace("}]}]", "}]}, openlit]"), "corp.in", "corp"),
    ] {
        let sink = Arc::new(Sink::default());
        let node = make(&yaml, Signal::Traces, Arc::clone(&sink), &Telemetry::default()).unwrap();
        let mut traces = Traces::parse(Bytes::from_static(b"\x0a\x04\x12\x02\x12\x00")).unwrap();
        traces.set_attribute(SpanIx::default(), key, Value::Int(5));
        node.consume(Batch::from(traces)).await.unwrap();
        let taken = sink.0.lock().unwrap();
        let span = taken[0].spans().next().unwrap();
        assert_eq!(span.attribute("spanmill.source").unwrap().as_str(), Some(source), "{yaml}");
        assert_eq!(span.attribute("gen_ai.usage.input_tokens").unwrap().as_int(), Some(5), "{yaml}");
    }
    std::fs::write(&file, acme.replace("input_tokens}", "input_tokens, as: parsecs}")).unwrap();
    for (yaml, named) in [
        (format!("sources: [{{file: {}}}]", file.display()), "parsecs"),
        ("sources: [{file: /there/is/none}]".to_owned(), "/there/is/none"),
        ("sources: [openlit, {name: a, colour: red}]".to_owned(), "sources[1]"),
        ("sources: [{name: a, attributes: [{from: x, to: gen_ai.colour}]}]".to_owned(), "gen_ai.colour"),
    ] {
        let message = refusal(&yaml);
        assert!(message.contains(named), "{yaml}: {message:?}");
    }
}

/// Scenario: flags of the user's own, on what the span had and on what was written; and flags that are wrong.
/// Guarantees: they are set where the condition is met; the others are refused by what is wrong with them.
#[tokio::test]
async fn flags_can_be_added() {
    let sink = Arc::new(Sink::default());
    let yaml = r#"
flags:
  chatty: {when: 'attributes["gen_ai.usage.output_tokens"] > 6'}
  terse: {when: 'attributes["gen_ai.usage.output_tokens"] < 6'}
  nothing: {when: 'attributes["there.is.none"] > 6'}
"#;
    let node = make(yaml, Signal::Traces, Arc::clone(&sink), &Telemetry::default()).unwrap();
    node.consume(Batch::from(request())).await.unwrap();
    let taken = sink.0.lock().unwrap();
    let flagged = Traces::parse(taken[0].encode()).unwrap();
    let span = flagged.spans().next().unwrap();
    assert!(matches!(span.attribute("spanmill.chatty").unwrap().get(), AnyValue::Bool(true)));
    assert!(span.attribute("spanmill.terse").is_none() && span.attribute("spanmill.nothing").is_none());
    for (yaml, named) in [
        ("flags: {chatty: {when: 'attributes[\"x\"] >'}}", "flags::chatty::when"),
        ("flags: {Chatty: {when: 'true'}}", "Chatty"),
        ("flags: {source: {when: 'true'}}", "spanmill.source"),
        ("flags: {chatty: {if: 'true'}}", "if"),
    ] {
        let message = refusal(yaml);
        assert!(message.contains(named), "{yaml}: {message:?}");
    }
}

/// Scenario: a table of prices in a file, a price of the user's, and tables and prices that are none.
/// Guarantees: the first two are accepted; the others are refused by what is wrong with them.
#[test]
fn prices_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.tsv");
    std::fs::write(&file, "openai\tgpt-9\tin=1 out=2\n").unwrap();
    assert_eq!(refusal(&format!("pricing: {{table: {}}}", file.display())), "");
    assert_eq!(refusal("pricing: {table: none, overrides: [{model: mine, input: 1, output: 2.5}]}"), "");
    std::fs::write(&file, "openai gpt-9 in=1\n").unwrap();
    for (yaml, named) in [
        (format!("pricing: {{table: {}}}", file.display()), "line 1"),
        ("pricing: {table: /there/is/none}".to_owned(), "/there/is/none"),
        ("pricing: {overrides: [{model: mine, input: -1}]}".to_owned(), "mine"),
        ("pricing: {overrides: [{model: mine, price: 1}]}".to_owned(), "price"),
    ] {
        let message = refusal(&yaml);
        assert!(message.contains(named), "{yaml}: {message:?}");
    }
}

/// Scenario: a metrics pipeline names the processor.
/// Guarantees: it is refused.
#[test]
fn it_works_on_spans_only() {
    let made = make("{}", Signal::Metrics, Arc::default(), &Telemetry::default());
    assert!(made.err().is_some_and(|message| message.contains("traces pipelines only")));
}

type Attributes<'a> = &'a [(&'a str, Value<'a>)];

/// A request with spans of these traces, each with its id, its parent and what it says.
fn spans(spans: &[(u8, u8, u8, Attributes<'_>)]) -> Traces {
    let mut scope = Vec::new();
    for (trace, id, parent, _) in spans {
        let mut span = [&[0x0a, 16][..], &[*trace; 16], &[0x12, 8], &[*id; 8]].concat();
        if *parent != 0 {
            span.extend([&[0x22, 8][..], &[*parent; 8]].concat());
        }
        scope.extend([&[0x12, span.len() as u8][..], &span].concat());
    }
    let resource = [&[0x12, scope.len() as u8][..], &scope].concat();
    let mut traces = Traces::parse([&[0x0a, resource.len() as u8][..], &resource].concat().into()).unwrap();
    let ixs: Vec<SpanIx> = traces.span_ixs().collect();
    for (ix, (_, _, _, attributes)) in ixs.into_iter().zip(spans) {
        let mut patch = Patch::new(Part::Span);
        attributes.iter().for_each(|(key, value)| patch.append(key, *value));
        traces.apply(ix, &patch);
    }
    traces.freeze()
}

fn host() -> Host {
    Host::new(HashMap::new(), tokio::sync::mpsc::unbounded_channel().0)
}

const WRAPPER: Attributes<'_> = &[
    ("gen_ai.operation.name", Value::Str("chat")),
    ("gen_ai.usage.input_tokens", Value::Int(5)),
    ("gen_ai.usage.output_tokens", Value::Int(7)),
];

const CALL: Attributes<'_> = &[
    ("gen_ai.operation.name", Value::Str("chat")),
    ("gen_ai.response.id", Value::Str("r")),
    ("gen_ai.usage.input_tokens", Value::Int(5)),
    ("gen_ai.usage.output_tokens", Value::Int(7)),
];

/// Scenario: a wrapper's span arrives in one request with a span of another trace, the call's own span two seconds later; traces are held for five.
/// Guarantees: nothing passes before its time; each trace passes once, whole; the call owns, though its span came last. At the end what is held passes.
#[tokio::test(start_paused = true)]
async fn held_traces_are_decided_whole() {
    let sink = Arc::new(Sink::default());
    let node = make("usage: {hold: 5s}", Signal::Traces, Arc::clone(&sink), &Telemetry::default()).unwrap();
    node.start(&host()).await.unwrap();
    node.consume(Batch::from(spans(&[(1, 1, 0, WRAPPER), (2, 9, 0, CALL)]))).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    node.consume(Batch::from(spans(&[(1, 2, 1, CALL), (3, 8, 0, CALL)]))).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2_900)).await;
    assert!(sink.0.lock().unwrap().is_empty());
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let roles = |traces: &Traces| -> Vec<(u8, u8, String)> {
        let role = |span: SpanRef<'_>| span.attribute("spanmill.usage.role").unwrap().as_str().unwrap().to_owned();
        traces.spans().map(|span| (span.trace_id()[0], span.span_id()[0], role(span))).collect()
    };
    let said = |trace, span, role: &str| (trace, span, role.to_owned());
    {
        let taken = sink.0.lock().unwrap();
        assert_eq!(taken.len(), 1);
        let first = Traces::parse(taken[0].encode()).unwrap();
        // The response id of trace 2 is that of trace 1, whose call comes from another place.
        assert_eq!(roles(&first)[0], said(1, 1, "duplicate"));
        assert_eq!(first.spans().map(|span| span.trace_id()[0]).collect::<Vec<_>>(), [1, 2, 1]);
    }
    node.shutdown().await.unwrap();
    let taken = sink.0.lock().unwrap();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[1].spans().map(|span| span.trace_id()[0]).collect::<Vec<_>>(), [3]);
}

/// Scenario: more than may be held, by a tiny limit.
/// Guarantees: the oldest passes before its time, and is counted; nothing is refused or lost.
#[tokio::test(start_paused = true)]
async fn what_is_held_is_bounded() {
    let (sink, telemetry) = (Arc::new(Sink::default()), Telemetry::default());
    let yaml = "usage: {hold: 60s, hold_memory: 200B}";
    let node = make(yaml, Signal::Traces, Arc::clone(&sink), &telemetry).unwrap();
    node.start(&host()).await.unwrap();
    for trace in 1..=3 {
        node.consume(Batch::from(spans(&[(trace, 1, 0, WRAPPER)]))).await.unwrap();
    }
    while sink.0.lock().unwrap().len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let early = telemetry.counter("spanmill_processor_genai_hold_released_early", "", &[("processor", "genai")]);
    assert_eq!(early.get(), 2);
    node.shutdown().await.unwrap();
    assert_eq!(sink.0.lock().unwrap().len(), 3);
}

/// A request whose span has a prompt under an old name.
fn asking(question: &str) -> Traces {
    let mut traces = request();
    traces.set_attribute(SpanIx::default(), "gen_ai.prompt", Value::Str(question));
    traces
}

/// What the only span that a sink took says under a key.
fn taken(sink: &Sink, key: &str) -> Option<String> {
    let taken = sink.0.lock().unwrap();
    taken.last().unwrap().spans().next().unwrap().attribute(key)?.as_str().map(str::to_owned)
}

/// Scenario: content passes with default options, and with an address in it that is to be masked.
/// Guarantees: by default it stays; the address is gone from what was found and what was made of it, and is counted.
#[tokio::test]
async fn content_is_masked_where_that_is_asked_for() {
    let question = "Write to jo@example.com about ORD-12";
    for (yaml, expected) in [
        ("{}", question),
        ("content: {policy: keep}", question),
        (
            "content: {mask: [email, {name: order, pattern: 'ORD-\\d+'}]}",
            "Write to [masked:email] about [masked:order]",
        ),
    ] {
        let (sink, telemetry) = (Arc::new(Sink::default()), Telemetry::default());
        let node = make(yaml, Signal::Traces, Arc::clone(&sink), &telemetry).unwrap();
        node.consume(Batch::from(asking(question))).await.unwrap();
        assert_eq!(taken(&sink, "gen_ai.prompt").unwrap(), expected);
        assert!(taken(&sink, "gen_ai.input.messages").unwrap().contains(expected));
        let labels = [("processor", "genai"), ("kind", "email")];
        let masked = telemetry.counter("spanmill_processor_genai_content_masked", "", &labels).get();
        assert_eq!(masked, if expected == question { 0 } else { 2 });
    }
}

/// Scenario: content is put aside into a folder that is not there yet, twice, and one of its files is removed and another changed meanwhile.
/// Guarantees: references lead to files that hold what stood there; a file that is there is not written again, one that is not is.
#[tokio::test]
async fn content_is_put_aside_into_a_folder() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("deep/content");
    let yaml = format!("content: {{policy: offload, offload: {{directory: {}}}}}", folder.display());
    let (sink, telemetry) = (Arc::new(Sink::default()), Telemetry::default());
    let node = make(&yaml, Signal::Traces, Arc::clone(&sink), &telemetry).unwrap();
    node.consume(Batch::from(asking("Hot?"))).await.unwrap();
    let reference: serde_json::Value = serde_json::from_str(&taken(&sink, "gen_ai.prompt").unwrap()).unwrap();
    let file = reference["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Hot?");
    // The prompt, and the messages that were made of it; nothing unfinished is left.
    let files = || std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(files().len(), 2);
    std::fs::write(&file, "changed").unwrap();
    files()
        .iter()
        .filter(|path| !file.ends_with(path.to_str().unwrap()))
        .for_each(|path| std::fs::remove_file(path).unwrap());
    node.consume(Batch::from(asking("Hot?"))).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "changed");
    assert_eq!(files().len(), 2);
    let labels = [("processor", "genai"), ("action", "offload")];
    assert_eq!(telemetry.counter("spanmill_processor_genai_content_values", "", &labels).get(), 4);
}

/// Scenario: the folder for content goes away while the pipeline runs, and an object store does not answer.
/// Guarantees: requests are refused so that clients send them again; nothing goes on without its content; once the folder is back, so is all.
#[tokio::test]
async fn nothing_is_lost_where_nothing_can_be_put_aside() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("content");
    // Nobody listens at port 1.
    let options = "{aws_access_key_id: a, aws_secret_access_key: b, aws_endpoint: 'http://127.0.0.1:1', aws_allow_http: 'true', aws_region: r}";
    for (yaml, works) in [
        (format!("{{directory: {}}}", folder.display()), true),
        (format!("{{url: 's3://bucket/content', options: {options}}}"), false),
    ] {
        let yaml = format!("content: {{policy: offload, offload: {yaml}}}");
        let (sink, telemetry) = (Arc::new(Sink::default()), Telemetry::default());
        let node = make(&yaml, Signal::Traces, Arc::clone(&sink), &telemetry).unwrap();
        _ = std::fs::remove_dir_all(&folder);
        let refused = node.consume(Batch::from(asking("Hot?"))).await.unwrap_err();
        assert!(refused.retryable && refused.message.contains("put aside"), "{refused:?}");
        assert!(sink.0.lock().unwrap().is_empty());
        let refusals = telemetry.counter("spanmill_processor_genai_content_refused", "", &[("processor", "genai")]);
        assert_eq!(refusals.get(), 1);
        if works {
            std::fs::create_dir(&folder).unwrap();
            node.consume(Batch::from(asking("Hot?"))).await.unwrap();
        }
    }
}

/// Scenario: options of `content` that make no sense, and all of them with sense.
/// Guarantees: the first are refused by their name, and no secret is shown; the others are accepted.
#[test]
fn options_of_content_are_checked() {
    for (yaml, named) in [
        ("{policy: shred}", "content::policy"),
        ("{policy: offload}", "content::offload"),
        ("{blobs: truncate}", "content::blobs"),
        ("{max_bytes: 10}", "content::max_bytes"),
        ("{mask: [iban]}", "content::mask"),
        ("{mask: [{name: a, pattern: '('}]}", "content::mask"),
        ("{mask: [{name: a}]}", "content::mask"),
        ("{hash_key: ''}", "content::hash_key"),
        ("{rules: [{larger_than: 1KiB}]}", "action"),
        ("{rules: [{attributes: [''], action: drop}]}", "content::rules"),
        ("{rules: [{attributes: [gen_ai.response.id], action: drop}]}", "gen_ai.response.id"),
        ("{offload: {directory: /proc/none}}", "content::offload::directory"),
        ("{offload: {directory: a, url: 's3://b'}}", "content::offload"),
        ("{offload: {url: 'ftp://host/x'}}", "content::offload::url"),
        ("{offload: {url: 'https://user:hidden@host/x'}}", "content::offload::url"),
        ("{offload: {url: 's3://b/x', options: {aws_regoin: hidden}}}", "aws_regoin"),
        ("{offload: {options: {aws_region: hidden}}}", "content::offload"),
        ("{colour: red}", "colour"),
    ] {
        let message = refusal(&format!("content: {yaml}"));
        assert!(message.contains(named), "{yaml}: {message:?}");
        assert!(!message.contains("hidden"), "{yaml}: {message:?}");
    }
    let yaml = r#"
content:
  policy: truncate
  max_bytes: 4KiB
  rules:
    - {attributes: [gen_ai.input.messages, llm.input_messages.*], larger_than: 8KiB, action: hash}
    - {larger_than: 1MiB, action: drop}
  blobs: offload
  embeddings: drop
  mask: [keys, email, card, phone, ip, {name: order, pattern: 'ORD-\d+', replacement: '<order>'}]
  hash_key: not-to-be-told
  offload: {url: 's3://bucket/content', options: {aws_region: eu-west-1}}
"#;
    assert_eq!(refusal(yaml), "");
}
