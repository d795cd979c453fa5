//! OTTL, the OpenTelemetry Transformation Language, on OTLP bytes.
