use std::io;

/// Why a measurement could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error(transparent)]
    Task(#[from] xtask::command::TaskError),
    #[error("network: {0}")]
    Network(#[from] tonic::transport::Error),
    #[error("{subject}: {problem}; its log ends with:\n{log}")]
    Subject { subject: &'static str, problem: String, log: String },
    #[error("nothing to measure: no subject is left")]
    Nothing,
}

// === impl BenchError ===

impl BenchError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
