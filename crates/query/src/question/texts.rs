//! The files of questions.

macro_rules! texts {
    ($($name:literal),* $(,)?) => {
        /// Names and texts, by name.
        pub(super) const TEXTS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../questions/", $name, ".sql")))),*];
    };
}

texts![
    "anomalies",
    "cache-savings",
    "context-pressure",
    "cost-by-model",
    "cost-by-service",
    "cost-by-tenant",
    "cost-by-user",
    "duplicated-instrumentation",
    "error-classes",
    "percentiles",
    "slow-small",
    "slowest-starts",
    "tokens-per-second",
    "tool-loops",
    "unpriced-models",
];
