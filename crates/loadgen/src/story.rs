//! What happens in one visit to a service: the calls, and the spans that tell of them.

use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use crate::attributes::attribute;
use crate::call::{Call, Outcome, nanos};
use crate::catalogue::Service;
use crate::dialect::{Dialect, Scope, Scoped, agent, spans, tool};
use crate::dice::Dice;
use crate::text::{messages, text};

/// One request to a service: one trace.
#[derive(Debug)]
pub(crate) struct Visit {
    /// The calls of models that it led to, in order.
    pub(crate) calls: Vec<Call>,
    /// All its spans, in no order.
    pub(crate) spans: Vec<Scoped>,
    /// How many of them repeat the usage of the calls below them.
    pub(crate) rollups: usize,
}

/// What a visit consists of, before it has a place in time.
#[derive(Debug)]
enum Step {
    Call(Call),
    Tool {
        name: &'static str,
        arguments: String,
        duration: Duration,
    },
    /// Time for which there is no span.
    Pause(Duration),
}

/// A visit, before it has a place in time.
#[derive(Debug)]
struct Plan {
    steps: Vec<Step>,
    /// An agent whose span alone tells of what its calls used: all of them count as one.
    whole: Option<Call>,
}

/// The kinds of calls, apart from those that fail.
#[derive(Debug, Clone, Copy)]
enum Mood {
    /// An answer as one likes it.
    Quick,
    /// A large prompt, for which the time is fair.
    Large,
    /// A long answer that was cut.
    Cut,
    /// Small, but the first piece came late.
    ColdStart,
    /// Small, but the answer dripped.
    Drip,
}

const SERVER: Scope = Scope {
    name: "opentelemetry.instrumentation.fastapi",
    version: "0.66b1",
    schema_url: "https://opentelemetry.io/schemas/1.11.0",
};
const DATABASE: Scope = Scope {
    name: "opentelemetry.instrumentation.psycopg",
    version: "0.66b1",
    schema_url: "https://opentelemetry.io/schemas/1.11.0",
};
/// Between two steps of one visit.
const GAP: Duration = Duration::from_millis(3);
const MOODS: [(Mood, u32); 5] =
    [(Mood::Quick, 76), (Mood::Large, 12), (Mood::Cut, 5), (Mood::ColdStart, 4), (Mood::Drip, 3)];
const TOOLS: [&str; 4] = ["search_docs", "get_weather", "lookup_invoice", "read_page"];

/// A visit that ended at that time, or a little earlier. The first visits of a service find it cold.
pub(crate) fn visit(service: &'static Service, cold: bool, end_unix_nano: u64, dice: &mut Dice) -> Visit {
    let plan = if !service.agent || dice.percent(40) {
        Plan { steps: chat_steps(service, cold, dice), whole: None }
    } else if dice.percent(12) {
        stuck_agent(service, dice)
    } else {
        Plan { steps: agent_steps(service, dice), whole: None }
    };
    stage(service, plan, end_unix_nano, dice)
}

fn chat_steps(service: &'static Service, cold: bool, dice: &mut Dice) -> Vec<Step> {
    let mut steps = Vec::new();
    if dice.percent(6) {
        let failed = failure(service, dice);
        // A client tries again after a refusal.
        let retried = failed.outcome == Outcome::RateLimited;
        steps.push(Step::Call(failed));
        if !retried {
            return steps;
        }
    }
    let mood = if cold {
        Mood::ColdStart
    } else {
        MOODS.get(dice.weighted(MOODS.iter().map(|mood| mood.1))).map_or(Mood::Quick, |mood| mood.0)
    };
    steps.push(Step::Call(answer(service, mood, dice)));
    steps
}

