//! What is told about the suggestion.

/// Lines for a person.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// What was changed.
    pub(crate) changes: Vec<String>,
    /// What has to be looked at by hand.
    pub(crate) notes: Vec<String>,
}

// === impl Log ===

impl Log {
    pub(super) fn change(&mut self, line: impl Into<String>) {
        self.changes.push(line.into());
    }

    pub(super) fn note(&mut self, line: impl Into<String>) {
        let line = line.into();
        if !self.notes.contains(&line) {
            self.notes.push(line);
        }
    }
}
