//! The binary under test.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;

use serde_json::Value;

use crate::cache;
use crate::command::{TaskError, cargo, describe};

/// Names the binary to test; where it is not set, the release build is made and used.
pub const BINARY_VARIABLE: &str = "SPANMILL_BIN";

/// The release build of spanmill, as `SPANMILL_BIN` names it, or built now.
pub fn binary() -> Result<PathBuf, TaskError> {
    static BUILT: Mutex<Option<PathBuf>> = Mutex::new(None);
    if let Some(path) = std::env::var_os(BINARY_VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    let mut known = BUILT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(path) = &*known {
        return Ok(path.clone());
    }
    let path = built("spanmill")?;
    *known = Some(path.clone());
    Ok(path)
}

/// Makes the release build of a package's binary and returns its place, which only cargo knows.
///
/// Spanmill itself is always built along: features of dependencies are those of all packages that are built together, and another choice
/// would build DataFusion anew.
pub fn built(package: &str) -> Result<PathBuf, TaskError> {
    let mut command = cargo();
    command.args(["build", "--release", "--message-format=json-render-diagnostics", "--package", "spanmill"]);
    if package != "spanmill" {
        command.args(["--package", package]);
    }
    command.current_dir(cache::root()).stdin(Stdio::null()).stderr(Stdio::inherit());
    let program = describe(&command);
    let output = command.output().map_err(|source| TaskError::Start { program: program.clone(), source })?;
    if !output.status.success() {
        return Err(TaskError::Failed { program, status: output.status });
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    executable(&messages, package).ok_or_else(|| TaskError::NoExecutable(package.to_owned()))
}

/// The executable that cargo's messages (one JSON object a line) name for that target.
fn executable(messages: &str, target: &str) -> Option<PathBuf> {
    let mut named =
        messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).filter_map(|message| {
            let ours = message.pointer("/target/name").and_then(Value::as_str) == Some(target);
            message.get("executable").and_then(Value::as_str).filter(|_| ours).map(PathBuf::from)
        });
    named.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: cargo reports a library, then the binary, then that the build has finished.
    /// Guarantees: the binary's path is found among the messages.
    #[test]
    fn finds_the_executable() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"bytes"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"spanmill"},"executable":"/t/release/spanmill"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executable(messages, "spanmill"), Some(PathBuf::from("/t/release/spanmill")));
        assert_eq!(executable("not json", "spanmill"), None);
    }
}
