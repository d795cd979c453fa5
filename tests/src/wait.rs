//! Waiting for something that another process does, always with a deadline.

use std::time::{Duration, Instant};

/// How long to wait for what normally takes less than a second: long enough for a busy machine of two cores.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks `attempt` again and again until it gives a value; panics, naming `what`, when `patience` is over.
pub fn until<T>(what: &str, patience: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {patience:?} in vain until {what}");
        pause(Duration::from_millis(20));
    }
}

/// Lets time pass between two looks at another process, which has no event to offer.
#[expect(clippy::disallowed_methods, reason = "polls other processes from a thread of its own")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}
