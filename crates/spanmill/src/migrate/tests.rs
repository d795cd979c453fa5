use serde_yaml::Value;
use spanmill_config::{Document, Providers, load};

use super::review;
use crate::factories::FACTORIES;

fn reviewed(yaml: &str) -> super::Review {
    let uri = format!("yaml:{yaml}").parse().unwrap();
    let resolved = load(&[uri], &[], &Providers::from_process()).unwrap();
    let (document, profiles) = Document::without_profiles(resolved.tree).unwrap();
    review(&document, profiles, &serde_yaml::from_str(yaml).unwrap(), &FACTORIES)
}

/// The suggested file, which must be valid.
fn suggested(yaml: &str) -> Value {
    let suggestion = reviewed(yaml).suggestion;
    assert_eq!(suggestion.check(None, &FACTORIES), Ok(()), "{}", suggestion.yaml());
    serde_yaml::from_str(suggestion.yaml()).unwrap()
}

/// What is told about the suggestion.
fn told(yaml: &str) -> String {
    let log = reviewed(yaml).suggestion.log;
    log.changes.iter().chain(&log.notes).map(|line| format!("{line}\n")).collect()
}

/// A file of one pipeline, out of its processors by id, and more sections.
fn file(processors: &[(&str, &str)], more: &str) -> String {
    let ids: Vec<&str> = processors.iter().map(|(id, _)| *id).collect();
    let mut yaml = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {nop: }\nprocessors:\n".to_owned();
    for (id, section) in processors {
        yaml.push_str(&format!("  {id}: {section}\n"));
    }
    yaml.push_str(more);
    yaml.push_str("service:\n  pipelines:\n");
    yaml.push_str(&format!("    traces: {{receivers: [otlp], processors: [{}], exporters: [nop]}}\n", ids.join(", ")));
    yaml
}

/// A `transform` of these statements.
fn transform(statements: &[&str]) -> String {
    let lines: Vec<String> = statements.iter().map(|statement| format!("'{statement}'")).collect();
    format!("{{trace_statements: [{}]}}", lines.join(", "))
}

fn chain(file: &Value) -> String {
    serde_yaml::to_string(&file["service"]["pipelines"]["traces"]["processors"]).unwrap().replace('\n', " ")
}

fn section(yaml: &str, path: &[&str]) -> Value {
    path.iter().fold(serde_yaml::from_str(yaml).unwrap(), |value: Value, key| value[*key].clone())
}

const COPY: &str = r#"set(span.attributes["gen_ai.usage.input_tokens"], span.attributes["llm.usage.prompt_tokens"])"#;
const PRICE: &str = r#"set(span.attributes["my.cost"], span.attributes["gen_ai.usage.input_tokens"] * 0.000003 + span.attributes["gen_ai.usage.output_tokens"] * 0.000015) where span.attributes["gen_ai.request.model"] == "acme-1""#;
const PLAIN: &str = "{sources: [{name: openinference}, {name: openllmetry}]}";

/// Scenario: a file that needs nothing.
/// Guarantees: everything runs, nothing is remarked, and the suggestion is the same configuration.
#[test]
fn a_file_that_runs_stays_as_it_is() {
    let yaml = file(&[], "");
    let review = reviewed(&yaml);
    assert!(review.runs() && told(&yaml).is_empty());
    assert_eq!(suggested(&yaml), section(&yaml, &[]));
}

