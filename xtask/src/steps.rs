//! Steps of a long task: a line when one begins, a line with its time when it ends, and a table of all at the end.

use std::time::{Duration, Instant};

use xtask::command::TaskError;
use xtask::notes::Notes;

/// The steps done so far.
#[derive(Debug)]
pub(crate) struct Steps {
    began: Instant,
    total: usize,
    done: Vec<Step>,
}

/// One step that has ended.
#[derive(Debug)]
struct Step {
    name: String,
    took: Duration,
    error: Option<String>,
}

// === impl Steps ===

impl Steps {
    /// Begins a task of `total` steps.
    pub(crate) fn new(total: usize) -> Self {
        Self { began: Instant::now(), total, done: Vec::new() }
    }

    /// Does one step and remembers how it went; later steps are done even when it fails, so that one run shows all there is.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T, TaskError>) -> Option<T> {
        let number = self.done.len() + 1;
        eprintln!("\n==> [{number}/{}] {name}", self.total);
        let began = Instant::now();
        let outcome = work();
        let took = began.elapsed();
        let (value, error) = match outcome {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error.to_string())),
        };
        eprintln!("<== {name}: {} in {}", error.as_deref().unwrap_or("ok"), clock(took));
        self.done.push(Step { name: name.to_owned(), took, error });
        value
    }

    /// Prints the table of steps and what tests had to say; true if every step succeeded.
    pub(crate) fn summary(&self, notes: &Notes) -> bool {
        eprintln!("\n=== summary");
        for Step { name, took, error } in &self.done {
            let mark = if error.is_none() { "ok    " } else { "FAILED" };
            let reason = error.as_deref().map(|text| format!("  {text}")).unwrap_or_default();
            eprintln!("  {mark} {:>8}  {name}{reason}", clock(*took));
        }
        for figure in &notes.figures {
            eprintln!("  figure   {figure}");
        }
        for skipped in &notes.skipped {
            eprintln!("  skipped  {skipped}");
        }
        let failed = self.done.iter().filter(|step| step.error.is_some()).count();
        let verdict = if failed == 0 {
            "everything passed".to_owned()
        } else {
            format!("{failed} of {} steps failed", self.done.len())
        };
        let skips = match notes.skipped.len() {
            0 => String::new(),
            count => format!(", {count} skipped"),
        };
        eprintln!("  {verdict}{skips}, {} in all", clock(self.began.elapsed()));
        failed == 0
    }
}

/// A duration as a person reads it: `4.2 s`, `3 min 07 s`.
fn clock(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        format!("{:.1} s", took.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: steps of less and of more than a minute.
    /// Guarantees: their times read naturally.
    #[test]
    fn durations_read_naturally() {
        assert_eq!(clock(Duration::from_millis(4230)), "4.2 s");
        assert_eq!(clock(Duration::from_secs(187)), "3 min 07 s");
    }

    /// Scenario: the second of three steps fails.
    /// Guarantees: the third is done all the same, and the task as a whole has failed.
    #[test]
    fn a_failed_step_does_not_hide_the_next() {
        let mut steps = Steps::new(3);
        assert_eq!(steps.step("one", || Ok(1)), Some(1));
        assert_eq!(steps.step("two", || Err::<(), _>(TaskError::NoExecutable("x".to_owned()))), None);
        assert_eq!(steps.step("three", || Ok(3)), Some(3));
        assert!(!steps.summary(&Notes::default()));
    }
}
