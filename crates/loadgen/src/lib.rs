//! Realistic GenAI OTLP traffic for demos and benchmarks.