/// Scenario: a receiver that there is not, statements that price a model of the user's own, copies of tokens, and a team's own.
/// Guarantees: the report says which is which; `genai` comes in last but for the batch, with the user's prices; all stays that others
/// may read, in the order of the file.
#[test]
fn a_file_with_prices_is_migrated() {
    let own = transform(&[PRICE, r#"set(span.attributes["cost_center"], "ml")"#]);
    let yaml = file(
        &[("transform/prices", &own), ("batch", "{}"), ("memory_limiter", "{check_interval: 1s, limit_mib: 100}")],
        "",
    )
    .replace("transform/prices, batch, memory_limiter", "memory_limiter, transform/prices, batch")
    .replace("receivers: {otlp:", "receivers: {kafka: {brokers: [a]}, otlp:");
    let report = reviewed(&yaml).report("collector.yaml");
    for part in [
        "5 of 6 components run",
        "receivers::kafka: unknown type: \"kafka\" for id: \"kafka\"; instead: a Collector in front that reads Kafka",
        "processors::transform/prices: runs as it is; one `genai` processor covers 1 of its 2 statements: 1 reckon prices",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let after = suggested(&yaml);
    assert_eq!(chain(&after), "- memory_limiter - transform/prices - genai - batch ");
    assert_eq!(after["processors"]["transform/prices"], section(&yaml, &["processors", "transform/prices"]));
    insta::assert_snapshot!(serde_yaml::to_string(&after["processors"]["genai"]).unwrap(), @r#"
    pricing:
      overrides:
      - model: acme-1
        input: 3.0
        output: 15.0
    "#);
    let keys: Vec<_> = after["processors"].as_mapping().unwrap().keys().filter_map(Value::as_str).collect();
    assert_eq!(keys, ["transform/prices", "batch", "memory_limiter", "genai"]);
}

/// Scenario: prompts that are deleted, and a price beside.
/// Guarantees: what is deleted stays deleted: the statements stay, before `genai`, which does not write messages.
#[test]
fn what_is_hidden_stays_hidden() {
    let hide = transform(&[
        PRICE,
        r#"delete_matching_keys(span.attributes, "^gen_ai\\.prompt")"#,
        r#"delete_key(span.attributes, "input.value")"#,
    ]);
    let redaction = "{allow_all_keys: true, blocked_values: [\"secret\"]}";
    let yaml = file(&[("transform", &hide), ("redaction", redaction)], "");
    let after = suggested(&yaml);
    assert_eq!(after["processors"]["transform"], section(&yaml, &["processors", "transform"]));
    assert_eq!(after["processors"]["genai"]["messages"], Value::from("keep"));
    assert_eq!(chain(&after), "- transform - redaction - genai ");
    assert!(
        reviewed(&yaml)
            .report("f")
            .contains("2 of its 3 statements hide content, for which genai has the option content")
    );
    let later = file(&[("transform", &transform(&[PRICE]))], "connectors: {forward: }\n").replace(
        "exporters: [nop]}\n",
        "exporters: [forward]}\n    traces/out: {receivers: [forward], processors: [redaction], exporters: [nop]}\n",
    );
    let later = later.replace("processors:\n", &format!("processors:\n  redaction: {redaction}\n"));
    assert_eq!(suggested(&later), section(&later, &[]));
    let alone = file(&[("transform", &transform(&[r#"delete_key(span.attributes, "input.value")"#]))], "");
    assert_eq!(suggested(&alone), section(&alone, &[]));
}

/// Scenario: attributes of a business whose names sound like prices or tokens.
/// Guarantees: nothing is changed.
#[test]
fn names_that_sound_alike_are_the_users_own() {
    let own = transform(&[
        r#"set(span.attributes["cost_center"], "R&D-42")"#,
        r#"set(span.attributes["billing.account"], resource.attributes["tenant"])"#,
        r#"set(span.attributes["app.usd_region"], "eu")"#,
        r#"set(span.attributes["http.finish_reason"], "x")"#,
        r#"set(resource.attributes["total_tokens"], 1)"#,
    ]);
    let yaml = file(&[("transform", &own)], "");
    assert_eq!(suggested(&yaml), section(&yaml, &[]));
}

/// Scenario: a copy of tokens that `genai` makes as well: alone, and where others read, delete or guard it.
/// Guarantees: only the one that nobody has to do with is left to `genai`.
#[test]
fn copies_go_if_nobody_reads_them() {
    let alone = file(&[("transform", &transform(&[COPY])), ("batch", "{}")], "");
    assert_eq!(chain(&suggested(&alone)), "- genai - batch ");
    assert!(suggested(&alone)["processors"].get("transform").is_none());
    let copy = transform(&[COPY]);
    let guarded = format!("{COPY} where resource.attributes[\"team\"] == \"a\"");
    let group = format!(
        "{{trace_statements: [{{context: span, conditions: ['name == \"a\"'], statements: ['{}']}}]}}",
        COPY.replace("span.", "")
    );
    let deletes = r#"delete_matching_keys(span.attributes, "^llm\\.")"#;
    let dimension = "connectors: {span_metrics: {dimensions: [{name: gen_ai.usage.input_tokens}]}}\n";
    for yaml in [
        file(
            &[(
                "transform",
                &transform(&[COPY, r#"set(span.attributes["x"], span.attributes["gen_ai.usage.input_tokens"])"#]),
            )],
            "",
        ),
        file(&[("transform", &transform(&[COPY, deletes]))], ""),
        file(
            &[("transform", &copy), ("attributes", "{actions: [{key: llm.usage.prompt_tokens, action: delete}]}")],
            "",
        ),
        file(
            &[
                ("transform", &copy),
                ("filter", r#"{trace_conditions: ['span.attributes["gen_ai.usage.input_tokens"] > 5']}"#),
            ],
            "",
        ),
        file(&[("transform", &copy)], dimension).replace(
            "exporters: [nop]}\n",
            "exporters: [span_metrics]}\n    metrics: {receivers: [span_metrics], exporters: [nop]}\n",
        ),
        file(&[("transform", &transform(&[&guarded]))], ""),
        file(&[("transform", &group)], ""),
        file(&[("transform", &copy), ("genai/mine", "{}")], ""),
        file(&[("transform", &copy)], "").replace("service:", "connectors: {forward: }\nservice:").replace(
            "exporters: [nop]}\n",
            "exporters: [forward]}\n    traces/out: {receivers: [forward], exporters: [nop]}\n",
        ),
    ] {
        let after = suggested(&yaml);
        assert_eq!(after["processors"]["transform"], section(&yaml, &["processors", "transform"]), "{yaml}");
    }
}

/// Scenario: an attribute that a price writes is read by a sampler.
/// Guarantees: both stay as they are, and the sampler comes before `genai`.
#[test]
fn a_sampler_by_price_still_samples() {
    let sampler =
        r#"{policies: [{name: a, type: ottl_condition, ottl_condition: {span: ['attributes["my.cost"] > 0.1']}}]}"#;
    let yaml = file(&[("transform", &transform(&[PRICE])), ("tail_sampling", sampler)], "");
    let after = suggested(&yaml);
    assert_eq!(chain(&after), "- transform - tail_sampling - genai ");
    assert_eq!(after["processors"]["transform"], section(&yaml, &["processors", "transform"]));
}

/// Scenario: normalisers: a plain one, and such that have options or whose work others read or hide.
/// Guarantees: only the plain one is replaced, in its place.
#[test]
fn only_a_plain_normaliser_is_replaced() {
    let yaml = file(&[("gen_ai_normalizer", PLAIN), ("filter", "{trace_conditions: ['span.name == \"x\"']}")], "");
    let after = suggested(&yaml);
    assert_eq!(chain(&after), "- genai - filter ");
    let keys: Vec<_> = after["processors"].as_mapping().unwrap().keys().filter_map(Value::as_str).collect();
    assert_eq!(keys, ["genai", "filter"]);
    let apart = file(&[("gen_ai_normalizer", PLAIN)], "")
        .replace(
            "exporters: [nop]}\n",
            "exporters: [nop]}\n    traces/b: {receivers: [otlp], processors: [transform], exporters: [nop]}\n",
        )
        .replace("processors:\n", &format!("processors:\n  transform: {}\n", transform(&[COPY])));
    assert_eq!(chain(&suggested(&apart)), "- genai ");
    let hidden = apart.replace(COPY, r#"delete_key(span.attributes, "x")"#);
    assert_eq!(suggested(&hidden), section(&hidden, &[]));
    let reads = r#"{trace_conditions: ['span.attributes["gen_ai.operation.name"] == "invoke_agent"']}"#;
    let hides = transform(&[r#"delete_matching_keys(span.attributes, "prompt")"#]);
    for processors in [
        &[("gen_ai_normalizer", "{sources: [{name: openinference, remove_originals: true}]}")][..],
        &[("gen_ai_normalizer", "{sources: [{name: mine, mappings: {a: gen_ai.request.model}}]}")],
        &[("gen_ai_normalizer", "{sources: [{name: openinference}], overwrite_schema_url: true}")],
        &[("gen_ai_normalizer", PLAIN), ("filter", reads)],
        &[("gen_ai_normalizer", PLAIN), ("transform", &hides)],
        &[("gen_ai_normalizer", PLAIN), ("genai/mine", "{}")],
    ] {
        let yaml = file(processors, "");
        assert_eq!(suggested(&yaml), section(&yaml, &[]), "{yaml}");
    }
}

/// Scenario: a `transform` in pipelines of spans and of metrics, and an id `genai` that a pipeline does not use.
/// Guarantees: `genai` comes into that of spans only, under an id that is free.
#[test]
fn genai_is_for_spans() {
    let yaml = file(&[("transform", &transform(&[PRICE]))], "")
        .replace("processors:\n", "processors:\n  genai: {pricing: {table: none}}\n")
        .replace(
            "exporters: [nop]}\n",
            "exporters: [nop]}\n    metrics: {receivers: [otlp], processors: [transform], exporters: [nop]}\n",
        );
    let after = suggested(&yaml);
    assert_eq!(chain(&after), "- transform - genai/suggested ");
    assert_eq!(after["service"]["pipelines"]["metrics"], section(&yaml, &["service", "pipelines", "metrics"]));
}

const CASCADE: &str = r#"
receivers: {otlp: {protocols: {grpc: }}}
connectors:
  forward: {}
  spanmetrics: {}
  routing:
    default_pipelines: [traces/tempo, traces/kafka]
    table: [{condition: 'resource.attributes["tenant"] == "acme"', pipelines: [traces/kafka]}]
  failover: {priority_levels: [[traces/kafka], [traces/tempo]]}
exporters:
  kafka: {brokers: [k]}
  otlp_grpc: {endpoint: 'tempo:4317', auth: {authenticator: sigv4auth}, sending_queue: {storage: redis_storage}}
extensions: {sigv4auth: {}, redis_storage: {}, zpages: {}}
service:
  extensions: [sigv4auth, redis_storage, zpages]
  pipelines:
    traces/in: {receivers: [otlp], exporters: [routing, forward, failover, spanmetrics]}
    traces/kafka: {receivers: [routing, forward, failover], exporters: [kafka]}
    traces/tempo: {receivers: [routing, failover], exporters: [otlp_grpc]}
    metrics: {receivers: [spanmetrics], exporters: [kafka]}
"#;

/// Scenario: an exporter and extensions that there are not, with all that names them or leads to them.
/// Guarantees: what is left is valid, and everything that changed is told.
#[test]
fn what_has_lost_its_sense_goes_too() {
    let after = suggested(CASCADE);
    insta::assert_snapshot!(serde_yaml::to_string(&after).unwrap(), @r#"
    receivers:
      otlp:
        protocols:
          grpc: null
    connectors:
      routing:
        default_pipelines:
        - traces/tempo
        table:
        - condition: resource.attributes["tenant"] == "acme"
          pipelines:
          - traces/tempo
      failover:
        priority_levels:
        - - traces/tempo
    exporters:
      otlp_grpc:
        endpoint: tempo:4317
        sending_queue: {}
    extensions:
      zpages: {}
    service:
      extensions:
      - zpages
      pipelines:
        traces/in:
          receivers:
          - otlp
          exporters:
          - routing
          - failover
        traces/tempo:
          receivers:
          - routing
          - failover
          exporters:
          - otlp_grpc
    "#);
    insta::assert_snapshot!(told(CASCADE), @r#"
    exporters::kafka is left out: it does not run
    extensions::sigv4auth is left out: it does not run
    exporters::otlp_grpc: auth is left out, since sigv4auth does not run
    extensions::redis_storage is left out: it does not run
    exporters::otlp_grpc: storage is left out, since redis_storage does not run
    service::pipelines::traces/kafka is left out: it has no exporters
    service::pipelines::metrics is left out: it has no exporters
    connectors::routing no longer names pipelines that are gone
    connectors::failover no longer names pipelines that are gone
    connectors::forward is left out: what is on its other side is gone
    connectors::spanmetrics is left out: what is on its other side is gone
    exporters::otlp_grpc sends without credentials: give it others
    exporters::otlp_grpc keeps its queue in memory, which a restart loses: file_storage keeps it
    connectors::routing: spans that meet "resource.attributes[\"tenant\"] == \"acme\"" go on to later routes and the default pipelines: see whether they may
    "#);
}

/// Scenario: a receiver whose authenticator there is not, and a filter with a mistake.
/// Guarantees: neither is opened: both stay, the file is not valid, and the report says what is to be done.
#[test]
fn nothing_is_opened() {
    let yaml = file(&[("filter", "{trace_conditionz: ['true']}")], "extensions: {other_auth: {}}\n")
        .replace("{grpc: }", "{grpc: {auth: {authenticator: other_auth}}}")
        .replace("service:\n", "service:\n  extensions: [other_auth]\n");
    let review = reviewed(&yaml);
    let after: Value = serde_yaml::from_str(review.suggestion.yaml()).unwrap();
    assert_eq!(
        (&after["receivers"], &after["processors"]),
        (&section(&yaml, &["receivers"]), &section(&yaml, &["processors"]))
    );
    assert!(review.suggestion.check(None, &FACTORIES).is_err());
    insta::assert_snapshot!(told(&yaml), @r#"
    extensions::other_auth is left out: it does not run
    receivers::otlp still asks other_auth who may come in, so that it is not open to all: choose another authenticator
    "#);
}

/// Scenario: a processor that there is not writes what a filter reads; detectors find nothing.
/// Guarantees: the report says so, with what there is instead, and guesses no name that sounds alike.
#[test]
fn readers_of_what_is_gone_are_named() {
    let yaml = file(
        &[
            ("k8sattributes", "{auth_type: serviceAccount}"),
            ("resource_detection", "{detectors: [env, ec2]}"),
            ("filter/ns", r#"{trace_conditions: ['resource.attributes["k8s.namespace.name"] == "a"']}"#),
        ],
        "",
    );
    suggested(&yaml);
    insta::assert_snapshot!(told(&yaml), @r#"
    processors::k8sattributes is left out: it does not run
    processors::k8sattributes: what it changed, added, removed or dropped is passed on as it comes
    processors::filter/ns reads k8s.* or container.*, which k8sattributes wrote elsewhere: it finds nothing unless the spans bring it
    processors::filter/ns reads cloud.* or k8s.*, which resource_detection wrote elsewhere: it finds nothing unless the spans bring it
    "#);
    let report = reviewed(&yaml).report("f");
    assert!(
        report.contains("instead: keep a Collector agent in front") && !report.contains("did you mean"),
        "{report}"
    );
    assert!(report.contains("the detectors ec2 are accepted and find nothing here"), "{report}");
}

/// Scenario: the suggestion is to be written over the file that it was made of: by its name, and through a link.
/// Guarantees: that fails, and the file stays; another name works, and problems are told with its lines.
#[test]
fn the_original_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let [original, link, output] = ["a.yaml", "link.yaml", "b.yaml"].map(|name| folder.path().join(name));
    let yaml = format!("# precious\n{}", file(&[("filter", "{x: 1}")], ""));
    std::fs::write(&original, &yaml).unwrap();
    std::os::unix::fs::symlink(&original, &link).unwrap();
    let suggestion = reviewed(&yaml).suggestion;
    for taken in [&original, &link] {
        let error = suggestion.write(&original, taken).unwrap_err().to_string();
        assert!(error.contains("is the configuration itself"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&original).unwrap(), yaml);
    suggestion.write(&original, &output).unwrap();
    let problems = suggestion.check(output.to_str(), &FACTORIES).unwrap_err().to_string();
    assert!(problems.contains("b.yaml:") && problems.contains("processors::filter"), "{problems}");
}

/// Scenario: a pipeline of profiles beside one of traces, both in the same connector, and one alone.
/// Guarantees: it is told what does not run; the suggested file has neither such a pipeline nor what leads to it alone.
#[test]
fn profiles_do_not_run() {
    let yaml = file(&[], "connectors: {forward: }\n")
        + "    profiles: {receivers: [otlp], exporters: [forward]}\n    profiles/out: {receivers: [forward], exporters: [nop]}\n";
    let review = reviewed(&yaml);
    assert!(!review.runs());
    let report = review.report("collector.yaml");
    for name in ["profiles", "profiles/out"] {
        assert!(report.contains(&format!("  pipeline \"{name}\": there are no profiles here (")), "{report}");
        let left_out = format!("service::pipelines::{name} is left out: there are no profiles here");
        assert!(told(&yaml).contains(&left_out));
    }
    let pipelines = suggested(&yaml)["service"]["pipelines"].as_mapping().unwrap().clone();
    assert_eq!(pipelines.keys().filter_map(Value::as_str).collect::<Vec<_>>(), ["traces"]);
}

/// Scenario: options of the service's own telemetry that have no effect here.
/// Guarantees: they are listed, and the file runs all the same.
#[test]
fn what_does_less_is_listed() {
    let telemetry = "  telemetry: {traces: {processors: [{batch: {}}]}, metrics: {readers: [{periodic: {}}]}}\n";
    let review = reviewed(&(file(&[], "") + telemetry));
    let report = review.report("collector.yaml");
    let (_, less) = report.split_once("\nDoes less:\n").unwrap();
    assert!(less.contains("  service::telemetry::metrics::readers::periodic has no effect\n"), "{report}");
    assert!(less.contains("  service::telemetry::traces::processors has no effect\n") && review.runs(), "{report}");
    assert!(!reviewed(&file(&[], "")).report("collector.yaml").contains("Does less"));
}
