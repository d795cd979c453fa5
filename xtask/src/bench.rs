//! `cargo xtask bench`: set-up, then the benchmark in a release build.

use std::process::Command;

use xtask::notes::Notes;
use xtask::product;

use crate::steps::Steps;
use crate::{in_clone, test};

/// Runs the benchmark of that name with `arguments`; true if it succeeded.
pub(crate) fn run(name: &str, arguments: &[String]) -> bool {
    let mut steps = Steps::new(test::SETUP_STEPS + 1);
    let binary = test::set_up(&mut steps, false);
    steps.step(&format!("bench {name}"), || {
        let mut command = Command::new(product::built(&format!("spanmill-bench-{name}"))?);
        command.args(arguments);
        if let Some(path) = binary {
            command.env(product::BINARY_VARIABLE, path);
        }
        in_clone(&mut command)
    });
    steps.summary(&Notes::default())
}
