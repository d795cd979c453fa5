//! Python environments of the tests and benchmarks, with packages in pinned versions: real SDKs, and engines that read the store's files.

use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cache::{self, Lock};
use crate::command::{self, TaskError};

/// Names the Python interpreter to build the environment with, instead of `python3`.
pub const INTERPRETER_VARIABLE: &str = "SPANMILL_PYTHON";

/// The interpreter of the system, if there is one: its name and the version it reports.
pub fn interpreter() -> Option<(OsString, String)> {
    let name = std::env::var_os(INTERPRETER_VARIABLE).unwrap_or_else(|| OsString::from("python3"));
    let output = Command::new(&name).arg("--version").stdin(Stdio::null()).output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some((name, version))
}

/// The interpreter of an environment that has the SDKs of `tests/python/requirements.txt`; `None` without a Python.
pub fn environment() -> Result<Option<PathBuf>, TaskError> {
    environment_of("tests/python/requirements.txt")
}

/// The interpreter of an environment that has the pinned packages of a file of the clone, made now if it is not there; `None` without a
/// Python.
///
/// The environment's folder is named after the requirements and the interpreter's version, so a changed pin makes a new one.
pub fn environment_of(requirements: &str) -> Result<Option<PathBuf>, TaskError> {
    let Some((system, version)) = interpreter() else { return Ok(None) };
    let requirements = cache::root().join(requirements);
    let pins = fs::read_to_string(&requirements).map_err(|source| TaskError::file(&requirements, source))?;
    let mut hasher = DefaultHasher::new();
    (&pins, &version).hash(&mut hasher);
    let folder = cache::dir().join(format!("python-{:016x}", hasher.finish()));
    let python = folder.join("bin/python");
    let complete = folder.join("complete");

    let _lock = Lock::acquire("python")?;
    if complete.is_file() {
        return Ok(Some(python));
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|source| TaskError::file(&folder, source))?;
    }
    command::run(Command::new(system).args(["-m", "venv"]).arg(&folder).stdin(Stdio::null()))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"]);
    command::run(install.arg(&requirements).stdin(Stdio::null()))?;
    fs::write(&complete, pins).map_err(|source| TaskError::file(&complete, source))?;
    Ok(Some(python))
}
