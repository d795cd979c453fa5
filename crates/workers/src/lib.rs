//! Queries that several machines answer together: a spanmill plans them and asks query workers, processes of the same binary, which read
//! the store's files and send back what is left once those were filtered and summed up.
//!
//! * [`serve`] is a worker: it runs parts of plans that read the store, and no others.
//! * [`Fleet`] is who asks: it knows which workers are there, has plans made for them, and notices when one is lost.
//!
//! Workers keep nothing between queries. What a spanmill has only in memory goes to them with the plan.

mod channels;
mod fleet;
mod gate;
mod limit;
mod reading;
mod server;

pub use channels::PeerOptions;
pub use fleet::{Fleet, WorkersOptions};
pub use server::{ServeOptions, serve};

/// What a worker and who asks it must have in common: plans are not understood from one version to the next.
const VERSION: &str = env!("CARGO_PKG_VERSION");
