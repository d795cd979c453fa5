//! Processes under test: started with their output in a file, awaited by port, ended by id.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::wait::{PATIENCE, until};

/// How much of a log is shown when a test fails.
const LOG_TAIL: usize = 4_000;

/// A running process with a folder of its own; killed when dropped.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    folder: TempDir,
    ended: Option<ExitStatus>,
}

/// A new folder for a process to work in.
pub fn folder(name: &str) -> TempDir {
    tempfile::Builder::new().prefix(&format!("spanmill-{name}-")).tempdir().expect("a temporary folder can be made")
}

// === impl Running ===

impl Running {
    /// Starts `command` in `folder`, where its output goes to `log.txt`.
    pub fn start(name: &str, command: &mut Command, folder: TempDir) -> Self {
        let log = File::create(folder.path().join("log.txt")).expect("a log file can be made");
        let same_log = log.try_clone().expect("a file handle can be cloned");
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(log).stderr(same_log);
        let child = command.spawn().unwrap_or_else(|error| panic!("starting {name} ({command:?}): {error}"));
        Self { name: name.to_owned(), child, folder, ended: None }
    }

    /// The folder it works in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("log.txt")).unwrap_or_default()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, or `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("a child's state can be asked");
        }
        self.ended
    }

    /// Waits until it listens on `port`; panics with its log if it ends before.
    pub fn await_port(&mut self, port: u16) {
        let what = format!("{} listens on port {port}", self.name);
        self.await_that(&what, |_| connects(port).then_some(()));
    }

    /// Waits until `attempt` gives a value; panics with the log if the process ends before.
    pub fn await_that<T>(&mut self, what: &str, mut attempt: impl FnMut(&Self) -> Option<T>) -> T {
        until(what, PATIENCE, || {
            if let Some(status) = self.ended() {
                panic!("{} ended with {status} before {what}", self.name);
            }
            attempt(self)
        })
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.await_end()
    }

    /// Sends a signal, to this process alone.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_some() {
            return;
        }
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a child has an id");
        kill_process(id, signal).unwrap_or_else(|error| panic!("signalling {}: {error}", self.name));
    }

    /// Waits until it has ended by itself.
    pub fn await_end(&mut self) -> ExitStatus {
        let what = format!("{} ends", self.name);
        until(&what, PATIENCE, || self.ended())
    }

    /// Its memory at the highest point so far, in bytes, where the system tells.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// The time that processors have spent on it, where the system tells.
    pub fn cpu_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).ok()?;
        // Behind the name, which may hold anything, in hundredths of a second: of itself the twelfth field, of the system for it the next.
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Some(Duration::from_millis(ticks * 10))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let start = log.char_indices().rev().nth(LOG_TAIL).map_or(0, |(at, _)| at);
            eprintln!("--- log of {}\n{}", self.name, &log[start..]);
        }
    }
}

/// Whether something accepts connections on this port of loopback.
pub fn connects(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a process is asked to end; another is dropped while it runs.
    /// Guarantees: both are gone afterwards, and what the first wrote can be read.
    #[test]
    fn processes_end() {
        let mut polite =
            Running::start("polite", Command::new("sh").args(["-c", "echo hello; exec sleep 60"]), folder("polite"));
        polite.await_that("it has written", |process| process.log().contains("hello").then_some(()));
        assert!(!polite.terminate().success());

        let running = Running::start("dropped", Command::new("sleep").arg("60"), folder("dropped"));
        let entry = PathBuf::from(format!("/proc/{}", running.id()));
        drop(running);
        assert!(!entry.join("exe").exists());
    }
}
