use std::sync::Mutex;

use bytes::Bytes;
use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{Opaque, Traces};
use spanmill_pipeline::Telemetry;

use super::*;

#[derive(Default)]
struct Sink(Mutex<Vec<Batch>>);

#[async_trait]
impl Consumer for Sink {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        self.0.lock().unwrap().push(batch);
        Ok(())
    }
}

fn forward(yaml: &str, outputs: Outputs) -> Result<Arc<dyn Node>, ConfigError> {
    let id: ComponentId = "forward".parse().unwrap();
    let section = Section::from_yaml("connectors::forward", yaml).unwrap();
    create(Context { id: &id, section: &section, telemetry: &Telemetry::default() }, outputs)
}

/// Scenario: spans come to a connector with a traces pipeline behind it, then logs, for which there is none.
/// Guarantees: spans go on as the very bytes that came; logs are refused for good.
#[tokio::test]
async fn passes_on() {
    let sink = Arc::new(Sink::default());
    let outputs = Outputs { traces: Some(Arc::clone(&sink) as Arc<dyn Consumer>), ..Outputs::default() };
    let forward = forward("", outputs).unwrap();
    let traces = Batch::from(Traces::parse(Bytes::from_static(b"\x0a\x06\x12\x04\x12\x02\x2a\x00")).unwrap());
    forward.consume(traces.clone()).await.unwrap();
    let taken = sink.0.lock().unwrap().clone();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].encode().as_ptr(), traces.encode().as_ptr());

    let logs = Opaque::parse(Signal::Logs, Bytes::new()).unwrap();
    let error = forward.consume(logs.into()).await.unwrap_err();
    assert!(!error.retryable && error.message.contains("no logs pipeline"), "{error}");
}

/// Scenario: an option is given.
/// Guarantees: it is refused, since there are none.
#[test]
fn no_options() {
    assert!(forward("{to: x}", Outputs::default()).is_err_and(|error| error.to_string().contains("unknown key")));
}
