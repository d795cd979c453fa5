//! The configurations of spanmill and of the Go Collector: the same file where they do the same work.
use spanmill_bench_kit::traffic::{Compression, FILTER_BELOW};

/// What happens between receiver and exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Nothing.
    PassThrough,
    /// Spanmill's `genai` processor with its defaults.
    Genai,
    /// The same after a filter.
    GenaiAndFilter,
    /// The filter alone.
    Filter,
    /// The filter, and five statements towards what `genai` does.
    FilterAndFiveStatements,
    /// The same, and 45 statements that do not apply.
    FilterAndFiftyStatements,
    /// Nothing, beside metrics of spans by four attributes that go nowhere.
    SpanMetrics,
    /// Nothing, before a queue in memory.
    Queue,
    /// Nothing, before a queue on disk that is synced before a request is answered.
    DurableQueue,
}

/// The YAML for a collector that listens and sends on those ports.
///
/// The sending queue is off on both sides, but where it is what is measured: a request is answered when the sink has it, so nothing is measured
/// before it is done, and back-pressure reaches the load generator.
pub(crate) fn collector(work: Work, listen: u16, send_to: u16, compression: Compression) -> String {
    let compression = compression.as_str();
    let (processors, used) = match work {
        Work::PassThrough | Work::SpanMetrics | Work::Queue | Work::DurableQueue => (String::new(), "[]"),
        Work::Genai => ("processors:\n  genai: {}\n".to_owned(), "[genai]"),
        Work::GenaiAndFilter => (format!("processors:\n{}  genai: {{}}\n", filter()), "[filter, genai]"),
        Work::Filter => (format!("processors:\n{}", filter()), "[filter]"),
        Work::FilterAndFiveStatements => (format!("processors:\n{}{}", filter(), transform(0)), "[filter, transform]"),
        Work::FilterAndFiftyStatements => {
            (format!("processors:\n{}{}", filter(), transform(45)), "[filter, transform]")
        }
    };
    let (extensions, extended, queue) = match work {
        Work::Queue => ("", "", "block_on_overflow: true"),
        Work::DurableQueue => (
            "extensions:\n  file_storage: {directory: queue, create_directory: true, fsync: true}\n",
            "  extensions: [file_storage]\n",
            "storage: file_storage\n      queue_size: 100000\n      block_on_overflow: true",
        ),
        _ => ("", "", "enabled: false"),
    };
    let (connectors, exporter, connected, metrics) = match work {
        Work::SpanMetrics => (
            SPAN_METRICS,
            "  nop:\n",
            ", span_metrics",
            "    metrics:\n      receivers: [span_metrics]\n      exporters: [nop]\n",
        ),
        _ => ("", "", "", ""),
    };
    format!(
        "{extensions}receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{listen}
        max_recv_msg_size_mib: 64
{processors}{connectors}exporters:
{exporter}  otlp_grpc:
    endpoint: 127.0.0.1:{send_to}
    compression: {compression}
    timeout: 30s
    tls:
      insecure: true
    sending_queue:
      {queue}
service:
{extended}  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      processors: {used}
      exporters: [otlp_grpc{connected}]
{metrics}"
    )
}

/// Four attributes that spans have. Calls are counted and times put into buckets for each service, name, kind, status and these; nothing is sent
/// while it is measured.
const SPAN_METRICS: &str = "connectors:
  span_metrics:
    dimensions:
      - name: gen_ai.provider.name
      - name: gen_ai.operation.name
      - name: gen_ai.request.model
      - name: gen_ai.response.model
";

/// The same condition on both sides; it drops about a tenth of the spans.
fn filter() -> String {
    format!(
        "  filter:
    error_mode: propagate
    traces:
      span:
        - attributes[\"gen_ai.usage.input_tokens\"] < {FILTER_BELOW}
"
    )
}

/// Five of the dozen things that `genai` does. A statement that fails would refuse the request, and the measurement with it.
pub(crate) const STATEMENTS: [&str; 5] = [
    r#"set(attributes["spanmill.total_tokens"], attributes["gen_ai.usage.input_tokens"] + attributes["gen_ai.usage.output_tokens"]) where attributes["gen_ai.usage.output_tokens"] != nil"#,
    r#"set(attributes["spanmill.finish_reason"], attributes["gen_ai.response.finish_reasons"][0]) where attributes["gen_ai.response.finish_reasons"] != nil"#,
    r#"set(attributes["spanmill.tokens_per_second"], Double(attributes["gen_ai.usage.output_tokens"]) * 1000000000.0 / Double(end_time_unix_nano - start_time_unix_nano)) where attributes["gen_ai.usage.output_tokens"] != nil"#,
    r#"set(attributes["spanmill.input_tokens.bucket"], "2k-8k") where attributes["gen_ai.usage.input_tokens"] >= 2000 and attributes["gen_ai.usage.input_tokens"] < 8000"#,
    r#"set(attributes["spanmill.slow_small"], true) where end_time_unix_nano - start_time_unix_nano > 5000000000 and attributes["gen_ai.usage.input_tokens"] < 2000 and attributes["spanmill.finish_reason"] == "stop""#,
];

/// The five statements, and more that read what spans have and what they have not, and change nothing.
fn transform(idle: usize) -> String {
    let mut yaml = "  transform:
    error_mode: propagate
    trace_statements:
      - context: span
        statements:
"
    .to_owned();
    for statement in STATEMENTS {
        yaml.push_str(&format!("          - '{statement}'\n"));
    }
    for number in 0..idle {
        let condition = match number % 3 {
            0 => format!("attributes[\"gen_ai.request.model\"] == \"no-model-{number}\""),
            1 => format!("attributes[\"no.attribute.{number}\"] != nil"),
            _ => format!("IsMatch(name, \"^no-name-{number}\")"),
        };
        yaml.push_str(&format!("          - 'set(attributes[\"idle.{number}\"], true) where {condition}'\n"));
    }
    yaml
}