fn agent_steps(service: &'static Service, dice: &mut Dice) -> Vec<Step> {
    let looping = dice.percent(25);
    let rounds = if looping { dice.number(3, 6) } else { dice.number(1, 3) };
    let mut tool = dice.pick(&TOOLS);
    let mut arguments = format!(r#"{{"query": "{}"}}"#, dice.hex(6));
    let mut input = dice.number(300, 900);
    let mut steps = Vec::new();
    for _ in 0..rounds {
        let mut call = answer(service, Mood::Quick, dice);
        call.outcome = Outcome::ToolCalls;
        (call.input_tokens, call.cached_tokens) = (input, 0);
        call.output_tokens = dice.number(15, 60);
        input += call.output_tokens + dice.number(40, 140);
        steps.push(Step::Call(call));
        if !looping {
            tool = dice.pick(&TOOLS);
            arguments = format!(r#"{{"query": "{}"}}"#, dice.hex(6));
        }
        steps.push(Step::Tool { name: tool, arguments: arguments.clone(), duration: dice.millis(5, 400) });
    }
    let mut call = answer(service, Mood::Quick, dice);
    (call.input_tokens, call.cached_tokens) = (input, 0);
    steps.push(Step::Call(call));
    steps
}

/// An agent that calls the same tool over and over. Its framework traces tools, and sums usage up on the agent's span.
fn stuck_agent(service: &'static Service, dice: &mut Dice) -> Plan {
    let (tool, arguments) = (dice.pick(&TOOLS), format!(r#"{{"query": "{}"}}"#, dice.hex(6)));
    let mut steps = Vec::new();
    for _ in 0..dice.number(3, 7) {
        steps.push(Step::Pause(dice.millis(1800, 3000)));
        steps.push(Step::Tool { name: tool, arguments: arguments.clone(), duration: dice.millis(5, 400) });
    }
    let input_tokens = dice.number(400, 1900);
    let output_tokens = dice.number(60, 400);
    let whole =
        Call { input_tokens, output_tokens, looped: true, duplicates: 0, ..blank(service, Outcome::Stop, dice) };
    Plan { steps, whole: Some(whole) }
}

/// A call that is answered. Durations and counts keep clear of the borders of slow and small.
fn answer(service: &'static Service, mood: Mood, dice: &mut Dice) -> Call {
    let (duration, first_share, input, output) = match mood {
        Mood::Quick => (dice.millis(300, 4500), (8, 40), dice.number(60, 6000), dice.number(20, 600)),
        Mood::Large => (dice.millis(5300, 28_000), (10, 60), dice.number(9000, 120_000), dice.number(200, 2000)),
        Mood::Cut => (dice.millis(5300, 15_000), (5, 20), dice.number(200, 1900), 1024),
        Mood::ColdStart => (dice.millis(5300, 14_000), (75, 95), dice.number(60, 1900), dice.number(20, 300)),
        Mood::Drip => (dice.millis(5300, 12_000), (3, 12), dice.number(60, 1900), dice.number(40, 400)),
    };
    let cached_tokens = if service.caches && input > 4000 && dice.percent(50) { input / 10 * 9 } else { 0 };
    let time_to_first_token = service.streams.then(|| dice.share(duration, first_share.0, first_share.1));
    let outcome = if matches!(mood, Mood::Cut) { Outcome::Length } else { Outcome::Stop };
    let prompt = service.prompts.then(|| prompt(service, input, dice));
    Call {
        duration,
        time_to_first_token,
        input_tokens: input,
        cached_tokens,
        output_tokens: output,
        prompt,
        ..blank(service, outcome, dice)
    }
}

fn failure(service: &'static Service, dice: &mut Dice) -> Call {
    let outcome = dice.pick(&[Outcome::RateLimited, Outcome::RateLimited, Outcome::ServerError, Outcome::TimedOut]);
    let duration = match outcome {
        Outcome::TimedOut => dice.millis(30_000, 30_100),
        _ => dice.millis(40, 900),
    };
    Call { duration, ..blank(service, outcome, dice) }
}

fn blank(service: &'static Service, outcome: Outcome, dice: &mut Dice) -> Call {
    let model = dice.pick(&service.models);
    Call {
        service: service.name,
        provider: service.provider.name,
        request_model: model.request,
        response_model: model.response,
        trace_id: [0; 16],
        start_unix_nano: 0,
        duration: Duration::ZERO,
        time_to_first_token: None,
        input_tokens: 0,
        cached_tokens: 0,
        output_tokens: 0,
        outcome,
        response_id: format!("{}{}", service.provider.id_prefix, dice.hex(24)),
        duplicates: usize::from(service.dialect == Dialect::WrappedAnthropicSdk),
        looped: false,
        kind: service.provider,
        prompt: None,
    }
}

/// A prompt of about so many tokens, cut as instrumentations cut them.
fn prompt(service: &Service, tokens: u64, dice: &mut Dice) -> String {
    const BYTES_PER_TOKEN: u64 = 4;
    const LIMIT: u64 = 16 * 1024;
    let bytes = usize::try_from((tokens * BYTES_PER_TOKEN).min(LIMIT)).unwrap_or_default();
    if service.dialect == Dialect::OpenInference { text(dice, bytes) } else { messages(dice, bytes) }
}

/// Gives the steps their place in time, and spans.
fn stage(service: &'static Service, plan: Plan, end_unix_nano: u64, dice: &mut Dice) -> Visit {
    let Plan { steps, whole } = plan;
    let lasting = steps.iter().map(|step| step.duration() + GAP).sum::<Duration>() + GAP;
    let start = end_unix_nano - nanos(lasting);
    let trace_id = dice.bytes::<16>();
    let root = dice.bytes::<8>();
    let bare = |parent: &[u8], from: u64, until: u64, dice: &mut Dice| Span {
        trace_id: trace_id.to_vec(),
        span_id: dice.bytes::<8>().to_vec(),
        parent_span_id: parent.to_vec(),
        start_time_unix_nano: from,
        end_time_unix_nano: until,
        flags: 0x100,
        status: Some(Status::default()),
        ..Span::default()
    };

    let mut visit = Visit { calls: Vec::new(), spans: Vec::new(), rollups: 0 };
    let with_agent = steps.iter().any(|step| matches!(step, Step::Tool { .. }));
    let around = with_agent.then(|| bare(&root, start + nanos(GAP) / 2, end_unix_nano - nanos(GAP) / 2, dice));
    let parent = around.as_ref().map_or(root.to_vec(), |span| span.span_id.clone());

    if dice.percent(40) {
        let query = bare(&root, start + 200_000, start + nanos(dice.millis(1, 3)) / 2, dice);
        visit.spans.push(database(query));
    }
    let mut clock = start + nanos(GAP);
    for step in steps {
        let begin = clock;
        clock += nanos(step.duration() + GAP);
        match step {
            Step::Call(call) => {
                let call = Call { trace_id, start_unix_nano: begin, ..call };
                visit.spans.extend(spans(service, &call, &parent, dice));
                visit.calls.push(call);
            }
            Step::Pause(_) => {}
            Step::Tool { name, arguments, duration } => {
                let span = bare(&parent, begin, begin + nanos(duration), dice);
                visit.spans.push(tool(span, name, &arguments, dice));
            }
        }
    }
    if let (Some(span), Some(call)) = (&around, whole) {
        let lasted = span.end_time_unix_nano - span.start_time_unix_nano;
        let start_unix_nano = span.start_time_unix_nano;
        let call = Call { trace_id, start_unix_nano, duration: Duration::from_nanos(lasted), ..call };
        let mut scoped = agent(span.clone(), service.name, Some((call.input_tokens, call.output_tokens)));
        scoped.span.attributes.push(attribute("gen_ai.provider.name", call.provider));
        scoped.span.attributes.push(attribute("gen_ai.request.model", call.request_model));
        scoped.ends_call = true;
        visit.spans.push(scoped);
        visit.calls.push(call);
    } else if let Some(span) = around {
        // The OpenTelemetry project's agents may sum up their usage; this one's framework does.
        let sums = service.dialect == Dialect::Otel;
        let usage =
            visit.calls.iter().fold((0, 0), |sum, call| (sum.0 + call.input_tokens, sum.1 + call.output_tokens));
        visit.rollups += usize::from(sums);
        visit.spans.push(agent(span, service.name, sums.then_some(usage)));
    }
    let failed = visit.calls.last().is_some_and(|call| !call.outcome.is_ok());
    let span = Span { span_id: root.to_vec(), ..bare(&[], start, end_unix_nano, dice) };
    visit.spans.push(server(service, span, failed));
    visit
}

fn server(service: &Service, span: Span, failed: bool) -> Scoped {
    let status = if failed { 502 } else { 200 };
    let attributes = vec![
        attribute("http.method", "POST"),
        attribute("http.route", service.route),
        attribute("http.scheme", "http"),
        attribute("http.status_code", status),
    ];
    let code = if failed { 2 } else { 0 };
    let name = format!("POST {}", service.route);
    let status = Some(Status { message: String::new(), code });
    Scoped::new(SERVER, Span { name, kind: 2, attributes, status, ..span })
}

fn database(span: Span) -> Scoped {
    let attributes = vec![
        attribute("db.system", "postgresql"),
        attribute("db.name", "sessions"),
        attribute("db.statement", "SELECT history FROM sessions WHERE id = %s"),
    ];
    Scoped::new(DATABASE, Span { name: "SELECT".to_owned(), kind: 3, attributes, ..span })
}

// === impl Step ===

impl Step {
    fn duration(&self) -> Duration {
        match self {
            Self::Call(call) => call.duration,
            Self::Tool { duration, .. } | Self::Pause(duration) => *duration,
        }
    }
}
