//! An OpenTelemetry Collector for GenAI spans.

fn main() {}
