//! Lines that a test wants to be seen even when it passes: figures, and what was skipped.
//!
//! `cargo test` swallows the output of tests that pass, so these go past its capture, straight to standard error, and into the
//! file that `SPANMILL_NOTES` names, from which `cargo xtask test` makes its summary.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The variable that names the file where notes are collected.
pub const FILE_VARIABLE: &str = "SPANMILL_NOTES";

/// Collected notes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Figures, as `test: text`.
    pub figures: Vec<String>,
    /// What was skipped, as `test: reason`.
    pub skipped: Vec<String>,
}

/// Reports a figure that a test has measured.
pub fn figure(test: &str, text: &str) {
    publish(&format!("\n{test}: {text}\n"), &format!("figure\t{test}: {text}\n"));
}

/// Reports that a test did not run, on a line of its own that reads `skipped: REASON`.
pub fn skipped(test: &str, reason: &str) {
    publish(&format!("\n{test}:\nskipped: {reason}\n"), &format!("skipped\t{test}: {reason}\n"));
}

/// Reads what tests have written to `file`; a file that is not there holds no notes.
pub fn collect(file: &Path) -> Notes {
    let mut notes = Notes::default();
    for line in fs::read_to_string(file).unwrap_or_default().lines() {
        match line.split_once('\t') {
            Some(("figure", text)) => notes.figures.push(text.to_owned()),
            Some(("skipped", text)) => notes.skipped.push(text.to_owned()),
            _ => {}
        }
    }
    notes
}

/// Writes past the capture of the test harness; a note that cannot be written is no reason to fail a test.
fn publish(shown: &str, kept: &str) {
    let _ = io::stderr().lock().write_all(shown.as_bytes());
    if let Some(path) = std::env::var_os(FILE_VARIABLE)
        && let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path)
    {
        let _ = file.write_all(kept.as_bytes());
    }
}
