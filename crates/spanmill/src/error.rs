use std::io::{self, IsTerminal, Write};

use spanmill_config::{ConfigError, PrintError, SetFlagError, UriError};
use spanmill_console::ConsoleError;
use spanmill_pipeline::ServiceError;
use thiserror::Error;

use crate::demo::DemoError;

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("--config: {0}")]
    Uri(#[from] UriError),
    #[error("--set: {0}")]
    Set(#[from] SetFlagError),
    #[error(transparent)]
    Print(#[from] PrintError),
    #[error("{what}: {source}")]
    Io { what: &'static str, source: io::Error },
    #[error("cannot write the components as YAML: {0}")]
    Yaml(#[from] serde_yaml::Error),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Console(#[from] ConsoleError),
    #[error("{0}")]
    Usage(String),
}

// === impl CommandError ===

impl CommandError {
    /// What the process ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Console(error) => error.exit_code(),
            _ => 1,
        }
    }
}

/// Writes an error to stderr, its first word in red where a person sits there.
pub(crate) fn show(error: &CommandError) {
    let mut stderr = io::stderr().lock();
    let (red, plain) = if colours() { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
    // Where stderr is closed, the exit code has to say it all.
    let _ = writeln!(stderr, "{red}Error:{plain} {error}");
}

/// Whether stderr shows colours: on a terminal, unless they are not wanted.
pub(crate) fn colours() -> bool {
    io::stderr().is_terminal() && colours_wanted()
}

/// Whether colours are wanted where there is a terminal: see <https://no-color.org>.
pub(crate) fn colours_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
