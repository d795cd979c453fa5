//! The Collector's YAML configuration: merging, expansion, typed sections, errors with a place.
