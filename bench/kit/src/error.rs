use std::io;

/// Why a measurement could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The machine said no.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the machine said.
        source: io::Error,
    },
    /// A step of the set-up failed.
    #[error(transparent)]
    Task(#[from] xtask::command::TaskError),
    /// No connection.
    #[error("network: {0}")]
    Network(#[from] tonic::transport::Error),
    /// A subject did not do what it is measured at.
    #[error("{subject}: {problem}; its log ends with:\n{log}")]
    Subject {
        /// Which one.
        subject: &'static str,
        /// What went wrong.
        problem: String,
        /// The end of its log.
        log: String,
    },
    /// Everything was left out.
    #[error("nothing to measure: no subject is left")]
    Nothing,
}

// === impl BenchError ===

impl BenchError {
    /// An error of the machine while it did `what`.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
