//! Other engines that read the store's files, and a server of the S3 API: independent judges of what spanmill writes and answers.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::http::Client;
use crate::ports;
use crate::process::{Running, folder};
use crate::python::programs;

/// The interpreter with the other engines; where there is no Python, says that `test` was skipped.
pub fn interpreter(test: &str) -> Option<PathBuf> {
    let found = xtask::python::environment_of("tests/python/store.txt");
    let found = found.unwrap_or_else(|error| panic!("making the Python environment: {error}"));
    if found.is_none() {
        crate::skipped(test, "no python3");
    }
    found
}

/// What DuckDB, and Polars where it is wanted, answer about the files of a store: rows by question and engine.
pub fn answers(python: &Path, store: &Path, questions: &[(&str, &[&str])]) -> Vec<Value> {
    let questions: Vec<Value> =
        questions.iter().map(|(sql, engines)| json!({ "sql": sql, "engines": engines })).collect();
    let mut child = Command::new(python)
        .arg(programs().join("oracle.py"))
        .arg(store)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    child.stdin.take().unwrap().write_all(json!(questions).to_string().as_bytes()).expect("questions can be put");
    let output = child.wait_with_output().expect("Python ends");
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).expect("the answers are JSON")
}

/// A server of the S3 API, with an empty bucket named `spans`.
#[derive(Debug)]
pub struct S3 {
    /// Where it listens.
    pub port: u16,
    _process: Running,
}

// === impl S3 ===

impl S3 {
    /// Starts the server and makes the bucket.
    pub fn start(python: &Path) -> Self {
        let port = ports::free();
        let mut command = Command::new(python);
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let mut process = Running::start("s3", &mut command, folder("s3"));
        process.await_port(port);
        let made = Client::new().put(&format!("http://127.0.0.1:{port}/spans"));
        assert_eq!(made.expect("the server answers").status, 200);
        Self { port, _process: process }
    }

    /// What the environment has to say for clients to find it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }
}
