//! What joins one pipeline to others.

pub mod failover;
pub mod forward;
pub mod routing;

#[cfg(test)]
mod testing;
