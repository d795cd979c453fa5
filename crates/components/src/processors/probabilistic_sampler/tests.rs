use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{Signal, Value};

use super::super::testing::Sink;
use super::*;

struct Rig {
    node: Arc<dyn Node>,
    sink: Arc<Sink>,
    telemetry: Telemetry,
}

impl Rig {
    fn new(yaml: &str) -> Self {
        let (id, sink, telemetry) =
            (ComponentId::new("probabilistic_sampler", "").unwrap(), Arc::new(Sink::default()), Telemetry::default());
        let section = Section::from_yaml("processors::probabilistic_sampler", yaml).unwrap();
        let context = Context { id: &id, section: &section, telemetry: &telemetry };
        let node = (FACTORY.create)(context, Signal::Traces, sink.clone()).unwrap();
        Self { node, sink, telemetry }
    }

    /// The trace state that a span leaves with; none where it is dropped.
    async fn state(&self, trace_id: &[u8], state: &str, priority: Option<Value<'_>>) -> Option<String> {
        self.node.consume(Batch::Traces(span(trace_id, state, priority))).await.unwrap();
        let traces = self.sink.0.lock().unwrap().pop()?;
        let state = traces.spans().next().unwrap().trace_state().to_vec();
        Some(String::from_utf8(state).unwrap())
    }

    fn counted(&self, policy: &str, sampled: &str) -> u64 {
        let labels = [("policy", policy), ("sampled", sampled)];
        self.telemetry.counter("otelcol_processor_probabilistic_sampler_count_traces_sampled", "", &labels).get()
    }
}

fn span(trace_id: &[u8], state: &str, priority: Option<Value<'_>>) -> Traces {
    let mut body = Vec::new();
    put(&mut body, 0x0a, trace_id);
    put(&mut body, 0x1a, state.as_bytes());
    let (mut scope, mut resource, mut request) = (Vec::new(), Vec::new(), Vec::new());
    put(&mut scope, 0x12, &body);
    put(&mut resource, 0x12, &scope);
    put(&mut request, 0x0a, &resource);
    let mut traces = Traces::parse(request.into()).unwrap();
    if let (Some(value), Some(ix)) = (priority, traces.span_ixs().next()) {
        traces.set_attribute(ix, "sampling.priority", value);
    }
    traces
}

fn put(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    out.extend([tag, body.len() as u8]);
    out.extend(body);
}

/// Scenario: spans without trace ids, in all modes, open and closed.
/// Guarantees: closed drops them, open keeps them and says that they were not sampled, and a priority overrides both.
#[tokio::test]
async fn no_randomness() {
    for id in [&[][..], &[0; 16]] {
        for mode in ["hash_seed", "equalizing", "proportional"] {
            let closed = Rig::new(&format!("{{mode: {mode}, sampling_percentage: 50}}"));
            assert_eq!(closed.state(id, "", None).await, None, "{mode}");
            let kept = closed.state(id, "", Some(Value::Int(1))).await.unwrap();
            assert!(kept.ends_with("th:0"), "{mode} {kept}");
            assert_eq!(closed.counted("missing_randomness", "false"), 1);
            assert_eq!(closed.counted("sampling_priority", "true"), 1);
            let open = Rig::new(&format!("{{mode: {mode}, sampling_percentage: 50, fail_closed: false}}"));
            let expected = if mode == "hash_seed" { "ot=rv:ffffffffffffff;th:0" } else { "ot=th:0" };
            assert_eq!(open.state(id, "", None).await.as_deref(), Some(expected));
        }
    }
}

/// Scenario: one trace id that is kept and one that is not, with the percentages around what decides on it.
/// Guarantees: the decision is by the last seven bytes of the id, and the trace state tells the probability.
#[tokio::test]
async fn trace_ids_decide() {
    let mut id = [1; 16];
    id[9] = 0x80;
    let rig = Rig::new("{mode: equalizing, sampling_percentage: 50}");
    assert_eq!(rig.state(&id, "vendor=x", None).await.as_deref(), Some("ot=th:8,vendor=x"));
    id[9] = 0x7f;
    assert_eq!(rig.state(&id, "", None).await, None);
    assert_eq!((rig.counted("trace_id_w3c", "true"), rig.counted("trace_id_w3c", "false")), (1, 1));
}

/// Scenario: nothing has to be changed, as the span was sampled by more already.
/// Guarantees: the very bytes that came in are passed on.
#[tokio::test]
async fn unchanged_bytes() {
    let rig = Rig::new("{mode: equalizing, sampling_percentage: 50}");
    let traces = span(&[0xff; 16], "ot=th:c", None);
    let before = traces.encode();
    rig.node.consume(Batch::Traces(traces)).await.unwrap();
    let after = rig.sink.0.lock().unwrap().pop().unwrap();
    assert!(!after.is_edited());
    assert_eq!(after.encode(), before);
}

/// Scenario: configurations with mistakes.
/// Guarantees: the message names the option and what is wrong with it.
#[test]
fn mistakes_are_named() {
    let refused = |yaml| {
        let section = Section::from_yaml("processors::probabilistic_sampler", yaml).unwrap();
        config::read(&section).unwrap_err().to_string()
    };
    insta::assert_snapshot!(refused("{sampling_percentage: -5}"), @"processors::probabilistic_sampler:1: processors::probabilistic_sampler::sampling_percentage: sampling rate is negative: -5%");
    insta::assert_snapshot!(refused("{sampling_percentage: 1e-20}"), @"processors::probabilistic_sampler:1: processors::probabilistic_sampler::sampling_percentage: sampling rate is too small: 0.00000000000000000001%");
    insta::assert_snapshot!(refused("{mode: random}"), @r#"processors::probabilistic_sampler:1: processors::probabilistic_sampler::mode: unknown mode "random", valid are hash_seed, equalizing and proportional"#);
    insta::assert_snapshot!(refused("{sampling_precision: 15}"), @"processors::probabilistic_sampler:1: processors::probabilistic_sampler::sampling_precision: expected 1 to 14 hex digits, found 15");
    insta::assert_snapshot!(refused("{attribute_source: span}"), @r#"processors::probabilistic_sampler:1: processors::probabilistic_sampler::attribute_source: unknown attribute source "span", valid are traceID and record"#);
}
