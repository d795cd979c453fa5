//! Component traits, the pipeline graph, life cycle and own telemetry.
