//! Where batches come from.
