//! What a person sees while the calls are played. On stderr, so that the result can be piped.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that shows how many calls have been played and how many a second; nothing but a line where no person sits at stderr.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

// === impl Progress ===

impl Progress {
    pub(super) fn new(calls: usize, colours: bool) -> Self {
        let bar = ProgressBar::new(u64::try_from(calls).unwrap_or(u64::MAX));
        if bar.is_hidden() {
            // Where stderr is closed, nobody misses the line.
            let _ = writeln!(std::io::stderr(), "playing {calls} calls");
            return Self(bar);
        }
        let bar_style = if colours { "{bar:30.cyan/black.bright}" } else { "{bar:30}" };
        let template = format!("playing {bar_style} {{pos}}/{{len}} calls, {{per_sec}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.with_key("per_sec", calls_per_second).progress_chars("=> "));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// So many calls more have been played.
    pub(super) fn advance(&self, calls: usize) {
        self.0.inc(u64::try_from(calls).unwrap_or(u64::MAX));
    }

    /// All is played: the bar goes.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

fn calls_per_second(state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write) {
    // A line that cannot be written is drawn again a moment later.
    let _ = write!(out, "{:.0} a second", state.per_sec());
}
