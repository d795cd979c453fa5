//! End-to-end tests against real backends and recorded real traffic.
