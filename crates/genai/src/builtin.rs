//! The sources that spanmill knows from the start.

/// Spellings of words.
pub(crate) const VOCABULARY: &str = include_str!("../vocabulary.yaml");

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../sources/", $name, ".yaml")))),*]
    };
}

/// All source files. The generic one comes first; where spans match several by their attributes, the earlier one wins.
pub(crate) const SOURCES: &[(&str, &str)] =
    sources!["generic", "anthropic-sdk-native", "otel-botocore", "otel-semconv", "handwritten",];
