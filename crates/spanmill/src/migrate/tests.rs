use spanmill_config::{Document, Providers, load};

use super::review;
use crate::factories::FACTORIES;

fn reviewed(yaml: &str) -> super::Review {
    let uri = format!("yaml:{yaml}").parse().unwrap();
    let resolved = load(&[uri], &[], &Providers::from_process()).unwrap();
    let document = Document::from_tree(resolved.tree).unwrap();
    review(&document, &serde_yaml::from_str(yaml).unwrap(), &FACTORIES)
}

const PRICED: &str = r#"
receivers: {otlp: {protocols: {grpc: }}, kafka: {brokers: [a]}}
processors:
  gen_ai_normalizer: {sources: [{name: openinference}]}
  transform/prices:
    trace_statements:
      - set(span.attributes["cost"], span.attributes["gen_ai.usage.input_tokens"] * 0.000003) where span.attributes["gen_ai.request.model"] == "a"
      - set(span.attributes["gen_ai.provider.name"], span.attributes["gen_ai.system"])
  transform/mixed:
    trace_statements:
      - context: span
        statements: ['set(attributes["team"], "ml")', 'delete_matching_keys(attributes, "^llm\\.")']
exporters: {otlp_grpc: {endpoint: 'localhost:4317', tls: {insecure: true}}}
service:
  pipelines:
    traces: {receivers: [otlp, kafka], processors: [gen_ai_normalizer, transform/prices, transform/mixed], exporters: [otlp_grpc]}
    traces/kafka: {receivers: [kafka], exporters: [otlp_grpc]}
"#;

/// Scenario: a file with a receiver that there is not, a normaliser, statements that reckon prices, and a team's own.
/// Guarantees: the report says which is which; the suggested file is valid, has `genai` in the place of what it does, and keeps
/// what is the author's own.
#[test]
fn a_file_with_prices_is_migrated() {
    let review = reviewed(PRICED);
    let report = review.report("collector.yaml");
    for part in [
        "5 of 6 components run",
        "receivers::kafka: unknown type",
        "processors::transform/prices: runs as it is; one `genai` processor does what 2 of its 2 statements do",
        "1 reckon prices",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(!review.runs());
    assert_eq!(review.remaining, None, "{}", review.suggestion.yaml());
    let suggested: serde_yaml::Value = serde_yaml::from_str(review.suggestion.yaml()).unwrap();
    let pipelines = &suggested["service"]["pipelines"];
    assert_eq!(serde_yaml::to_string(&pipelines["traces"]["processors"]).unwrap(), "- genai\n- transform/mixed\n");
    assert!(pipelines.get("traces/kafka").is_none());
    let statements = &suggested["processors"]["transform/mixed"]["trace_statements"][0]["statements"];
    assert_eq!(serde_yaml::to_string(statements).unwrap(), "- set(attributes[\"team\"], \"ml\")\n");
}

/// Scenario: a file that needs nothing.
/// Guarantees: everything runs, nothing is remarked, and the suggestion is the same configuration.
#[test]
fn a_file_that_runs_stays_as_it_is() {
    let yaml = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {nop: }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [nop]}}}\n";
    let review = reviewed(yaml);
    assert!(review.runs() && review.suggestion.changes.is_empty() && review.remaining.is_none());
    let same: serde_yaml::Value = serde_yaml::from_str(yaml).unwrap();
    assert_eq!(serde_yaml::from_str::<serde_yaml::Value>(review.suggestion.yaml()).unwrap(), same);
}
