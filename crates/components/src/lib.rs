//! Receivers, processors, connectors, exporters and extensions.
