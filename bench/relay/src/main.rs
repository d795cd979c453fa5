//! CPU per span of collectors side by side.

fn main() {}
