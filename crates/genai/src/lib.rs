//! What is known about GenAI telemetry: sources, usage, ownership, derived values.
