//! The numbers of a cursor, in all orders in which threads may use them that the memory model allows (loom).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use loom::sync::atomic::{AtomicU64 as Number, Ordering::Relaxed};
use loom::sync::{Arc, Mutex};
use loom::thread::spawn;

/// What stands in the place of the standard library's.
mod atomic {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
}

#[path = "../src/marks.rs"]
mod marks;

use marks::Marks;

/// A cursor whose file is a number.
struct Cursor {
    marks: Marks,
    file: Number,
    /// Held while the file is written, as in `Cursor::persist`.
    writing: Mutex<()>,
}

// === impl Cursor ===

impl Cursor {
    fn new() -> Arc<Self> {
        Arc::new(Self { marks: Marks::new(1), file: Number::new(1), writing: Mutex::new(()) })
    }

    fn commit(&self, next: u64) {
        self.marks.want(next);
        let writing = self.writing.lock().unwrap();
        if let Some(wanted) = self.marks.due(false) {
            assert!(wanted > self.file.load(Relaxed), "the file goes back, or is written for nothing");
            self.file.store(wanted, Relaxed);
            self.marks.advance(wanted);
        }
        drop(writing);
        assert!(self.marks.next() >= next, "told that it is committed, and it is not");
    }
}

/// Scenario: the file was written; another thread looks which segments may go.
/// Guarantees: it sees no number that the file does not have yet. (Where a thread has loaded a number before, as in the test below, loom does not
/// look for this.)
#[test]
fn what_is_seen_was_written() {
    loom::model(|| {
        let cursor = Cursor::new();
        let writer = {
            let cursor = Arc::clone(&cursor);
            spawn(move || {
                cursor.file.store(3, Relaxed);
                cursor.marks.advance(3);
            })
        };
        let next = cursor.marks.next();
        assert!(cursor.file.load(Relaxed) >= next, "what may be removed is not on the disk");
        writer.join().unwrap();
    });
}

/// Scenario: two commits at a time, while a third thread looks which segments may go.
/// Guarantees: who is told that something is committed finds it so; the file never goes back, and is written for nothing by nobody.
#[test]
fn commits_that_wait_for_each_other() {
    loom::model(|| {
        let cursor = Cursor::new();
        let committers = [3, 5].map(|next| {
            let cursor = Arc::clone(&cursor);
            spawn(move || cursor.commit(next))
        });
        let next = cursor.marks.next();
        assert!(cursor.file.load(Relaxed) >= next, "what may be removed is not on the disk");
        committers.into_iter().for_each(|committer| committer.join().unwrap());
        assert_eq!((cursor.marks.next(), cursor.file.load(Relaxed)), (5, 5));
    });
}

/// Scenario: age moves the cursor while a record is committed.
/// Guarantees: it stands behind both; what age took is counted from where it stood.
#[test]
fn age_and_a_commit() {
    loom::model(|| {
        let cursor = Cursor::new();
        let aging = {
            let cursor = Arc::clone(&cursor);
            spawn(move || cursor.marks.advance(4))
        };
        cursor.commit(3);
        let before = aging.join().unwrap();
        assert!(before == 1 || before == 3, "{before}");
        assert_eq!(cursor.marks.next(), 4);
    });
}

/// Scenario: two want to read with one cursor; who has it changes what only its reader may change.
/// Guarantees: one has it at a time, and sees what the one before did.
#[test]
fn one_reader_at_a_time() {
    loom::model(|| {
        let shared = Arc::new((Marks::new(1), Number::new(0)));
        let read = |shared: &(Marks, Number)| {
            let (marks, state) = shared;
            if marks.take() {
                // Not at once: another reader in between, or one that is not seen, would be lost.
                state.store(state.load(Relaxed) + 1, Relaxed);
                marks.give_back();
                return 1;
            }
            0
        };
        let other = {
            let shared = Arc::clone(&shared);
            spawn(move || read(&shared))
        };
        let reads = read(&shared) + other.join().unwrap();
        assert!(reads >= 1, "nobody got it");
        assert!(shared.0.take(), "it was not given back");
        assert_eq!(shared.1.load(Relaxed), reads);
    });
}
