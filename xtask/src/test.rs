//! `cargo xtask test`: set-up, unit tests, the recorded corpus, end-to-end tests, summary.

use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::command::{TaskError, cargo};
use xtask::peers::{self, Found};
use xtask::{cache, notes, product, python};

use crate::steps::Steps;
use crate::{TestArgs, in_clone};

/// How many steps [`set_up`] does.
pub(crate) const SETUP_STEPS: usize = 3;

/// The package of the end-to-end tests.
const END_TO_END: &str = "spanmill-tests";

/// Where the end-to-end tests are, those with faults by themselves.
const FOLDERS: [&str; 2] = ["tests/tests", "tests/faults"];

/// The parts that tests are run in.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Every package but the end-to-end tests.
    Unit,
    /// One file of [`FOLDERS`].
    EndToEnd(String),
    /// The example with Ballista, a workspace of its own.
    Ballista,
}

/// Runs all tests, or the part asked for; true if all passed.
pub(crate) fn run_all(arguments: &TestArgs) -> bool {
    let parts = match chosen(arguments.only.as_deref()) {
        Ok(parts) => parts,
        Err(message) => {
            eprintln!("{message}");
            return false;
        }
    };
    let mut steps = Steps::new(SETUP_STEPS + parts.len());
    let collected = std::env::temp_dir().join(format!("spanmill-notes-{}", std::process::id()));
    let binary = set_up(&mut steps, arguments.no_peers);
    for part in &parts {
        match part {
            Part::Unit => steps.step("unit tests", || {
                in_clone(cargo().args(["test", "--workspace", "--exclude", END_TO_END, "--no-fail-fast"]))
            }),
            Part::EndToEnd(name) => steps.step(&format!("end to end: {name}"), || {
                end_to_end(name, binary.as_deref(), &collected, arguments.no_peers)
            }),
            Part::Ballista => steps.step("the example with Ballista", || {
                let mut command = cargo();
                command.args(["test", "--locked", "--manifest-path", "examples/ballista/Cargo.toml"]);
                // It builds the same crates with other features.
                command.env("CARGO_TARGET_DIR", cache::dir().join("ballista"));
                in_clone(command.env(notes::FILE_VARIABLE, &collected))
            }),
        };
    }
    let passed = steps.summary(&notes::collect(&collected));
    let _ = std::fs::remove_file(&collected);
    passed
}

/// Makes what the tests need; returns the binary under test if it could be built.
pub(crate) fn set_up(steps: &mut Steps, no_peers: bool) -> Option<PathBuf> {
    steps.step("python environment", || {
        if python::environment()?.is_none() {
            eprintln!("skipped: no python3");
        }
        Ok(())
    });
    steps.step("go peers", || if no_peers { skip_peers("no peers wanted") } else { build_peers() });
    steps.step("release build", || {
        let path = product::binary()?;
        eprintln!("{}", path.display());
        Ok(path)
    })
}

/// Builds all peers; without Go that is no failure here, since each test that needs one says that it was skipped.
fn build_peers() -> Result<(), TaskError> {
    for peer in peers::ALL {
        match peers::find(peer)? {
            Found::Ready(path) => eprintln!("{}", path.display()),
            Found::Missing(reason) => return skip_peers(reason),
        }
    }
    Ok(())
}

fn skip_peers(reason: &str) -> Result<(), TaskError> {
    eprintln!("skipped: {reason}");
    Ok(())
}

/// One file of end-to-end tests, with what has been set up named in its environment.
fn end_to_end(name: &str, binary: Option<&Path>, collected: &Path, no_peers: bool) -> Result<(), TaskError> {
    let mut command = cargo();
    command.args(["test", "--package", END_TO_END, "--no-fail-fast"]);
    match name {
        LIBRARY => command.arg("--lib"),
        file => command.args(["--test", file]),
    };
    command.env(notes::FILE_VARIABLE, collected);
    pass_on(&mut command, binary, no_peers);
    in_clone(&mut command)
}

/// Runs the soak, or what it is compared with; true if nothing was lost.
pub(crate) fn soak(minutes: u64, beside: bool) -> bool {
    let mut steps = Steps::new(SETUP_STEPS + 1);
    let binary = set_up(&mut steps, !beside);
    let collected = std::env::temp_dir().join(format!("spanmill-notes-{}", std::process::id()));
    steps.step(&format!("soak for {minutes} minutes"), || {
        let mut command = cargo();
        let test = if beside { "beside_the_collector" } else { "nothing_acknowledged_is_lost" };
        command.args(["test", "--package", END_TO_END, "--test", "soak", "--", "--ignored", "--exact", test]);
        command.env("SPANMILL_SOAK_MINUTES", minutes.to_string()).env(notes::FILE_VARIABLE, &collected);
        pass_on(&mut command, binary.as_deref(), !beside);
        in_clone(&mut command)
    });
    let passed = steps.summary(&notes::collect(&collected));
    let _ = std::fs::remove_file(&collected);
    passed
}

fn pass_on(command: &mut Command, binary: Option<&Path>, no_peers: bool) {
    if let Some(path) = binary {
        command.env(product::BINARY_VARIABLE, path);
    }
    if no_peers {
        command.env(peers::DISABLED_VARIABLE, "1");
    }
}

/// The name under which the tests of the harness itself run.
const LIBRARY: &str = "harness";

/// The parts to run, in order: unit tests, the harness' own tests, the corpus, then the other files by name, and the example.
fn chosen(only: Option<&str>) -> Result<Vec<Part>, String> {
    let files = test_files(&FOLDERS.map(|folder| cache::root().join(folder)));
    let mut names = vec![LIBRARY.to_owned()];
    names.extend(files.iter().filter(|name| *name == "corpus").cloned());
    names.extend(files.into_iter().filter(|name| name != "corpus"));
    match only {
        None => {
            let end_to_end = names.into_iter().map(Part::EndToEnd);
            Ok(std::iter::once(Part::Unit).chain(end_to_end).chain([Part::Ballista]).collect())
        }
        Some("unit") => Ok(vec![Part::Unit]),
        Some("ballista") => Ok(vec![Part::Ballista]),
        Some(name) if names.iter().any(|known| known == name) => Ok(vec![Part::EndToEnd(name.to_owned())]),
        Some(name) => {
            Err(format!("--only {name}: there is no such part; there are unit, {}, ballista", names.join(", ")))
        }
    }
}

/// The names of the test files in `folders`, without extension, sorted.
fn test_files(folders: &[PathBuf]) -> Vec<String> {
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a part is asked for by a name that exists, and by one that does not.
    /// Guarantees: the first runs alone; the second is refused with the names there are, not passed over.
    #[test]
    fn only_names_a_part() {
        assert_eq!(chosen(Some("unit")), Ok(vec![Part::Unit]));
        assert_eq!(chosen(Some(LIBRARY)), Ok(vec![Part::EndToEnd(LIBRARY.to_owned())]));
        let refused = chosen(Some("no-such-part")).expect_err("an unknown name is refused");
        assert!(refused.contains("unit, harness"), "{refused}");
    }
}
