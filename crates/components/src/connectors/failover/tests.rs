use std::time::Duration;

use spanmill_config::Section;
use spanmill_pipeline::Telemetry;
use tokio::time::sleep;

use super::super::testing_pipelines::{Pipelines, request};
use super::*;

const NAMES: [&str; 4] = ["traces/a", "traces/b", "traces/c", "traces/d"];

struct Setup {
    failover: Arc<dyn Node>,
    pipelines: Pipelines,
    telemetry: Telemetry,
}

fn setup(yaml: &str) -> Result<Setup, ConfigError> {
    let (pipelines, telemetry) = (Pipelines::new(&NAMES), Telemetry::default());
    let id = ComponentId::new("failover", "").unwrap();
    let section = Section::from_yaml("connectors::failover", yaml).unwrap();
    let context = Context { id: &id, section: &section, telemetry: &telemetry };
    let failover = create(context, pipelines.outputs())?;
    Ok(Setup { failover, pipelines, telemetry })
}

fn refusal(yaml: &str) -> String {
    setup(yaml).err().map_or_else(|| "accepted".to_owned(), |error| error.to_string())
}

/// Without a queue the outcome is known at once.
const LEVELS: &str = "sending_queue: {enabled: false}, priority_levels: [[traces/a, traces/b], [traces/c], [traces/d]]";

impl Setup {
    /// Which pipelines get a request, and what its sender is told.
    async fn send(&self) -> (String, Option<ConsumeError>) {
        let error = self.failover.consume(request(&[("x", &[("s", "-")])]).into()).await.err();
        let names = self.pipelines.names();
        let got = names.iter().zip(["a", "b", "c", "d"]).filter(|(names, _)| !names.is_empty()).map(|(_, name)| name);
        (got.collect(), error)
    }

    fn breaks(&self, name: &str, error: Option<ConsumeError>) {
        self.pipelines.sink(name).refuses(error);
    }
}

fn away() -> Option<ConsumeError> {
    Some(ConsumeError::retryable("backend away"))
}

/// Scenario: pipelines of a level fail one after the other, and all work again in the end.
/// Guarantees: requests go to the first level that works; better ones are tried once an interval, with a request that is not lost; where none
/// works the sender is asked to come again, and nothing is tried before the interval is over.
#[tokio::test(start_paused = true)]
async fn levels() {
    let setup = setup(&format!("{{{LEVELS}, retry_interval: 1m}}")).unwrap();
    assert_eq!(setup.send().await.0, "ab");
    setup.breaks("traces/b", away());
    assert_eq!(setup.send().await.0, "ac", "one pipeline fails, so the level does");
    assert_eq!(setup.send().await.0, "c");
    setup.breaks("traces/c", Some(ConsumeError::permanent("no")));
    assert_eq!(setup.send().await.0, "d");

    sleep(Duration::from_secs(61)).await;
    setup.breaks("traces/c", None);
    assert_eq!(setup.send().await.0, "ac", "the better levels are tried, in order");
    assert_eq!(setup.send().await.0, "c");
    setup.breaks("traces/b", None);
    assert_eq!(setup.send().await.0, "c");
    sleep(Duration::from_secs(61)).await;
    assert_eq!(setup.send().await.0, "ab");

    for name in NAMES {
        setup.breaks(name, away());
    }
    for _ in 0..2 {
        let (got, error) = setup.send().await;
        let error = error.unwrap();
        assert_eq!(
            (got.as_str(), error.retryable, &*error.message),
            ("", true, "All provided pipelines return errors")
        );
    }
    setup.breaks("traces/d", None);
    assert!(setup.send().await.1.is_some());
    sleep(Duration::from_secs(61)).await;
    assert_eq!(setup.send().await.0, "d");
    let count = |level: &str| {
        let labels = [("connector", "failover"), ("level", level)];
        setup.telemetry.counter("otelcol_connector_failover_count", "", &labels).get()
    };
    assert_eq!([count("1"), count("2"), count("3")], [2, 2, 1]);
}

/// Scenario: errors that meet a condition and others.
/// Guarantees: only those that do make it go to the next level; the others are the sender's.
#[tokio::test]
async fn conditions() {
    for (condition, message, retryable, goes_on) in [
        ("{error: {contains: away}}", "Backend AWAY", true, true),
        ("{error: {contains: [gone, away]}}", "full", true, false),
        ("{error: {permanent: true}}", "away", true, false),
        ("{error: {permanent: true}}", "away", false, true),
        ("{error: {contains: away, permanent: false}}", "away", true, true),
    ] {
        let setup = setup(&format!("{{{LEVELS}, condition: {condition}}}")).unwrap();
        let error = if retryable { ConsumeError::retryable(message) } else { ConsumeError::permanent(message) };
        setup.breaks("traces/a", Some(error));
        let (got, error) = setup.send().await;
        assert_eq!((got == "bc", error.is_none()), (goes_on, goes_on), "{condition}");
    }
}

/// Scenario: configurations with mistakes, and with what is deprecated.
/// Guarantees: the Collector's verdicts and words.
#[test]
fn options() {
    for accepted in [
        "{priority_levels: [[traces/a]]}",
        "{priority_levels: [[traces/a], [traces/b]], retry_interval: 5m, retry_gap: 1m, max_retries: 10}",
        "{priority_levels: [[traces/a]], strategy: standard, standard: {retry_interval: 1s}}",
        "{priority_levels: [[traces/a]], sending_queue: {queue_size: 5}}",
    ] {
        assert_eq!(refusal(accepted), "accepted", "{accepted}");
    }
    for (yaml, expected) in [
        ("{}", "priority_levels: No pipelines are defined in the priority list"),
        ("{priority_levels: [[traces/a]], retry_interval: 0s}", "retry_interval: Retry interval must be positive"),
        ("{priority_levels: [[traces/a]], strategy: random}", "strategy: strategy is invalid"),
        ("{priority_levels: [[traces/a]], condition: {}}", "condition: no condition is defined"),
        ("{priority_levels: [[traces/a]], condition: {error: {contains: ''}}}", "must define a non-empty 'contains'"),
        (
            "{priority_levels: [[traces/a], [traces/z]]}",
            "priority_levels[1]: pipeline not found: missing consumer: \"traces/z\"",
        ),
        ("{priority_levels: [[traces/a], [logs/a]]}", "missing consumer"),
        ("{priority_levels: [[]]}", "priority_levels[0]: missing consumers"),
        ("{priority_levels: [[traces/a]], sending_queue: {queue_size: 0}}", "sending_queue::queue_size"),
        ("{priority_levels: [[traces/a]], colour: red}", "unknown key"),
    ] {
        let refusal = refusal(yaml);
        assert!(refusal.contains(expected), "{yaml}: {refusal}");
    }
}
