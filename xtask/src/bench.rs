//! `cargo xtask bench`: set-up, then the benchmark in a release build.

use xtask::command::cargo;
use xtask::notes::Notes;
use xtask::product;

use crate::steps::Steps;
use crate::{in_clone, test};

/// Runs `bench/relay` with `arguments`; true if it succeeded.
pub(crate) fn relay(arguments: &[String]) -> bool {
    let mut steps = Steps::new(test::SETUP_STEPS + 1);
    let binary = test::set_up(&mut steps, false);
    steps.step("bench relay", || {
        let mut command = cargo();
        command.args(["run", "--release", "--package", "spanmill-bench-relay", "--"]).args(arguments);
        if let Some(path) = binary {
            command.env(product::BINARY_VARIABLE, path);
        }
        in_clone(&mut command)
    });
    steps.summary(&Notes::default())
}
