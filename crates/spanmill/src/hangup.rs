//! SIGHUP in the first moments: it asks for the configuration to be read again, and ends a process that does not catch it.

use std::ffi::OsString;
use std::io;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Whether the process will run pipelines, as far as that is known before its arguments are read: commands come first among them. Others
/// end with their terminal.
pub(crate) fn is_for_pipelines(mut arguments: impl Iterator<Item = OsString>) -> bool {
    let first = arguments.nth(1);
    first.is_none_or(|first| first.as_encoded_bytes().starts_with(b"-"))
}

/// From here on a SIGHUP that nobody listens to is passed over: the configuration is not read yet.
pub(crate) fn catch() -> io::Result<()> {
    // It starts no thread. The handler is the process's, and stays.
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async { signal(SignalKind::hangup()).map(drop) })
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    /// Scenario: command lines with a command, with options alone, and with nothing.
    /// Guarantees: all but the first run pipelines.
    #[test]
    fn commands_are_told_apart() {
        let is = |line: &str| is_for_pipelines(line.split(' ').map(OsString::from));
        assert!(!is("spanmill query") && !is("spanmill validate --config x"));
        assert!(is("spanmill --config query") && is("spanmill"));
    }

    /// Scenario: SIGHUP before anything listens to it.
    /// Guarantees: the process, which is that of this test, goes on.
    #[test]
    fn a_hangup_is_survived() {
        catch().unwrap();
        kill_process(getpid(), Signal::HUP).unwrap();
    }
}
