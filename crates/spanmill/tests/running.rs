//! The life of the process: start, signals, logs, end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A running spanmill whose log is read line by line.
struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    seen: String,
    folder: TempDir,
}

impl Running {
    fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.yaml"), config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_spanmill"))
            .current_dir(folder.path())
            .args(["--config", "config.yaml"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log, seen: String::new(), folder }
    }

    fn configure(&self, config: &str) {
        fs::write(self.folder.path().join("config.yaml"), config).unwrap();
    }

    /// Reads the log up to a line that holds this text.
    fn until(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.log.read_line(&mut line).unwrap();
            assert!(read > 0, "ended before {text:?}: {}", self.seen);
            self.seen.push_str(&line);
            if line.contains(text) {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Exit code and the rest of the log.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

fn config(telemetry: &str) -> String {
    format!(
        "
receivers: {{nop: }}
exporters: {{nop: }}
extensions: {{health_check: {{endpoint: '127.0.0.1:0'}}}}
service:
  extensions: [health_check]
  telemetry: {{metrics: {{level: none}}, logs: {telemetry}}}
  pipelines: {{traces: {{receivers: [nop], exporters: [nop]}}}}
"
    )
}

const READY: &str = "everything is ready";

/// Scenario: SIGTERM, and in another run SIGINT.
/// Guarantees: a clean end with code 0, said in the log, without colours where no terminal is.
#[test]
fn signals_end_it() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let mut running = Running::start(&config("{}"));
        let ready = running.until(READY);
        assert!(!ready.contains('\u{1b}'), "{ready}");
        running.signal(signal);
        running.until(name);
        let (code, rest) = running.end();
        assert_eq!(code, Some(0), "{rest}");
        assert!(rest.contains("stopped"), "{rest}");
    }
}

/// Scenario: SIGHUP with a configuration that is wrong, then with a good one that logs JSON.
/// Guarantees: the wrong one is refused with its mistake and its line; the good one runs and logs JSON from then on.
#[test]
fn hangup_reads_again() {
    let mut running = Running::start(&config("{}"));
    running.until(READY);
    running.configure(&config("{}").replace("exporters: {nop: }", "exporters: {nop: , nap: }"));
    running.signal(Signal::HUP);
    let refusal = running.until("unknown type");
    assert!(refusal.contains("the running one is kept") && refusal.contains("config.yaml:3"), "{refusal}");

    running.configure(&config("{encoding: json}"));
    running.signal(Signal::HUP);
    let line = running.until("the new configuration runs");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["level"], "INFO");
    running.signal(Signal::TERM);
    assert_eq!(running.end().0, Some(0));
}

/// Scenario: logs go to a file at level `error`; the health check's port is taken.
/// Guarantees: the file has nothing below errors; a port that is taken ends with code 1 and its name on stderr.
#[test]
fn logs_and_failed_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = taken.local_addr().unwrap().to_string();
    let yaml = config("{level: error, output_paths: [log.txt]}").replace("127.0.0.1:0", &endpoint);
    let running = Running::start(&yaml);
    let log = running.folder.path().join("log.txt");
    let mut child = running;
    let mut err = String::new();
    child.log.read_to_string(&mut err).unwrap();
    assert_eq!(child.child.wait().unwrap().code(), Some(1));
    let expected = format!(
        "Error: cannot start pipelines: failed to start \"health_check\" extension: cannot listen on {endpoint}: "
    );
    assert!(err.starts_with(&expected), "{err}");
    assert_eq!(fs::read_to_string(log).unwrap(), "");
}
