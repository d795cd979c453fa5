//! Ballista over a span store: DataFusion's own engine for many machines answers the named questions.
//!
//! * [`ask`] plans a question over the store's files as they are at this moment, and has a scheduler run the plan.
//! * [`schedule`] is that scheduler: it cuts plans into stages and hands them out.
//! * [`execute`] is an executor: it reads the store's files, and keeps what stages leave to each other.
//!
//! Plans are made where the question is asked, since the store knows which files hold what; they name the files, so that scheduler and executors need
//! to know the store's functions and its place, and nothing of its tables.

mod ask;
mod error;
mod executor;
mod scheduler;

pub use ask::{Answer, ask};
pub use error::BallistaStoreError;
pub use executor::{ExecutorOptions, execute};
pub use scheduler::schedule;

/// An executor that has said nothing for so many seconds is lost; it says something three times as often.
const LOST_AFTER: u64 = 15;
