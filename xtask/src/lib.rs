//! What the project's tasks and its end-to-end tests share: where things are kept outside the clone, and how whatever is missing
//! gets made (the Python environment, the Go peers, the binary under test).
//!
//! The tests call the same functions as `cargo xtask test`, so that a single test started by hand does its own set-up too.

pub mod cache;
pub mod command;
pub mod notes;
pub mod peers;
pub mod product;
pub mod python;
